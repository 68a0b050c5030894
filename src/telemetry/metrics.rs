//! The numbers of the service, counted once: a scrape and what is sent by OTLP are two forms of one registry.
//!
//! 1. To record is an atomic addition on a handle made beforehand: no label is looked up while a call is answered.
//! 2. Labels come from closed lists, never from what a caller sends.
//! 3. What is only asked for when somebody scrapes is read then: see [`Metrics::before_scrape`].

pub mod calls;
pub mod exemplars;
pub mod open;
pub mod pipeline;
mod points;
pub mod push;
pub mod store;

use std::sync::Mutex;
use std::sync::PoisonError;

use prometheus::GaugeVec;
use prometheus::Histogram;
use prometheus::HistogramOpts;
use prometheus::HistogramVec;
pub use prometheus::IntCounter;
use prometheus::IntCounterVec;
use prometheus::IntGauge;
use prometheus::IntGaugeVec;
use prometheus::Opts;
use prometheus::Registry;
use prometheus::TextEncoder;
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::Metric as Series;
use prometheus::proto::MetricFamily;

use crate::telemetry::metrics::calls::CallMetrics;
use crate::telemetry::metrics::exemplars::Exemplar;
use crate::telemetry::metrics::pipeline::PipelineMetrics;
use crate::telemetry::metrics::store::Figure;
use crate::telemetry::metrics::store::StoreMetrics;

/// The media type of [`Metrics::scrape`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// A call takes 30 us to answer from memory and some milliseconds when the disk has a say. Unit: seconds.
const CALL_SECONDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];

/// A stream of scores takes some milliseconds, an import minutes, and who watches may stay for days. Unit: seconds.
const STREAM_SECONDS: [f64; 13] = [
    0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0,
];

/// Why registering cannot fail.
const NAMED: &str = "the families below have well-formed names that differ";

type BeforeScrape = Box<dyn Fn(&Metrics) + Send + Sync>;

/// All numbers of one service.
pub struct Metrics {
    registry: Registry,
    before_scrape: Mutex<Vec<BeforeScrape>>,
    pub calls: CallMetrics,
    pub store: StoreMetrics,
    pub pipeline: PipelineMetrics,
    pub deal_cache_hits: IntCounter,
    pub deal_cache_misses: IntCounter,
    pub deal_cache_bytes: IntGauge,
    /// Those who watch deals now.
    pub watchers: IntGauge,
    pub watch_lag_lots: IntGauge,
    pub watchers_cut: IntCounter,
    extractor_requests: IntCounterVec,
    pub runtime_workers: IntGauge,
    pub runtime_alive_tasks: IntGauge,
    pub runtime_global_queue_depth: IntGauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    pub fn new() -> Metrics {
        let to = Families(Registry::new());
        let build = to.gauges("verbatim_build_info", "Always 1.", &["version", "rustc"]);
        build
            .with_label_values(&[env!("CARGO_PKG_VERSION"), env!("RUSTC_VERSION")])
            .set(1);
        to.add(ProcessCollector::for_self());
        Metrics {
            before_scrape: Mutex::default(),
            calls: CallMetrics::new(&to),
            store: StoreMetrics::new(&to),
            pipeline: PipelineMetrics::new(&to),
            deal_cache_hits: to.counter(
                "verbatim_deal_cache_hits_total",
                "Deals that were folded in memory when asked for.",
            ),
            deal_cache_misses: to.counter(
                "verbatim_deal_cache_misses_total",
                "Deals that had to be folded from the store.",
            ),
            deal_cache_bytes: to.gauge(
                "verbatim_deal_cache_bytes",
                "Estimated memory of folded deals.",
            ),
            watchers: to.gauge("verbatim_watchers", "Callers who watch deals now."),
            watch_lag_lots: to.gauge(
                "verbatim_watch_lag_lots",
                "Lots of changes that the slowest watcher has not taken yet; past 256 it is cut off.",
            ),
            watchers_cut: to.counter(
                "verbatim_watchers_cut_total",
                "Watchers cut off because they were too far behind.",
            ),
            extractor_requests: to.counters(
                "verbatim_extractor_requests_total",
                "Quotes given to the external reader of claims, by what became of them.",
                &["outcome"],
            ),
            runtime_workers: to.gauge("verbatim_runtime_workers", "Threads that answer calls."),
            runtime_alive_tasks: to
                .gauge("verbatim_runtime_alive_tasks", "Tasks that have not ended."),
            runtime_global_queue_depth: to.gauge(
                "verbatim_runtime_global_queue_depth",
                "Tasks that no thread has taken up yet.",
            ),
            registry: to.0,
        }
    }

    /// The counter of one outcome of the external reader; keep it, since looking it up takes a lock.
    pub fn extractor_requests(&self, outcome: &'static str) -> IntCounter {
        self.extractor_requests.with_label_values(&[outcome])
    }

    /// Has `read` set gauges before each scrape. It must not hold what it reads alive.
    pub fn before_scrape(&self, read: impl Fn(&Metrics) + Send + Sync + 'static) {
        let mut all = self
            .before_scrape
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(read));
    }

    /// All numbers as text. May wait for a disk that hangs.
    pub fn scrape(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.gather())
            .unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// All numbers as OpenMetrics, with exemplars. May wait for a disk that hangs.
    pub fn scrape_open(&self) -> String {
        open::of_text(&self.scrape(), calls::DURATION, &self.calls.exemplars())
    }

    /// The exemplars of one series of a family.
    fn exemplars(&self, family: &str, series: &Series) -> Vec<Exemplar> {
        match family == calls::DURATION {
            true => self.calls.exemplars_of(series),
            false => Vec::new(),
        }
    }

    /// What every form of the numbers is made of.
    fn gather(&self) -> Vec<MetricFamily> {
        let all = self
            .before_scrape
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for read in all.iter() {
            read(self);
        }
        drop(all);
        self.registry.gather()
    }
}

/// Makes families and registers them.
pub(in crate::telemetry) struct Families(Registry);

impl Families {
    fn add(&self, family: impl Collector + 'static) {
        self.0.register(Box::new(family)).expect(NAMED);
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        let family = IntCounter::new(name, help).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        let family = IntCounterVec::new(Opts::new(name, help), labels).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        let family = IntGauge::new(name, help).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        let family = IntGaugeVec::new(Opts::new(name, help), labels).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn gauges_of_numbers(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        let family = GaugeVec::new(Opts::new(name, help), labels).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn figure(&self, name: &str, help: &str) -> Figure {
        Figure(self.gauges_of_numbers(name, help, &[]))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let family = Histogram::with_opts(options).expect(NAMED);
        self.add(family.clone());
        family
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let family = HistogramVec::new(options, labels).expect(NAMED);
        self.add(family.clone());
        family
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_asks_first_what_is_only_known_on_asking() {
        let metrics = Metrics::new();
        metrics.before_scrape(|metrics| metrics.watchers.set(7));
        assert!(metrics.scrape().contains("verbatim_watchers 7\n"));
    }
}
