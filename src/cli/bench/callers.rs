//! Callers in a closed loop: each sends its next call when the last was answered.
//!
//! Each connection has a thread with a runtime of its own, and the callers that share it never leave that thread. They
//! still take their share of the machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use hdrhistogram::Histogram;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::cli::bench::line::Line;
use crate::cli::bench::work::Work;
use crate::cli::failure;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;

/// The part of a run in which nothing is counted: connections are new and their windows small.
const SETTLING_SHARE: f64 = 0.1;

/// After a refusal, so that a service that refuses is not asked in a busy loop.
const REFUSED_PAUSE: Duration = Duration::from_millis(1);

/// How many callers share how many connections.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub callers: usize,
    pub connections: usize,
}

/// What a run, or several of them, gave.
pub struct Run {
    /// While it was counted.
    pub time: Duration,
    /// Of calls that were answered well. Unit: ns.
    pub latencies: Histogram<u64>,
    /// Answered calls that keep something.
    pub acks: u64,
    /// By the name of the code.
    pub errors: BTreeMap<&'static str, u64>,
    /// All calls, also while nothing was counted.
    pub calls_in_all: u64,
    /// What the server used for all of them, where that is known.
    pub server_cpu: Option<Duration>,
}

impl Run {
    pub fn new() -> Run {
        Run {
            time: Duration::ZERO,
            latencies: Histogram::new_with_bounds(1_000, 60_000_000_000, 3)
                .expect("these are bounds"),
            acks: 0,
            errors: BTreeMap::new(),
            calls_in_all: 0,
            server_cpu: None,
        }
    }

    /// Takes in a later slice of the same load.
    pub fn add(&mut self, slice: Run) {
        self.time += slice.time;
        self.take(slice);
    }

    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// Unit: µs.
    pub fn quantile_us(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// Unit: µs.
    pub fn max_us(&self) -> f64 {
        self.latencies.max() as f64 / 1_000.0
    }

    /// Unit: µs.
    pub fn server_cpu_us(&self) -> Option<f64> {
        let cpu = self.server_cpu?;
        Some(cpu.as_secs_f64() * 1e6 / self.calls_in_all.max(1) as f64)
    }

    fn take(&mut self, other: Run) {
        self.latencies += other.latencies;
        self.acks += other.acks;
        self.calls_in_all += other.calls_in_all;
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
        self.server_cpu = match (self.server_cpu, other.server_cpu) {
            (Some(before), Some(more)) => Some(before + more),
            (before, more) => before.or(more),
        };
    }
}

/// Lets the crowd call the server at `url` for so long, or until there is no more work. Blocks.
///
/// # Errors
///
/// Unavailable when nobody answers there.
pub fn drive(url: &str, crowd: Crowd, work: &Arc<Work>, time: Duration) -> Result<Run, Failure> {
    let begun = Instant::now();
    // Work that ends is counted whole: it may be over before anything has settled.
    let settling = if work.ends() { 0.0 } else { SETTLING_SHARE };
    let window = Window {
        opens: begun + time.mul_f64(settling),
        closes: begun + time,
    };
    let connections = crowd.connections.clamp(1, crowd.callers.max(1));
    let threads: Vec<_> = (0..connections)
        .map(|connection| {
            // The first connections take what does not divide.
            let callers =
                crowd.callers / connections + usize::from(connection < crowd.callers % connections);
            let (url, work) = (url.to_owned(), Arc::clone(work));
            thread::spawn(move || connection_of(&url, callers, &work, window))
        })
        .collect();
    let mut run = Run::new();
    for thread in threads {
        run.take(thread.join().expect("a caller does not panic")?);
    }
    run.time = Instant::now().min(window.closes) - window.opens.min(Instant::now());
    Ok(run)
}

/// When calls are counted.
#[derive(Clone, Copy)]
struct Window {
    opens: Instant,
    closes: Instant,
}

fn connection_of(
    url: &str,
    callers: usize,
    work: &Arc<Work>,
    window: Window,
) -> Result<Run, Failure> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot start threads: {error}")))?;
    let run = Arc::new(Mutex::new(Run::new()));
    runtime.block_on(async {
        let line = Line::connect(url).await?;
        let mut running = JoinSet::new();
        for _ in 0..callers {
            let (line, work, run) = (line.clone(), Arc::clone(work), Arc::clone(&run));
            running.spawn(caller(line, work, window, run));
        }
        running.join_all().await;
        Ok(())
    })?;
    let mut run = locked(&run);
    Ok(std::mem::replace(&mut *run, Run::new()))
}

async fn caller(line: Line, work: Arc<Work>, window: Window, run: Arc<Mutex<Run>>) {
    while let Some(next) = work.next() {
        let keeps = next.keeps;
        let called = Instant::now();
        if window.closes <= called {
            return;
        }
        let answer = line.call(next).await;
        let answered = Instant::now();

        let counts = window.opens <= answered && answered <= window.closes;
        let refused = answer.is_err();
        {
            let mut run = locked(&run);
            run.calls_in_all += 1;
            match answer {
                Ok(_) if counts => {
                    let nanos = (answered - called).as_nanos() as u64;
                    run.latencies.saturating_record(nanos);
                    run.acks += u64::from(keeps);
                }
                Ok(_) => {}
                Err(status) => {
                    *run.errors
                        .entry(failure::code_name(status.code()))
                        .or_default() += 1
                }
            }
        }
        if refused {
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
    }
}

// Only ever taken on one thread; it is shared because tasks must own what they use.
fn locked(run: &Mutex<Run>) -> MutexGuard<'_, Run> {
    run.lock().unwrap_or_else(PoisonError::into_inner)
}
