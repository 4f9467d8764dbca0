//! The session with AWS on the screen: who it is, how long it lasts, and what to do when it ends.

use super::stage::{NOW, Stage, address};
use crate::engagement::{At, Caller, Event as Fact, Failure, Question};
use crate::engine::Notice;
use crate::ui::look::Role;

fn caller(minutes: i64) -> Notice {
    Notice::Identity(Ok(Caller {
        account: "012345678901".to_owned(),
        name: "assumed-role/OnboardingOperator/onramp-acme".to_owned(),
        expires: Some(At(NOW.0 + minutes * 60_000 + 500)),
        ..Caller::default()
    }))
}

fn top(stage: &mut Stage, width: u16) -> String {
    stage.screen(width, 24).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_clock_of_the_session_is_in_the_top_line_and_the_role_where_there_is_room() {
    let mut stage = Stage::answered();
    assert!(!top(&mut stage, 80).contains("min"));
    stage.notice(caller(52));
    let line = top(&mut stage, 80);
    assert!(line.contains(" 52 min  ") && !line.contains("OnboardingOperator"), "{line}");
    let line = top(&mut stage, 120);
    assert!(line.contains("OnboardingOperator 52 min  "), "{line}");
}

#[test]
fn the_clock_warns_when_less_than_a_quarter_of_an_hour_is_left() {
    let mut stage = Stage::answered();
    let problem = stage.state.facts.look.style(Role::Problem);
    let style = |stage: &mut Stage, said: &str| {
        let at = top(stage, 80).chars().collect::<String>().find(said).unwrap();
        let x = u16::try_from(top(stage, 80)[..at].chars().count()).unwrap();
        stage.buffer(80, 24)[(x, 0)].style()
    };
    stage.notice(caller(16));
    assert_ne!(style(&mut stage, "16 min").fg, problem.fg);
    stage.notice(caller(14));
    assert_eq!(style(&mut stage, "14 min").fg, problem.fg);
}

#[test]
fn a_step_that_a_session_cut_short_says_how_to_sign_in_and_c_looks_at_once() {
    let mut stage = Stage::answered();
    let failure = Failure {
        what: "DescribeVpcs was refused".to_owned(),
        meaning: "The session has ended.".to_owned(),
        advice: "In another window: aws sso login --profile northwind".to_owned(),
        code: Some("RequestExpired".to_owned()),
        raw: "Request has expired.".to_owned(),
        sign_in: true,
        ..Failure::default()
    };
    let step = address("network/vpc");
    stage.fact(Fact::AttemptStarted { step: step.clone(), attempt: 1 });
    stage.fact(Fact::Asked { step, attempt: 1, question: Question::SignIn { failure } });
    stage.press(&["n"]);
    let screen = stage.screen(200, 50);
    for said in [
        " SIGN IN ",
        "aws sso login --profile northwind",
        "It goes on by itself; C looks at once",
        "RequestExpired: Request has expired.",
    ] {
        assert!(screen.contains(said), "{said}:\n{screen}");
    }
    stage.wished();
    stage.press(&["C"]);
    assert_eq!(stage.wished(), ["Send(SignIn)"]);
    stage.press(&["Enter"]);
    assert_eq!(stage.wished(), ["Send(SignIn)"]);
    stage.notice(caller(60));
    assert!(stage.screen(200, 50).contains("Signed in to AWS: assumed-role/OnboardingOperator"));
}
