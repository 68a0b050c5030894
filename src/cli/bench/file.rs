//! The least that durability costs: a thread that appends the same bytes to a file and syncs once a group.
//!
//! It keeps no index, checks nothing and cannot be read: what a store costs is what it takes beyond this.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::thread;
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

/// So many callers, each with its next append when the last is durable.
pub async fn closed_loop(
    directory: &Path,
    record_bytes: usize,
    callers: usize,
    time: Duration,
) -> io::Result<Run> {
    let mut file = File::create(directory.join("baseline"))?;
    let (sender, mut appends) = mpsc::unbounded_channel::<Append>();
    let writer = thread::spawn(move || -> io::Result<()> {
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

    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        running.spawn(caller(sender.clone(), record_bytes, begun + time));
    }
    drop(sender);
    let mut run = Run::new();
    for slice in running.join_all().await {
        run.add(slice);
    }
    run.time = begun.elapsed();
    writer.join().expect("the writer does not panic")?;
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

async fn caller(sender: mpsc::UnboundedSender<Append>, record_bytes: usize, ends: Instant) -> Run {
    let mut run = Run::new();
    loop {
        let called = Instant::now();
        if ends <= called {
            return run;
        }
        let (waits, durable) = oneshot::channel();
        let record = vec![b'x'; record_bytes];
        if sender.send((record, waits)).is_err() || durable.await.is_err() {
            // The writer ended, and tells why.
            return run;
        }
        let nanos = called.elapsed().as_nanos() as u64;
        run.latencies.saturating_record(nanos);
        run.acks += 1;
        run.calls_in_all += 1;
    }
}
