//! What is kept of a channel's output, and what its end means.

use russh::{ChannelMsg, Sig};

use super::Prepared;
use crate::ssh::error::Problem;
use crate::ssh::spool::{LARGEST_PIECE, MOST_WAITING, Spool, Verdict};
use crate::ssh::{Exit, Script, Stream};

fn out(bytes: &[u8]) -> ChannelMsg {
    ChannelMsg::Data { data: bytes.to_vec().into() }
}

fn err(text: &str) -> ChannelMsg {
    ChannelMsg::ExtendedData { data: text.as_bytes().to_vec().into(), ext: 1 }
}

fn ended(messages: Vec<ChannelMsg>, sudo: bool) -> Verdict {
    let spool = Spool::default();
    messages.into_iter().for_each(|message| spool.note(message));
    spool.end();
    spool.verdict(sudo)
}

#[test]
fn pieces_are_joined_within_a_stream_and_keep_their_order() {
    let spool = Spool::default();
    for message in [out(b"a"), out(b"b"), err("c"), out(b"d")] {
        spool.note(message);
    }
    let taken: Vec<_> = std::iter::from_fn(|| spool.take()).map(|chunk| (chunk.stream, chunk.bytes)).collect();
    let expected = [(Stream::Out, b"ab".to_vec()), (Stream::Err, b"c".to_vec()), (Stream::Out, b"d".to_vec())];
    assert_eq!(taken, expected);
}

#[test]
fn what_nobody_takes_is_dropped_oldest_first_and_counted() {
    let spool = Spool::default();
    let piece = vec![b'x'; LARGEST_PIECE];
    let pieces = MOST_WAITING / LARGEST_PIECE;
    for _ in 0..pieces + 3 {
        spool.note(out(&piece));
    }
    spool.note(err("the end"));
    let chunks: Vec<_> = std::iter::from_fn(|| spool.take()).collect();
    let kept: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    let missed: u64 = chunks.iter().map(|chunk| chunk.missed).sum();
    assert!(kept <= MOST_WAITING);
    assert_eq!(kept as u64 + missed, ((pieces + 3) * LARGEST_PIECE + 7) as u64);
    assert_eq!(chunks.first().map(|chunk| chunk.missed), Some(missed), "said where it is missing");
    assert_eq!(chunks.last().map(|chunk| chunk.bytes.as_slice()), Some(&b"the end"[..]));
}

#[test]
fn an_end_without_a_code_is_never_a_success() {
    let code = |exit_status| ChannelMsg::ExitStatus { exit_status };
    let exit = |messages| match ended(messages, false) {
        Verdict::Ended(exit) => Some(exit),
        _ => None,
    };
    assert!(exit(vec![code(0), ChannelMsg::Close]).is_some_and(|e| e.is_success()));
    assert_eq!(exit(vec![ChannelMsg::Close]), Some(Exit { code: None, signal: None, missed: 0 }));
    assert!(!Exit { code: None, signal: None, missed: 0 }.is_success());
    assert_eq!(exit(vec![code(0)]), None, "the connection broke before the channel was closed");
    let signal = ChannelMsg::ExitSignal {
        signal_name: Sig::Custom("evil\u{1b}".to_owned()),
        core_dumped: false,
        error_message: String::new(),
        lang_tag: String::new(),
    };
    assert_eq!(exit(vec![signal, ChannelMsg::Close]).and_then(|e| e.signal), Some("evil\u{fffd}".to_owned()));
}

#[test]
fn only_sudos_own_words_are_taken_for_sudo() {
    let verdict = |text: &str, code, output: &str, sudo| {
        let mut messages = vec![err(text), ChannelMsg::ExitStatus { exit_status: code }, ChannelMsg::Close];
        if !output.is_empty() {
            messages.insert(0, out(output.as_bytes()));
        }
        match ended(messages, sudo) {
            Verdict::Sudo(problem) => Some(problem),
            _ => None,
        }
    };
    let asks = "sudo: unable to resolve host x: Name or service not known\nsudo: a password is required\n";
    assert_eq!(verdict(asks, 1, "", true), Some(Problem::PasswordNeededForSudo));
    assert_eq!(verdict(asks, 1, "", false), None);
    assert_eq!(verdict(asks, 1, "some output", true), None);
    assert_eq!(verdict(asks, 2, "", true), None);
    assert_eq!(verdict(&format!("error\n{asks}"), 1, "", true), None);
    assert_eq!(verdict("", 1, "", true), None);
    let warning = "sudo: unable to resolve host ip-10-0-0-5: Name or service not known\n";
    assert_eq!(verdict(warning, 1, "", true), None, "a check that said no, on a host that cannot resolve itself");
    for refusal in [
        "deploy is not in the sudoers file.",
        "deploy is not in the sudoers file.  This incident will be reported.",
        "Sorry, user deploy is not allowed to execute '/usr/bin/sh -s' as root on host.",
        "Sorry, user deploy may not run sudo on host.",
    ] {
        assert_eq!(verdict(refusal, 1, "", true), Some(Problem::SudoRefused(refusal.to_owned())));
    }
    let other = "sudo: sorry, you must have a tty to run sudo\n";
    assert_eq!(verdict(other, 1, "", true), Some(Problem::SudoRefused(other.trim().to_owned())));
}

#[test]
fn root_needs_no_sudo() {
    let script = Script { text: String::new(), sudo: true, limit: std::time::Duration::ZERO, stdin_after: None };
    let command = |user, sudo| Prepared::new(&Script { sudo, ..script.clone() }, user, None).unwrap().command;
    assert_eq!(command("deploy", true), "sudo -n sh -s");
    assert_eq!(command("root", true), "sh -s");
    assert_eq!(command("deploy", false), "sh -s");
}
