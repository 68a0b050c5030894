//! The numbers of a store: what became of appends, how long syncs took, how much there is.

use prometheus::GaugeVec;
use prometheus::Histogram;
use prometheus::IntCounter;
use prometheus::IntGauge;
use prometheus::Registry;

use crate::telemetry::metrics::Families;

/// From the cache of a controller to a network volume that is throttled. Unit: seconds.
const SYNC_SECONDS: [f64; 13] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// Up to the largest group there is.
const GROUP_APPENDS: [f64; 13] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0,
];

/// The numbers of a store. Clones share everything.
#[derive(Clone)]
pub struct StoreMetrics {
    appends: [IntCounter; Appended::ALL.len()],
    pub event_bytes: IntCounter,
    pub sync_seconds: Histogram,
    pub group_appends: Histogram,
    pub queue_appends: Figure,
    pub kept_event_bytes: Figure,
    pub disk_bytes: Figure,
    pub amplification: Figure,
    pub free_bytes: Figure,
    pub connections: Figure,
    pub connections_idle: Figure,
    pub connections_wanted: Figure,
    pub fault_lasting: IntGauge,
    pub fault_passing: IntGauge,
    pub open_seconds: Figure,
}

/// A gauge that is told only while its figure is known: a store in memory has no disk, and not one of 0 bytes. Clones
/// share everything.
#[derive(Clone)]
pub struct Figure(pub(in crate::telemetry) GaugeVec);

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    Ok,
    Conflict,
    Busy,
    /// The store cannot: it is closed, has a fault, or what it would read is broken. Nothing was appended.
    Fault,
    Unknown,
    Full,
}

impl Appended {
    const ALL: [Appended; 6] = [
        Appended::Ok,
        Appended::Conflict,
        Appended::Busy,
        Appended::Fault,
        Appended::Unknown,
        Appended::Full,
    ];

    fn label(self) -> &'static str {
        match self {
            Appended::Ok => "ok",
            Appended::Conflict => "conflict",
            Appended::Busy => "busy",
            Appended::Fault => "fault",
            Appended::Unknown => "unknown",
            Appended::Full => "full",
        }
    }
}

impl Figure {
    /// `None`: there is no such thing, or it is not known now.
    pub fn set(&self, figure: Option<f64>) {
        const WITHOUT_LABELS: &[&str] = &[];
        match figure {
            Some(figure) => self.0.with_label_values(WITHOUT_LABELS).set(figure),
            None => self.0.reset(),
        }
    }
}

impl Default for StoreMetrics {
    /// Numbers that nobody scrapes.
    fn default() -> StoreMetrics {
        StoreMetrics::new(&Families(Registry::new()))
    }
}

impl StoreMetrics {
    pub(in crate::telemetry) fn new(to: &Families) -> StoreMetrics {
        let appends = to.counters(
            "verbatim_store_appends_total",
            "Appends, by what became of them.",
            &["outcome"],
        );
        let fault = to.gauges(
            "verbatim_store_fault",
            "1 while the store refuses writes: until it is opened again (lasting) or the cause is gone (passing).",
            &["kind"],
        );
        StoreMetrics {
            appends: Appended::ALL.map(|outcome| appends.with_label_values(&[outcome.label()])),
            event_bytes: to.counter(
                "verbatim_store_event_bytes_total",
                "Bytes of events made durable since the start.",
            ),
            sync_seconds: to.histogram(
                "verbatim_store_sync_duration_seconds",
                "How long the disk took to make a group durable.",
                &SYNC_SECONDS,
            ),
            group_appends: to.histogram(
                "verbatim_store_group_appends",
                "Appends made durable together.",
                &GROUP_APPENDS,
            ),
            queue_appends: to.figure(
                "verbatim_store_queue_appends",
                "Appends that wait for the writer.",
            ),
            kept_event_bytes: to.figure(
                "verbatim_store_kept_event_bytes",
                "Bytes of all events that the store keeps, without what it takes to keep them.",
            ),
            disk_bytes: to.figure("verbatim_store_disk_bytes", "Disk taken by the store."),
            amplification: to.figure(
                "verbatim_store_space_amplification_ratio",
                "Bytes of disk taken for each byte of event kept.",
            ),
            free_bytes: to.figure(
                "verbatim_store_free_bytes",
                "Disk that is free where the store is.",
            ),
            connections: to.figure(
                "verbatim_store_connections",
                "Connections to the database for reads.",
            ),
            connections_idle: to.figure(
                "verbatim_store_connections_idle",
                "Those of them that nobody uses.",
            ),
            connections_wanted: to.figure(
                "verbatim_store_connections_wanted",
                "Reads that wait for a connection.",
            ),
            fault_lasting: fault.with_label_values(&["lasting"]),
            fault_passing: fault.with_label_values(&["passing"]),
            open_seconds: to.figure(
                "verbatim_store_open_seconds",
                "How long it took to recover and check the store at the start.",
            ),
        }
    }

    pub fn appended(&self, outcome: Appended) {
        self.appends[outcome as usize].inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn an_append_is_counted_under_its_outcome() {
        let metrics = Metrics::new();
        for outcome in Appended::ALL {
            metrics.store.appended(outcome);
        }
        metrics.store.appended(Appended::Full);
        let text = metrics.scrape();
        for (outcome, count) in [("ok", 1), ("conflict", 1), ("unknown", 1), ("full", 2)] {
            let line = format!("verbatim_store_appends_total{{outcome=\"{outcome}\"}} {count}\n");
            assert!(text.contains(&line), "{line} in {text}");
        }
    }

    #[test]
    fn a_figure_that_is_not_known_is_not_told() {
        let metrics = Metrics::new();
        let is_told = || metrics.scrape().contains("verbatim_store_disk_bytes");
        assert!(!is_told());
        metrics.store.disk_bytes.set(Some(4_096.0));
        let line = "verbatim_store_disk_bytes 4096\n";
        assert!(metrics.scrape().contains(line), "{}", metrics.scrape());
        metrics.store.disk_bytes.set(None);
        assert!(!is_told());
    }
}
