//! What is sent to collectors by OTLP over gRPC: traces, metrics and logs, each where the environment asks for it.

use std::sync::Arc;

use crate::config::otlp::Otlp;
use crate::telemetry::log::records::Records;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::push::Push;
use crate::telemetry::traces::Traces;

/// The signals that are sent.
#[derive(Default)]
pub struct Sending {
    pub traces: Option<Traces>,
    pub records: Option<Records>,
    push: Option<Push>,
}

impl Sending {
    /// Starts what is wanted; connects when there is something to send. Wants a runtime around it.
    ///
    /// # Errors
    ///
    /// What of the environment cannot be.
    pub fn start(otlp: &Otlp, metrics: &Arc<Metrics>) -> Result<Sending, String> {
        let traces = otlp.traces.as_ref();
        let traces = traces
            .map(|to| Traces::start(to, otlp.sampling))
            .transpose()?;
        let records = otlp.logs.as_ref().map(Records::start).transpose()?;
        let push = otlp.metrics.as_ref();
        let push = push.map(|to| Push::start(to, otlp.metric_interval, Arc::clone(metrics)));
        Ok(Sending {
            traces,
            records,
            push: push.transpose()?,
        })
    }

    /// Sends what is left, for some seconds at most.
    pub async fn stop(self) {
        let Sending {
            traces,
            records,
            push,
        } = self;
        // Both block their thread, which may not be one that answers calls.
        let traces = tokio::task::spawn_blocking(|| traces.map(Traces::stop));
        let records = tokio::task::spawn_blocking(|| records.map(Records::stop));
        if let Some(push) = push {
            push.stop().await;
        }
        // An error is a panic of theirs, which was told.
        let (_traces, _records) = tokio::join!(traces, records);
    }
}
