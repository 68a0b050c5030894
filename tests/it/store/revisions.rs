//! Revisions: who is behind or ahead changes nothing, who is first wins, and nobody else is held up by it.

use std::sync::Arc;

use futures_util::future::join_all;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Revision;
use verbatim::store::Store;

use crate::store::append_each;
use crate::store::check_history;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

/// Asserts that an append at `expected` is refused where the deal is at `actual`, and changes nothing.
async fn check_refused(store: &dyn Store, key: &DealKey, expected: Revision, actual: Revision) {
    let newest = store.newest_sequence().await.unwrap();
    let answer = store.append(key, expected, events(key, 2)).await;
    assert_eq!(answer, Err(Error::Conflict { expected, actual }));
    assert_eq!(store.revision(key).await, Ok(actual));
    assert_eq!(store.newest_sequence().await, Ok(newest));
}

#[test]
fn one_behind_is_refused() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a"]).await;
        check_refused(&*store, &deal("a"), 2, 3).await;
    });
}

#[test]
fn one_ahead_is_refused() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a"]).await;
        check_refused(&*store, &deal("a"), 4, 3).await;
    });
}

#[test]
fn far_behind_and_far_ahead_are_refused() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a"]).await;
        check_refused(&*store, &deal("a"), 0, 3).await;
        check_refused(&*store, &deal("a"), 1_000_000, 3).await;
    });
}

#[test]
fn numbers_that_no_revision_reaches_are_refused() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        let most = i64::MAX as Revision;
        for expected in [most - 1_001, most - 1, most, most + 1, Revision::MAX] {
            check_refused(&*store, &deal("a"), expected, 1).await;
            check_refused(&*store, &deal("b"), expected, 0).await;
        }
    });
}

#[test]
fn of_several_events_that_come_too_late_none_is_written() {
    on_every_store(async |store| {
        let key = deal("a");
        let written = events(&key, 4);
        store.append(&key, 0, written.clone()).await.unwrap();
        // The last of them would be at revision 5, which is free.
        let late = store.append(&key, 3, vec![vec![1], vec![2]]).await;
        let conflict = Error::Conflict {
            expected: 3,
            actual: 4,
        };
        assert_eq!(late, Err(conflict));
        check_history(&*store, &key, &written).await;
    });
}

#[test]
fn a_conflict_on_one_deal_fails_no_other_that_waits_with_it() {
    on_every_store(async |store| {
        append_each(&*store, &["x", "x"]).await;
        let keys: Vec<_> = (0..20).map(|number| deal(&format!("d{number}"))).collect();
        let stale = deal("x");
        let mut at_once = Vec::new();
        for key in &keys {
            at_once.push(store.append(key, 0, events(key, 1)));
            at_once.push(store.append(&stale, 1, events(&stale, 1)));
        }
        let conflict = Error::Conflict {
            expected: 1,
            actual: 2,
        };
        for pair in join_all(at_once).await.chunks(2) {
            assert_eq!(pair, [Ok(1), Err(conflict.clone())]);
        }
        assert_eq!(store.newest_sequence().await, Ok(22));
    });
}

#[test]
fn who_was_refused_may_go_on_from_what_it_was_told() {
    on_every_store(async |store| {
        let key = deal("a");
        append_each(&*store, &["a", "a"]).await;
        let Err(Error::Conflict { actual, .. }) = store.append(&key, 0, events(&key, 1)).await
        else {
            panic!("it was behind");
        };
        let answer = store.append(&key, actual, events(&key, 1)).await;
        assert_eq!(answer, Ok(3));
    });
}

#[test]
fn an_event_of_no_bytes_is_an_event() {
    on_every_store(async |store| {
        let written = vec![vec![], vec![], b"x".to_vec(), vec![]];
        let answer = store.append(&deal("a"), 0, written.clone()).await;
        assert_eq!(answer, Ok(4));
        check_history(&*store, &deal("a"), &written).await;
    });
}

#[test]
fn an_event_may_hold_any_bytes() {
    on_every_store(async |store| {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let written: Vec<_> = all
            .iter()
            .map(|byte| vec![*byte])
            .chain([all.clone()])
            .collect();
        store.append(&deal("a"), 0, written.clone()).await.unwrap();
        check_history(&*store, &deal("a"), &written).await;
    });
}

#[test]
fn as_many_events_as_an_append_may_have_are_in_order() {
    on_every_store(async |store| {
        let written = events(&deal("a"), 1_000);
        let answer = store.append(&deal("a"), 0, written.clone()).await;
        assert_eq!(answer, Ok(1_000));
        check_history(&*store, &deal("a"), &written).await;
    });
}

#[test]
fn two_deals_written_in_turn_do_not_mix() {
    on_every_store(async |store| {
        let (one, other) = (deal("a"), deal("aa"));
        let (of_one, of_other) = (events(&one, 12), events(&other, 12));
        for at in 0..12 {
            let revision = at as Revision;
            let first = store.append(&one, revision, vec![of_one[at].clone()]);
            let second = store.append(&other, revision, vec![of_other[at].clone()]);
            let answers = tokio::join!(first, second);
            assert_eq!(answers, (Ok(revision + 1), Ok(revision + 1)));
        }
        check_history(&*store, &one, &of_one).await;
        check_history(&*store, &other, &of_other).await;
    });
}

#[test]
fn appends_of_many_deals_that_wait_together_are_all_written() {
    on_every_store(async |store| {
        let keys: Vec<_> = (0..700).map(|number| deal(&format!("{number}"))).collect();
        let at_once = keys.iter().map(|key| store.append(key, 0, events(key, 2)));
        let answers = join_all(at_once).await;
        assert!(answers.iter().all(|answer| *answer == Ok(2)));
        for key in &keys {
            check_history(&*store, key, &events(key, 2)).await;
        }
    });
}

#[test]
fn what_was_acknowledged_is_read_at_once_everywhere() {
    on_every_store(async |store| {
        for round in 1..=30 {
            let key = deal(&format!("{:02}", round % 7));
            let before = store.revision(&key).await.unwrap();
            let revision = store.append(&key, before, events(&key, 1)).await.unwrap();
            assert_eq!(store.revision(&key).await, Ok(revision));
            assert_eq!(store.events(&key, before, 9).await.unwrap().len(), 1);
            assert_eq!(store.newest_sequence().await, Ok(round));
            let told = store.changes(round - 1, 9).await.unwrap();
            assert_eq!((told.len(), told[0].revision), (1, revision));
            let listed = store.deals("acme", None, 99).await.unwrap();
            assert!(listed.contains(&(key, revision)));
        }
    });
}

#[test]
fn a_name_that_is_refused_leaves_nothing_behind() {
    on_every_store(async |store| {
        let key = DealKey::new("acme", "a\0b");
        let refused = store.append(&key, 0, events(&key, 1)).await;
        assert!(matches!(refused, Err(Error::OutOfRange(_))));
        assert_eq!(store.deals("acme", None, 9).await, Ok(vec![]));
        assert_eq!(store.newest_sequence().await, Ok(0));
    });
}

#[test]
fn writers_in_tasks_of_their_own_make_one_history() {
    on_every_store(async |store| {
        let writing: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let mut written = 0;
                    while written < 10 {
                        let expected = store.revision(&deal("d")).await.unwrap();
                        let event = events(&deal("d"), 1);
                        written +=
                            usize::from(store.append(&deal("d"), expected, event).await.is_ok());
                    }
                })
            })
            .collect();
        for writer in writing {
            writer.await.unwrap();
        }
        assert_eq!(store.revision(&deal("d")).await, Ok(80));
        assert_eq!(store.newest_sequence().await, Ok(80));
    });
}
