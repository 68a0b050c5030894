//! The projection of a deal: all of it but the words, packed into one record beside its events.
//!
//! Loading a deal reads one record and the few events since, instead of every event with its words. The record is
//! derived: one whose version is not ours, or which does not read, is dropped and made anew.
//!
//! Form: the fold version as one byte, then the deal as [`packed`] packs it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::app::App;
use crate::app::deals::Folded;
use crate::app::deals::SharedDeal;
use crate::domain::deal::Deal;
use crate::domain::deal::packed;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Store;

/// Raise it when the form changes, or what is kept of an event.
const FOLD_VERSION: u8 = 2;

/// A projection is brought forward after this many events, or after a quarter of those it holds when that is more: so
/// the bytes written for projections stay within a few times those of the events, however long a history gets.
const BEHIND_EVENTS_MIN: Revision = 64;

/// A deal that is left alone for one to two of these is brought forward as well, so that a pipeline that nobody writes
/// to is read without its events.
const SETTLE_AFTER: Duration = Duration::from_secs(2);

/// Deals that may wait to settle; those of further ones stay behind, which costs only time.
const SETTLING_MAX: usize = 16_384;

/// The projection of a longer history is not brought forward for being left alone: it is large, and the few events that
/// it is behind by are soon read.
const SETTLED_REVISION_MAX: Revision = 1_000;

/// The deals that were written to and whose projection is behind, by the revision at which they were last seen.
#[derive(Default)]
pub struct Settling(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    // Sorted, so that what is done depends on nothing but what was asked: a simulation replays.
    deals: BTreeMap<DealKey, Revision>,
    /// Somebody is there to settle them.
    watched: bool,
}

/// Whether it is time to bring the projection forward.
pub fn is_due(projected: Revision, revision: Revision) -> bool {
    projected + BEHIND_EVENTS_MIN.max(projected / 4) <= revision
}

/// The deal as its projection has it; empty when there is none that reads.
pub async fn load(store: &dyn Store, key: &DealKey) -> Result<Folded, Error> {
    let Some(projection) = kept(store, key).await? else {
        return Ok(Folded::default());
    };
    let Some(deal) = unpack(&projection) else {
        tracing::warn!(deal = %key.deal, "dropped a projection that does not read");
        return Ok(Folded::default());
    };
    Ok(Folded {
        deal,
        projected: projection.revision,
        ..Folded::default()
    })
}

/// The outline of the deal at that revision, if its projection is there.
pub async fn outline(
    store: &dyn Store,
    key: &DealKey,
    revision: Revision,
) -> Result<Option<Box<[u8]>>, Error> {
    let projection = kept(store, key).await?;
    Ok(projection
        .filter(|projection| projection.revision == revision)
        .and_then(|projection| Some(packed::outline(&projection.bytes[1..])?.into())))
}

impl App {
    /// Brings the deal's projection forward, behind the acknowledgement: at once if it is due, else once the deal is
    /// left alone.
    pub(super) fn project(self: &Arc<Self>, key: &DealKey, shared: &Arc<SharedDeal>, due: bool) {
        if due {
            let (app, key, shared) = (Arc::clone(self), key.clone(), Arc::clone(shared));
            tokio::spawn(async move {
                let projection = projection_of(&shared.read().deal);
                app.store.keep_projection(&key, projection);
            });
            return;
        }
        let revision = shared.read().deal.revision();
        if self.settling.wait(key, revision) {
            let app = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(SETTLE_AFTER).await;
                    let Some(app) = app.upgrade() else {
                        return;
                    };
                    if !app.settle().await {
                        return;
                    }
                }
            });
        }
    }

    /// Brings forward the projections of the deals that were left alone since the last time. Answers whether there are
    /// more to come.
    async fn settle(&self) -> bool {
        let Some(waiting) = self.settling.take() else {
            return false;
        };
        for (key, seen) in waiting {
            // A projection that was not written is missed by nobody: the events are there.
            let Ok(shared) = self.deals.load(&key).await else {
                continue;
            };
            let mut folded = shared.write();
            let revision = folded.deal.revision();
            if revision == folded.projected {
                continue;
            }
            if revision != seen {
                drop(folded);
                self.settling.wait(&key, revision);
                continue;
            }
            folded.projected = revision;
            let projection = projection_of(&folded.deal);
            drop(folded);
            self.store.keep_projection(&key, projection);
        }
        true
    }
}

impl Settling {
    /// Notes that the deal is behind. Answers whether somebody has to come and settle it.
    fn wait(&self, key: &DealKey, revision: Revision) -> bool {
        if SETTLED_REVISION_MAX < revision {
            return false;
        }
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.deals.len() < SETTLING_MAX || waiting.deals.contains_key(key) {
            waiting.deals.insert(key.clone(), revision);
        }
        !std::mem::replace(&mut waiting.watched, true)
    }

    /// Those that wait; `None` when there are none, and then nobody watches any more.
    fn take(&self) -> Option<BTreeMap<DealKey, Revision>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.watched = !waiting.deals.is_empty();
        waiting.watched.then(|| std::mem::take(&mut waiting.deals))
    }
}

/// The projection of a deal as it is.
pub fn projection_of(deal: &Deal) -> Projection {
    let mut bytes = vec![FOLD_VERSION];
    bytes.extend(packed::pack(deal));
    Projection {
        revision: deal.revision(),
        bytes,
    }
}

/// The deal in a projection of this fold, if it reads.
pub(super) fn unpack(projection: &Projection) -> Option<Deal> {
    let deal = packed::unpack(projection.bytes.get(1..)?);
    deal.filter(|deal| deal.revision() == projection.revision)
}

/// Whether it was made by this fold: one that was not is dropped.
pub(super) fn is_of_this_fold(projection: &Projection) -> bool {
    projection.bytes.first() == Some(&FOLD_VERSION)
}

/// The projection in the store, if it is of this fold.
async fn kept(store: &dyn Store, key: &DealKey) -> Result<Option<Projection>, Error> {
    match store.projection(key).await {
        Ok(projection) => Ok(projection.filter(is_of_this_fold)),
        Err(Error::Corrupt { place, problem }) => {
            tracing::warn!(place, problem, "dropped a broken projection");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
