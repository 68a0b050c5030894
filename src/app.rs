//! The use cases, one method a remote call: load, decide, append, derive.
//!
//! A write goes through `write` or `confirm`, a read through `read`; they meet folded deals in `deals`. Quotes that come
//! without claims are read in `extract`. Everything an answer says is
//! decided in `domain`; everything it keeps is kept by the store.

mod append;
mod aside;
pub mod background;
mod backup;
mod breaker;
mod confirm;
mod deals;
mod decided;
mod error;
mod extract;
mod follow;
mod fresh;
mod import;
pub mod ingest;
pub mod overview;
mod past;
mod pipeline;
mod portfolio;
mod projection;
mod read;
pub mod rebuild;
pub mod same;
mod turns;
pub mod verify;
pub mod watch;
mod write;

use std::sync::Arc;

pub use crate::app::confirm::Confirmed;
use tokio::sync::Mutex;
use tokio::sync::RwLock;

use crate::app::deals::Deals;
pub use crate::app::error::Error;
pub use crate::app::extract::ClaimExtractor;
use crate::app::extract::External;
pub use crate::app::extract::Extraction;
pub use crate::app::extract::QuoteReader;
pub use crate::app::extract::Read;
pub use crate::app::extract::Spoken;
pub use crate::app::import::Import;
pub use crate::app::import::Imported;
pub use crate::app::import::Taken;
pub use crate::app::past::Comparison;
pub use crate::app::past::ComparisonQuery;
pub use crate::app::past::Trend;
pub use crate::app::past::TrendQuery;
pub use crate::app::pipeline::Item;
pub use crate::app::pipeline::Listed;
pub use crate::app::pipeline::Listing;
pub use crate::app::pipeline::Pipeline;
pub use crate::app::pipeline::PipelineDeal;
pub use crate::app::pipeline::Selection;
pub use crate::app::pipeline::Summed;
pub use crate::app::pipeline::Told;
pub use crate::app::pipeline::View;
use crate::app::portfolio::OUTLINES_BYTES_MAX;
use crate::app::portfolio::Portfolio;
use crate::app::projection::Settling;
pub use crate::app::projection::projection_of;
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
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::store::Store;
use crate::telemetry::Telemetry;

/// How long after midnight another process's write of the day before may still come: longer than a store tries to write,
/// and than clocks differ.
const SETTLING: Span = Span::minutes(1);

/// Verbatim's use cases over one store, one clock and one model.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    model: Arc<Model>,
    deals: Deals,
    turns: Turns,
    portfolio: Portfolio,
    settling: Settling,
    /// Reads quotes before our own reader does, if the user brings one.
    external: Option<External>,
    /// Held while an event is on its way to the disk; taken whole to wait for all that are.
    unsettled: RwLock<()>,
    feeds: Feeds,
    /// Held while the change sequence is followed.
    following: Mutex<()>,
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
            portfolio: Portfolio::new(OUTLINES_BYTES_MAX),
            settling: Settling::default(),
            external: None,
            unsettled: RwLock::default(),
            feeds: Feeds::new(),
            following: Mutex::default(),
            telemetry,
        }
    }

    /// Bounds the memory for the outlines of all deals; past it, a look at the pipeline reads the store.
    pub fn with_outlines_bytes_max(self, bytes_max: u64) -> App {
        App {
            portfolio: Portfolio::new(bytes_max),
            ..self
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

    /// Those who watch deals and have caught up, of all tenants.
    pub fn all_watchers(&self) -> usize {
        self.feeds.watchers()
    }

    /// Lots of changes that the slowest of them has not taken yet.
    pub fn watch_lag_lots(&self) -> usize {
        self.feeds.lag_lots()
    }

    /// The estimated memory of folded deals.
    pub fn deal_cache_bytes(&self) -> u64 {
        self.deals.bytes()
    }

    /// The moment the service takes as now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Waits until every event that was dated before this call is durable or refused.
    async fn settled(&self) {
        drop(self.unsettled.write().await);
    }

    /// The day up to which all is recorded, but for what [`App::settled`] waits for: where other processes write, a day is
    /// over some time after midnight, by which their writes of the day before are durable or refused.
    fn settled_day(&self) -> Date {
        let now = self.clock.now();
        match self.store.is_shared() {
            true => now.minus(SETTLING).unwrap_or(Instant::MIN).date(),
            false => now.date(),
        }
    }

    /// The numbers in force.
    pub fn model(&self) -> &Model {
        &self.model
    }
}
