//! How far a long command is: a bar on a terminal, a plain line now and then elsewhere.

use std::io;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// Plain lines on the way from nothing to all.
const LINES: usize = 10;

/// Clones count together.
#[derive(Clone)]
pub struct Progress {
    bar: Option<ProgressBar>,
    label: &'static str,
    unit: &'static str,
    started: Instant,
    total: usize,
    done: Arc<AtomicUsize>,
}

impl Progress {
    /// `unit` is what is counted, in the singular.
    pub fn new(label: &'static str, unit: &'static str, total: usize) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template(
                " {msg} {bar:40.green/dim} {pos}/{len} {prefix}s, {per_sec}, {eta} left",
            );
            bar.set_style(
                style
                    .expect("the template is well formed")
                    .progress_chars("█▉▊▋▌▍▎▏░"),
            );
            bar.set_message(label);
            bar.set_prefix(unit);
            bar
        });
        Progress {
            bar,
            label,
            unit,
            started: Instant::now(),
            total,
            done: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// One more is done.
    pub fn step(&self) {
        self.advance(1);
    }

    /// So many more are done.
    pub fn advance(&self, count: usize) {
        let before = self.done.fetch_add(count, Ordering::Relaxed);
        let done = before + count;
        match &self.bar {
            Some(bar) => bar.inc(count as u64),
            None => {
                let each = self.total.div_ceil(LINES).max(1);
                if before / each < done / each || (before < self.total && done == self.total) {
                    eprintln!("{}", self.line(done));
                }
            }
        }
    }

    /// `sending 400 of 4000 lines, 812 a second, 4 s left`.
    fn line(&self, done: usize) -> String {
        let (label, unit, total) = (self.label, self.unit, self.total);
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let left = total.saturating_sub(done) as f64 / rate;
        format!("{label} {done} of {total} {unit}s, {rate:.0} a second, {left:.0} s left")
    }

    /// A line for people that does not disturb the bar.
    pub fn tell(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
