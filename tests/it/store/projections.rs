//! Projections: the newest of each deal, kept some time later, and dropped rather than waited for.

use verbatim::store::DealKey;
use verbatim::store::PROJECTION_BYTES_MAX;
use verbatim::store::Projection;
use verbatim::store::Store;

use crate::store::append_each;
use crate::store::projection;
use crate::support::deal;
use crate::support::on_every_store;

async fn check(store: &dyn Store, key: &DealKey, expected: Option<Projection>) {
    assert_eq!(store.projection(key).await, Ok(expected), "{key:?}");
}

#[test]
fn a_projection_of_the_same_revision_replaces() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a"]).await;
        for bytes in [b"one", b"two"] {
            store.keep_projection(&deal("a"), projection(2, bytes));
            check(&*store, &deal("a"), Some(projection(2, bytes))).await;
        }
    });
}

#[test]
fn an_older_projection_does_not_replace_one_that_waits_or_was_written() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a", "a"]).await;
        store.keep_projection(&deal("a"), projection(3, b"new"));
        store.keep_projection(&deal("a"), projection(2, b"old"));
        check(&*store, &deal("a"), Some(projection(3, b"new"))).await;
        // Writes what waits.
        append_each(&*store, &["b", "c"]).await;
        store.keep_projection(&deal("a"), projection(1, b"older"));
        append_each(&*store, &["b", "c"]).await;
        check(&*store, &deal("a"), Some(projection(3, b"new"))).await;
    });
}

#[test]
fn projections_of_neighbours_keep_apart() {
    on_every_store(async |store| {
        let ids = ["a", "a1", "A", "aa", "a "];
        append_each(&*store, &ids).await;
        for id in ids {
            store.keep_projection(&deal(id), projection(1, id.as_bytes()));
        }
        for id in ids {
            check(&*store, &deal(id), Some(projection(1, id.as_bytes()))).await;
        }
        check(&*store, &DealKey::new("acm", "ea"), None).await;
    });
}

#[test]
fn a_projection_of_the_most_bytes_is_kept_and_a_larger_one_is_not() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b"]).await;
        let most = projection(1, &vec![5; PROJECTION_BYTES_MAX]);
        store.keep_projection(&deal("a"), most.clone());
        check(&*store, &deal("a"), Some(most)).await;
        let more = projection(1, &vec![5; PROJECTION_BYTES_MAX + 1]);
        store.keep_projection(&deal("b"), more);
        check(&*store, &deal("b"), None).await;
    });
}

#[test]
fn a_projection_of_no_bytes_is_one() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        store.keep_projection(&deal("a"), projection(1, b""));
        append_each(&*store, &["b"]).await;
        check(&*store, &deal("a"), Some(projection(1, b""))).await;
    });
}

#[test]
fn projections_of_many_deals_are_all_kept() {
    on_every_store(async |store| {
        let ids: Vec<_> = (0..300).map(|number| format!("{number:03}")).collect();
        let names: Vec<_> = ids.iter().map(String::as_str).collect();
        append_each(&*store, &names).await;
        for id in &names {
            store.keep_projection(&deal(id), projection(1, id.as_bytes()));
        }
        append_each(&*store, &["x", "y"]).await;
        for id in &names {
            check(&*store, &deal(id), Some(projection(1, id.as_bytes()))).await;
        }
    });
}
