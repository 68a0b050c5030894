//! What an archive holds, and what a store made of it answers.

use std::sync::Arc;

use verbatim::app::verify;
use verbatim::app::verify::Findings;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::archive::Reader;
use verbatim::store::archive::ReplayError;
use verbatim::store::archive::replay;
use verbatim::store::memory::Memory;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::operator_service_client::OperatorServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use super::archive;
use super::archive_until;
use super::check_same;
use super::read;
use super::restore;
use super::write_much;
use crate::server;
use crate::server::NOW_SECONDS;
use crate::streams::Stage;
use crate::streams::all;
use crate::streams::day;
use crate::support::Dice;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;
use crate::support::open;

#[test]
fn an_archive_of_any_store_restores_into_any_store_with_the_same_order_and_revisions() {
    on_every_store(async |store| {
        for round in 0..4 {
            for id in ["a", "ab", "b"] {
                let revision = store.revision(&deal(id)).await.unwrap();
                let written = events(&deal(id), round + 1);
                store.append(&deal(id), revision, written).await.unwrap();
            }
        }
        let archive = archive(&store).await;
        let home = tempfile::tempdir().unwrap();
        let restored: [Arc<dyn Store>; 2] = [Arc::new(Memory::new()), Arc::new(open(home.path()))];
        for restored in restored {
            restore(&archive, restored.as_ref()).await;
            check_same(store.as_ref(), restored.as_ref()).await;
        }
    });
}

#[test]
fn an_empty_store_has_an_archive_too() {
    on_every_store(async |store| {
        assert_eq!(read(&archive(&store).await).unwrap(), 0);
    });
}

#[test]
fn an_append_larger_than_a_block_and_more_than_one_block_of_appends_are_restored() {
    on_every_store(async |store| {
        let large = vec![vec![7; verbatim::store::EVENT_BYTES_MAX]; 3];
        store.append(&deal("large"), 0, large).await.unwrap();
        for revision in 0..1_100 {
            let event = vec![format!("{revision}").into_bytes()];
            store.append(&deal("long"), revision, event).await.unwrap();
        }
        let restored = Memory::new();
        restore(&archive(&store).await, &restored).await;
        check_same(store.as_ref(), &restored).await;
    });
}

#[tokio::test]
async fn an_archive_taken_while_writers_write_is_a_beginning_of_what_is_there() {
    let home = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(home.path()));
    let stage = Arc::new(Stage::on(Arc::clone(&store)));
    write_much(&stage, 1, 50).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let stage = Arc::clone(&stage);
        writers.spawn(async move {
            for number in 0..100 {
                let number = 1_000 * (writer + 1) + number;
                stage.write(&format!("d{}", number % 3), number).await;
            }
        });
    }
    let mut archives = Vec::new();
    while archives.is_empty() || !writers.is_empty() {
        archives.push(archive(&store).await);
        while writers.try_join_next().is_some() {}
    }
    let changes = store.changes(0, usize::MAX).await.unwrap();
    assert_eq!(changes.len(), 450);
    for archive in archives {
        let restored = Memory::new();
        restore(&archive, &restored).await;
        let found = restored.changes(0, usize::MAX).await.unwrap();
        assert!(50 <= found.len());
        assert_eq!(found, changes[..found.len()]);
        let mut findings = Findings::default();
        let mut reader = Reader::open(&archive[..]).unwrap();
        verify::archive(&mut reader, &mut findings).unwrap();
        assert!(findings.is_sound(), "{:?}", findings.faults);
    }
}

/// The score of a deal at a moment, as the interface tells it.
async fn score(channel: &tonic::transport::Channel, deal: &str, as_of: i64) -> pb::DealScore {
    let request = pb::ScoreDealRequest {
        deal_id: deal.into(),
        as_of: Some(prost_types::Timestamp {
            seconds: as_of,
            nanos: 0,
        }),
        ..pb::ScoreDealRequest::default()
    };
    let mut client = QualificationServiceClient::new(channel.clone());
    client
        .score_deal(request)
        .await
        .unwrap()
        .into_inner()
        .score
        .unwrap()
}

#[tokio::test]
async fn a_restored_store_answers_as_the_one_that_was_backed_up_at_any_moment() {
    let stage = Stage::on(Arc::new(Memory::new()));
    write_much(&stage, 2, 120).await;
    let server = stage.serve().await;
    let channel = server::channel(server.local_addr()).await;
    let mut operator = OperatorServiceClient::new(channel.clone());
    let request = pb::BackupRequest { until_sequence: 0 };
    let answers = all(operator.backup(request).await.unwrap().into_inner()).await;
    assert!(answers.iter().all(|answer| answer.last_sequence == 120));
    let archive: Vec<u8> = answers
        .into_iter()
        .flat_map(|answer| answer.chunk)
        .collect();

    let home = tempfile::tempdir().unwrap();
    let restored: Arc<dyn Store> = Arc::new(open(home.path()));
    restore(&archive, restored.as_ref()).await;
    let again = Stage::on(restored);
    again.clock.set(stage.app.now());
    let second = again.serve().await;
    let second_channel = server::channel(second.local_addr()).await;
    let mut dice = Dice(3);
    for place in 0..7 {
        let id = format!("d{place}");
        let history = pb::ListDealHistoryRequest {
            deal_id: id.clone(),
            ..pb::ListDealHistoryRequest::default()
        };
        let mut deals = DealServiceClient::new(channel.clone());
        let mut others = DealServiceClient::new(second_channel.clone());
        assert_eq!(
            others
                .list_deal_history(history.clone())
                .await
                .unwrap()
                .into_inner(),
            deals.list_deal_history(history).await.unwrap().into_inner()
        );
        for _ in 0..10 {
            let as_of = NOW_SECONDS + dice.below(5 * 86_400) as i64;
            assert_eq!(
                score(&second_channel, &id, as_of).await,
                score(&channel, &id, as_of).await,
                "{id} as of {as_of}"
            );
        }
    }
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_restore_that_was_interrupted_is_taken_up_again() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let stage = Stage::on(Arc::clone(&store));
    write_much(&stage, 4, 60).await;
    let part = archive_until(&store, 23).await;
    assert_eq!(read(&part).unwrap(), 23);
    let whole = archive(&store).await;

    let restored = Memory::new();
    restore(&part, &restored).await;
    let mut reader = Reader::open(&whole[..]).unwrap();
    let replayed = replay(&mut reader, &restored, |_| true).await.unwrap();
    assert_eq!((replayed.found, replayed.totals.appends), (23, 60));
    check_same(store.as_ref(), &restored).await;
}

#[tokio::test]
async fn what_was_begun_of_another_archive_is_not_gone_on_with() {
    let stages = [5, 6].map(|_| Stage::on(Arc::new(Memory::new())));
    write_much(&stages[0], 5, 30).await;
    write_much(&stages[1], 6, 30).await;
    let archive = archive(&stages[0].store).await;
    let mut reader = Reader::open(&archive[..]).unwrap();
    let refused = replay(&mut reader, stages[1].store.as_ref(), |_| true).await;
    assert!(
        matches!(refused, Err(ReplayError::Differs { .. })),
        "{refused:?}"
    );

    // Nor one that has more than the archive.
    let short = archive_until(&stages[0].store, 10).await;
    let mut reader = Reader::open(&short[..]).unwrap();
    let refused = replay(&mut reader, stages[0].store.as_ref(), |_| true).await;
    assert!(
        matches!(refused, Err(ReplayError::Differs { sequence: 11 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_restore_to_a_moment_ends_before_the_first_change_recorded_after_it() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let stage = Stage::on(Arc::clone(&store));
    // Twenty writes a day.
    write_much(&stage, 7, 60).await;
    let archive = archive(&store).await;
    for (days, expected) in [(-1, 0), (0, 20), (1, 40), (2, 60), (9, 60)] {
        let restored = Memory::new();
        let mut reader = Reader::open(&archive[..]).unwrap();
        let last = day(days);
        let replayed = replay(&mut reader, &restored, |append| {
            verify::recorded_at(append).unwrap() <= last
        });
        assert_eq!(
            replayed.await.unwrap().totals.appends,
            expected,
            "day {days}"
        );
        let found = restored.changes(0, usize::MAX).await.unwrap();
        assert_eq!(found.len() as u64, expected);
    }
}

#[tokio::test]
async fn a_store_and_what_it_derived_are_found_sound_and_a_wrong_projection_is_named() {
    let home = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(home.path()));
    let stage = Stage::on(Arc::clone(&store));
    write_much(&stage, 8, 120).await;
    stage.write("one", 1_001).await;
    stage.write("other", 1_002).await;
    assert_eq!(verbatim::app::rebuild::rebuild(store.as_ref()).await, Ok(9));
    let findings = verify::store(store.as_ref()).await.unwrap();
    assert!(findings.is_sound(), "{:?}", findings.faults);
    assert_eq!(findings.projections, 9);
    assert_eq!((findings.totals.appends, findings.totals.deals), (122, 9));

    // It reads, is of the same revision, and says something else.
    let other = DealKey::new("default", "other");
    let wrong = store.projection(&other).await.unwrap().unwrap();
    store.keep_projection(&DealKey::new("default", "one"), wrong);
    let findings = verify::store(store.as_ref()).await.unwrap();
    assert_eq!(
        findings.faults,
        ["default/one@1 (projection): it is not what the events fold to"]
    );
}

#[tokio::test]
async fn an_event_that_does_not_read_is_named_by_its_place() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let stage = Stage::on(Arc::clone(&store));
    stage.write("d1", 1).await;
    let key = DealKey::new("default", "d1");
    store
        .append(&key, 1, vec![b"no event".to_vec()])
        .await
        .unwrap();
    let findings = verify::store(store.as_ref()).await.unwrap();
    assert_eq!(findings.faults.len(), 1, "{:?}", findings.faults);
    assert!(findings.faults[0].starts_with("default/d1@2: "));

    let mut findings = Findings::default();
    let archive = archive(&store).await;
    verify::archive(&mut Reader::open(&archive[..]).unwrap(), &mut findings).unwrap();
    assert_eq!(findings.faults.len(), 1);
    assert!(findings.faults[0].starts_with("default/d1@2: "));
}
