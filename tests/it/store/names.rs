//! Deals and tenants keep apart, whatever they are called; what cannot be a name is refused.

use verbatim::store::DEAL_BYTES_MAX;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Revision;
use verbatim::store::Store;
use verbatim::store::TENANT_BYTES_MAX;

use crate::store::check_history;
use crate::support::events;
use crate::support::on_every_store;

/// Asserts that `names` keep apart: all are written in turn, then each has its own events.
async fn check_neighbours(store: &dyn Store, names: &[(&str, &str)]) {
    let keys: Vec<_> = names
        .iter()
        .map(|(tenant, deal)| DealKey::new(tenant, deal))
        .collect();
    for round in 0..3 {
        for key in &keys {
            let event = events(key, 3).swap_remove(round);
            let answer = store.append(key, round as Revision, vec![event]).await;
            assert_eq!(answer, Ok(round as Revision + 1), "{key:?}");
        }
    }
    for key in &keys {
        check_history(store, key, &events(key, 3)).await;
    }

    let mut sorted = keys.clone();
    sorted.sort();
    let mut listed = Vec::new();
    let mut tenants: Vec<_> = sorted.iter().map(|key| key.tenant.clone()).collect();
    tenants.dedup();
    for tenant in tenants {
        listed.extend(store.deals(&tenant, None, 1_000).await.unwrap());
    }
    let expected: Vec<_> = sorted.into_iter().map(|key| (key, 3)).collect();
    assert_eq!(listed, expected);
}

#[test]
fn deals_whose_ids_begin_alike_keep_apart() {
    on_every_store(async |store| {
        let names = [
            "d", "d1", "d10", "d2", "d\u{1}", "d\u{1}x", "dd", "D", "d ", "e",
        ];
        check_neighbours(&*store, &names.map(|name| ("acme", name))).await;
    });
}

#[test]
fn tenants_whose_names_begin_alike_keep_apart() {
    on_every_store(async |store| {
        let tenants = ["a", "ab", "a\u{1}", "aa", "a/b", "b"];
        let mut names: Vec<_> = tenants.map(|tenant| (tenant, "d")).to_vec();
        names.extend([("a", "bd"), ("ab", "d1"), ("a", "b/d")]);
        check_neighbours(&*store, &names).await;
    });
}

#[test]
fn ids_of_any_letters_keep_apart() {
    on_every_store(async |store| {
        let longest = "ü".repeat(DEAL_BYTES_MAX / 2);
        let longest_ascii = "z".repeat(DEAL_BYTES_MAX);
        let names = [
            "é",
            "e\u{301}",
            "日本",
            "日",
            "🦀",
            "🦀🦀",
            "\u{feff}",
            "\u{10ffff}",
            "\u{7f}",
            "\u{1}",
            "../..",
            "a@1",
            "%00",
            "\n",
            &longest,
            &longest_ascii,
        ];
        check_neighbours(&*store, &names.map(|name| ("ténant", name))).await;
    });
}

#[test]
fn names_out_of_range_are_refused() {
    on_every_store(async |store| {
        let long_deal = "d".repeat(DEAL_BYTES_MAX + 1);
        let long_tenant = "t".repeat(TENANT_BYTES_MAX + 1);
        for (tenant, id) in [
            ("", "d"),
            ("a", ""),
            ("a\0", "d"),
            ("a", "\0"),
            ("a", &long_deal),
            (&long_tenant, "d"),
        ] {
            let key = DealKey::new(tenant, id);
            let answer = store.append(&key, 0, events(&key, 1)).await;
            assert!(matches!(answer, Err(Error::OutOfRange(_))), "{key:?}");
        }
        let long_tenant = "t".repeat(TENANT_BYTES_MAX);
        let key = DealKey::new(&long_tenant, "d");
        assert_eq!(store.append(&key, 0, events(&key, 1)).await, Ok(1));
    });
}
