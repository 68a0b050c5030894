//! A copy of one store in another: asked for by lots, and compared in every change, event and score.

use std::ops::ControlFlow;
use std::sync::Arc;

use verbatim::app::same;
use verbatim::model_file;
use verbatim::store::Store;
use verbatim::store::archive;
use verbatim::store::memory::Memory;

use super::archive as archive_of;
use super::check_same;
use super::write_much;
use crate::streams::Stage;
use crate::streams::day;
use crate::support::deal;
use crate::support::events;
use crate::support::staged_store::StagedStore;

/// Writes of a store that is copied.
const WRITES: usize = 700;

/// A store in which seven deals have a hundred statements each.
async fn written() -> Arc<StagedStore> {
    let store = Arc::new(StagedStore::default());
    let stage = Stage::on(Arc::clone(&store) as Arc<dyn Store>);
    write_much(&stage, 3, WRITES).await;
    store
}

async fn copy(from: &dyn Store, to: &dyn Store) {
    let last = from.newest_sequence().await.unwrap();
    let copied = archive::copy(from, to, last, |_| ControlFlow::Continue(())).await;
    assert_eq!(copied.unwrap().totals.appends, last);
}

async fn difference(one: &dyn Store, other: &dyn Store) -> Option<String> {
    let last = one.newest_sequence().await.unwrap();
    let compared = same::compare(one, other, last, model_file::default(), day(99), || ());
    compared.await.unwrap()
}

#[tokio::test]
async fn a_store_is_asked_for_lots_of_changes_and_not_for_each() {
    let from = written().await;
    let last = from.newest_sequence().await.unwrap();
    assert_eq!(last, WRITES as u64);

    let before = from.questions();
    let to = Memory::new();
    let copied = archive::copy(&*from, &to, last, |_| ControlFlow::Continue(()));
    copied.await.unwrap();
    // Two pages of changes, and as many lots of events as those are cut into.
    let asked = from.questions() - before;
    assert!(asked <= 8, "a copy asked {asked} questions");

    // Once more, as if it had been interrupted: what is there is read, and not appended again.
    let before = from.questions();
    copy(&*from, &to).await;
    let asked = from.questions() - before;
    assert!(asked <= 8 + 40, "a copy again asked {asked} questions");

    let before = from.questions();
    assert_eq!(difference(&*from, &to).await, None);
    // Two pages of changes, the beginnings of all deals, and the rest of each, which is longer than a beginning.
    let asked = from.questions() - before;
    assert!(asked <= 50, "a comparison asked {asked} questions");

    let before = from.questions();
    archive_of(&(Arc::clone(&from) as Arc<dyn Store>)).await;
    let asked = from.questions() - before;
    assert!(asked <= 50, "a backup asked {asked} questions");
    check_same(&*from, &to).await;
}

#[tokio::test]
async fn a_copy_of_other_events_or_of_fewer_is_told_by_the_deal() {
    let from = written().await;
    let whole = Memory::new();
    copy(&*from, &whole).await;
    assert_eq!(difference(&*from, &whole).await, None);

    // The same changes, and the 61st event of one deal is the 60th again.
    let other = Memory::new();
    let mut sixtieth = Vec::new();
    for change in from.changes(0, usize::MAX).await.unwrap() {
        let before = change.revision_before();
        let count = change.events as usize;
        let events = from.events(&change.deal, before, count).await.unwrap();
        let mut bytes: Vec<_> = events.into_iter().map(|event| event.bytes).collect();
        if &*change.deal.deal == "d3" {
            match change.revision {
                60 => sixtieth.clone_from(&bytes),
                61 => bytes.clone_from(&sixtieth),
                _ => {}
            }
        }
        other.append(&change.deal, before, bytes).await.unwrap();
    }
    assert!(!sixtieth.is_empty());
    let told = difference(&*from, &other).await.unwrap();
    assert_eq!(told, "default/d3: the events from 33 on differ");

    whole
        .append(&deal("one more"), 0, events(&deal("one more"), 1))
        .await
        .unwrap();
    let told = difference(&*from, &whole).await.unwrap();
    assert_eq!(told, "700 changes were copied, 701 are there");
}
