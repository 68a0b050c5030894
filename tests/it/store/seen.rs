//! What readers see while others write, and what any course of writes comes to, by a model of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join;
use futures_util::future::join_all;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Revision;
use verbatim::store::Store;

use crate::store::check_history;
use crate::store::projection;
use crate::support::Dice;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

/// Appends `count` events to a deal in lots of `lot`.
async fn write(store: Arc<dyn Store>, key: DealKey, count: usize, lot: usize) {
    let written = events(&key, count);
    for (number, events) in written.chunks(lot).enumerate() {
        let after = (number * lot) as Revision;
        store.append(&key, after, events.to_vec()).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Reads until the deal has `count` events, and tells `seen` each time what was there.
async fn watch(store: &dyn Store, key: &DealKey, count: usize, mut seen: impl FnMut(Vec<Vec<u8>>)) {
    loop {
        let events = store.events(key, 0, usize::MAX).await.unwrap();
        let events: Vec<_> = events.into_iter().map(|event| event.bytes).collect();
        let is_whole = events.len() == count;
        seen(events);
        if is_whole {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_reader_sees_a_beginning_of_the_history_at_any_moment() {
    on_every_store(async |store| {
        let key = deal("d");
        let whole = events(&key, 60);
        let writing = write(Arc::clone(&store), key.clone(), 60, 1);
        let reading = watch(&*store, &key, 60, |seen| {
            assert_eq!(seen, whole[..seen.len()])
        });
        join(writing, reading).await;
    });
}

#[test]
fn a_reader_sees_all_events_of_an_append_or_none() {
    on_every_store(async |store| {
        let key = deal("d");
        let writing = write(Arc::clone(&store), key.clone(), 80, 8);
        let reading = watch(&*store, &key, 80, |seen| assert_eq!(seen.len() % 8, 0));
        join(writing, reading).await;
    });
}

#[test]
fn a_revision_never_goes_back() {
    on_every_store(async |store| {
        let key = deal("d");
        let writing = write(Arc::clone(&store), key.clone(), 50, 1);
        let reading = async {
            let mut before = 0;
            while before < 50 {
                let now = store.revision(&key).await.unwrap();
                assert!(before <= now, "{now} after {before}");
                before = now;
                tokio::task::yield_now().await;
            }
        };
        join(writing, reading).await;
    });
}

#[test]
fn a_deal_that_is_listed_has_the_events_that_the_list_tells() {
    on_every_store(async |store| {
        let keys: Vec<DealKey> = (0..8).map(|number| deal(&format!("d{number}"))).collect();
        let writing = join_all(
            keys.iter()
                .map(|key| write(Arc::clone(&store), key.clone(), 10, 1)),
        );
        let reading = async {
            let mut listed = 0;
            while listed < 80 {
                let deals = store.deals("acme", None, 100).await.unwrap();
                listed = deals.iter().map(|(_, revision)| revision).sum();
                for (key, revision) in deals {
                    let there = store.events(&key, 0, usize::MAX).await.unwrap().len();
                    assert!(revision <= there as Revision, "{key:?}");
                }
                tokio::task::yield_now().await;
            }
        };
        join(writing, reading).await;
    });
}

#[test]
fn any_course_of_writes_comes_to_what_a_model_of_it_has() {
    on_every_store(async |store| {
        let mut dice = Dice(5);
        let mut model: BTreeMap<DealKey, Vec<Vec<u8>>> = BTreeMap::new();
        for step in 0..300 {
            let key = deal(&format!("d{}", dice.below(6)));
            let kept = model.entry(key.clone()).or_default();
            let actual = kept.len() as Revision;
            // One in four is behind or ahead.
            let expected = match dice.below(4) {
                0 => dice.below(actual + 3),
                _ => actual,
            };
            let count = 1 + dice.below(3) as usize;
            let written: Vec<_> = (0..count)
                .map(|n| format!("{step} {n}").into_bytes())
                .collect();
            let answer = store.append(&key, expected, written.clone()).await;
            if expected == actual {
                kept.extend(written);
                assert_eq!(answer, Ok(kept.len() as Revision));
            } else {
                assert_eq!(answer, Err(Error::Conflict { expected, actual }));
            }
        }
        for (key, kept) in &model {
            check_history(&*store, key, kept).await;
        }
        let listed = store.deals("acme", None, 100).await.unwrap();
        let written = model.iter().filter(|(_, kept)| !kept.is_empty());
        let expected: Vec<_> = written
            .map(|(key, kept)| (key.clone(), kept.len() as Revision))
            .collect();
        assert_eq!(listed, expected);
    });
}

#[test]
fn the_changes_of_any_course_of_writes_add_up_to_its_histories() {
    on_every_store(async |store| {
        let mut dice = Dice(6);
        for _ in 0..150 {
            let key = deal(&format!("d{}", dice.below(5)));
            let after = store.revision(&key).await.unwrap();
            let count = 1 + dice.below(4) as usize;
            store
                .append(&key, after, events(&key, count))
                .await
                .unwrap();
        }
        let mut told: BTreeMap<DealKey, Revision> = BTreeMap::new();
        for change in store.changes(0, 1_000).await.unwrap() {
            let before = told.entry(change.deal.clone()).or_default();
            *before += u64::from(change.events);
            assert_eq!(*before, change.revision, "{change:?}");
        }
        let listed = store.deals("acme", None, 100).await.unwrap();
        assert_eq!(told.into_iter().collect::<Vec<_>>(), listed);
    });
}

#[test]
fn any_course_of_projections_keeps_the_last_of_the_highest_revision() {
    on_every_store(async |store| {
        let key = deal("d");
        store.append(&key, 0, events(&key, 12)).await.unwrap();
        let mut dice = Dice(8);
        let mut kept: Option<(Revision, Vec<u8>)> = None;
        for step in 0..60_u8 {
            let revision = 1 + dice.below(12);
            let bytes = vec![step; 1 + dice.below(40) as usize];
            store.keep_projection(&key, projection(revision, &bytes));
            if kept
                .as_ref()
                .is_none_or(|(highest, _)| *highest <= revision)
            {
                kept = Some((revision, bytes));
            }
            let (revision, bytes) = kept.as_ref().unwrap();
            let found = store.projection(&key).await;
            assert_eq!(found, Ok(Some(projection(*revision, bytes))), "step {step}");
        }
    });
}

#[test]
fn appends_that_wait_when_a_store_is_closed_are_there_or_were_refused() {
    on_every_store(async |store| {
        let keys: Vec<DealKey> = (0..30).map(|number| deal(&format!("d{number}"))).collect();
        let appends = join_all(keys.iter().map(|key| store.append(key, 0, events(key, 1))));
        let (answers, ()) = join(appends, store.close()).await;
        for answer in answers {
            assert!(matches!(answer, Ok(1) | Err(Error::Closed)), "{answer:?}");
        }
    });
}
