//! The least that durability costs: a thread that appends the same bytes to a file and syncs once a group.
//!
//! It keeps no index, checks nothing and cannot be read: what a store costs is what it takes beyond this.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli::bench::callers::Run;

/// The most appends made durable by one sync, as in the service.
const GROUP_MAX: usize = 512;

/// A record and who waits for it.
type Append = (Vec<u8>, oneshot::Sender<()>);

/// The way to the thread that appends. Clones share it; it ends after the last.
#[derive(Clone)]
pub struct Appender(mpsc::UnboundedSender<Append>);

impl Appender {
    /// Starts a thread that appends to a new file in `directory`.
    pub fn start(directory: &Path) -> io::Result<(Appender, JoinHandle<io::Result<()>>)> {
        // Several processes may do so at the same time.
        let name = format!("baseline-{}", std::process::id());
        let mut file = File::create(directory.join(name))?;
        let (sender, mut appends) = mpsc::unbounded_channel::<Append>();
        let thread = thread::spawn(move || {
            let mut group = Vec::new();
            let mut bytes = Vec::new();
            while appends.blocking_recv_many(&mut group, GROUP_MAX) != 0 {
                bytes.clear();
                for (record, _) in &group {
                    bytes.extend_from_slice(record);
                }
                file.write_all(&bytes)?;
                file.sync_data()?;
                for (_, waits) in group.drain(..) {
                    // Who stopped waiting does not hear.
                    let _ = waits.send(());
                }
            }
            Ok(())
        });
        Ok((Appender(sender), thread))
    }

    /// Waits until the record is durable; `None` when the thread ended, which tells why.
    pub async fn append(&self, record: Vec<u8>) -> Option<()> {
        let (waits, durable) = oneshot::channel();
        self.0.send((record, waits)).ok()?;
        durable.await.ok()
    }
}

/// So many callers, each with its next append when the last is durable.
pub async fn closed_loop(
    directory: &Path,
    record_bytes: usize,
    callers: usize,
    time: Duration,
) -> io::Result<Run> {
    let (appender, thread) = Appender::start(directory)?;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        running.spawn(caller(appender.clone(), record_bytes, begun + time));
    }
    drop(appender);
    let mut run = Run::new();
    for slice in running.join_all().await {
        run.add(slice);
    }
    run.time = begun.elapsed();
    thread.join().expect("the thread does not panic")?;
    Ok(run)
}

/// Records a second when groups of `group` are always at hand: the most that this disk can take in that way.
pub fn bound(
    directory: &Path,
    record_bytes: usize,
    group: usize,
    time: Duration,
) -> io::Result<f64> {
    let mut file = File::create(directory.join("baseline"))?;
    let bytes = vec![b'x'; group * record_bytes];
    let begun = Instant::now();
    let mut records = 0;
    while begun.elapsed() < time {
        file.write_all(&bytes)?;
        file.sync_data()?;
        records += group;
    }
    Ok(records as f64 / begun.elapsed().as_secs_f64())
}

async fn caller(appender: Appender, record_bytes: usize, ends: Instant) -> Run {
    let mut run = Run::new();
    loop {
        let called = Instant::now();
        if ends <= called || appender.append(vec![b'x'; record_bytes]).await.is_none() {
            return run;
        }
        let nanos = called.elapsed().as_nanos() as u64;
        run.latencies.saturating_record(nanos);
        run.acks += 1;
        run.calls_in_all += 1;
    }
}
