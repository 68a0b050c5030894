//! The order over all deals: each append has one place in it, and whoever reads it from anywhere reads the same.

use std::sync::Arc;

use futures_util::future::join_all;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Store;

use crate::store::append_each;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

/// All changes, read `page` at a time.
async fn all(store: &dyn Store, page: usize) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    loop {
        let after = all.last().map_or(0, |change| change.sequence);
        let more = store.changes(after, page).await.unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

#[test]
fn the_newest_sequence_counts_appends_and_not_events() {
    on_every_store(async |store| {
        assert_eq!(store.newest_sequence().await, Ok(0));
        for (count, events_count) in [1, 7, 1_000].into_iter().enumerate() {
            let key = deal(&format!("{count}"));
            store
                .append(&key, 0, events(&key, events_count))
                .await
                .unwrap();
            assert_eq!(store.newest_sequence().await, Ok(count as u64 + 1));
        }
    });
}

#[test]
fn there_are_no_changes_behind_the_newest() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b"]).await;
        for after in [2, 3, u64::MAX - 1, u64::MAX] {
            assert_eq!(store.changes(after, 10).await, Ok(vec![]), "{after}");
        }
    });
}

#[test]
fn changes_are_the_same_however_they_are_paged() {
    on_every_store(async |store| {
        for lot in [1, 5, 40, 3] {
            let keys: Vec<_> = (0..lot).map(|n| deal(&format!("{lot} {n}"))).collect();
            join_all(keys.iter().map(|key| store.append(key, 0, events(key, 1)))).await;
        }
        let whole = all(&*store, 1_000).await;
        assert_eq!(whole.len(), 49);
        for page in [1, 2, 3, 7, 48, 49] {
            assert_eq!(all(&*store, page).await, whole, "{page} at a time");
        }
    });
}

#[test]
fn a_change_tells_how_many_events_it_had_and_where_they_are() {
    on_every_store(async |store| {
        let key = deal("a");
        let mut revision = 0;
        for count in [1, 3, 1, 10] {
            revision = store
                .append(&key, revision, events(&key, count))
                .await
                .unwrap();
        }
        let told: Vec<_> = all(&*store, 2).await;
        let told: Vec<_> = told
            .iter()
            .map(|change| (change.revision, change.events))
            .collect();
        assert_eq!(told, [(1, 1), (4, 3), (5, 1), (15, 10)]);
    });
}

#[test]
fn changes_of_one_deal_are_in_the_order_of_its_revisions() {
    on_every_store(async |store| {
        let keys: Vec<_> = (0..5).map(|n| deal(&format!("{n}"))).collect();
        let at_once = keys.iter().flat_map(|key| {
            let store = Arc::clone(&store);
            (0..8).map(move |expected| {
                let (store, key) = (Arc::clone(&store), key.clone());
                async move { store.append(&key, expected, events(&key, 1)).await }
            })
        });
        assert!(join_all(at_once).await.iter().all(Result::is_ok));
        let told = all(&*store, 7).await;
        for key in &keys {
            let of_key = told.iter().filter(|change| change.deal == *key);
            let revisions: Vec<_> = of_key.map(|change| change.revision).collect();
            assert_eq!(revisions, (1..=8).collect::<Vec<_>>());
        }
    });
}

#[test]
fn all_tenants_share_one_order() {
    on_every_store(async |store| {
        for tenant in ["b", "a", "ab", "b"] {
            let key = DealKey::new(tenant, "d");
            let revision = store.revision(&key).await.unwrap();
            store.append(&key, revision, events(&key, 1)).await.unwrap();
        }
        let told = all(&*store, 3).await;
        let tenants: Vec<_> = told.iter().map(|change| &*change.deal.tenant).collect();
        assert_eq!(tenants, ["b", "a", "ab", "b"]);
    });
}

#[test]
fn who_follows_the_changes_while_they_are_written_sees_each_once_and_with_its_events() {
    on_every_store(async |store| {
        let write = async {
            for round in 0..25 {
                let keys: Vec<_> = (0..4).map(|n| deal(&format!("{n}"))).collect();
                let at_once = keys
                    .iter()
                    .map(|key| store.append(key, round, events(key, 1)));
                join_all(at_once).await;
            }
        };
        let follow = async {
            let mut seen: Vec<Change> = Vec::new();
            while seen.len() < 100 {
                let more = store.changes(seen.len() as u64, 3).await.unwrap();
                for change in &more {
                    let there = store.events(&change.deal, change.revision - 1, 1).await;
                    assert_eq!(there.unwrap().len(), 1, "{change:?}");
                }
                seen.extend(more);
                tokio::task::yield_now().await;
            }
            seen
        };
        let (_, seen) = tokio::join!(write, follow);
        let sequences: Vec<_> = seen.iter().map(|change| change.sequence).collect();
        assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
    });
}

#[test]
fn an_append_that_was_refused_takes_no_number() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        let key = deal("a");
        let refused = (0..9).map(|_| store.append(&key, 0, events(&key, 1)));
        assert!(join_all(refused).await.iter().all(Result::is_err));
        append_each(&*store, &["b"]).await;
        assert_eq!(all(&*store, 9).await.len(), 2);
        assert_eq!(store.newest_sequence().await, Ok(2));
    });
}
