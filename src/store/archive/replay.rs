//! Appends what an archive, or another store, holds: in the same order, so that revisions and sequences come out the same.
//!
//! A store that has a beginning of it already is gone on with, after a look that it is the same: so an interrupted
//! replay is taken up again by replaying again. Nobody else may write to the store meanwhile; it would be noticed.

use std::future::poll_fn;
use std::io::Read;
use std::ops::ControlFlow;
use std::task::Poll;

use crate::store::Change;
use crate::store::Error;
use crate::store::Store;
use crate::store::archive::Append;
use crate::store::archive::BLOCK_APPENDS_MAX;
use crate::store::archive::BLOCK_BYTES;
use crate::store::archive::Reader;
use crate::store::archive::Totals;
use crate::store::archive::Unreadable;
use crate::store::archive::events_of;
use crate::store::archive::source::Source;

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// What the store holds now.
    pub totals: Totals,
    /// Appends that were there before.
    pub found: u64,
}

/// Why a replay ended early. What was appended by then stands.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Archive(#[from] Unreadable),
    /// The store that is read.
    #[error("where it comes from: {0}")]
    Source(Error),
    /// The store that is written.
    #[error("where it goes to: {0}")]
    Target(#[from] Error),
    /// The store has something else at that place.
    #[error("change {sequence}: the store has another one there")]
    Differs { sequence: u64 },
    /// Who was told of the progress wants no more.
    #[error("stopped")]
    Stopped,
}

/// Appends to `store` what `archive` holds, while `wanted` says yes; `wanted` sees each append in order.
///
/// # Errors
///
/// [`ReplayError`].
pub async fn replay<R: Read>(
    archive: &mut Reader<R>,
    store: &dyn Store,
    mut wanted: impl FnMut(&Append) -> bool,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    let there = store.newest_sequence().await?;
    while let Some(mut block) = archive.next_block()? {
        let whole = block.len();
        let kept = block.iter().take_while(|append| wanted(append)).count();
        block.truncate(kept);
        take(store, block, there, &mut replayed).await?;
        if kept < whole {
            break;
        }
    }
    end(there, replayed)
}

/// Appends to `to` all that `from` holds up to sequence `last`; `reached` is told each sequence as it is durable,
/// and may stop it.
///
/// # Errors
///
/// [`ReplayError`].
pub async fn copy(
    from: &dyn Store,
    to: &dyn Store,
    last: u64,
    mut reached: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    let there = to.newest_sequence().await?;
    let mut source = Source::until(last);
    while source.sequence() < last {
        let mut block = Vec::new();
        let mut bytes = 0;
        while block.len() < BLOCK_APPENDS_MAX && bytes < BLOCK_BYTES {
            let append = source.next(from).await.map_err(ReplayError::Source)?;
            let Some(append) = append else {
                break;
            };
            bytes += append.events.iter().map(Vec::len).sum::<usize>();
            block.push(append);
        }
        take(to, block, there, &mut replayed).await?;
        if reached(source.sequence()).is_break() {
            return Err(ReplayError::Stopped);
        }
    }
    end(there, replayed)
}

fn end(there: u64, replayed: Replayed) -> Result<Replayed, ReplayError> {
    // More than was asked for is no beginning of it.
    if replayed.totals.appends < there {
        let sequence = replayed.totals.appends + 1;
        return Err(ReplayError::Differs { sequence });
    }
    Ok(replayed)
}

/// Takes the next block: compares what is `there`, appends the rest.
async fn take(
    store: &dyn Store,
    block: Vec<Append>,
    there: u64,
    replayed: &mut Replayed,
) -> Result<(), ReplayError> {
    let Some(first) = block.first() else {
        return Ok(());
    };
    let before = first.change.sequence - 1;
    for append in &block {
        replayed.totals.add(append);
    }
    let found = usize::try_from(there.saturating_sub(before)).unwrap_or(usize::MAX);
    let found = found.min(block.len());
    replayed.found += found as u64;
    let changes: Vec<_> = block.iter().map(|append| append.change.clone()).collect();
    compare(store, before, &changes[..found]).await?;
    let there = events_of(store, &changes[..found]).await?;
    for (append, there) in block.iter().zip(there) {
        if there != append.events {
            let sequence = append.change.sequence;
            return Err(ReplayError::Differs { sequence });
        }
    }

    append_all(store, block.into_iter().skip(found)).await?;
    // The order over all deals is the store's to choose, so it is looked at.
    compare(store, before, &changes).await
}

/// Whether the changes after `before` are these.
async fn compare(store: &dyn Store, before: u64, due: &[Change]) -> Result<(), ReplayError> {
    let is = store.changes(before, due.len()).await?;
    let same = due
        .iter()
        .zip(&is)
        .take_while(|(due, is)| due == is)
        .count();
    match same < due.len() {
        true => Err(ReplayError::Differs {
            sequence: before + same as u64 + 1,
        }),
        false => Ok(()),
    }
}

/// Begins all appends in order before it waits for any, so that a store which groups them syncs once.
async fn append_all(store: &dyn Store, appends: impl Iterator<Item = Append>) -> Result<(), Error> {
    let mut under_way = Vec::new();
    for append in appends {
        let Append { change, events } = append;
        let deal = change.deal.clone();
        let expected = change.revision_before();
        let mut outcome = Box::pin(async move { store.append(&deal, expected, events).await });
        match poll_fn(|context| Poll::Ready(outcome.as_mut().poll(context))).await {
            Poll::Ready(done) => drop(done?),
            Poll::Pending => under_way.push(outcome),
        }
    }
    for outcome in under_way {
        outcome.await?;
    }
    Ok(())
}
