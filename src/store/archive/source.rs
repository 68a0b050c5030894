//! The appends of a store, one after the other, read some at a time.

use std::collections::VecDeque;

use crate::store::Change;
use crate::store::Error;
use crate::store::Store;
use crate::store::archive::Append;
use crate::store::archive::BLOCK_APPENDS_MAX;
use crate::store::archive::events_of;

/// Events that are asked for at once. As long as they are of common size, this is a block.
const LOT_EVENTS: u64 = 512;

/// Appends in the order over all deals, up to one.
pub struct Source {
    /// The last that was handed out.
    sequence: u64,
    last: u64,
    /// Read ahead, without their events.
    changes: VecDeque<Change>,
    /// Read ahead.
    appends: VecDeque<Append>,
}

impl Source {
    /// All appends up to sequence `last`.
    pub fn until(last: u64) -> Source {
        Source {
            sequence: 0,
            last,
            changes: VecDeque::new(),
            appends: VecDeque::new(),
        }
    }

    /// The sequence of the append that was handed out last; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// The next append; none behind the last.
    ///
    /// # Errors
    ///
    /// Those of [`Store::changes`] and [`Store::events_of`]; [`Error::Corrupt`] where a change or an event is missing.
    pub async fn next(&mut self, store: &dyn Store) -> Result<Option<Append>, Error> {
        if self.last <= self.sequence {
            return Ok(None);
        }
        if self.appends.is_empty() {
            self.read(store).await?;
        }
        let append = self.appends.pop_front();
        self.sequence += u64::from(append.is_some());
        Ok(append)
    }

    /// Reads at least one more append.
    async fn read(&mut self, store: &dyn Store) -> Result<(), Error> {
        if self.changes.is_empty() {
            let page = store.changes(self.sequence, BLOCK_APPENDS_MAX).await?;
            self.changes.extend(page);
        }
        let mut lot = Vec::new();
        let mut events = 0;
        let mut expected = self.sequence + 1;
        while expected <= self.last
            && let Some(change) = self.changes.front()
            && change.sequence == expected
        {
            events += u64::from(change.events);
            if LOT_EVENTS < events && !lot.is_empty() {
                break;
            }
            lot.extend(self.changes.pop_front());
            expected += 1;
        }
        if lot.is_empty() {
            return Err(Error::Corrupt {
                place: format!("change {expected}"),
                problem: "it is missing".to_owned(),
            });
        }
        let events = events_of(store, &lot).await?;
        let appends = lot.into_iter().zip(events);
        self.appends = appends
            .map(|(change, events)| Append { change, events })
            .collect();
        Ok(())
    }
}
