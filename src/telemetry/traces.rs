//! Traces, sent by OTLP over gRPC: set up by the `OTEL_*` environment, and only there.
//!
//! 1. Without an endpoint no span is made: one is then a look at a flag. Nor is one of a trace that is not sent: that is
//!    decided by the call, before its first span; see `traces/sampling.rs`.
//! 2. A call belongs to the trace that its caller names by W3C `traceparent`, over gRPC and JSON alike, and else to one of
//!    its own; see [`current`].
//!    The reader of quotes that a user brings is called in the same trace; see [`name_to`].
//! 3. A span tells times and counts. It holds nothing that a caller sent.

pub mod current;
mod sampling;

use std::time::Duration;

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use opentelemetry::propagation::Extractor;
use opentelemetry::propagation::Injector;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::SpanContext;
use opentelemetry::trace::SpanId;
use opentelemetry::trace::TraceContextExt;
pub use opentelemetry::trace::TraceId;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::Subscriber;
use tracing::subscriber::Interest;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::otlp::Collector;
use crate::config::sampling::Sampling;
use crate::telemetry::collector;
use crate::telemetry::collector::NAME;
use crate::telemetry::traces::current::Call;
use crate::telemetry::traces::current::Ids;
use crate::telemetry::traces::sampling::Sampler;

/// The header of a caller that names its trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The flag of a `traceparent` whose caller sends its spans.
const SAMPLED: u8 = 1;

/// How long what is left may take to leave when the service ends.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The way of spans to a collector.
pub struct Traces {
    provider: SdkTracerProvider,
    sampler: Sampler,
}

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
    pub fn start(to: &Collector, sampling: Sampling) -> Result<Traces, String> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_channel(collector::channel(to)?)
            .build()
            .map_err(|error| error.to_string())?;
        let sampler = Sampler::new(sampling);
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler.of_spans())
            .with_batch_exporter(exporter)
            .with_resource(collector::resource())
            .with_id_generator(Ids::default())
            .build();
        Ok(Traces { provider, sampler })
    }

    /// Turns spans of ours into spans of a trace, whatever is logged.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let sampler = self.sampler.clone();
        let wanted = dynamic_filter_fn(move |_, _| sampler.takes(current::call()));
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(NAME))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_filter(wanted.with_callsite_filter(|at| {
                match at.is_span() && at.target().starts_with(NAME) {
                    // Asked again each time, since it hangs on the call.
                    true => Interest::sometimes(),
                    false => Interest::never(),
                }
            }))
    }

    /// Sends what is left. Blocks, for some seconds at most.
    pub fn stop(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(FLUSH_TIMEOUT) {
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

/// Names the trace and the span that are current to whom is called next; nothing where spans are not sent.
pub fn name_to(headers: &mut HeaderMap) {
    let span = Span::current();
    if !span.is_disabled() {
        TraceContextPropagator::new().inject_context(&span.context(), &mut Naming(headers));
    }
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

/// A call of the trace that its caller names.
pub fn named(headers: &HeaderMap) -> Option<Call> {
    headers.get(TRACEPARENT).and_then(read)
}

/// The trace of a `traceparent`: version, trace, parent and flags, with a dash between.
fn read(header: &HeaderValue) -> Option<Call> {
    let mut parts = header.to_str().ok()?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if version.len() != 2 || version == "ff" || trace.len() != 32 || !trace.bytes().all(is_hex) {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    let flags = parts
        .nth(1)
        .and_then(|flags| u8::from_str_radix(flags, 16).ok());
    (trace != TraceId::INVALID).then_some(Call {
        trace,
        sampled_by_caller: flags.map(|flags| flags & SAMPLED != 0),
    })
}

struct Naming<'a>(&'a mut HeaderMap);

impl Injector for Naming<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (key.parse::<HeaderName>(), value.parse()) {
            self.0.insert(key, value);
        }
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
        let found = read(&HeaderValue::from_static(header));
        let found = found.map(|found| found.trace.to_string());
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

    #[test]
    fn what_a_caller_does_with_its_spans_is_taken_from_its_flags() {
        let call = |flags: &str| {
            let header = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331{flags}");
            read(&HeaderValue::from_str(&header).unwrap()).unwrap()
        };
        assert_eq!(call("-01").sampled_by_caller, Some(true));
        assert_eq!(call("-03").sampled_by_caller, Some(true));
        assert_eq!(call("-02").sampled_by_caller, Some(false));
        assert_eq!(call("-xy").sampled_by_caller, None);
        assert_eq!(call("").sampled_by_caller, None);
    }
}
