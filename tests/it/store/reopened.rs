//! What is there when a store was closed, or dropped, and is opened again.

use std::sync::Arc;

use verbatim::store::Error;
use verbatim::store::Projection;
use verbatim::store::Store;

use crate::store::append_each;
use crate::store::check_history;
use crate::support::Home;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_kept_store;

/// The store that was closed in good order, opened again.
async fn again(home: &Home, store: Arc<dyn Store>) -> Arc<dyn Store> {
    store.close().await;
    drop(store);
    home.open().await
}

#[test]
fn an_empty_store_opens_again_empty() {
    on_every_kept_store(async |home| {
        let store = again(home, home.open().await).await;
        assert_eq!(store.newest_sequence().await, Ok(0));
        check_history(&*store, &deal("a"), &[]).await;
    });
}

#[test]
fn histories_are_there_again() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        let written = events(&deal("a"), 9);
        store.append(&deal("a"), 0, written.clone()).await.unwrap();
        append_each(&*store, &["b", "ab"]).await;
        let store = again(home, store).await;
        check_history(&*store, &deal("a"), &written).await;
        check_history(&*store, &deal("b"), &events(&deal("b"), 1)).await;
    });
}

#[test]
fn an_append_goes_on_where_the_deal_was_left() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        append_each(&*store, &["a", "a"]).await;
        let store = again(home, store).await;
        let behind = store.append(&deal("a"), 1, events(&deal("a"), 1)).await;
        let conflict = Error::Conflict {
            expected: 1,
            actual: 2,
        };
        assert_eq!(behind, Err(conflict));
        let next = store.append(&deal("a"), 2, events(&deal("a"), 1)).await;
        assert_eq!(next, Ok(3));
    });
}

#[test]
fn the_order_over_all_deals_goes_on_without_a_gap() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        append_each(&*store, &["a", "b", "a"]).await;
        let before = store.changes(0, 10).await.unwrap();
        let store = again(home, store).await;
        append_each(&*store, &["c"]).await;
        let after = store.changes(0, 10).await.unwrap();
        assert_eq!(after[..3], before);
        assert_eq!(after[3].sequence, 4);
        assert_eq!(store.newest_sequence().await, Ok(4));
    });
}

#[test]
fn deals_are_listed_again_in_the_same_order() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        append_each(&*store, &["b", "B", "a", "é", "ab"]).await;
        let before = store.deals("acme", None, 10).await.unwrap();
        let store = again(home, store).await;
        assert_eq!(store.deals("acme", None, 10).await.unwrap(), before);
    });
}

#[test]
fn a_projection_that_was_kept_before_closing_is_there_again() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        append_each(&*store, &["a", "a"]).await;
        let kept = Projection {
            revision: 2,
            bytes: b"folded".to_vec(),
        };
        store.keep_projection(&deal("a"), kept.clone());
        let store = again(home, store).await;
        assert_eq!(store.projection(&deal("a")).await, Ok(Some(kept)));
    });
}

#[test]
fn what_was_acknowledged_before_a_drop_is_there_again() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        append_each(&*store, &["a", "b", "a", "a"]).await;
        drop(store);
        let store = home.open().await;
        assert_eq!(store.revision(&deal("a")).await, Ok(3));
        assert_eq!(store.changes(0, 10).await.unwrap().len(), 4);
    });
}

#[test]
fn appends_that_wait_when_it_is_closed_are_written() {
    on_every_kept_store(async |home| {
        let store = home.open().await;
        let key = deal("a");
        let writing: Vec<_> = (0..20)
            .map(|expected| {
                let (store, key) = (Arc::clone(&store), key.clone());
                tokio::spawn(async move { store.append(&key, expected, events(&key, 1)).await })
            })
            .collect();
        // Each task has asked once the runtime has been round.
        tokio::task::yield_now().await;
        store.close().await;
        let mut acknowledged = 0;
        for outcome in writing {
            match outcome.await.unwrap() {
                Ok(_) => acknowledged += 1,
                Err(error) => assert_eq!(error, Error::Closed),
            }
        }
        drop(store);
        let store = home.open().await;
        assert_eq!(store.revision(&key).await, Ok(acknowledged));
    });
}

#[test]
fn what_was_closed_can_be_opened_many_times() {
    on_every_kept_store(async |home| {
        for round in 0..4 {
            let store = home.open().await;
            let answer = store.append(&deal("a"), round, events(&deal("a"), 1)).await;
            assert_eq!(answer, Ok(round + 1));
            store.close().await;
        }
    });
}
