//! Durable appends per second of the embedded store, beside the least that durability costs on the same disk.
//!
//! The baseline: one thread takes what the same callers hand it, appends the same bytes to a file and syncs once a
//! group. It keeps no index and checks nothing. Both run in turn, several rounds, in one process; only their ratio
//! means something, and the disk must not be busy with anything else.
//!
//! `cargo bench --bench store`, or `cargo bench --bench store -- DIRECTORY SECONDS ROUNDS`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use hdrhistogram::Histogram;
use tokio::sync::oneshot;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::Options;

const EVENT_BYTES: usize = 400;
const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// What one run gave.
struct Run {
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
}

fn main() {
    // Cargo adds `--bench` to the arguments.
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let parent = arguments.first().map_or("target", String::as_str);
    let seconds = number(arguments.get(1), 2);
    let rounds = number(arguments.get(2), 3);
    let home = tempfile::tempdir_in(parent).expect("the directory can be written to");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("threads can be started");

    println!("{seconds} s a run, {rounds} rounds, medians; {EVENT_BYTES} B events");
    println!("callers | file/s  p50 us  p99 us | store/s  p50 us  p99 us | rate  p99");
    for callers in CALLERS {
        let mut files = Vec::new();
        let mut stores = Vec::new();
        for round in 0..rounds {
            let place = home.path().join(format!("{callers}-{round}"));
            std::fs::create_dir(&place).expect("the directory can be written to");
            let time = Duration::from_secs(seconds);
            files.push(runtime.block_on(run_file(&place.join("file"), callers, time)));
            stores.push(runtime.block_on(run_store(&place.join("store"), callers, time)));
        }
        let (file, store) = (median(files), median(stores));
        println!(
            "{callers:7} | {:6.0} {:7} {:7} | {:7.0} {:7} {:7} | {:4.2} {:4.2}",
            file.per_second,
            file.p50_us,
            file.p99_us,
            store.per_second,
            store.p50_us,
            store.p99_us,
            store.per_second / file.per_second,
            store.p99_us as f64 / file.p99_us as f64,
        );
    }
}

fn number(argument: Option<&String>, default: u64) -> u64 {
    argument.map_or(default, |text| text.parse().expect("a number"))
}

fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let middle = runs.len() / 2;
    runs.swap_remove(middle)
}

/// What the callers append to.
enum Target {
    File(Baseline),
    Store(Box<Embedded>),
}

impl Target {
    async fn append(&self, deal: &DealKey, count: u64) {
        // Differs each time, or sled would write nothing.
        let mut event = vec![b'x'; EVENT_BYTES];
        event[..8].copy_from_slice(&count.to_le_bytes());
        match self {
            Target::File(file) => file.append(event).await,
            Target::Store(store) => {
                let answer = store.append(deal, count, vec![event]).await;
                assert_eq!(answer, Ok(count + 1));
            }
        }
    }
}

async fn run_file(path: &Path, callers: usize, time: Duration) -> Run {
    let (baseline, writer) = Baseline::start(path);
    let target = Arc::new(Target::File(baseline));
    let run = drive(&target, callers, time).await;
    if let Target::File(baseline) = &*target {
        baseline.stop();
    }
    writer.join().expect("the baseline wrote");
    run
}

async fn run_store(path: &Path, callers: usize, time: Duration) -> Run {
    let store = Embedded::open(path, Options::default()).expect("the store opens");
    let target = Arc::new(Target::Store(Box::new(store)));
    let run = drive(&target, callers, time).await;
    if let Target::Store(store) = &*target {
        store.close().await;
    }
    run
}

/// Lets `callers` append in a closed loop, each to a deal of its own.
async fn drive(target: &Arc<Target>, callers: usize, time: Duration) -> Run {
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let target = Arc::clone(target);
            tokio::spawn(async move {
                let deal = DealKey::new("default", &format!("deal-{caller}"));
                let mut histogram =
                    Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).expect("these are bounds");
                let mut count = 0;
                while started.elapsed() < time {
                    let called = Instant::now();
                    target.append(&deal, count).await;
                    histogram.saturating_record(called.elapsed().as_micros() as u64);
                    count += 1;
                }
                histogram
            })
        })
        .collect();
    let mut all = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).expect("these are bounds");
    for task in tasks {
        all += task.await.expect("the caller ended well");
    }
    Run {
        per_second: all.len() as f64 / started.elapsed().as_secs_f64(),
        p50_us: all.value_at_quantile(0.5),
        p99_us: all.value_at_quantile(0.99),
    }
}

/// A file that records are appended to, and synced once a group.
struct Baseline {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    work: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: Vec<(Vec<u8>, oneshot::Sender<()>)>,
    stopped: bool,
}

impl Baseline {
    fn start(path: &Path) -> (Baseline, JoinHandle<()>) {
        let mut file = File::create(path).expect("the file can be created");
        let shared = Arc::new(Shared::default());
        let writers = Arc::clone(&shared);
        let writer = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while let Some(group) = writers.take() {
                bytes.clear();
                for (record, _) in &group {
                    bytes.extend_from_slice(record);
                }
                file.write_all(&bytes).expect("the file can be written");
                file.sync_data().expect("the file can be synced");
                for (_, reply) in group {
                    let _ = reply.send(());
                }
            }
        });
        (Baseline { shared }, writer)
    }

    async fn append(&self, record: Vec<u8>) {
        let (reply, answer) = oneshot::channel();
        self.shared.push(record, reply);
        self.shared.work.notify_one();
        answer.await.expect("the writer answers");
    }

    fn stop(&self) {
        self.shared.waiting.lock().expect("nobody panics").stopped = true;
        self.shared.work.notify_one();
    }
}

impl Shared {
    fn push(&self, record: Vec<u8>, reply: oneshot::Sender<()>) {
        let mut waiting = self.waiting.lock().expect("nobody panics");
        waiting.records.push((record, reply));
    }

    fn take(&self) -> Option<Vec<(Vec<u8>, oneshot::Sender<()>)>> {
        let mut waiting = self.waiting.lock().expect("nobody panics");
        while waiting.records.is_empty() {
            if waiting.stopped {
                return None;
            }
            waiting = self.work.wait(waiting).expect("nobody panics");
        }
        Some(std::mem::take(&mut waiting.records))
    }
}
