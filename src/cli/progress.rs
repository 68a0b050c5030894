//! How far a long command is: a bar on a terminal, a plain line now and then elsewhere.

use std::io;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// Plain lines on the way from nothing to all.
const LINES: usize = 10;

/// Clones count together.
#[derive(Clone)]
pub struct Progress {
    bar: Option<ProgressBar>,
    label: &'static str,
    total: usize,
    done: Arc<AtomicUsize>,
}

impl Progress {
    pub fn new(label: &'static str, total: usize) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template(" {msg} {bar:40.green/dim} {pos}/{len} lines");
            bar.set_style(
                style
                    .expect("the template is well formed")
                    .progress_chars("█▉▊▋▌▍▎▏░"),
            );
            bar.set_message(label);
            bar
        });
        Progress {
            bar,
            label,
            total,
            done: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// One more is done.
    pub fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => {
                let each = self.total.div_ceil(LINES).max(1);
                if done.is_multiple_of(each) || done == self.total {
                    eprintln!("{} {done} of {} lines", self.label, self.total);
                }
            }
        }
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
