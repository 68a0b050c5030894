//! The use cases, one method a remote call: load, decide, append, derive.
//!
//! A write goes through `write`, a read through `read`; both meet folded deals in `deals`. Everything an answer says is
//! decided in `domain`; everything it keeps is kept by the store.

mod deals;
mod error;
pub mod ingest;
mod projection;
mod read;
mod turns;
pub mod watch;
mod write;

use std::sync::Arc;

use tokio::sync::RwLock;

use crate::app::deals::Deals;
pub use crate::app::error::Error;
pub use crate::app::read::DealView;
pub use crate::app::read::Explained;
pub use crate::app::read::MilestoneView;
pub use crate::app::read::Query;
pub use crate::app::read::Scored;
pub use crate::app::read::Stakeholder;
use crate::app::turns::Turns;
use crate::app::watch::Feeds;
pub use crate::app::write::Recorded;
pub use crate::app::write::Recording;
pub use crate::app::write::Written;
use crate::clock::Clock;
use crate::domain::model::Model;
use crate::domain::time::Instant;
use crate::store::Store;

/// Verbatim's use cases over one store, one clock and one model.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    model: Arc<Model>,
    deals: Deals,
    turns: Turns,
    /// Held while an event is on its way to the disk; taken whole to wait for all that are.
    unsettled: RwLock<()>,
    feeds: Feeds,
}

impl App {
    /// `deals_bytes_max` bounds the memory for folded deals; those used least lately are folded anew when asked for.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        model: Arc<Model>,
        deals_bytes_max: u64,
    ) -> App {
        App {
            deals: Deals::new(Arc::clone(&store), deals_bytes_max),
            store,
            clock,
            model,
            turns: Turns::new(),
            unsettled: RwLock::default(),
            feeds: Feeds::new(),
        }
    }

    /// The moment the service takes as now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Waits until every event that was dated before this call is durable or refused.
    async fn settled(&self) {
        drop(self.unsettled.write().await);
    }

    /// The numbers in force.
    pub fn model(&self) -> &Model {
        &self.model
    }
}
