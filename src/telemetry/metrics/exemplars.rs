//! Exemplars: for each bucket of a histogram the newest call whose trace was sent, so that a slow bucket leads to a trace.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::telemetry::traces::Sampled;

/// One call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    pub seconds: f64,
    pub call: Sampled,
    pub at: SystemTime,
}

/// The exemplars of one histogram.
#[derive(Debug)]
pub struct Exemplars {
    /// The labels of the histogram, in the order of their names.
    labels: [(&'static str, String); 3],
    bounds: &'static [f64],
    /// The newest of each bucket; the last is that without a bound.
    newest: Vec<Mutex<Option<Exemplar>>>,
}

impl Exemplars {
    pub fn new(labels: [(&'static str, String); 3], bounds: &'static [f64]) -> Exemplars {
        let newest = (0..=bounds.len()).map(|_| Mutex::default()).collect();
        Exemplars {
            labels,
            bounds,
            newest,
        }
    }

    /// A call took so long.
    pub fn keep(&self, exemplar: Exemplar) {
        let bucket = self
            .bounds
            .partition_point(|bound| *bound < exemplar.seconds);
        // A value is written whole, so a poisoned lock guards a whole one.
        *self.newest[bucket]
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(exemplar);
    }

    /// Whether these are of the histogram with these labels.
    pub fn are_of<'a>(&self, mut labels: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
        labels.all(|label| {
            let ours = self.labels.iter();
            ours.map(|(name, value)| (*name, value.as_str()))
                .any(|ours| ours == label)
        })
    }

    /// The exemplars there are, each with the labels of its bucket as they are written in text.
    pub fn kept(&self) -> Vec<(String, Exemplar)> {
        let mut kept = Vec::new();
        for (bucket, newest) in self.newest.iter().enumerate() {
            let Some(exemplar) = *newest.lock().unwrap_or_else(PoisonError::into_inner) else {
                continue;
            };
            let mut text = String::new();
            for (name, value) in &self.labels {
                text.push_str(&format!("{name}=\"{value}\","));
            }
            match self.bounds.get(bucket) {
                Some(bound) => text.push_str(&format!("le=\"{bound}\"")),
                None => text.push_str("le=\"+Inf\""),
            }
            kept.push((text, exemplar));
        }
        kept
    }
}

impl Exemplar {
    /// As at the end of a line of OpenMetrics.
    pub fn write(&self, text: &mut String) {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let Sampled { trace, span } = self.call;
        // Writing to a string does not fail.
        let _written = write!(
            text,
            " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {} {:.3}",
            self.seconds,
            since.as_secs_f64()
        );
    }
}
