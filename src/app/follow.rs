//! Takes note of what other processes write to the same store: deals in memory, the outlines of the pipeline and the
//! watchers are brought on by it.
//!
//! The change sequence is read again and again, ten times a second, and at once by whoever must see all there is. Where
//! no other process writes, nothing here happens.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;

use crate::app::App;
use crate::app::fresh::Fresh;
use crate::app::portfolio::OUTLINES_AT_ONCE;
use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;

/// How often the sequence is read: half of it is what another process's write takes to be seen here, on average.
const LOOKING: Duration = Duration::from_millis(100);

/// Changes read at a time.
const LOT: usize = 512;

impl App {
    /// Follows what other processes write, for as long as the app and its store are there.
    pub fn follow(self: &Arc<Self>) {
        if !self.store.is_shared() {
            return;
        }
        let app = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut told = false;
            while let Some(app) = app.upgrade() {
                match app.catch_up().await {
                    Ok(()) => told = false,
                    Err(Error::Closed) => return,
                    Err(error) if told => drop(error),
                    Err(error) => {
                        tracing::warn!(%error, "other processes' writes cannot be followed");
                        told = true;
                    }
                }
                drop(app);
                tokio::time::sleep(LOOKING).await;
            }
        });
    }

    /// Takes note of all that is in the store now: what any process acknowledged before the call.
    pub(super) async fn catch_up(self: &Arc<Self>) -> Result<(), Error> {
        let Some(fresh) = self.deals.fresh() else {
            return Ok(());
        };
        let _turn = self.following.lock().await;
        if !fresh.has_begun() {
            fresh.begin(self.store.newest_sequence().await?);
        }
        loop {
            let asked_at = Instant::now();
            let changes = self.store.changes(fresh.followed(), LOT).await?;
            let Some(last) = changes.last() else {
                fresh.looked(asked_at);
                return Ok(());
            };
            let last = last.sequence;
            self.take_note(fresh, changes).await?;
            fresh.reached(last);
            self.feeds.changed();
        }
    }

    async fn take_note(self: &Arc<Self>, fresh: &Fresh, changes: Vec<Change>) -> Result<(), Error> {
        let mut newest: HashMap<DealKey, Revision> = HashMap::new();
        for change in changes {
            // What this process wrote is in memory already, or will be before it is told.
            if !self.deals.has(&change.deal, change.revision) {
                fresh.changed(&change.deal, change.sequence);
            }
            newest.insert(change.deal, change.revision);
        }
        let outlines = newest.into_iter().map(async |(key, revision)| {
            let app = Arc::clone(self);
            app.note_outline(&key, revision).await
        });
        let mut outlines = stream::iter(outlines).buffer_unordered(OUTLINES_AT_ONCE);
        while let Some(noted) = outlines.next().await {
            noted?;
        }
        Ok(())
    }

    /// Brings the outline of a deal on, if the outlines of its tenant are in memory.
    async fn note_outline(&self, key: &DealKey, revision: Revision) -> Result<(), Error> {
        if !self.portfolio.lacks(key, revision) {
            return Ok(());
        }
        match self.outline(key, revision).await {
            Ok(outline) => {
                self.portfolio.note(key, outline);
                Ok(())
            }
            // One deal that does not read is no reason to be behind with all others.
            Err(Error::Corrupt { place, problem }) => {
                tracing::error!(place, problem, "the outline of a deal cannot be made");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
