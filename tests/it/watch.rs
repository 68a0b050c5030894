//! The feed of changes: in order, once, nothing skipped, durable, the same again, and no harm to anybody.

use std::sync::Arc;

use tonic::Code;
use tonic_types::StatusExt;
use verbatim::app::watch::Cause;
use verbatim::app::watch::Ended;
use verbatim::app::watch::Filter;
use verbatim::app::watch::From;
use verbatim::app::watch::Kind;
use verbatim::app::watch::Moved;
use verbatim::app::watch::Place;
use verbatim::store::Store;
use verbatim::store::memory::Memory;
use verbatim::wire::pb;
use verbatim::wire::pb::forecast_service_client::ForecastServiceClient;
use verbatim::wire::pb::watch_deals_response::Item;

use crate::server;
use crate::streams::Stage;
use crate::streams::heartbeat;
use crate::streams::next;
use crate::streams::take;
use crate::support;
use crate::support::StagedDisk;

const WRITERS: usize = 8;
const WRITES: usize = 20;
const DEALS: usize = 5;

/// Writes from several tasks at once, to deals that they share.
async fn write_much(stage: &Arc<Stage>) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let stage = Arc::clone(stage);
        writers.spawn(async move {
            for write in 0..WRITES {
                let number = writer * WRITES + write;
                stage.write(&format!("d{}", number % DEALS), number).await;
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
}

/// The store's own order: deal and revision of each change.
async fn changes(store: &dyn Store) -> Vec<(String, u64)> {
    let changes = store.changes(0, 10_000).await.unwrap();
    changes
        .into_iter()
        .map(|change| (change.deal.deal.to_string(), change.revision))
        .collect()
}

fn told(items: &[Arc<Moved>]) -> Vec<(String, u64)> {
    items
        .iter()
        .map(|moved| (moved.deal_id.to_string(), moved.revision))
        .collect()
}

async fn each_watcher_is_told_each_change_once_in_order(store: Arc<dyn Store>) {
    let stage = Arc::new(Stage::on(store));
    let mut watchers = Vec::new();
    for _ in 0..4 {
        let mut watcher = stage.watch(From::Now).await;
        heartbeat(&mut watcher).await;
        watchers.push(tokio::spawn(async move {
            take(&mut watcher, WRITERS * WRITES).await
        }));
    }
    write_much(&stage).await;
    let expected = changes(stage.store.as_ref()).await;
    assert_eq!(expected.len(), WRITERS * WRITES);

    let mut late = stage.watch(From::Beginning).await;
    let again = take(&mut late, expected.len()).await;
    assert_eq!(told(&again), expected);
    for watcher in watchers {
        let live = watcher.await.unwrap();
        assert!(live.windows(2).all(|pair| pair[0].place < pair[1].place));
        // The numbers, too: who was late is told what the others were told.
        for (live, again) in live.iter().zip(&again) {
            assert_eq!(**live, **again);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_watcher_is_told_each_change_once_in_the_order_of_the_store() {
    each_watcher_is_told_each_change_once_in_order(Arc::new(Memory::new())).await;
    let home = tempfile::tempdir().unwrap();
    each_watcher_is_told_each_change_once_in_order(Arc::new(support::open(home.path()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_every_token_the_rest_is_the_same_also_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let stage = Arc::new(Stage::on(Arc::new(support::open(home.path()))));
    let mut watcher = stage.watch(From::Now).await;
    heartbeat(&mut watcher).await;
    write_much(&stage).await;
    let items = take(&mut watcher, WRITERS * WRITES).await;
    stage.app.end_streams();
    assert!(matches!(
        watcher.next().await,
        Err(Ended::Closing(place)) if place == items.last().unwrap().place
    ));
    stage.store.close().await;

    let stage = Stage::on(Arc::new(support::open(home.path())));
    for (number, item) in items.iter().enumerate() {
        let mut resumed = stage.watch(From::Behind(item.place.clone())).await;
        let rest = take(&mut resumed, items.len() - number - 1).await;
        assert_eq!(rest, items[number + 1..], "behind item {number}");
    }
    let ahead = Place {
        sequence: items.len() as u64 + 1,
        ..items[0].place.clone()
    };
    let watching = verbatim::app::watch::Watching {
        tenant: "default".into(),
        from: From::Behind(ahead),
        filter: Filter::default(),
        heartbeat: std::time::Duration::from_secs(15),
    };
    let refused = stage.app.watch(watching).await.err().unwrap();
    assert!(matches!(refused, verbatim::app::Error::PlaceUnknown));
}

#[tokio::test]
async fn a_change_tells_what_it_did_and_nothing_else() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let mut watcher = stage.watch(From::Now).await;
    stage.write("d1", 0).await;
    stage.write("d1", 1).await;
    let items = take(&mut watcher, 2).await;
    assert_eq!(items[0].before, None);
    assert!(items[0].band_crossed() && items[0].state_crossed());
    assert_eq!(items[0].cause, Cause::Event(vec![Kind::Statement]));
    assert_eq!(items[1].before, Some(items[0].after));
    let query = verbatim::app::Query::now(verbatim::store::DealKey::new("default", "d1"));
    let scored = stage.app.score(query).await.unwrap();
    assert_eq!(items[1].after.score, scored.score.score);
    assert_eq!(items[1].after.band, scored.score.band);
}

/// Who does not take its items is cut off with its place; the others and the writers do not notice.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_cut_off_and_goes_on_from_its_token() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let mut slow = stage.watch(From::Now).await;
    let mut brisk = stage.watch(From::Now).await;
    heartbeat(&mut slow).await;
    heartbeat(&mut brisk).await;
    // Both wait when the first change comes: so they have it from the feed, and are to keep up with it.
    let (first, taken, _) = tokio::join!(next(&mut slow), next(&mut brisk), stage.write("d1", 0));
    let first = first.unwrap();
    assert_eq!(taken.unwrap(), first);
    // Each write is a lot of its own, since the other reader takes it before the next.
    let mut items = Vec::new();
    for number in 1..=300 {
        stage.write("d1", number).await;
        items.push(next(&mut brisk).await.unwrap());
    }
    let place = match slow.next().await {
        Err(Ended::TooSlow(place)) => place,
        other => panic!("{other:?}"),
    };
    assert_eq!(place, first.place);
    let mut resumed = stage.watch(From::Behind(place)).await;
    assert_eq!(take(&mut resumed, 300).await, items);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_before_it_is_durable() {
    let disk = StagedDisk::new();
    let (_home, store) = support::open_on(&disk);
    let stage = Arc::new(Stage::on(Arc::new(store)));
    let mut live = stage.watch(From::Now).await;
    heartbeat(&mut live).await;
    let shut = disk.shut();
    let writing = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move { stage.write("d1", 0).await }
    });
    tokio::task::block_in_place(|| disk.wait_for_sync());
    // The event is in the store's memory and not on the disk: neither watcher may see it.
    let mut late = stage.watch(From::Beginning).await;
    assert_eq!(heartbeat(&mut late).await, Place::beginning());
    let mut waiting = Box::pin(next(&mut late));
    assert!(support::pends(&mut waiting));
    assert!(support::pends(Box::pin(next(&mut live))));
    assert!(!writing.is_finished());

    drop(shut);
    assert_eq!(writing.await.unwrap(), 1);
    assert_eq!(waiting.await.unwrap().revision, 1);
    assert_eq!(next(&mut live).await.unwrap().revision, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_did_not_take_is_never_told() {
    let disk = StagedDisk::new();
    let (_home, store) = support::open_on(&disk);
    let stage = Stage::on(Arc::new(store));
    stage.write("d1", 0).await;
    let mut watcher = stage.watch(From::Beginning).await;
    assert_eq!(take(&mut watcher, 1).await[0].revision, 1);
    disk.fail_sync(1);
    let recording =
        verbatim::grpc::request::record(crate::streams::said("d1", 1), stage.app.now()).unwrap();
    assert!(stage.app.record(recording).await.is_err());
    let mut late = stage.watch(From::Beginning).await;
    assert_eq!(take(&mut late, 1).await[0].revision, 1);
    assert!(support::pends(Box::pin(next(&mut late))));
}

#[tokio::test]
async fn a_filter_leaves_out_and_the_token_goes_on() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let filter = Filter {
        deals: ["d2".into()].into(),
        ..Filter::default()
    };
    let mut one = stage.watch_only(From::Now, filter).await;
    let crossings = Filter {
        only_crossings: true,
        ..Filter::default()
    };
    let mut crossed = stage.watch_only(From::Beginning, crossings).await;
    for number in 0..9 {
        stage.write("d1", number).await;
    }
    stage.write("d2", 0).await;
    let item = next(&mut one).await.unwrap();
    assert_eq!((&*item.deal_id, item.place.sequence), ("d2", 10));
    let mut every = stage.watch(From::Beginning).await;
    let expected: Vec<Arc<Moved>> = take(&mut every, 10)
        .await
        .into_iter()
        .filter(|moved| moved.band_crossed() || moved.state_crossed())
        .collect();
    assert!(expected.len() < 10, "some cross nothing");
    assert_eq!(take(&mut crossed, expected.len()).await, expected);
    let large = Filter {
        change_min: 5.0,
        ..Filter::default()
    };
    let mut large = stage.watch_only(From::Beginning, large).await;
    let mut every = stage.watch(From::Beginning).await;
    let expected: Vec<Arc<Moved>> = take(&mut every, 10)
        .await
        .into_iter()
        .filter(|moved| 5.0 <= (moved.after.score - moved.score_before()).abs())
        .collect();
    assert!(!expected.is_empty() && expected.len() < 10);
    assert_eq!(take(&mut large, expected.len()).await, expected);
}

#[tokio::test]
async fn at_the_end_of_the_service_a_stream_tells_where_to_go_on() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let stage = Stage::on(Arc::clone(&store));
    let server = stage.serve().await;
    let mut client = ForecastServiceClient::new(server::channel(server.local_addr()).await);
    let mut items = client
        .watch_deals(pb::WatchDealsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let first = items.message().await.unwrap().unwrap().item.unwrap();
    assert!(matches!(first, Item::Heartbeat(_)));
    stage.write("d1", 0).await;
    let Some(Item::Change(change)) = items.message().await.unwrap().unwrap().item else {
        panic!("a change");
    };
    let stopping = tokio::spawn(server.stop());
    let end = items.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    let info = end.get_details_error_info().unwrap();
    assert_eq!(info.reason, "SHUTTING_DOWN");
    assert_eq!(info.metadata["resume_token"], change.token);
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(5), stopping).await;
    stopped.expect("well before drain_timeout").unwrap();
}

#[tokio::test]
async fn a_bad_token_is_refused_before_the_stream_begins() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    let mut client = ForecastServiceClient::new(server::channel(server.local_addr()).await);
    let place = Place {
        sequence: 7,
        ..Place::beginning()
    };
    for token in ["7", &verbatim::grpc::request::watch::token(&place)] {
        let request = pb::WatchDealsRequest {
            resume_token: token.to_owned(),
            ..pb::WatchDealsRequest::default()
        };
        let refused = client.watch_deals(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let bad = refused.get_details_bad_request().unwrap();
        assert_eq!(bad.field_violations[0].field, "resume_token");
    }
    server.stop().await;
}

#[tokio::test]
async fn in_json_each_item_is_a_line_and_the_end_the_last_one() {
    let stage = Stage::on(Arc::new(Memory::new()));
    stage.write("d1", 0).await;
    let server = stage.serve().await;
    let address = server.local_addr();
    let asked = tokio::spawn(async move {
        let headers = [("content-type", "application/json")];
        let path = "/verbatim.v1.ForecastService/WatchDeals";
        server::http(
            address,
            "POST",
            path,
            &headers,
            b"{\"fromBeginning\": true}",
        )
        .await
    });
    // The second change is written once the stream was seen to listen.
    while stage.app.watchers("default") == 0 {
        tokio::task::yield_now().await;
    }
    let mut other = stage.watch(From::Now).await;
    stage.write("d1", 1).await;
    next(&mut other).await.unwrap();
    server.stop().await;
    let answer = asked.await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("application/x-ndjson"), "{answer:?}");
    let lines: Vec<serde_json::Value> = answer
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert!(lines[0]["heartbeat"]["token"].is_string(), "{}", lines[0]);
    assert_eq!(lines[1]["change"]["dealId"], "d1");
    assert_eq!(lines[1]["change"]["events"][0], "EVENT_KIND_STATEMENT");
    let end = &lines.last().unwrap()["error"];
    assert_eq!(end["code"], "unavailable");
    let details = end["details"].as_array().unwrap();
    let told = |detail: &serde_json::Value| detail["metadata"]["resume_token"].is_string();
    assert!(details.iter().any(told), "{end}");
}
