//! Several services over one database: what one acknowledged the others answer, decide by, and tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use verbatim::app::Error;
use verbatim::app::Query;
use verbatim::app::Scored;
use verbatim::app::watch::From;
use verbatim::domain::facts::DealFacts;
use verbatim::domain::facts::Retraction;
use verbatim::domain::portfolio::AsOf;
use verbatim::domain::text::Id;
use verbatim::domain::text::Name;
use verbatim::domain::text::Reason;
use verbatim::domain::time::Span;
use verbatim::grpc::request;
use verbatim::store::DealKey;

use crate::pipeline::rows;
use crate::streams::Stage;
use crate::streams::day;
use crate::streams::heartbeat;
use crate::streams::said_at;
use crate::streams::take;
use crate::support::database::Database;

/// Runs a case with so many apps over one database, each with a store and a clock of its own, where there is a server.
fn on_replicas(count: usize, case: impl AsyncFn(&[Arc<Stage>])) {
    let Some(database) = Database::new() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stages = join_all((0..count).map(async |_| {
            let stage = Stage::on(Arc::new(database.open().await));
            stage.app.follow();
            Arc::new(stage)
        }));
        case(&stages.await).await;
    });
}

fn key(deal: &str) -> DealKey {
    DealKey::new("default", deal)
}

async fn score(stage: &Stage, deal: &str, min_revision: Option<u64>) -> Result<Scored, Error> {
    let query = Query {
        min_revision,
        ..Query::now(key(deal))
    };
    stage.app.score(query).await
}

fn named(name: &str) -> DealFacts {
    DealFacts {
        name: Some(Name::new(name).unwrap()),
        account: None,
        owner: None,
        amount: None,
        seller_stage: None,
        close_date: None,
        effective_at: day(0),
    }
}

#[test]
fn with_min_revision_every_replica_reads_what_any_acknowledged() {
    on_replicas(3, async |stages| {
        for number in 0..30 {
            let revision = stages[number % 3].write("d", number).await;
            for stage in stages {
                let scored = score(stage, "d", Some(revision)).await.unwrap();
                assert_eq!(scored.revision, number as u64 + 1);
            }
        }
        let ahead = score(&stages[0], "d", Some(31)).await.err().unwrap();
        let expected = Error::RevisionAhead {
            min_revision: 31,
            actual: 30,
        };
        assert_eq!(format!("{ahead:?}"), format!("{expected:?}"));
    });
}

#[test]
fn without_it_a_replica_that_has_the_deal_in_memory_is_behind_for_a_bounded_time() {
    on_replicas(2, async |stages| {
        let (writer, reader) = (&stages[0], &stages[1]);
        for number in 0..5 {
            let revision = writer.write("d", number).await;
            let seen = async {
                let mut pace = tokio::time::interval(Duration::from_millis(5));
                while score(reader, "d", None).await.unwrap().revision < revision {
                    pace.tick().await;
                }
            };
            let bound = Duration::from_secs(5);
            tokio::time::timeout(bound, seen).await.expect("it is seen");
        }
    });
}

#[test]
fn a_replica_that_follows_nothing_asks_the_store_each_time() {
    let Some(database) = Database::new() else {
        return;
    };
    crate::support::run(async {
        let writer = Stage::on(Arc::new(database.open().await));
        let reader = Stage::on(Arc::new(database.open().await));
        for number in 0..5 {
            let revision = writer.write("d", number).await;
            assert_eq!(score(&reader, "d", None).await.unwrap().revision, revision);
        }
    });
}

#[test]
fn facts_and_histories_are_never_behind_another_replica() {
    on_replicas(2, async |stages| {
        for number in 0..12 {
            let revision = stages[number % 2].write("d", number).await;
            let reader = &stages[(number + 1) % 2].app;
            assert_eq!(reader.deal(&key("d")).await.unwrap().revision, revision);
            let history = reader.history(&key("d"), 0, 100).await.unwrap();
            assert_eq!(history.len() as u64, revision);
        }
    });
}

#[test]
fn a_deal_that_another_replica_made_is_found_at_once() {
    on_replicas(2, async |stages| {
        for number in 0..5 {
            let deal = format!("d{number}");
            // Now it is in memory that there is none.
            assert!(matches!(
                score(&stages[1], &deal, None).await,
                Err(Error::DealNotFound(_))
            ));
            stages[0].write(&deal, 0).await;
            assert_eq!(score(&stages[1], &deal, None).await.unwrap().revision, 1);
        }
    });
}

#[test]
fn writers_on_all_replicas_fail_nobody_and_all_replicas_agree() {
    on_replicas(3, async |stages| {
        let writers = (0..9).map(|writer| {
            let stage = Arc::clone(&stages[writer % 3]);
            tokio::spawn(async move {
                for write in 0..12 {
                    let number = writer * 12 + write;
                    stage.write(&format!("d{}", number % 3), number).await;
                }
            })
        });
        for writer in join_all(writers).await {
            writer.unwrap();
        }
        for number in 0..3 {
            let deal = format!("d{number}");
            let mut scores = Vec::new();
            for stage in stages {
                let scored = score(stage, &deal, Some(36)).await.unwrap();
                assert_eq!(scored.revision, 36);
                scores.push(scored.score);
            }
            assert!(scores.windows(2).all(|pair| pair[0] == pair[1]));
        }
        assert_eq!(stages[0].store.newest_sequence().await, Ok(108));
    });
}

#[test]
fn an_expected_revision_is_held_against_the_store_and_not_against_memory() {
    on_replicas(2, async |stages| {
        stages[1].write("d", 0).await;
        stages[0].write("d", 1).await;
        let key = key("d");
        let behind = stages[1].app.upsert_deal(&key, named("one"), Some(1));
        let refused = behind.await.unwrap_err();
        let expected = Error::RevisionMismatch {
            expected: 1,
            actual: 2,
        };
        assert_eq!(format!("{refused:?}"), format!("{expected:?}"));
        stages[0].write("d", 2).await;
        let right = stages[1].app.upsert_deal(&key, named("two"), Some(3));
        assert_eq!(right.await.unwrap().revision, 4);
    });
}

#[test]
fn a_statement_sent_again_to_any_replica_changes_nothing() {
    on_replicas(3, async |stages| {
        for number in 0..8 {
            for stage in stages {
                assert_eq!(stage.write("d", number).await, number as u64 + 1);
            }
        }
        assert_eq!(stages[0].store.newest_sequence().await, Ok(8));
    });
}

#[test]
fn a_repetition_and_a_rehearsal_are_answered_with_what_any_replica_acknowledged() {
    on_replicas(2, async |stages| {
        let (writer, other) = (&stages[0], &stages[1]);
        writer.write("d", 0).await;
        // From here on the other one has the deal in memory.
        other.write("d", 0).await;
        for number in 1..30 {
            let revision = writer.write("d", number).await;
            let mut rehearsal = request::record(said_at("d", 99, None), other.app.now()).unwrap();
            rehearsal.validate_only = true;
            rehearsal.expected_revision = Some(revision);
            match number % 2 {
                0 => assert_eq!(other.write("d", 0).await, revision),
                _ => assert_eq!(
                    other.app.record(rehearsal).await.unwrap().revision,
                    revision
                ),
            }
        }
    });
}

#[test]
fn a_value_that_another_replica_has_changed_is_set_again_and_not_taken_for_there() {
    on_replicas(2, async |stages| {
        for name in ["one", "two", "one"] {
            for stage in stages {
                let key = key("d");
                let told = stage.app.upsert_deal(&key, named(name), None).await;
                told.unwrap();
            }
            let told = stages[1].app.deal(&key("d")).await.unwrap().name.unwrap();
            assert_eq!(told.as_str(), name);
        }
        assert_eq!(stages[0].store.revision(&key("d")).await, Ok(3));
    });
}

#[test]
fn what_was_recorded_by_one_replica_is_taken_back_by_another_at_once() {
    on_replicas(2, async |stages| {
        for number in 0..6 {
            let (one, other) = (&stages[number % 2], &stages[(number + 1) % 2]);
            one.write("d", number).await;
            let retraction = Retraction {
                statement: Id::new(&format!("s{number}")).unwrap(),
                reason: Reason::new("wrong person").unwrap(),
            };
            let key = key("d");
            let taken = other.app.retract_statement(&key, retraction, None);
            let revision = taken.await.unwrap().revision;
            let scored = score(one, "d", Some(revision)).await.unwrap();
            assert_eq!(scored.score.score, 0.0);
        }
    });
}

#[test]
fn late_events_count_alike_on_all_replicas() {
    on_replicas(2, async |stages| {
        for (number, days) in [(0, -3), (1, -40), (2, -10), (3, -90), (4, 0)] {
            let stage = &stages[number % 2];
            let request = said_at("d", number, Some(days));
            let recording = request::record(request, stage.app.now()).unwrap();
            stage.app.record(recording).await.unwrap();
        }
        for days in [-100, -60, -20, -5, 0] {
            let mut answers = Vec::new();
            for stage in stages {
                let query = Query {
                    as_of: Some(day(days)),
                    min_revision: Some(5),
                    ..Query::now(key("d"))
                };
                answers.push(stage.app.score(query).await.unwrap().score);
            }
            assert_eq!(answers[0], answers[1], "{days} days");
        }
    });
}

#[test]
fn clocks_that_differ_do_not_turn_the_record_of_a_deal_back() {
    on_replicas(2, async |stages| {
        stages[1].clock.set(day(0).minus(Span::minutes(3)).unwrap());
        for number in 0..10 {
            stages[number % 2].write("d", number).await;
        }
        let history = stages[1].app.history(&key("d"), 0, 100).await.unwrap();
        assert_eq!(history.len(), 10);
        assert!(
            history
                .windows(2)
                .all(|pair| pair[0].recorded_at <= pair[1].recorded_at)
        );
        // What was known then is what was recorded by then, on either.
        for stage in stages {
            let query = Query {
                known_at: Some(day(0)),
                min_revision: Some(10),
                ..Query::now(key("d"))
            };
            let scored = stage.app.score(query).await;
            // Ahead of the clock by less than is tolerated.
            assert_eq!(scored.unwrap().revision, 10);
        }
    });
}

#[test]
fn watchers_are_told_the_writes_of_all_replicas_in_one_order_and_go_on_at_another() {
    on_replicas(3, async |stages| {
        let mut watchers = Vec::new();
        for stage in stages {
            let mut watcher = stage.watch(From::Now).await;
            heartbeat(&mut watcher).await;
            watchers.push(tokio::spawn(async move { take(&mut watcher, 60).await }));
        }
        let writers = stages.iter().enumerate().map(async |(replica, stage)| {
            for write in 0..20 {
                let number = replica * 20 + write;
                stage.write(&format!("d{}", number % 4), number).await;
            }
        });
        join_all(writers).await;
        let changes = stages[0].store.changes(0, 100).await.unwrap();
        let expected: Vec<_> = changes
            .iter()
            .map(|change| (change.deal.deal.clone(), change.revision))
            .collect();
        let mut told = Vec::new();
        for watcher in join_all(watchers).await {
            told.push(watcher.unwrap());
        }
        for items in &told {
            let items: Vec<_> = items
                .iter()
                .map(|moved| (moved.deal_id.clone(), moved.revision))
                .collect();
            assert_eq!(items, expected);
        }
        for number in [0, 1, 17, 42, 58] {
            let from = From::Behind(told[0][number].place.clone());
            let mut resumed = stages[(number + 1) % 3].watch(from).await;
            let rest = take(&mut resumed, 60 - number - 1).await;
            assert_eq!(rest, told[1][number + 1..], "behind item {number}");
        }
    });
}

#[test]
fn the_pipeline_of_each_replica_has_what_any_acknowledged_before_it_was_asked() {
    on_replicas(2, async |stages| {
        for number in 0..24 {
            let (writer, reader) = (&stages[number % 2], &stages[(number + 1) % 2]);
            let deal = format!("d{}", number % 5);
            let revision = writer.write(&deal, number).await;
            let told = rows(&reader.app, AsOf::Now(reader.app.now())).await;
            assert_eq!(told[&deal].revision, revision);
            let mut newest = BTreeMap::new();
            for change in writer.store.changes(0, 100).await.unwrap() {
                newest.insert(change.deal.deal.to_string(), change.revision);
            }
            let told: BTreeMap<_, _> = told
                .into_iter()
                .map(|(deal, row)| (deal, row.revision))
                .collect();
            assert_eq!(told, newest);
        }
    });
}
