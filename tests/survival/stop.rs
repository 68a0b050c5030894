//! Told to stop under load, the service ends in good order; while it runs, nobody else gets its directory.

use tonic::Code;

use crate::client::Client;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::process::Service;
use crate::support::Dice;
use crate::write::mark;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_told_to_stop_answers_what_is_in_flight_and_keeps_what_it_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let mut dice = Dice(15);
    let mut ledger = Ledger::default();
    let mut first = 0;
    for _ in 0..6 {
        let service = Service::start(home.path());
        let load = Load::start(&service.url, dice.below(u64::MAX), first).await;
        load.wait_for_sent(1 + dice.below(300) as u32).await;
        load.ending();
        service.terminate();

        let (done, next) = load.end().await;
        first = next;
        let mut never_taken = Vec::new();
        for done in done {
            match done.refusal.code() {
                Code::Unavailable => {}
                // The client's own answers to a call that its closed connection did not take, or that the service's
                // goodbye, which names the last call it takes, left out.
                Code::Cancelled if done.refusal.message() == "operation was canceled" => {
                    never_taken.push(done.entries.last().unwrap().write.clone());
                }
                Code::Internal if said_goodbye(&done.refusal) => {
                    never_taken.push(done.entries.last().unwrap().write.clone());
                }
                _ => panic!("{:?}", done.refusal),
            }
            ledger.extend(done.entries);
        }
        let ended = service.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stderr.contains("ERROR"), "{ended:?}");

        let service = Service::start(home.path());
        let client = Client::connect(&service.url).await;
        for write in never_taken {
            let marks = write.marks();
            let history = client.history(&write.deal).await.unwrap();
            assert!(!history.iter().any(|event| marks.contains(&mark(event))));
        }
        ledger.check(&client).await;
    }
    println!(
        "6 stops under load: {} acknowledged writes, all there once",
        ledger.acknowledged()
    );
}

/// Whether a call failed in its client by the end that the service put to the connection, and by nothing else.
fn said_goodbye(refusal: &tonic::Status) -> bool {
    format!("{refusal:?}").contains("kind: GoAway(b\"\", NO_ERROR, Remote)")
}

#[tokio::test]
async fn a_second_service_on_the_directory_is_refused_and_the_first_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let first = Service::start(home.path());
    let ended = Service::try_start(home.path()).err().unwrap();
    assert_eq!(ended.code, Some(69), "{ended:?}");
    let expected = format!(
        "verbatim: {}: the store is held by process {}\n",
        home.path().display(),
        first.id()
    );
    assert_eq!(ended.stderr, expected);

    let client = Client::connect(&first.url).await;
    assert!(client.history("deal-0").await.unwrap().is_empty());
    first.kill();
    Service::start(home.path());
}
