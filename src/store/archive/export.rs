//! An archive of a store, made piece by piece while the store is written to.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::task::yield_now;

use crate::store::Change;
use crate::store::Error;
use crate::store::Store;
use crate::store::archive::Append;
use crate::store::archive::BLOCK_APPENDS_MAX;
use crate::store::archive::Packer;
use crate::store::archive::Totals;
use crate::store::archive::events_of;

/// Appends that are read before others get their turn: the reads of a store may never wait.
const TURN_APPENDS: usize = 32;

/// An archive under way. It ends at what was the newest change when it began, or earlier.
pub struct Export {
    store: Arc<dyn Store>,
    last: u64,
    sequence: u64,
    changes: VecDeque<Change>,
    state: State,
    totals: Option<Totals>,
}

/// Some bytes of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    pub bytes: Vec<u8>,
    /// The last change that was read so far.
    pub sequence: u64,
}

enum State {
    New,
    Packing(Packer),
    Ended,
}

impl Export {
    /// Begins an archive of all there is now, or up to sequence `until` if that is less.
    ///
    /// # Errors
    ///
    /// Those of [`Store::changes`].
    pub async fn begin(store: Arc<dyn Store>, until: u64) -> Result<Export, Error> {
        let last = store.newest_sequence().await?.min(until);
        Ok(Export {
            store,
            last,
            sequence: 0,
            changes: VecDeque::new(),
            state: State::New,
            totals: None,
        })
    }

    /// The sequence up to which it goes.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// What it holds; there once it is whole.
    pub fn totals(&self) -> Option<&Totals> {
        self.totals.as_ref()
    }

    /// The next bytes; none once it is whole. After an error there is nothing more to be had.
    ///
    /// # Errors
    ///
    /// Those of [`Store::changes`] and [`Store::events`].
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        let bytes = match std::mem::replace(&mut self.state, State::Ended) {
            State::New => {
                let (packer, bytes) = Packer::begin(self.last);
                self.state = State::Packing(packer);
                bytes
            }
            State::Packing(packer) => self.pack(packer).await?,
            State::Ended => return Ok(None),
        };
        let sequence = self.sequence;
        Ok(Some(Piece { bytes, sequence }))
    }

    async fn pack(&mut self, mut packer: Packer) -> Result<Vec<u8>, Error> {
        let mut read = 0;
        while let Some(append) = next_append(
            self.store.as_ref(),
            &mut self.changes,
            &mut self.sequence,
            self.last,
        )
        .await?
        {
            if packer.put(&append) {
                // Packing takes milliseconds, which other calls on this thread would wait for.
                let packed = spawn_blocking(move || {
                    let bytes = packer.pack();
                    (packer, bytes)
                });
                let (packer, bytes) = packed.await.map_err(|error| cannot_pack(&error))?;
                self.state = State::Packing(packer);
                return Ok(bytes);
            }
            read += 1;
            if read % TURN_APPENDS == 0 {
                yield_now().await;
            }
        }
        let ended = spawn_blocking(move || packer.end()).await;
        let (bytes, totals) = ended.map_err(|error| cannot_pack(&error))?;
        self.totals = Some(totals);
        Ok(bytes)
    }
}

/// The append after `sequence`, up to `last`; `changes` are those read ahead.
pub async fn next_append(
    store: &dyn Store,
    changes: &mut VecDeque<Change>,
    sequence: &mut u64,
    last: u64,
) -> Result<Option<Append>, Error> {
    if last <= *sequence {
        return Ok(None);
    }
    if changes.is_empty() {
        let page = store.changes(*sequence, BLOCK_APPENDS_MAX).await?;
        changes.extend(page);
    }
    let expected = *sequence + 1;
    let Some(change) = changes.pop_front().filter(|next| next.sequence == expected) else {
        return Err(Error::Corrupt {
            place: format!("change {expected}"),
            problem: "it is missing".to_owned(),
        });
    };
    let events = events_of(store, &change).await?;
    *sequence = expected;
    Ok(Some(Append { change, events }))
}

fn cannot_pack(error: &tokio::task::JoinError) -> Error {
    Error::Fault(format!("the archive could not be packed: {error}"))
}
