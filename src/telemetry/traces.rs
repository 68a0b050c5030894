//! Traces, sent by OTLP over gRPC: set up by the `OTEL_*` environment, and only there.
//!
//! 1. Without an endpoint no span is made: one is then a look at a flag.
//! 2. A call belongs to the trace that its caller names by W3C `traceparent`, over gRPC and JSON alike, and else to one of
//!    its own; see [`current`].
//! 3. A span tells times and counts. It holds nothing that a caller sent.

pub mod current;

use std::time::Duration;

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use opentelemetry::propagation::Extractor;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::SpanContext;
use opentelemetry::trace::SpanId;
use opentelemetry::trace::TraceContextExt;
pub use opentelemetry::trace::TraceId;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::Sampler;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::otlp::Collector;
use crate::telemetry::collector;
use crate::telemetry::collector::NAME;
use crate::telemetry::traces::current::Ids;

/// The header of a caller that names its trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// How long what is left may take to leave when the service ends.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The way of spans to a collector.
pub struct Traces(SdkTracerProvider);

/// A span that is sent, by the names that a collector has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    pub trace: TraceId,
    pub span: SpanId,
}

impl Traces {
    /// Connects when there is something to send. Wants a runtime around it.
    ///
    /// # Errors
    ///
    /// What of the environment cannot be.
    pub fn start(to: &Collector) -> Result<Traces, String> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_channel(collector::channel(to)?)
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(collector::resource())
            .with_id_generator(Ids::default())
            .build();
        Ok(Traces(provider))
    }

    /// Spans that nobody is sent, for lines that are: a line at a collector is in the trace of the span around it.
    pub fn unsent() -> Traces {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .with_id_generator(Ids::default())
            .build();
        Traces(provider)
    }

    /// Turns spans of ours into spans of a trace, whatever is logged.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(NAME))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_filter(filter_fn(|span| {
                span.is_span() && span.target().starts_with(NAME)
            }))
    }

    /// Sends what is left. Blocks, for some seconds at most.
    pub fn stop(self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_TIMEOUT) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Makes `span`, which has not been entered yet, a child of what the caller names, if it names a trace.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() || !headers.contains_key(TRACEPARENT) {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Without a collector there is nothing to be a child in.
    let _unsent = span.set_parent(parent);
}

/// What a span is called at a collector; none where spans are not sent.
pub fn sent(span: &Span) -> Option<SpanContext> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let sent = context.span().span_context().clone();
    sent.is_valid().then_some(sent)
}

impl Sampled {
    /// None for a span that nobody will find at a collector.
    pub fn of(sent: &SpanContext) -> Option<Sampled> {
        sent.is_sampled().then(|| Sampled {
            trace: sent.trace_id(),
            span: sent.span_id(),
        })
    }
}

/// The trace that a caller names.
pub fn named(headers: &HeaderMap) -> Option<TraceId> {
    headers.get(TRACEPARENT).and_then(read)
}

/// The trace of a `traceparent`: version, trace, parent and flags, with a dash between.
fn read(header: &HeaderValue) -> Option<TraceId> {
    let mut parts = header.to_str().ok()?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if version.len() != 2 || version == "ff" || trace.len() != 32 || !trace.bytes().all(is_hex) {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    (trace != TraceId::INVALID).then_some(trace)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_trace(header: &'static str, trace: Option<&str>) {
        let found = read(&HeaderValue::from_static(header));
        let found = found.map(|found| found.to_string());
        assert_eq!(found.as_deref(), trace, "{header}");
    }

    #[test]
    fn a_trace_is_taken_from_a_traceparent_that_is_one() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        check_trace(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            Some(trace),
        );
        check_trace(
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            None,
        );
        check_trace(
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            None,
        );
        check_trace(
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            None,
        );
        check_trace("00-Ana said so-b7ad6b7169203331-01", None);
        check_trace("", None);
    }
}
