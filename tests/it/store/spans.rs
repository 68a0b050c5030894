//! Events of many deals are read by one question, and each span is answered as if it had been asked for alone.

use verbatim::store::DealKey;
use verbatim::store::Revision;
use verbatim::store::Span;
use verbatim::store::Store;

use crate::store::append_each;
use crate::support::deal;
use crate::support::events;
use crate::support::on_every_store;

fn span(deal: &DealKey, after: Revision, events_max: usize) -> Span {
    Span {
        deal: deal.clone(),
        after,
        events_max,
    }
}

/// The bytes of each span's events, which have to follow on from where it begins.
async fn read(store: &dyn Store, spans: &[Span]) -> Vec<Vec<Vec<u8>>> {
    let found = store.events_of(spans).await.unwrap();
    let found = found.into_iter().zip(spans);
    found
        .map(|(events, span)| {
            let events = events.into_iter().zip(span.after + 1..);
            events
                .map(|(event, revision)| {
                    assert_eq!(event.revision, revision, "{span:?}");
                    event.bytes
                })
                .collect()
        })
        .collect()
}

#[test]
fn spans_of_deals_that_are_not_there_are_empty() {
    on_every_store(async |store| {
        let spans = ["a", "b"].map(|id| span(&deal(id), 0, 10));
        assert_eq!(read(&*store, &spans).await, vec![Vec::<Vec<u8>>::new(); 2]);
    });
}

#[test]
fn a_span_that_is_asked_for_twice_is_answered_twice() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 5);
        store.append(&key, 0, written.clone()).await.unwrap();
        let spans = vec![span(&key, 1, 3); 2];
        let expected = vec![written[1..4].to_vec(); 2];
        assert_eq!(read(&*store, &spans).await, expected);
    });
}

#[test]
fn spans_that_overlap_have_each_all_of_their_events() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 9);
        store.append(&key, 0, written.clone()).await.unwrap();
        let spans = [span(&key, 0, 6), span(&key, 3, 6), span(&key, 5, 1)];
        let expected = [&written[0..6], &written[3..9], &written[5..6]];
        assert_eq!(read(&*store, &spans).await, expected.map(<[_]>::to_vec));
    });
}

#[test]
fn a_span_of_no_events_is_empty_beside_one_that_is_not() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 2);
        store.append(&key, 0, written.clone()).await.unwrap();
        let spans = [span(&key, 0, 0), span(&key, 0, 2)];
        assert_eq!(read(&*store, &spans).await, [vec![], written]);
    });
}

#[test]
fn a_span_that_reaches_beyond_the_end_ends_with_the_history() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 4);
        store.append(&key, 0, written.clone()).await.unwrap();
        let spans = [span(&key, 3, usize::MAX), span(&key, 4, usize::MAX)];
        assert_eq!(read(&*store, &spans).await, [written[3..].to_vec(), vec![]]);
    });
}

#[test]
fn spans_of_one_id_at_two_tenants_keep_apart() {
    on_every_store(async |store| {
        let keys = ["acme", "acme2"].map(|tenant| DealKey::new(tenant, "d"));
        for key in &keys {
            store.append(key, 0, events(key, 3)).await.unwrap();
        }
        let spans = keys.each_ref().map(|key| span(key, 0, 3));
        let expected = keys.each_ref().map(|key| events(key, 3));
        assert_eq!(read(&*store, &spans).await, expected);
    });
}

#[test]
fn long_events_of_many_spans_are_whole() {
    on_every_store(async |store| {
        let keys = ["a", "b", "c"].map(deal);
        let long = |size: usize| (0..size).map(|at| (at % 251) as u8).collect::<Vec<_>>();
        let written = [4_081, 20_000, 100_000].map(|size| vec![long(size), long(3), long(size)]);
        for (key, written) in keys.iter().zip(&written) {
            store.append(key, 0, written.clone()).await.unwrap();
        }
        let spans = keys.each_ref().map(|key| span(key, 0, 3));
        assert_eq!(read(&*store, &spans).await, written);
    });
}

#[test]
fn as_many_spans_as_a_lot_has_are_answered_in_their_order() {
    on_every_store(async |store| {
        let ids: Vec<String> = (0..40).map(|number| format!("d{number}")).collect();
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        append_each(&*store, &names).await;
        let asked: Vec<DealKey> = (0..600).map(|at| deal(names[at * 7 % 40])).collect();
        let spans: Vec<Span> = asked.iter().map(|key| span(key, 0, 1)).collect();
        let expected: Vec<_> = asked.iter().map(|key| events(key, 1)).collect();
        assert_eq!(read(&*store, &spans).await, expected);
    });
}

#[test]
fn a_span_has_what_was_acknowledged_just_before() {
    on_every_store(async |store| {
        let key = deal("d");
        let written = events(&key, 20);
        for (after, event) in (0..).zip(&written) {
            store
                .append(&key, after, vec![event.clone()])
                .await
                .unwrap();
            let found = read(&*store, &[span(&key, after, 10)]).await;
            assert_eq!(found, [vec![event.clone()]]);
        }
    });
}
