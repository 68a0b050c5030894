//! The projection of a deal: its history without the words, in one record beside the events.
//!
//! Loading a deal reads one record and the few events since, instead of every event with its words. The record is
//! derived: a fold version that is not ours, or one that does not read, is dropped and made anew.
//!
//! Form: the fold version as one byte, then each event as a length-delimited `DealEvent` whose statement has neither
//! quote nor context. It only grows at its end, so bringing it forward reads only the events since.

use std::sync::Arc;

use crate::app::App;
use crate::app::deals::Folded;
use crate::app::deals::PAGE_EVENTS;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Store;
use crate::wire::digest;

/// Raise it when what is kept of an event changes.
const FOLD_VERSION: u8 = 1;

/// A projection is brought forward after this many events, or after a quarter of those it holds when that is more: so
/// the bytes written for projections stay within a few times those of the events, however long a history gets.
const BEHIND_EVENTS_MIN: Revision = 16;

/// Whether it is time to bring the projection forward.
pub fn is_due(projected: Revision, revision: Revision) -> bool {
    projected + BEHIND_EVENTS_MIN.max(projected / 4) <= revision
}

/// The deal as its projection has it; empty when there is none that reads.
pub async fn load(store: &dyn Store, key: &DealKey) -> Result<Folded, Error> {
    let Some(projection) = kept(store, key).await? else {
        return Ok(Folded::default());
    };
    let mut folded = Folded::default();
    let events = match digest::decode(&projection.bytes[1..]) {
        Ok(events) => events,
        Err(problem) => {
            tracing::warn!(deal = %key.deal, problem, "dropped a projection that does not read");
            return Ok(folded);
        }
    };
    for event in &events {
        folded.deal.apply(event);
    }
    if folded.deal.revision() != projection.revision {
        tracing::warn!(deal = %key.deal, "dropped a projection that is not of its revision");
        return Ok(Folded::default());
    }
    folded.projected = projection.revision;
    Ok(folded)
}

impl App {
    /// Brings the deal's projection forward, behind the acknowledgement.
    pub(super) fn project(self: &Arc<Self>, key: DealKey) {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            // A projection that was not written is missed by nobody: the events are there.
            if let Err(error) = app.bring_forward(&key).await {
                tracing::warn!(deal = %key.deal, %error, "could not bring a projection forward");
            }
        });
    }

    async fn bring_forward(&self, key: &DealKey) -> Result<(), Error> {
        let mut projection = kept(self.store.as_ref(), key).await?.unwrap_or(Projection {
            revision: 0,
            bytes: vec![FOLD_VERSION],
        });
        loop {
            let events = self
                .deals
                .events(key, projection.revision, PAGE_EVENTS)
                .await?;
            for event in &events {
                digest::encode(event, &mut projection.bytes);
                projection.revision = event.revision;
            }
            if events.len() < PAGE_EVENTS {
                break;
            }
        }
        self.store.keep_projection(key, projection);
        Ok(())
    }
}

/// The projection in the store, if it is of this fold.
async fn kept(store: &dyn Store, key: &DealKey) -> Result<Option<Projection>, Error> {
    match store.projection(key).await {
        Ok(projection) => {
            Ok(projection.filter(|projection| projection.bytes.first() == Some(&FOLD_VERSION)))
        }
        Err(Error::Corrupt { place, problem }) => {
            tracing::warn!(place, problem, "dropped a broken projection");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
