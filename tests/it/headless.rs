//! Practice without a screen: the whole of remote access, unattended.

use crate::stage::Stage;

#[test]
fn practice_walks_to_the_end_unattended_and_a_second_time_changes_nothing() {
    let stage = Stage::new();
    let first = stage.run(&["practice", "--headless", "--pace", "instant"]).expect(0);
    first.says("access/exposure");
    let status = stage.run(&["practice", "--status"]).expect(0);
    assert!(!status.out.contains("blocked") && !status.out.contains("failed"), "{}", status.out);
    let again = stage.run(&["practice", "--headless", "--pace", "instant", "--format", "jsonl"]).expect(0);
    assert!(!again.out.contains("\"event\":\"intended\""), "the second run intended a change:\n{}", again.out);
}

#[test]
fn practice_survives_what_the_cloud_does_to_it() {
    for fault in ["lost-reply", "invisible"] {
        let stage = Stage::new();
        let arguments = ["practice", "--headless", "--pace", "instant", "--fault", fault, "--seed", "7"];
        let answer = stage.run(&arguments);
        assert!(answer.code == 0 || answer.code == 1 || answer.code == 3, "{fault}: {}\n{}", answer.code, answer.err);
        // Whatever happened, going on without the fault ends well and makes nothing twice.
        stage.run(&["practice", "--headless", "--pace", "instant", "--retry"]).expect(0);
        let doubles = stage.run(&["practice", "--doubles"]).expect(0);
        assert_eq!(doubles.out.trim(), "none", "{fault}");
    }
}
