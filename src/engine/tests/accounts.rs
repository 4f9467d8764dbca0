//! The way to the account: credentials that end in the middle, a region that is given late.

use super::*;

#[tokio::test]
async fn credentials_that_end_are_renewed_by_trying_again_and_the_run_goes_on_where_it_was() {
    let stage = Stage::new(NETWORK, Faults::new(3, [Fault::ExpiredCredentials]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    let failures: Vec<Failure> = desk.board().rows.into_iter().filter_map(failure).collect();
    assert!(!failures.is_empty(), "the credentials never ended");
    for failure in &failures {
        assert!(failure.code.as_deref().is_some_and(|code| code.contains("Expired")), "{failure:?}");
        assert!(failure.advice.contains("Renew the session"), "{failure:?}");
    }
    let done = desk.board().tally.done;

    desk.reopen_failed();
    desk.run(RunScope::All).await;
    assert!(desk.board().rows.into_iter().filter_map(failure).next().is_none(), "{:#?}", desk.board());
    assert!(desk.board().tally.done > done);
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

fn failure(row: Row) -> Option<Failure> {
    match row.status {
        Status::Failed(failure) => Some(failure),
        _ => None,
    }
}

#[tokio::test]
async fn a_region_that_is_given_after_the_engine_began_is_the_one_that_is_asked() {
    let stage = Stage::new(NETWORK, Faults::none());
    let wiring = Wiring { region: String::new(), ..stage.wiring() };
    let nowhere = Cloud::connect(wiring.clone()).await.map_err(Failure::from);
    assert!(nowhere.is_err());
    let worlds = stage.worlds_over(nowhere, wiring);
    let mut desk = stage.open_over(worlds, Clock::stepping(At(86_400_000), Duration::from_secs(60)));
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff, "{:#?}", desk.board());
    desk.close().await;
}
