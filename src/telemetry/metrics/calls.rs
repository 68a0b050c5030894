//! The numbers of calls: how many by method and code, how long, how many now.

use std::array;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;

use prometheus::Histogram;
use prometheus::HistogramVec;
use prometheus::IntCounter;
use prometheus::IntCounterVec;
use prometheus::IntGauge;
use prometheus::IntGaugeVec;
use prometheus::proto::Metric as Series;

use crate::telemetry::metrics::CALL_SECONDS;
use crate::telemetry::metrics::Families;
use crate::telemetry::metrics::STREAM_SECONDS;
use crate::telemetry::metrics::exemplars::Exemplar;
use crate::telemetry::metrics::exemplars::Exemplars;
use crate::telemetry::traces::Sampled;

/// The codes of gRPC by their number.
pub const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The service and the method of a call to what there is not: what the caller named is no label.
pub const UNKNOWN: &str = "unknown";

/// The histogram that has exemplars.
pub const DURATION: &str = "verbatim_request_duration_seconds";

/// The families by which calls are counted.
pub struct CallMetrics {
    by_code: ByCode,
    in_flight: IntGauge,
    streams: IntGaugeVec,
    sent: IntCounterVec,
    received: IntCounterVec,
}

/// The families that tell codes apart. Clones share everything.
#[derive(Clone)]
struct ByCode {
    total: IntCounterVec,
    duration: HistogramVec,
    stream_duration: HistogramVec,
    exemplars: Arc<Mutex<Vec<Arc<Exemplars>>>>,
}

/// The calls of one method that ended in one code.
struct Ended {
    total: IntCounter,
    duration: Histogram,
    /// None for calls that stream: what they took, they took by their callers' will.
    exemplars: Option<Arc<Exemplars>>,
}

/// How a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One message each way.
    Unary,
    /// Several, for as long as the caller likes: counted while open, timed apart, and its messages counted.
    Stream,
}

/// The numbers of one method, ready to be added to.
pub struct Method {
    /// `Service/Method`, for the log.
    pub name: String,
    service: String,
    method: String,
    shape: Shape,
    by_code: [OnceLock<Ended>; CODES.len()],
    families: ByCode,
    open: IntGauge,
    messages: Option<Messages>,
}

/// The messages of the streams of one method.
#[derive(Clone)]
pub struct Messages {
    /// By the service.
    pub sent: IntCounter,
    pub received: IntCounter,
}

impl CallMetrics {
    pub(in crate::telemetry) fn new(to: &Families) -> CallMetrics {
        let labels = ["service", "method", "code"];
        CallMetrics {
            by_code: ByCode {
                total: to.counters(
                    "verbatim_requests_total",
                    "Calls that have ended, by the code of gRPC they ended in.",
                    &labels,
                ),
                duration: to.histograms(
                    DURATION,
                    "How long calls took that do not stream, by the code of gRPC they ended in.",
                    &labels,
                    &CALL_SECONDS,
                ),
                stream_duration: to.histograms(
                    "verbatim_stream_duration_seconds",
                    "How long streaming calls lasted, from their first byte to their end, by the code of gRPC they ended in.",
                    &labels,
                    &STREAM_SECONDS,
                ),
                exemplars: Arc::default(),
            },
            in_flight: to.gauge(
                "verbatim_requests_in_flight",
                "Calls under way that do not stream.",
            ),
            streams: to.gauges(
                "verbatim_streams_open",
                "Streaming calls that are open.",
                &["method"],
            ),
            sent: to.counters(
                "verbatim_stream_messages_sent_total",
                "Messages that the service has sent in streaming calls.",
                &["service", "method"],
            ),
            received: to.counters(
                "verbatim_stream_messages_received_total",
                "Messages that the service has received in streaming calls.",
                &["service", "method"],
            ),
        }
    }

    /// The exemplars of all histograms, by the labels of the bucket as they are written in text.
    pub(in crate::telemetry) fn exemplars(&self) -> HashMap<String, Exemplar> {
        let all = self.by_code.all_exemplars();
        all.iter().flat_map(|exemplars| exemplars.kept()).collect()
    }

    pub(in crate::telemetry) fn exemplars_of(&self, series: &Series) -> Vec<Exemplar> {
        let labels = series.get_label();
        let labels = || labels.iter().map(|label| (label.name(), label.value()));
        let all = self.by_code.all_exemplars();
        let ours = all.iter().find(|exemplars| exemplars.are_of(labels()));
        let kept = ours.map_or_else(Vec::new, |exemplars| exemplars.kept());
        kept.into_iter().map(|(_, exemplar)| exemplar).collect()
    }

    /// The numbers of a method of ours.
    pub fn method(&self, service: &str, method: &str, shape: Shape) -> Method {
        let short = service.rsplit('.').next().unwrap_or(service);
        let made = Method {
            name: format!("{short}/{method}"),
            service: service.to_owned(),
            method: method.to_owned(),
            shape,
            by_code: array::from_fn(|_| OnceLock::new()),
            families: self.by_code.clone(),
            open: match shape {
                Shape::Unary => self.in_flight.clone(),
                Shape::Stream => self.streams.with_label_values(&[method]),
            },
            messages: (shape == Shape::Stream).then(|| Messages {
                sent: self.sent.with_label_values(&[service, method]),
                received: self.received.with_label_values(&[service, method]),
            }),
        };
        // From the start there is a zero to count from; of what there is not, there need be none.
        if service != UNKNOWN {
            made.by_code(0);
        }
        made
    }
}

impl ByCode {
    fn ended(&self, service: &str, method: &str, code: &str, shape: Shape) -> Ended {
        let values = [service, method, code];
        let total = self.total.with_label_values(&values);
        if shape == Shape::Stream {
            return Ended {
                total,
                duration: self.stream_duration.with_label_values(&values),
                exemplars: None,
            };
        }
        let labels = [("code", code), ("method", method), ("service", service)];
        let labels = labels.map(|(name, value)| (name, value.to_owned()));
        let exemplars = Arc::new(Exemplars::new(labels, &CALL_SECONDS));
        self.all_exemplars().push(Arc::clone(&exemplars));
        Ended {
            total,
            duration: self.duration.with_label_values(&values),
            exemplars: Some(exemplars),
        }
    }

    // Histograms are only added, one by one, so a poisoned lock guards whole ones.
    fn all_exemplars(&self) -> MutexGuard<'_, Vec<Arc<Exemplars>>> {
        self.exemplars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Method {
    /// A call has come.
    pub fn begun(&self) {
        self.open.inc();
    }

    /// A call has ended, in the code of that number; `call` is there when its trace is sent.
    pub fn ended(&self, code: usize, took: Duration, call: Option<Sampled>) {
        self.count(code, took, call);
        // Last, so that no scrape misses a call in between.
        self.open.dec();
    }

    fn count(&self, code: usize, took: Duration, call: Option<Sampled>) {
        let Some(ended) = self.by_code(code) else {
            return;
        };
        ended.total.inc();
        let seconds = took.as_secs_f64();
        ended.duration.observe(seconds);
        if let (Some(exemplars), Some(call)) = (&ended.exemplars, call) {
            let at = SystemTime::now();
            exemplars.keep(Exemplar { seconds, call, at });
        }
    }

    /// Where messages are counted; `None` for calls of one message each way.
    pub fn messages(&self) -> Option<&Messages> {
        self.messages.as_ref()
    }

    fn by_code(&self, code: usize) -> Option<&Ended> {
        let ended = self.by_code.get(code)?;
        let (service, method) = (&self.service, &self.method);
        let make = || {
            self.families
                .ended(service, method, CODES[code], self.shape)
        };
        Some(ended.get_or_init(make))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn a_stream_is_counted_while_it_is_open_and_timed_by_its_own_measure() {
        let metrics = Metrics::new();
        let watch = metrics.calls.method("s", "Watch", Shape::Stream);
        watch.begun();
        watch.messages().unwrap().sent.inc_by(3);
        let open = "verbatim_streams_open{method=\"Watch\"} 1\n";
        assert!(metrics.scrape().contains(open));
        watch.ended(1, Duration::from_secs(3_600), None);
        let text = metrics.scrape();
        let of_code = "code=\"CANCELLED\",method=\"Watch\",service=\"s\"";
        for line in [
            "verbatim_streams_open{method=\"Watch\"} 0\n".to_owned(),
            format!("verbatim_requests_total{{{of_code}}} 1\n"),
            "code=\"OK\",method=\"Watch\",service=\"s\"} 0\n".to_owned(),
            format!("verbatim_stream_duration_seconds_bucket{{{of_code},le=\"1800\"}} 0\n"),
            format!("verbatim_stream_duration_seconds_bucket{{{of_code},le=\"3600\"}} 1\n"),
            "verbatim_stream_messages_sent_total{method=\"Watch\",service=\"s\"} 3\n".to_owned(),
            "verbatim_stream_messages_received_total{method=\"Watch\",service=\"s\"} 0\n"
                .to_owned(),
        ] {
            assert!(text.contains(&line), "{line} in {text}");
        }
        // Else an hour of watching would be a slow call.
        let among_calls = "verbatim_request_duration_seconds_count{code=\"CANCELLED\"";
        assert!(!text.contains(among_calls), "{text}");
    }
}
