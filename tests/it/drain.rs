//! The end of a server: what is in flight ends well, nothing is lost, nobody waits for ever.

use std::time::Duration;

use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use verbatim::grpc::limits::Limits;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement_of;
use crate::server;

#[tokio::test]
async fn calls_in_flight_end_well_and_nothing_is_lost() {
    let running = server::start().await;
    let address = running.address();
    running.store.appends.hold();
    let client = QualificationServiceClient::new(running.channel().await);
    let calls: Vec<_> = (0..20)
        .map(|place| {
            let mut client = client.clone();
            let request = statement_of(&format!("d{place}"));
            tokio::spawn(async move { client.record_buyer_statement(request).await })
        })
        .collect();
    running.store.appends.until_arrived(20).await;

    let store = running.store.clone();
    let stopping = tokio::spawn(running.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!store.is_closed(), "calls are in flight");
    store.appends.open();
    for call in calls {
        let answer = call.await.unwrap().unwrap().into_inner();
        assert_eq!(answer.revision, 1);
    }
    stopping.await.unwrap();
    assert!(store.is_closed());
    assert_eq!(store.events_kept(), 20);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_not_waited_for_longer_than_allowed() {
    let limits = Limits {
        drain_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    running.store.appends.hold();
    let mut client = QualificationServiceClient::new(running.channel().await);
    let call = tokio::spawn(async move { client.record_buyer_statement(statement_of("d")).await });
    running.store.appends.until_arrived(1).await;
    let store = running.store.clone();
    running.stop().await;
    assert!(store.is_closed());
    call.abort();
}

#[tokio::test]
async fn watchers_of_health_learn_of_the_end_and_do_not_hold_it_up() {
    let running = server::start().await;
    let mut watch = HealthClient::new(running.channel().await)
        .watch(HealthCheckRequest {
            service: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let stopping = tokio::spawn(running.stop());
    let second = watch.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    let end = tokio::time::timeout(Duration::from_secs(5), watch.message()).await;
    assert!(end.expect("the stream ends").unwrap().is_none());
    let stopped = tokio::time::timeout(Duration::from_secs(5), stopping).await;
    stopped.expect("well before drain_timeout").unwrap();
}
