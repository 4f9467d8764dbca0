//! The table of what becomes of an attempt that was cut off between intent and outcome.

use std::time::Duration;

use super::super::{FindingKind, Recovery, recover};
use super::*;

const NOW: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_secs(121);

#[test]
fn what_is_found_is_adopted_and_what_cannot_be_seen_stays_in_doubt() {
    for class in [RepeatClass::Token, RepeatClass::Natural, RepeatClass::Tag, RepeatClass::Person] {
        for since in [NOW, LATER] {
            assert_eq!(recover(class, FindingKind::Same, since), Recovery::Adopt, "{class:?}");
            assert_eq!(recover(class, FindingKind::Unknown, since), Recovery::StayInDoubt, "{class:?}");
        }
    }
}

#[test]
fn a_token_or_a_natural_key_is_said_again_at_once() {
    for class in [RepeatClass::Token, RepeatClass::Natural] {
        for found in [FindingKind::Absent, FindingKind::Different] {
            assert_eq!(recover(class, found, NOW), Recovery::Repeat);
        }
    }
}

#[test]
fn without_either_nothing_is_repeated_before_the_quiet_time_is_over() {
    let left = |since| recover(RepeatClass::Tag, FindingKind::Absent, since);
    assert_eq!(left(NOW), Recovery::LookAgain(Duration::from_secs(120)));
    assert_eq!(left(Duration::from_secs(119)), Recovery::LookAgain(Duration::from_secs(1)));
    assert_eq!(left(Duration::from_secs(120)), Recovery::Repeat);
    assert_eq!(left(LATER), Recovery::Repeat);
    assert_eq!(recover(RepeatClass::Tag, FindingKind::Different, NOW), Recovery::Repeat, "part of it can be seen");
}

#[test]
fn what_only_a_person_may_repeat_is_never_repeated() {
    for found in [FindingKind::Absent, FindingKind::Different] {
        for since in [NOW, LATER] {
            assert_eq!(recover(RepeatClass::Person, found, since), Recovery::Person);
        }
    }
}

#[test]
fn tokens_are_the_same_for_the_same_and_differ_in_every_part() {
    use super::super::token;
    let step = at("net/vpc");
    let one = token("e1", &step, "digest", 0);
    assert_eq!(one, token("e1", &step, "digest", 0));
    assert_eq!(one.len(), 32);
    assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for other in [
        token("e2", &step, "digest", 0),
        token("e1", &at("net/vpc[a]"), "digest", 0),
        token("e1", &step, "other", 0),
        token("e1", &step, "digest", 1),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn who_said_no_is_told_from_who_was_not_there() {
    let failure = |code: Option<&str>, raw: &str| Failure {
        code: code.map(str::to_owned),
        raw: raw.to_owned(),
        ..Failure::new("DeleteVpc did not work", "Try again.")
    };
    assert!(failure(Some("DependencyViolation"), "The vpc has dependencies").was_answered());
    assert!(failure(None, "").was_answered(), "a look has said it");
    assert!(!failure(None, "error trying to connect: connection refused").was_answered());
}

#[test]
fn what_was_found_has_one_word_for_people_and_for_programs_and_state_files_of_before_are_read() {
    use FindingKind::{Absent, Different, Same, Unknown};
    for (kind, word) in [(Same, "matches"), (Different, "differs"), (Absent, "absent"), (Unknown, "unknown")] {
        assert_eq!(kind.word(), word);
        assert_eq!(serde_json::to_value(kind).unwrap(), word);
        assert_eq!(serde_json::from_value::<FindingKind>(word.into()).unwrap(), kind);
    }
    for (kind, word) in [(Same, "same"), (Different, "different")] {
        assert_eq!(serde_json::from_value::<FindingKind>(word.into()).unwrap(), kind);
    }
}
