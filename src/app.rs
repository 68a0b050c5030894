//! The use cases, one method a remote call: load, decide, append, derive.
//!
//! A write goes through `write`, a read through `read`; both meet folded deals in `deals`. Everything an answer says is
//! decided in `domain`; everything it keeps is kept by the store.

mod append;
mod deals;
mod error;
mod projection;
mod read;
mod turns;
mod write;

use std::sync::Arc;

use crate::app::deals::Deals;
pub use crate::app::error::Error;
pub use crate::app::read::DealView;
pub use crate::app::read::Explained;
pub use crate::app::read::MilestoneView;
pub use crate::app::read::Query;
pub use crate::app::read::Scored;
pub use crate::app::read::Stakeholder;
use crate::app::turns::Turns;
pub use crate::app::write::Recorded;
pub use crate::app::write::Recording;
pub use crate::app::write::Written;
use crate::clock::Clock;
use crate::domain::model::Model;
use crate::domain::time::Instant;
use crate::store::Store;
use crate::telemetry::Telemetry;

/// Verbatim's use cases over one store, one clock and one model.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    model: Arc<Model>,
    deals: Deals,
    turns: Turns,
    telemetry: Telemetry,
}

impl App {
    /// `deals_bytes_max` bounds the memory for folded deals; those used least lately are folded anew when asked for.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        model: Arc<Model>,
        deals_bytes_max: u64,
    ) -> App {
        let telemetry = Telemetry::default();
        let metrics = Arc::clone(&telemetry.metrics);
        App {
            deals: Deals::new(Arc::clone(&store), deals_bytes_max, metrics),
            store,
            clock,
            model,
            turns: Turns::new(),
            telemetry,
        }
    }

    /// The same, but what happens is told to `telemetry`.
    pub fn reporting_to(mut self, telemetry: Telemetry) -> App {
        self.deals.reporting_to(Arc::clone(&telemetry.metrics));
        self.telemetry = telemetry;
        self
    }

    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// The estimated memory of folded deals.
    pub fn deal_cache_bytes(&self) -> u64 {
        self.deals.bytes()
    }

    /// The moment the service takes as now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The numbers in force.
    pub fn model(&self) -> &Model {
        &self.model
    }
}
