//! Keeping and moving what was recorded: archives, restores, what is looked through, and compacted stores.

mod archives;
mod commands;
mod compacted;
mod copied;
mod damaged;
mod database;
mod formats;

use std::sync::Arc;

use verbatim::store::Store;
use verbatim::store::archive::Export;
use verbatim::store::archive::Reader;
use verbatim::store::archive::Unreadable;
use verbatim::store::archive::replay;

use crate::streams::Stage;
use crate::support::Dice;

/// The whole archive of a store.
pub async fn archive(store: &Arc<dyn Store>) -> Vec<u8> {
    archive_until(store, u64::MAX).await
}

pub async fn archive_until(store: &Arc<dyn Store>, until: u64) -> Vec<u8> {
    let mut export = Export::begin(Arc::clone(store), until).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = export.next().await.unwrap() {
        bytes.extend(piece.bytes);
    }
    bytes
}

/// Puts all of an archive into a store.
pub async fn restore(archive: &[u8], store: &dyn Store) {
    let mut reader = Reader::open(archive).unwrap();
    replay(&mut reader, store, |_| true).await.unwrap();
}

/// Reads an archive to its end; answers how many appends it has.
pub fn read(archive: &[u8]) -> Result<u64, Unreadable> {
    let mut reader = Reader::open(archive)?;
    while reader.next_block()?.is_some() {}
    Ok(reader.totals().appends)
}

/// Asserts that two stores hold the same: the order over all deals, the revisions and the bytes.
pub async fn check_same(one: &dyn Store, other: &dyn Store) {
    let changes = one.changes(0, usize::MAX).await.unwrap();
    assert_eq!(other.changes(0, usize::MAX).await.unwrap(), changes);
    for change in changes {
        let events = one.events(&change.deal, 0, usize::MAX).await.unwrap();
        let others = other.events(&change.deal, 0, usize::MAX).await.unwrap();
        assert_eq!(others, events, "{:?}", change.deal);
    }
}

/// Says much of several deals, in an order that the seed chooses, while days go by.
pub async fn write_much(stage: &Stage, seed: u64, writes: usize) {
    let mut dice = Dice(seed);
    for number in 0..writes {
        stage.clock.set(crate::streams::day((number / 20) as i64));
        stage.write(&format!("d{}", dice.below(7)), number).await;
    }
}
