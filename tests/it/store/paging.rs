//! Events, deals and changes are read page by page, from any place, also while they are written.

use verbatim::store::Change;
use verbatim::store::Revision;
use verbatim::store::Span;

use crate::store::append_each;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

#[test]
fn events_are_paged_from_any_place() {
    on_every_store(async |store| {
        let key = deal("d");
        let mut written = events(&key, 30);
        written[10] = vec![7; 20_480];
        store.append(&key, 0, written.clone()).await.unwrap();
        for after in [0, 1, 9, 10, 11, 29, 30, 31, Revision::MAX] {
            for events_max in [0, 1, 2, 29, 30, 31] {
                let page = store.events(&key, after, events_max).await.unwrap();
                let bytes: Vec<_> = page.into_iter().map(|event| event.bytes).collect();
                let skipped = usize::try_from(after.min(30)).unwrap();
                let expected: Vec<_> = written
                    .iter()
                    .skip(skipped)
                    .take(events_max)
                    .cloned()
                    .collect();
                assert_eq!(bytes, expected, "after {after}, at most {events_max}");
            }
        }
    });
}

#[test]
fn events_of_many_deals_at_once_are_those_of_each_asked_for_alone() {
    on_every_store(async |store| {
        // One is the beginning of the next, and one is not there.
        let keys = ["a", "a1", "a11", "b", "nobody"].map(deal);
        for (key, count) in keys.iter().zip([30, 1, 7, 12]) {
            let written = events(key, count);
            store.append(key, 0, written).await.unwrap();
        }
        let mut spans = Vec::new();
        for after in [0, 1, 6, 7, 29, 30, 31, Revision::MAX] {
            // The same deal again, and not in the order of keys.
            for (key, events_max) in keys.iter().rev().zip([0, 1, 6, 30, 40]) {
                spans.push(Span {
                    deal: key.clone(),
                    after,
                    events_max,
                });
            }
        }
        let found = store.events_of(&spans).await.unwrap();
        assert_eq!(found.len(), spans.len());
        for (span, found) in spans.iter().zip(found) {
            let Span {
                deal,
                after,
                events_max,
            } = span;
            let alone = store.events(deal, *after, *events_max).await.unwrap();
            assert_eq!(found, alone, "{span:?}");
        }
        assert_eq!(store.events_of(&[]).await, Ok(Vec::new()));
    });
}

#[test]
fn events_are_paged_while_they_are_written() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 100);
        let write = async {
            for (expected, event) in (0..).zip(&written) {
                store
                    .append(&key, expected, vec![event.clone()])
                    .await
                    .unwrap();
            }
        };
        let read = async {
            let mut seen = Vec::new();
            while seen.len() < 100 {
                let page = store.events(&key, seen.len() as Revision, 7).await.unwrap();
                seen.extend(page.into_iter().map(|event| event.bytes));
                tokio::task::yield_now().await;
            }
            seen
        };
        let (_, seen) = tokio::join!(write, read);
        assert_eq!(seen, written);
    });
}

#[test]
fn deals_are_paged_in_the_order_of_their_ids() {
    on_every_store(async |store| {
        append_each(&*store, &["b", "a", "bb", "c", "b"]).await;
        let all: Vec<_> = [("a", 1), ("b", 2), ("bb", 1), ("c", 1)]
            .map(|(id, revision)| (deal(id), revision))
            .to_vec();
        let after = [
            None,
            Some("a"),
            Some("aa"),
            Some("b"),
            Some("bb"),
            Some("c"),
            Some(""),
        ];
        for (after, skipped) in after.into_iter().zip([0, 1, 1, 2, 3, 4, 0]) {
            for deals_max in [0, 1, 3, 10] {
                let page = store.deals("acme", after, deals_max).await.unwrap();
                let expected: Vec<_> = all.iter().skip(skipped).take(deals_max).cloned().collect();
                assert_eq!(page, expected, "after {after:?}, at most {deals_max}");
            }
        }
        assert_eq!(store.deals("acm", None, 10).await, Ok(vec![]));
        assert_eq!(store.deals("acme2", None, 10).await, Ok(vec![]));
    });
}

#[test]
fn deals_are_paged_while_they_are_written() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "c", "e", "g"]).await;
        let first = store.deals("acme", None, 2).await.unwrap();
        append_each(&*store, &["b", "d", "f", "a"]).await;
        let last = &first.last().unwrap().0.deal;
        let rest = store.deals("acme", Some(last), 10).await.unwrap();
        let ids: Vec<_> = first
            .iter()
            .chain(&rest)
            .map(|(key, _)| &*key.deal)
            .collect();
        assert_eq!(ids, ["a", "c", "d", "e", "f", "g"]);
    });
}

#[test]
fn changes_tell_each_append_in_order() {
    on_every_store(async |store| {
        append_each(&*store, &["a", "b"]).await;
        store
            .append(&deal("a"), 1, events(&deal("a"), 3))
            .await
            .unwrap();
        let expected: Vec<_> = [(1, "a", 1, 1), (2, "b", 1, 1), (3, "a", 4, 3)]
            .map(|(sequence, id, revision, events)| Change {
                sequence,
                deal: deal(id),
                revision,
                events,
            })
            .to_vec();
        assert_eq!(store.changes(0, 10).await, Ok(expected));
    });
}

#[test]
fn changes_resume_anywhere_also_in_the_middle_of_a_group() {
    on_every_store(async |store| {
        let keys: Vec<_> = (0..300)
            .map(|number| deal(&format!("deal {number}")))
            .collect();
        for expected in 0..2 {
            let at_once = keys
                .iter()
                .map(|key| store.append(key, expected, events(key, 1)));
            for answer in futures_util::future::join_all(at_once).await {
                assert_eq!(answer, Ok(expected + 1));
            }
        }

        let all = store.changes(0, 1_000).await.unwrap();
        let sequences: Vec<_> = all.iter().map(|change| change.sequence).collect();
        assert_eq!(sequences, (1..=600).collect::<Vec<_>>());
        for key in &keys {
            let told = all.iter().filter(|change| change.deal == *key);
            assert_eq!(
                told.map(|change| change.revision).collect::<Vec<_>>(),
                [1, 2]
            );
        }
        for after in [1, 2, 150, 299, 300, 301, 599, 600, 601, u64::MAX] {
            for changes_max in [0, 1, 7, 600] {
                let page = store.changes(after, changes_max).await.unwrap();
                let skipped = usize::try_from(after.min(600)).unwrap();
                let expected: Vec<_> = all
                    .iter()
                    .skip(skipped)
                    .take(changes_max)
                    .cloned()
                    .collect();
                assert_eq!(page, expected, "after {after}, at most {changes_max}");
            }
        }
    });
}

#[test]
fn changes_have_no_gap_where_appends_were_refused() {
    on_every_store(async |store| {
        append_each(&*store, &["a"]).await;
        for _ in 0..3 {
            store
                .append(&deal("a"), 0, events(&deal("a"), 1))
                .await
                .unwrap_err();
        }
        append_each(&*store, &["b"]).await;
        let told = store.changes(0, 10).await.unwrap();
        assert_eq!(
            told.iter()
                .map(|change| change.sequence)
                .collect::<Vec<_>>(),
            [1, 2]
        );
    });
}
