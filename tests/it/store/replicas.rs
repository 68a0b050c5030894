//! Several stores over one database, as replicas of the service are.

use std::sync::Arc;

use futures_util::future::join_all;
use verbatim::store::Change;
use verbatim::store::Error;
use verbatim::store::Store;

use crate::store::append_each;
use crate::store::check_history;
use crate::store::postgres::on_database;
use crate::store::projection;
use crate::support::deal;
use crate::support::events;

#[test]
fn what_one_replica_acknowledged_the_others_read_at_once() {
    on_database(async |database| {
        let (one, other) = (database.open().await, database.open().await);
        for round in 0..10 {
            let (writer, reader) = match round % 2 {
                0 => (&one, &other),
                _ => (&other, &one),
            };
            append_each(writer, &["a"]).await;
            assert_eq!(reader.revision(&deal("a")).await, Ok(round + 1));
            assert_eq!(reader.newest_sequence().await, Ok(round + 1));
            assert_eq!(reader.changes(round, 9).await.unwrap().len(), 1);
            let listed = reader.deals("acme", None, 9).await.unwrap();
            assert_eq!(listed, [(deal("a"), round + 1)]);
        }
    });
}

#[test]
fn of_replicas_at_the_same_revision_one_wins_and_the_others_are_told() {
    on_database(async |database| {
        let stores = join_all((0..3).map(|_| database.open())).await;
        let key = deal("a");
        for round in 0..20 {
            let at_once = stores
                .iter()
                .map(|store| store.append(&key, round, events(&key, 1)));
            let answers = join_all(at_once).await;
            let won = answers
                .iter()
                .filter(|answer| **answer == Ok(round + 1))
                .count();
            let conflict = Err(Error::Conflict {
                expected: round,
                actual: round + 1,
            });
            let lost = answers.iter().filter(|answer| **answer == conflict).count();
            assert_eq!((won, lost), (1, 2), "{answers:?}");
        }
    });
}

#[test]
fn replicas_that_write_the_same_deals_in_any_order_lose_nothing() {
    on_database(async |database| {
        let stores = join_all((0..3).map(|_| database.open())).await;
        let stores: Vec<_> = stores.into_iter().map(Arc::new).collect();
        let writers = (0..12).map(|number: usize| {
            let store = Arc::clone(&stores[number % 3]);
            async move {
                let mut written = 0;
                while written < 15 {
                    // Each goes round the deals another way, so that groups meet on several of them.
                    let key = deal(&format!("{}", (written * (number + 1)) % 4));
                    let expected = store.revision(&key).await.unwrap();
                    match store.append(&key, expected, events(&key, 2)).await {
                        Ok(_) => written += 1,
                        Err(Error::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
        join_all(writers).await;
        let mut events_count = 0;
        for number in 0..4 {
            let key = deal(&format!("{number}"));
            let revision = stores[0].revision(&key).await.unwrap();
            let history = stores[1].events(&key, 0, usize::MAX).await.unwrap();
            assert_eq!(history.len() as u64, revision);
            events_count += revision;
        }
        assert_eq!(events_count, 12 * 15 * 2);
        assert_eq!(stores[2].newest_sequence().await, Ok(12 * 15));
    });
}

#[test]
fn the_order_over_all_replicas_has_no_gap_at_any_moment() {
    on_database(async |database| {
        let stores = join_all((0..3).map(|_| database.open())).await;
        let reader = database.open().await;
        let write = join_all(stores.iter().enumerate().map(async |(number, store)| {
            for round in 0..40 {
                let keys: Vec<_> = (0..3).map(|n| deal(&format!("{number} {n}"))).collect();
                let at_once = keys
                    .iter()
                    .map(|key| store.append(key, round, events(key, 1)));
                assert!(join_all(at_once).await.iter().all(Result::is_ok));
            }
        }));
        let follow = async {
            let mut seen: Vec<Change> = Vec::new();
            while seen.len() < 360 {
                let more = reader.changes(seen.len() as u64, 50).await.unwrap();
                for change in &more {
                    assert_eq!(change.sequence, seen.len() as u64 + 1);
                    seen.push(change.clone());
                    let there = reader.revision(&change.deal).await.unwrap();
                    assert!(change.revision <= there, "{change:?}");
                }
            }
        };
        tokio::join!(write, follow);
        assert_eq!(reader.newest_sequence().await, Ok(360));
    });
}

#[test]
fn a_conflict_between_replicas_fails_no_other_append_of_the_group() {
    on_database(async |database| {
        let (one, other) = (database.open().await, database.open().await);
        append_each(&one, &["x"]).await;
        append_each(&other, &["x"]).await;
        let keys: Vec<_> = (0..10).map(|number| deal(&format!("{number}"))).collect();
        let stale = deal("x");
        let fresh = keys.iter().map(|key| one.append(key, 0, events(key, 1)));
        let (answers, refused) =
            tokio::join!(join_all(fresh), one.append(&stale, 1, events(&stale, 1)));
        assert!(answers.iter().all(|answer| *answer == Ok(1)), "{answers:?}");
        let conflict = Error::Conflict {
            expected: 1,
            actual: 2,
        };
        assert_eq!(refused, Err(conflict));
        check_history(&other, &keys[9], &events(&keys[9], 1)).await;
    });
}

#[test]
fn a_projection_that_one_replica_kept_is_read_by_the_others_and_older_ones_do_not_replace_it() {
    on_database(async |database| {
        let (one, other) = (database.open().await, database.open().await);
        append_each(&one, &["a", "a"]).await;
        one.keep_projection(&deal("a"), projection(2, b"new"));
        one.close().await;
        other.keep_projection(&deal("a"), projection(1, b"old"));
        other.close().await;
        let third = database.open().await;
        assert_eq!(
            third.projection(&deal("a")).await,
            Ok(Some(projection(2, b"new")))
        );
    });
}
