//! Outlines lot by lot: from a table, or from the store when there is none.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;
use tokio::sync::Mutex;

use crate::app::App;
use crate::app::Error;
use crate::app::portfolio::table::Outline;
use crate::app::projection;
use crate::domain::deal::packed;
use crate::store;
use crate::store::DealKey;
use crate::store::Revision;

/// Outlines handed out at a time.
pub const LOT: usize = 256;

/// Outlines read at the same time: from a database one after the other would mostly be waiting.
pub const OUTLINES_AT_ONCE: usize = 8;

/// What is still to be handed out. Shared by all who work on it.
pub struct Lots {
    from: From,
    stopped: AtomicBool,
}

enum From {
    All {
        outlines: Vec<Arc<Outline>>,
        next: AtomicUsize,
    },
    Store(Mutex<Cursor>),
}

/// How far the deals of a tenant were listed.
struct Cursor {
    tenant: Box<str>,
    after: Option<Box<str>>,
    is_last: bool,
}

/// Lots that end when this is dropped.
pub struct Stop(Arc<Lots>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

impl Lots {
    pub fn of(outlines: Vec<Arc<Outline>>) -> Lots {
        Lots {
            from: From::All {
                outlines,
                next: AtomicUsize::new(0),
            },
            stopped: AtomicBool::new(false),
        }
    }

    pub fn of_store(tenant: &str) -> Lots {
        Lots {
            from: From::Store(Mutex::new(Cursor {
                tenant: tenant.into(),
                after: None,
                is_last: false,
            })),
            stopped: AtomicBool::new(false),
        }
    }

    /// The same in order of their ids, as the store lists them anyway.
    pub fn by_id(mut self) -> Lots {
        if let From::All { outlines, .. } = &mut self.from {
            outlines.sort_unstable_by(|one, other| one.deal.cmp(&other.deal));
        }
        self
    }

    pub fn stop_on_drop(self: &Arc<Self>) -> Stop {
        Stop(Arc::clone(self))
    }

    /// The next lot; `None` when there is no more.
    pub async fn next(&self, app: &App) -> Result<Option<Vec<Arc<Outline>>>, Error> {
        if self.stopped.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match &self.from {
            From::All { outlines, next } => {
                // Only a count: it orders no other memory.
                let start = next.fetch_add(LOT, Ordering::Relaxed).min(outlines.len());
                let end = outlines.len().min(start + LOT);
                Ok((start < end).then(|| outlines[start..end].to_vec()))
            }
            From::Store(cursor) => {
                // One lists while the others read what was listed.
                let listed = cursor.lock().await.list(app).await?;
                if listed.is_empty() {
                    return Ok(None);
                }
                let outlines = listed.into_iter().map(async |(key, revision)| {
                    let outline = app.outline(&key, revision).await;
                    outline.map(Arc::new)
                });
                let lot = stream::iter(outlines).buffered(OUTLINES_AT_ONCE);
                Ok(Some(lot.try_collect().await?))
            }
        }
    }
}

impl Cursor {
    async fn list(&mut self, app: &App) -> Result<Vec<(DealKey, Revision)>, Error> {
        if self.is_last {
            return Ok(Vec::new());
        }
        let after = self.after.as_deref();
        let listed = app.store.deals(&self.tenant, after, LOT).await?;
        self.is_last = listed.len() < LOT;
        self.after = listed.last().map(|(key, _)| key.deal.clone());
        Ok(listed)
    }
}

impl App {
    /// The outline of a deal as the store has it: from its projection, or else folded. Leaves the deals in memory as
    /// they are, since a look at all would push out those that are in use.
    pub(in crate::app) async fn outline(
        &self,
        key: &DealKey,
        revision: Revision,
    ) -> Result<Outline, store::Error> {
        if let Some(bytes) = projection::outline(self.store.as_ref(), key, revision).await? {
            return Ok(Outline::new(&key.deal, revision, bytes));
        }
        let deal = self.deals.fold(key).await?.deal;
        let bytes = packed::pack_outline(&deal).into();
        Ok(Outline::new(&key.deal, deal.revision(), bytes))
    }
}
