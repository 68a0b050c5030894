//! Lines of the log as records, sent by OTLP over gRPC: the very lines of standard error, each in the trace of its call,
//! whether or not that trace is sent.

use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LogRecord;
use opentelemetry::trace::SpanId;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::LogExporter;
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogProcessor;
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::otlp::Collector;
use crate::telemetry::collector;
use crate::telemetry::traces::FLUSH_TIMEOUT;
use crate::telemetry::traces::current;

/// The way of records to a collector.
pub struct Records(SdkLoggerProvider);

impl Records {
    /// Connects when there is something to send. Wants a runtime around it.
    ///
    /// # Errors
    ///
    /// What of the environment cannot be.
    pub fn start(to: &Collector) -> Result<Records, String> {
        let exporter = LogExporter::builder()
            .with_tonic()
            .with_channel(collector::channel(to)?)
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkLoggerProvider::builder()
            .with_log_processor(InTrace)
            .with_batch_exporter(exporter)
            .with_resource(collector::resource())
            .build();
        Ok(Records(provider))
    }

    /// Turns lines of ours into records.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        // What is told of the sending itself would be sent, and told, for ever.
        let ours = filter_fn(|line| line.target().starts_with(collector::NAME));
        OpenTelemetryTracingBridge::new(&self.0).with_filter(ours)
    }

    /// Sends what is left. Blocks, for some seconds at most.
    pub fn stop(self) {
        // Where the log is lost, there is no log to say so.
        let _lost = self.0.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

/// Gives a record the trace of its call where no span that is sent is around it.
#[derive(Debug)]
struct InTrace;

impl LogProcessor for InTrace {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        if let (None, Some(trace)) = (record.trace_context(), current::trace()) {
            record.set_trace_context(trace, SpanId::INVALID, None);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
