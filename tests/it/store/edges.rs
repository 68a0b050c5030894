//! The edges of what may be asked: nothing, one, all, and beyond the end.

use verbatim::store::DEAL_BYTES_MAX;
use verbatim::store::DealKey;
use verbatim::store::Revision;
use verbatim::store::TENANT_BYTES_MAX;

use crate::store::append_each;
use crate::store::projection;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

#[test]
fn who_asks_for_nothing_gets_nothing() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b"]).await;
        assert_eq!(store.events(&deal("a"), 0, 0).await, Ok(vec![]));
        assert_eq!(store.deals("acme", None, 0).await, Ok(vec![]));
        assert_eq!(store.changes(0, 0).await, Ok(vec![]));
    });
}

#[test]
fn deals_read_one_at_a_time_are_all_deals() {
    on_every_store(async |store| {
        let ids = ["a", "a!", "a1", "aa", "b", "z"];
        append_each(&*store, &ids).await;
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().map(String::as_str);
            let page = store.deals("acme", after, 1).await.unwrap();
            let Some((key, 1)) = page.first() else {
                break;
            };
            found.push(key.deal.to_string());
        }
        assert_eq!(found, ids);
    });
}

#[test]
fn there_are_no_deals_behind_the_last() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b"]).await;
        for after in ["b", "b\u{1}", "c", "\u{10ffff}"] {
            assert_eq!(store.deals("acme", Some(after), 10).await, Ok(vec![]));
        }
    });
}

#[test]
fn deals_after_the_beginning_of_an_id_have_that_id() {
    on_every_store(async |store| {
        append_each(&*store, &["opp-10", "opp-2"]).await;
        let found = store.deals("acme", Some("opp-1"), 10).await.unwrap();
        assert_eq!(found, [(deal("opp-10"), 1), (deal("opp-2"), 1)]);
    });
}

#[test]
fn a_tenant_that_nobody_knows_has_no_deals() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        for tenant in ["acm", "acme ", "ACME", "acme2", "b"] {
            assert_eq!(store.deals(tenant, None, 10).await, Ok(vec![]), "{tenant}");
        }
    });
}

#[test]
fn a_deal_that_was_written_once_more_is_listed_once_with_its_revision() {
    on_every_store(async |store| {
        append_each(&*store, &["b", "a", "b", "b"]).await;
        let found = store.deals("acme", None, 10).await.unwrap();
        assert_eq!(found, [(deal("a"), 1), (deal("b"), 3)]);
    });
}

#[test]
fn changes_read_one_at_a_time_are_all_changes() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b", "a", "c"]).await;
        let whole = store.changes(0, 10).await.unwrap();
        assert_eq!(whole.len(), 4);
        for (after, change) in (0..).zip(whole) {
            assert_eq!(store.changes(after, 1).await, Ok(vec![change]));
        }
    });
}

#[test]
fn changes_tell_names_of_any_length_and_letters_as_they_were() {
    on_every_store(async |store| {
        let longest = "d".repeat(DEAL_BYTES_MAX);
        let tenant = "t".repeat(TENANT_BYTES_MAX);
        let ids = ["d", &longest, "Übergröße", "交易", "a'b\"c\\d%_", "\u{1}"];
        let keys = ids.map(|id| DealKey::new(&tenant, id));
        for key in &keys {
            store.append(key, 0, events(key, 1)).await.unwrap();
        }
        let told = store.changes(0, 10).await.unwrap();
        let told: Vec<DealKey> = told.into_iter().map(|change| change.deal).collect();
        assert_eq!(told, keys);
    });
}

#[test]
fn a_projection_stays_while_its_deal_goes_on() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        store.keep_projection(&deal("a"), projection(1, b"one"));
        append_each(&*store, &["a", "b", "a", "b"]).await;
        let found = store.projection(&deal("a")).await;
        assert_eq!(found, Ok(Some(projection(1, b"one"))));
    });
}

#[test]
fn a_projection_may_hold_any_bytes() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        let bytes: Vec<u8> = (0..=255).collect();
        store.keep_projection(&deal("a"), projection(1, &bytes));
        let found = store.projection(&deal("a")).await;
        assert_eq!(found, Ok(Some(projection(1, &bytes))));
    });
}

#[test]
fn a_projection_belongs_to_its_tenant() {
    on_every_store(async |store| {
        let keys = ["acme", "other"].map(|tenant| DealKey::new(tenant, "d"));
        for key in &keys {
            store.append(key, 0, events(key, 1)).await.unwrap();
        }
        store.keep_projection(&keys[0], projection(1, b"of acme"));
        assert_eq!(store.projection(&keys[1]).await, Ok(None));
    });
}

#[test]
fn a_projection_kept_twice_is_one() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        for _ in 0..2 {
            store.keep_projection(&deal("a"), projection(1, b"one"));
            let found = store.projection(&deal("a")).await;
            assert_eq!(found, Ok(Some(projection(1, b"one"))));
        }
    });
}

#[test]
fn a_history_behind_its_end_is_empty_at_any_revision() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "a"]).await;
        for after in [2, 3, u64::MAX / 2, Revision::MAX] {
            assert_eq!(
                store.events(&deal("a"), after, 10).await,
                Ok(vec![]),
                "{after}"
            );
        }
    });
}
