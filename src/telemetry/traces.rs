//! Traces, sent by OTLP over gRPC: set up by the `OTEL_*` environment, and only there.
//!
//! 1. Without an endpoint nothing is made: a span is then a look at a flag.
//! 2. A call belongs to the trace that its caller names by W3C `traceparent`, over gRPC and JSON alike.
//! 3. A span tells times and counts. It holds nothing that a caller sent.

use std::time::Duration;

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use opentelemetry::KeyValue;
use opentelemetry::propagation::Extractor;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// What a service is called that has no `OTEL_SERVICE_NAME`, and whose spans are sent.
const NAME: &str = "verbatim";

/// The header of a caller that names its trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// How long the last spans may take to leave when the service ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The way of spans to a collector.
pub struct Traces(SdkTracerProvider);

/// The trace that a call belongs to: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId([u8; 32]);

impl Traces {
    /// Connects to the collector that the environment names, when it is first needed. Wants a runtime around it.
    ///
    /// # Errors
    ///
    /// What of the environment cannot be.
    pub fn start() -> Result<Traces, String> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Traces(provider))
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

fn resource() -> Resource {
    let given = Resource::builder().build();
    let name = given.get(&"service.name".into());
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    match is_named {
        true => resource.build(),
        false => resource.with_service_name(NAME).build(),
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

impl TraceId {
    /// The trace of a span that is sent, else the one that the caller names.
    pub fn of(span: &Span, headers: &HeaderMap) -> Option<TraceId> {
        if !span.is_disabled() {
            let context = span.context();
            let sent = context.span().span_context().clone();
            if sent.is_valid() {
                let text = sent.trace_id().to_string();
                return text.as_bytes().try_into().ok().map(TraceId);
            }
        }
        headers.get(TRACEPARENT).and_then(TraceId::of_caller)
    }

    /// Reads a `traceparent`: version, trace, parent and flags, with a dash between.
    fn of_caller(header: &HeaderValue) -> Option<TraceId> {
        let mut parts = header.as_bytes().split(|byte| *byte == b'-');
        let version = parts.next()?;
        let trace: [u8; 32] = parts.next()?.try_into().ok()?;
        let is_hex = trace
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
        let fits = version.len() == 2 && version != b"ff" && is_hex && trace != [b'0'; 32];
        fits.then_some(TraceId(trace))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
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
        let found = TraceId::of_caller(&HeaderValue::from_static(header));
        assert_eq!(found.as_ref().map(TraceId::as_str), trace, "{header}");
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
