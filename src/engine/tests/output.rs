//! Output: paged from either end, searched whole, numbered as it comes and as it is kept.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::hosts::{approved, introduced, stage_of_steps};
use super::*;
use crate::engine::{Find, Found};

const STEP: &str = "net/vpc";

/// An attempt that is over, with an output of so many lines.
fn with_output(lines: usize, line: impl Fn(usize) -> String) -> Stage {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let step = at(STEP);
    let started = Event::AttemptStarted { step: step.clone(), attempt: 1 };
    let stopped = Event::Stopped { step: step.clone(), attempt: 1, why: "it was enough".to_owned() };
    writer.append(At(2_000), &"jane@desk".to_owned(), vec![started, stopped]).unwrap();
    let all: Vec<usize> = (0..lines).collect();
    for some in all.chunks(500) {
        let bytes: String = some.iter().map(|number| line(*number) + "\n").collect();
        writer.output(&[(step.clone(), 1, bytes.into_bytes())]).unwrap();
    }
    stage
}

fn find(wanted: &str, from: usize, down: bool) -> Request {
    Request::Find(Find { step: at(STEP), attempt: 1, wanted: wanted.to_owned(), from, down })
}

fn is_found(notice: &Notice) -> Option<Found> {
    match notice {
        Notice::Found(found) => Some(found.clone()),
        _ => None,
    }
}

/// Where it is, and whether the search went around.
async fn found(desk: &mut Desk, wanted: &str, from: usize, down: bool) -> Option<(usize, bool)> {
    desk.handle.send(find(wanted, from, down));
    let found = desk.hear("what was found", is_found).await;
    let hit = found.hit?;
    assert_eq!(hit.page.total, LINES);
    assert!(hit.page.lines.len() <= 1_000, "{}", hit.page.lines.len());
    let line = &hit.page.lines[hit.line - hit.page.from];
    assert!(line.to_lowercase().contains(&wanted.to_lowercase()), "{line:?}");
    Some((hit.line, hit.around))
}

const LINES: usize = 12_345;

fn some_line(number: usize) -> String {
    match number {
        7 | 9_000 => format!("\u{1b}[1;31mNeedle\u{1b}[0m {number}"),
        5_000 => "a \u{1b}[31mbro\u{1b}[0mken word, and \u{202e}reversed".to_owned(),
        _ => format!("line {number} of hay"),
    }
}

async fn assert_searched(desk: &mut Desk) {
    assert_eq!(found(desk, "needle", 0, true).await, Some((7, false)));
    assert_eq!(found(desk, "needle", 8, true).await, Some((9_000, false)));
    assert_eq!(found(desk, "NEEDLE", 9_001, true).await, Some((7, true)), "around, and it is said");
    assert_eq!(found(desk, "needle", 9_000, false).await, Some((7, false)));
    assert_eq!(found(desk, "needle", 7, false).await, Some((9_000, true)));
    assert_eq!(found(desk, "line 12344 of", 0, true).await, Some((12_344, false)));
    assert_eq!(found(desk, "line 0 of", LINES, false).await, Some((0, false)));
    assert_eq!(found(desk, "broken word", 0, true).await, Some((5_000, false)), "as a person reads it");
    assert_eq!(found(desk, "<202e>reversed", 0, true).await, Some((5_000, false)));
    assert_eq!(found(desk, "nothing of the kind", 6_000, true).await, None);
    assert_eq!(found(desk, "nothing of the kind", 6_000, false).await, None);
    for (at, from) in [(PageAt::Last, LINES - 10), (PageAt::From(6_000), 6_000)] {
        desk.handle.send(Request::Page { step: self::at(STEP), attempt: 1, at, lines: 10 });
        let page = |notice: &Notice| if let Notice::Page(page) = notice { Some(page.clone()) } else { None };
        let page = desk.hear("the page", page).await;
        assert_eq!((page.from, page.lines.len(), page.total), (from, 10, LINES));
        assert_eq!(page.lines[0], some_line(from));
    }
}

#[tokio::test]
async fn all_of_an_output_is_searched_from_anywhere_both_ways() {
    let stage = with_output(LINES, some_line);
    let mut desk = stage.open().await;
    assert_searched(&mut desk).await;
    desk.close().await;
}

#[tokio::test]
async fn whoever_reads_along_pages_and_searches_too() {
    let stage = with_output(LINES, some_line);
    let mut along = stage.follow();
    assert_searched(&mut along).await;
    along.close().await;
}

#[tokio::test]
async fn a_search_that_nobody_waits_for_is_given_up() {
    let stage = with_output(LINES, some_line);
    let mut desk = stage.open().await;
    desk.handle.send(find("nothing", 0, true));
    desk.handle.send(find("nothing either", 0, true));
    desk.handle.send(Request::StopFinding);
    desk.handle.send(find("needle", 0, true));
    let hit = desk.hear("what was found", is_found).await;
    assert_eq!(hit.find.wanted, "needle", "no answer to what was given up");
    desk.close().await;
}

#[tokio::test]
async fn a_secret_is_not_found_by_looking_for_it() {
    let stage =
        with_output(LINES, |number| format!("line {number} {}", if number == 9_000 { "hunter2-canary" } else { "" }));
    let worlds = stage.worlds().await;
    worlds.vault().masks().learn("hunter2-canary");
    let mut desk = stage.open_over(worlds, Clock::default());
    assert_eq!(found(&mut desk, "hunter2", 0, true).await, None, "it was learned after it was written");
    assert_eq!(found(&mut desk, "line 9000 ********", 0, true).await, None, "a mask is no text");
    assert_eq!(found(&mut desk, "line 9000 ", 0, true).await, Some((9_000, false)));
    assert!(!format!("{:?}", desk.heard).contains("hunter2-canary"));
    desk.close().await;
}

const STRANGE: &str = r#"
steps:
  - id: one
    title: One
    host: app
    no_undo: It is only a test.
    shell:
      check: test -e /etc/one
      run: |
        printf 'first\r\n'
        for percent in 1 2 3; do printf '%s0%%\r' $percent; sleep 0.15; done
        printf 'done\n'
        printf '\033[2Jevil\033]52;c;ZXZpbA==\007 \342\200\256rtl \302\2331m \377\n'
        i=0; while [ $i -lt 1100 ]; do printf '%s' xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done
        sleep 0.3
        printf 'y\nno end'
        echo 1 >/etc/one
"#;

#[tokio::test]
async fn what_is_shown_as_it_comes_is_numbered_as_it_is_kept() {
    let (stage, _hosts) = stage_of_steps(STRANGE).await;
    let mut desk = approved(&stage).await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    let attempt = desk.engagement.record(&at("net/one")).unwrap().attempts;
    let mut shown = vec![String::new()];
    for notice in &desk.heard {
        if let Notice::Output { attempt: of, from, text, .. } = notice
            && *of == attempt
        {
            assert_eq!(*from, shown.len() - 1, "it goes on with the last line: {text:?}");
            let mut pieces = text.split('\n');
            shown.last_mut().unwrap().push_str(pieces.next().unwrap());
            shown.extend(pieces.map(str::to_owned));
        }
    }
    desk.handle.send(Request::Page { step: at("net/one"), attempt, at: PageAt::From(0), lines: 1_000 });
    let page = |notice: &Notice| if let Notice::Page(page) = notice { Some(page.clone()) } else { None };
    let page = desk.hear("the page", page).await;
    assert_eq!(page.total, page.lines.len());
    assert_eq!(shown, page.lines);
    for line in ["first", "10%", "30%", "^[[2Jevil^[]52;c;ZXZpbA==^G <202e>rtl <9b>1m <ff>", "no end"] {
        assert!(page.lines.iter().any(|kept| kept == line), "{line:?} in {:?}", page.lines);
    }
    // The bytes are kept.
    let reader = Reader::open(&stage.folder()).unwrap();
    let kept = reader.page(&at("net/one"), attempt, PageAt::From(0), 1_000).unwrap();
    let evil = b"\x1b[2Jevil\x1b]52;c;ZXZpbA==\x07 \xe2\x80\xaertl \xc2\x9b1m \xff".as_slice();
    assert!(kept.lines.iter().any(|line| line == evil));
    desk.close().await;
}

/// Prints what lies in files, piece by piece, each to the stream that the file's name says.
const PIECES: &str = r#"
steps:
  - id: one
    title: One
    host: app
    no_undo: It is only a test.
    shell:
      check: test -e /etc/one
      run: |
        for piece in /etc/pieces/*; do
          case $piece in
            *out) cat $piece ;;
            *err) cat $piece >&2 ;;
            *rest) sleep 0.03 ;;
          esac
        done
        echo 1 >/etc/one
"#;

const SECRET: &str = "Kx7.ca\"na'ry_Qf 93/+zW";

/// Ways in which a program could print it, and where one ends.
fn printed() -> Vec<String> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let hex = |between: &str| SECRET.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between);
    let wide: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut all = vec![SECRET.to_owned(), hex(""), hex(" "), hex(":").to_uppercase(), STANDARD.encode(wide)];
    all.extend(["", "a", "ab", "abc"].iter().map(|before| STANDARD.encode(format!("{before}{SECRET}"))));
    all.push(URL_SAFE.encode(SECRET));
    all.push("Kx7.ca%22na%27ry_Qf%2093%2F%2BzW".to_owned());
    all.push("Kx7.ca%22na%27ry_Qf+93%2F%2BzW".to_owned());
    all.push(r#"{"password":"Kx7.ca\"na'ry_Qf 93/+zW"}"#.to_owned());
    all.push(r#"'Kx7.ca"na'\''ry_Qf 93/+zW'"#.to_owned());
    all.push(SECRET.chars().map(|letter| format!("{letter}\0")).collect());
    all
}

/// Ten bytes from the middle of what is to be masked: enough to give it away.
fn telling(printed: &str) -> Vec<u8> {
    let bytes = printed.as_bytes();
    let middle = bytes.len() / 2;
    bytes[middle - 5..middle + 5].to_vec()
}

async fn masked_through_a_host(cuts: Vec<(usize, bool)>, on_err: Vec<bool>) {
    let (stage, hosts) = stage_of_steps(PIECES).await;
    let mut script = "mkdir -p /etc/pieces\n".to_owned();
    let mut number = 0;
    let mut file = |kind: &str, text: &[u8]| {
        number += 1;
        let octal: String = text.iter().map(|byte| format!("\\\\0{byte:03o}")).collect();
        script.push_str(&format!("printf '%b' \"{octal}\" >/etc/pieces/{number:04}.{kind}\n"));
    };
    for (index, text) in printed().iter().enumerate() {
        let (own, other) = if on_err[index % on_err.len()] { ("err", "out") } else { ("out", "err") };
        let (cut, rests) = cuts[index % cuts.len()];
        let (one, rest) = text.as_bytes().split_at(1 + cut % (text.len() - 1));
        file(own, one);
        // Between the two parts something comes on the other stream, or nothing for a while.
        file(if rests { "rest" } else { other }, b"between\n");
        file(own, rest);
        file(own, b"\n");
    }
    hosts.at_console("app", &script).await.unwrap();
    let worlds = stage.worlds().await;
    worlds.vault().masks().learn(SECRET);
    let mut desk = introduced(stage.open_over(worlds, Clock::default())).await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/one"), Status::Done { .. }), "{:?}", desk.status("net/one"));
    let attempt = desk.engagement.record(&at("net/one")).unwrap().attempts;
    let live: String = desk
        .heard
        .iter()
        .filter_map(|notice| if let Notice::Output { text, .. } = notice { Some(text.as_str()) } else { None })
        .collect();
    let reader = Reader::open(&stage.folder()).unwrap();
    let stored = reader.page(&at("net/one"), attempt, PageAt::From(0), 10_000).unwrap().lines.join(&b'\n');
    for (what, bytes) in [("shown", live.as_bytes()), ("stored", stored.as_slice())] {
        let text = String::from_utf8_lossy(bytes);
        assert!(text.matches("********").count() >= printed().len(), "{what}: {text}");
        for printed in printed() {
            let telling = telling(&printed);
            assert!(!bytes.windows(telling.len()).any(|window| window == telling), "{what}: {printed:?} in {text}");
        }
    }
    desk.close().await;
}

proptest! {
    #![proptest_config(Config { cases: 6, ..Config::default() })]

    #[test]
    fn a_secret_that_a_host_prints_is_masked_however_it_is_cut(
        cuts in proptest::collection::vec((0_usize..100, any::<bool>()), 1..20),
        on_err in proptest::collection::vec(any::<bool>(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(masked_through_a_host(cuts, on_err));
    }
}
