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

/// Asserts that the deals of a tenant are listed in this order, whatever order they were written in.
fn check_order(expected: &[&str]) {
    on_every_store(async |store| {
        let mut written = expected.to_vec();
        written.reverse();
        for id in written {
            let key = DealKey::new("acme", id);
            assert_eq!(store.append(&key, 0, events(&key, 1)).await, Ok(1), "{id}");
        }
        let listed = store.deals("acme", None, 1_000).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|(key, _)| &*key.deal).collect();
        assert_eq!(listed, expected);
        for (at, id) in expected.iter().enumerate() {
            let behind = store.deals("acme", Some(id), 1_000).await.unwrap();
            assert_eq!(behind.len(), expected.len() - at - 1, "behind {id:?}");
        }
    });
}

#[test]
fn deals_are_in_the_order_of_their_bytes_and_not_of_a_language() {
    check_order(&[
        "-1", "1", "10", "2", "A", "Z", "a", "z", "Ä", "ß", "ä", "日",
    ]);
}

#[test]
fn upper_and_lower_case_are_two_deals() {
    check_order(&["ACME", "Acme", "acme"]);
}

#[test]
fn letters_put_together_or_apart_are_two_deals() {
    check_order(&["e\u{301}", "é"]);
}

#[test]
fn spaces_count_wherever_they_are() {
    check_order(&[" ", "  ", " a", "a", "a ", "a  ", "a b"]);
}

#[test]
fn what_means_something_to_a_database_is_a_name_like_others() {
    check_order(&[
        "\"", "%", "'", "';--", "\\", "\\x61", "_", "a%", "a_", "null",
    ]);
}

#[test]
fn control_letters_are_letters() {
    check_order(&["\u{1}", "\t", "\n", "\r\n", "\u{1b}[0m", "\u{7f}", "\u{85}"]);
}

#[test]
fn the_shortest_and_the_longest_id_are_kept() {
    let longest = "a".repeat(DEAL_BYTES_MAX);
    check_order(&["a", &longest[1..], &longest]);
}

#[test]
fn a_tenant_sees_its_own_deals_only() {
    on_every_store(async |store| {
        for tenant in ["a", "ab", "A", "a b"] {
            let key = DealKey::new(tenant, "d");
            assert_eq!(store.append(&key, 0, events(&key, 1)).await, Ok(1));
        }
        for tenant in ["a", "ab", "A", "a b"] {
            let expected = vec![(DealKey::new(tenant, "d"), 1)];
            assert_eq!(store.deals(tenant, None, 9).await, Ok(expected));
        }
        assert_eq!(store.deals("", None, 9).await, Ok(vec![]));
        assert_eq!(store.deals("b", None, 9).await, Ok(vec![]));
    });
}

#[test]
fn deals_behind_an_id_that_is_no_deal_are_listed() {
    on_every_store(async |store| {
        for id in ["b", "d"] {
            let key = DealKey::new("acme", id);
            assert_eq!(store.append(&key, 0, events(&key, 1)).await, Ok(1));
        }
        for (after, expected) in [("a", 2), ("bz", 1), ("c", 1), ("d\u{1}", 0), ("z", 0)] {
            let listed = store.deals("acme", Some(after), 9).await.unwrap();
            assert_eq!(listed.len(), expected, "behind {after:?}");
        }
    });
}
