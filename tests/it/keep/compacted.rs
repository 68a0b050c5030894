//! Compacting: all is kept, space comes back, and whatever step it dies at, the store is whole.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use verbatim::store::Projection;
use verbatim::store::Store;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::OpenError;
use verbatim::store::embedded::Options;
use verbatim::store::embedded::compact::CompactError;
use verbatim::store::embedded::compact::Step;
use verbatim::store::embedded::compact::bytes_in;
use verbatim::store::embedded::compact::compact;
use verbatim::store::memory::Memory;

use super::check_same;
use crate::support::Dice;
use crate::support::deal;
use crate::support::open;
use crate::support::run;

/// Fills a store and, with the same, a model of it; projections are written over and over.
async fn fill(directory: &Path) -> Memory {
    let model = Memory::new();
    let store = open(directory);
    let mut dice = Dice(11);
    for _ in 0..900 {
        let deal = deal(&format!("d{}", dice.below(5)));
        let revision = model.revision(&deal).await.unwrap();
        let noise = (0..400).map(|_| dice.below(256) as u8).collect::<Vec<_>>();
        for kept in [&model as &dyn Store, &store] {
            kept.append(&deal, revision, vec![noise.clone()])
                .await
                .unwrap();
        }
        let revision = revision + 1;
        let bytes = noise.repeat(20);
        store.keep_projection(&deal, Projection { revision, bytes });
    }
    store.close().await;
    model
}

#[test]
fn a_compacted_store_has_all_and_is_smaller() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let model = fill(&data).await;
        let before = bytes_in(&data).unwrap();
        let compacted = compact(&data, &Options::default(), |_| ControlFlow::Continue(())).await;
        let compacted = compacted.unwrap();
        assert_eq!(compacted.totals.appends, 900);
        assert_eq!(compacted.bytes_after, bytes_in(&data).unwrap());
        assert!(compacted.bytes_after < before, "{before}, {compacted:?}");
        assert!(!home.path().join("data.compact").exists());
        let store = open(&data);
        check_same(&model, &store).await;
        // It goes on where it was.
        let revision = model.revision(&deal("d1")).await.unwrap();
        let more = vec![b"more".to_vec()];
        assert_eq!(
            store.append(&deal("d1"), revision, more).await,
            Ok(revision + 1)
        );
    });
}

#[test]
fn a_compacted_store_takes_at_most_three_bytes_of_disk_for_each_byte_of_event() {
    const DEALS: usize = 100;
    const ROUNDS: usize = 200;
    const EVENT_BYTES: usize = 190;
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let store = open(&data);
        let mut dice = Dice(7);
        for round in 0..ROUNDS {
            let appends: Vec<_> = (0..DEALS)
                .map(|number| {
                    let event = (0..EVENT_BYTES).map(|_| dice.below(256) as u8).collect();
                    let deal = deal(&format!("opportunity-{number}"));
                    let store = &store;
                    async move { store.append(&deal, round as u64, vec![event]).await }
                })
                .collect();
            for appended in join_all(appends).await {
                appended.unwrap();
            }
        }
        store.close().await;
        let compacted = compact(&data, &Options::default(), |_| ControlFlow::Continue(())).await;
        let taken = compacted.unwrap().bytes_after;
        let event_bytes = (ROUNDS * DEALS * EVENT_BYTES) as u64;
        assert!(taken <= 3 * event_bytes, "{taken} for {event_bytes}");
    });
}

#[test]
fn whatever_step_it_dies_at_the_store_is_whole_and_the_next_one_ends_well() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let model = fill(&data).await;
        let mut steps = Vec::new();
        for dies_at in 0.. {
            let mut step_count = 0;
            let options = Options::default();
            let compacted = compact(&data, &options, |step| {
                step_count += 1;
                if step_count <= dies_at {
                    return ControlFlow::Continue(());
                }
                steps.push(step);
                ControlFlow::Break(())
            });
            let ended = compacted.await.is_ok();
            let store = open(&data);
            check_same(&model, &store).await;
            store.close().await;
            if ended {
                break;
            }
        }
        for step in [
            Step::Cleared,
            Step::Copied,
            Step::Compared,
            Step::Exchanged,
            Step::Removed,
        ] {
            assert!(steps.contains(&step), "{step:?} in {steps:?}");
        }
        assert!(
            steps
                .iter()
                .any(|step| matches!(step, Step::Copying { .. }))
        );
        assert!(!home.path().join("data.compact").exists());
    });
}

#[test]
fn a_store_in_use_is_not_compacted_and_nothing_else_is_removed() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let store = open(&data);
        let go_on = |_| ControlFlow::Continue(());
        let refused = compact(&data, &Options::default(), go_on).await;
        assert!(
            matches!(refused, Err(CompactError::Open(OpenError::Held { .. }))),
            "{refused:?}"
        );
        store.close().await;

        let beside = home.path().join("data.compact");
        std::fs::create_dir(&beside).unwrap();
        std::fs::write(beside.join("thesis.txt"), "mine").unwrap();
        let refused = compact(&data, &Options::default(), go_on).await;
        assert!(
            matches!(refused, Err(CompactError::Taken(_))),
            "{refused:?}"
        );
        assert!(beside.join("thesis.txt").exists());
    });
}

#[test]
fn what_is_written_between_the_copy_and_the_exchange_is_not_lost() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        fill(&data).await;
        let options = Options::default();
        let refused = compact(&data, &options, |step| {
            if step == Step::Compared {
                // Another process, for a moment.
                let written = std::thread::scope(|scope| {
                    let other = scope.spawn(|| {
                        run(async {
                            let store = open(&data);
                            let event = vec![b"late".to_vec()];
                            let written = store.append(&deal("late"), 0, event).await;
                            store.close().await;
                            written
                        })
                    });
                    other.join().unwrap()
                });
                assert_eq!(written, Ok(1));
            }
            ControlFlow::Continue(())
        });
        assert!(matches!(refused.await, Err(CompactError::WrittenTo)));
        assert_eq!(open(&data).revision(&deal("late")).await, Ok(1));
    });
}

#[test]
fn a_store_that_was_begun_opens_when_it_is_finished_and_is_begun_in_an_empty_directory_only() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let begun = Embedded::begin(&data, Options::default()).unwrap();
        begun
            .append(&deal("d"), 0, vec![b"one".to_vec()])
            .await
            .unwrap();
        begun.close().await;
        drop(begun);
        let refused = Embedded::open(&data, Options::default());
        assert!(matches!(refused, Err(OpenError::Unfinished { .. })));

        let again = Embedded::begin(&data, Options::default()).unwrap();
        assert_eq!(again.revision(&deal("d")).await, Ok(1));
        again.finish(&data).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(open(&data));
        assert_eq!(store.revision(&deal("d")).await, Ok(1));
        store.close().await;
        let refused = Embedded::begin(&data, Options::default());
        assert!(matches!(refused, Err(OpenError::NotEmpty { .. })));
    });
}
