//! What the service tells those who run it: numbers, log lines, traces, whether it is ready.
//!
//! Everything above records here; the domain knows nothing of it. A service has one [`Telemetry`], shared by its clones:
//! two services in one process count apart.

mod collector;
pub mod log;
pub mod metrics;
pub mod pulse;
pub mod readiness;
pub mod sending;
pub mod traces;

use std::sync::Arc;

use crate::telemetry::metrics::Metrics;
use crate::telemetry::pulse::Pulse;
use crate::telemetry::readiness::Readiness;

/// The numbers and the readiness of one service. Clones share everything.
#[derive(Clone, Default)]
pub struct Telemetry {
    pub metrics: Arc<Metrics>,
    pub readiness: Readiness,
    pub pulse: Pulse,
}
