//! What every store promises: each case runs against all of them.
//!
//! What only a store on a disk can promise is in `store/embedded.rs`, and what it does with damage in
//! `store/damage.rs`.

mod damage;
mod edges;
mod embedded;
mod feed;
mod interrupted;
mod names;
mod paging;
mod postgres;
mod projections;
mod reopened;
mod replicas;
mod revisions;
mod seen;
mod spans;

use std::sync::Arc;

use verbatim::store::DealKey;
use verbatim::store::EVENT_BYTES_MAX;
use verbatim::store::EVENTS_MAX;
use verbatim::store::Error;
use verbatim::store::Projection;
use verbatim::store::Revision;
use verbatim::store::Span;
use verbatim::store::Store;

use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;
use crate::support::pends;

/// Asserts that a deal's history is `expected`, by page and by revision.
pub async fn check_history(store: &dyn Store, deal: &DealKey, expected: &[Vec<u8>]) {
    let revision = expected.len() as Revision;
    assert_eq!(store.revision(deal).await, Ok(revision), "{deal:?}");

    let page = store.events(deal, 0, usize::MAX).await.unwrap();
    let bytes: Vec<_> = page.iter().map(|event| event.bytes.clone()).collect();
    assert_eq!(bytes, expected, "{deal:?}");
    let revisions: Vec<_> = page.iter().map(|event| event.revision).collect();
    assert_eq!(revisions, (1..=revision).collect::<Vec<_>>(), "{deal:?}");
}

/// Appends one event to each deal, in turn.
pub async fn append_each(store: &dyn Store, ids: &[&str]) {
    for id in ids {
        let deal = deal(id);
        let revision = store.revision(&deal).await.unwrap();
        let answer = store.append(&deal, revision, events(&deal, 1)).await;
        assert_eq!(answer, Ok(revision + 1));
    }
}

fn projection(revision: Revision, bytes: &[u8]) -> Projection {
    Projection {
        revision,
        bytes: bytes.to_vec(),
    }
}

#[test]
fn an_unknown_deal_is_at_revision_0_and_has_nothing() {
    on_every_store(async |store| {
        check_history(&*store, &deal("d"), &[]).await;
        assert_eq!(store.projection(&deal("d")).await, Ok(None));
        assert_eq!(store.deals("acme", None, 10).await, Ok(vec![]));
        assert_eq!(store.changes(0, 10).await, Ok(vec![]));
        assert_eq!(store.fault(), None);
    });
}

#[test]
fn an_append_is_read_back() {
    on_every_store(async |store| {
        let written = events(&deal("d"), 1);
        assert_eq!(store.append(&deal("d"), 0, written.clone()).await, Ok(1));
        check_history(&*store, &deal("d"), &written).await;
    });
}

#[test]
fn several_events_of_one_append_get_revisions_in_order() {
    on_every_store(async |store| {
        let written = events(&deal("d"), 7);
        assert_eq!(
            store.append(&deal("d"), 0, written[..3].to_vec()).await,
            Ok(3)
        );
        assert_eq!(
            store.append(&deal("d"), 3, written[3..].to_vec()).await,
            Ok(7)
        );
        check_history(&*store, &deal("d"), &written).await;
    });
}

#[test]
fn an_append_that_is_behind_or_ahead_changes_nothing() {
    on_every_store(async |store| {
        let written = events(&deal("d"), 2);
        store.append(&deal("d"), 0, written.clone()).await.unwrap();
        for expected in [0, 1, 3, Revision::MAX] {
            let answer = store
                .append(&deal("d"), expected, events(&deal("x"), 2))
                .await;
            assert_eq!(
                answer,
                Err(Error::Conflict {
                    expected,
                    actual: 2
                })
            );
        }
        check_history(&*store, &deal("d"), &written).await;
        assert_eq!(store.changes(0, 10).await.unwrap().len(), 1);
    });
}

#[test]
fn an_append_to_an_unknown_deal_expects_revision_0() {
    on_every_store(async |store| {
        let answer = store.append(&deal("d"), 1, events(&deal("d"), 1)).await;
        assert_eq!(
            answer,
            Err(Error::Conflict {
                expected: 1,
                actual: 0
            })
        );
        assert_eq!(store.deals("acme", None, 10).await, Ok(vec![]));
    });
}

#[test]
fn the_same_append_again_is_a_conflict() {
    on_every_store(async |store| {
        let written = events(&deal("d"), 1);
        store.append(&deal("d"), 0, written.clone()).await.unwrap();
        let again = store.append(&deal("d"), 0, written.clone()).await;
        assert_eq!(
            again,
            Err(Error::Conflict {
                expected: 0,
                actual: 1
            })
        );
        check_history(&*store, &deal("d"), &written).await;
    });
}

#[test]
fn equal_events_are_kept_each() {
    on_every_store(async |store| {
        let written = vec![b"same".to_vec(); 4];
        store
            .append(&deal("d"), 0, written[..2].to_vec())
            .await
            .unwrap();
        store
            .append(&deal("d"), 2, written[2..].to_vec())
            .await
            .unwrap();
        check_history(&*store, &deal("d"), &written).await;
    });
}

#[test]
fn of_many_writers_to_one_deal_one_wins_each_revision() {
    on_every_store(async |store| {
        let writers: Vec<_> = (0..16).map(|_| Arc::clone(&store)).collect();
        let tasks = writers
            .into_iter()
            .enumerate()
            .map(async |(number, store)| {
                let mut won = Vec::new();
                while won.len() < 5 {
                    let expected = store.revision(&deal("d")).await.unwrap();
                    let event = format!("{number} {expected}").into_bytes();
                    match store
                        .append(&deal("d"), expected, vec![event.clone()])
                        .await
                    {
                        Ok(revision) => won.push((revision, event)),
                        Err(Error::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                won
            });
        let mut won = futures_util::future::join_all(tasks).await.concat();
        won.sort();
        let written: Vec<_> = won.into_iter().map(|(_, event)| event).collect();
        assert_eq!(written.len(), 80);
        check_history(&*store, &deal("d"), &written).await;
    });
}

#[test]
fn of_appends_at_the_same_moment_one_wins_and_the_rest_are_told_the_revision() {
    on_every_store(async |store| {
        let key = deal("d");
        let at_once = (0..50).map(|_| store.append(&key, 0, events(&key, 2)));
        let answers = futures_util::future::join_all(at_once).await;
        let won = answers.iter().filter(|answer| **answer == Ok(2)).count();
        let lost = Err(Error::Conflict {
            expected: 0,
            actual: 2,
        });
        assert_eq!(won, 1);
        assert_eq!(answers.iter().filter(|answer| **answer == lost).count(), 49);
        check_history(&*store, &key, &events(&key, 2)).await;
    });
}

#[test]
fn appends_to_one_deal_that_wait_together_see_each_other() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 40);
        let in_order = (0..)
            .zip(&written)
            .map(|(expected, event)| store.append(&key, expected, vec![event.clone()]));
        let answers = futures_util::future::join_all(in_order).await;
        assert_eq!(answers, (1..=40).map(Ok).collect::<Vec<_>>());
        check_history(&*store, &key, &written).await;
    });
}

#[test]
fn appends_out_of_range_are_refused() {
    on_every_store(async |store| {
        let too_many = vec![vec![]; EVENTS_MAX + 1];
        let too_long = vec![vec![1; EVENT_BYTES_MAX + 1]];
        for written in [vec![], too_many, too_long] {
            let answer = store.append(&deal("d"), 0, written).await;
            assert!(matches!(answer, Err(Error::OutOfRange(_))));
        }
        let most = vec![vec![]; EVENTS_MAX];
        assert_eq!(store.append(&deal("d"), 0, most).await, Ok(1_000));
        let longest = vec![vec![1; EVENT_BYTES_MAX]];
        assert_eq!(store.append(&deal("e"), 0, longest.clone()).await, Ok(1));
        check_history(&*store, &deal("e"), &longest).await;
    });
}

#[test]
fn events_of_any_size_are_read_back() {
    on_every_store(async |store| {
        let sizes = [
            0, 1, 400, 4_080, 4_081, 4_082, 4_096, 8_161, 8_162, 8_163, 20_480, 100_000,
        ];
        let written: Vec<Vec<u8>> = sizes
            .map(|size| (0..size).map(|at| (at * 7 % 251) as u8).collect())
            .to_vec();
        store.append(&deal("d"), 0, written.clone()).await.unwrap();
        for (revision, event) in (0..).zip(&written) {
            let answer = store
                .append(&deal("e"), revision, vec![event.clone()])
                .await;
            assert_eq!(answer, Ok(revision + 1));
        }
        check_history(&*store, &deal("d"), &written).await;
        check_history(&*store, &deal("e"), &written).await;
    });
}

#[test]
fn the_newest_projection_wins() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a", "b"]).await;
        store.keep_projection(&deal("a"), projection(2, b"two"));
        assert_eq!(
            store.projection(&deal("a")).await,
            Ok(Some(projection(2, b"two")))
        );
        store.keep_projection(&deal("a"), projection(1, b"one"));
        assert_eq!(
            store.projection(&deal("a")).await,
            Ok(Some(projection(2, b"two")))
        );
        store.keep_projection(&deal("a"), projection(3, b"three"));
        store.keep_projection(&deal("a"), projection(3, b"folded anew"));
        assert_eq!(
            store.projection(&deal("a")).await,
            Ok(Some(projection(3, b"folded anew")))
        );
        assert_eq!(store.projection(&deal("b")).await, Ok(None));
    });
}

#[test]
fn projections_grow_and_shrink() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a", "a"]).await;
        for (revision, size) in [(1, 10), (2, 50_000), (3, 9_000), (4, 0)] {
            let kept = projection(revision, &vec![revision as u8; size]);
            store.keep_projection(&deal("a"), kept.clone());
            // Appends push what waits to the disk.
            append_each(&*store, &["b", "c"]).await;
            assert_eq!(store.projection(&deal("a")).await, Ok(Some(kept)));
        }
    });
}

#[test]
fn an_append_nobody_waits_for_leaves_no_gap() {
    on_every_store(async |store| {
        let key = deal("a");
        let mut given_up = store.append(&key, 0, events(&key, 1));
        pends(&mut given_up);
        drop(given_up);
        append_each(&*store, &["b", "a"]).await;
        let revision = store.revision(&key).await.unwrap();
        let sequences = store.changes(0, 10).await.unwrap().len() as u64;
        assert_eq!(sequences, revision + 1);
    });
}

#[test]
fn a_closed_store_answers_that_it_is_closed() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        store.close().await;
        store.close().await;
        let key = deal("a");
        assert_eq!(store.revision(&key).await, Err(Error::Closed));
        assert_eq!(store.events(&key, 0, 1).await, Err(Error::Closed));
        assert_eq!(
            store.append(&key, 1, events(&key, 1)).await,
            Err(Error::Closed)
        );
        let spans = [Span {
            deal: key.clone(),
            after: 0,
            events_max: 1,
        }];
        assert_eq!(store.events_of(&spans).await, Err(Error::Closed));
        assert_eq!(store.projection(&key).await, Err(Error::Closed));
        assert_eq!(store.deals("acme", None, 1).await, Err(Error::Closed));
        assert_eq!(store.changes(0, 1).await, Err(Error::Closed));
        store.keep_projection(&key, projection(1, b"late"));
    });
}
