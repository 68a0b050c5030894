//! An archive of a store, made piece by piece while the store is written to.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::store::Error;
use crate::store::Store;
use crate::store::archive::Packer;
use crate::store::archive::Totals;
use crate::store::archive::source::Source;

/// An archive under way. It ends at what was the newest change when it began, or earlier.
pub struct Export {
    store: Arc<dyn Store>,
    source: Source,
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
            source: Source::until(last),
            state: State::New,
            totals: None,
        })
    }

    /// The sequence up to which it goes.
    pub fn last(&self) -> u64 {
        self.source.last()
    }

    /// What it holds; there once it is whole.
    pub fn totals(&self) -> Option<&Totals> {
        self.totals.as_ref()
    }

    /// The next bytes; none once it is whole. After an error there is nothing more to be had.
    ///
    /// # Errors
    ///
    /// Those of [`Store::changes`] and [`Store::events_of`].
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        let bytes = match std::mem::replace(&mut self.state, State::Ended) {
            State::New => {
                let (packer, bytes) = Packer::begin(self.source.last());
                self.state = State::Packing(packer);
                bytes
            }
            State::Packing(packer) => self.pack(packer).await?,
            State::Ended => return Ok(None),
        };
        let sequence = self.source.sequence();
        Ok(Some(Piece { bytes, sequence }))
    }

    async fn pack(&mut self, mut packer: Packer) -> Result<Vec<u8>, Error> {
        while let Some(append) = self.source.next(self.store.as_ref()).await? {
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
        }
        let ended = spawn_blocking(move || packer.end()).await;
        let (bytes, totals) = ended.map_err(|error| cannot_pack(&error))?;
        self.totals = Some(totals);
        Ok(bytes)
    }
}

fn cannot_pack(error: &tokio::task::JoinError) -> Error {
    Error::Fault(format!("the archive could not be packed: {error}"))
}
