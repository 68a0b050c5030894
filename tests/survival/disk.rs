//! No answer leaves before its sync, a power cut takes nothing that was answered, and a failed sync is told as one.
//!
//! The disk is one that obeys the test; all else is the service as it is.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use futures_util::future::join_all;
use tempfile::TempDir;
use tonic_health::ServingStatus;
use verbatim::app::App;
use verbatim::clock::SystemClock;
use verbatim::grpc::limits::Limits;
use verbatim::grpc::serve::Server;
use verbatim::model_file;
use verbatim::store::Store;
use verbatim::store::embedded::Disk;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::Options;
use verbatim::store::embedded::RealDisk;

use crate::client::Client;
use crate::client::told;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::rebuilt::serve;
use crate::support::Dice;
use crate::support::StagedDisk;
use crate::support::files;
use crate::write::What;
use crate::write::Write;

/// Serves a directory on a disk that obeys the test.
pub async fn serve_on(data: &Path, disk: Arc<dyn Disk>) -> (Server, Client) {
    serve_within(data, disk, &Limits::default()).await
}

/// The same, within limits.
pub async fn serve_within(data: &Path, disk: Arc<dyn Disk>, limits: &Limits) -> (Server, Client) {
    let options = Options {
        disk,
        ..Options::default()
    };
    let store: Arc<dyn Store> = Arc::new(Embedded::open(data, options).unwrap());
    let model = Arc::new(model_file::default().clone());
    let app = App::new(Arc::clone(&store), Arc::new(SystemClock), model, 64 << 20);
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_with(Arc::new(app), store, limits, listen)
        .await
        .unwrap();
    let client = Client::connect(&format!("http://{}", server.local_addr())).await;
    (server, client)
}

fn statement(number: u64) -> Write {
    Write {
        number,
        deal: format!("deal-{}", number % 5),
        what: What::Statement,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_answered_or_seen_before_its_sync() {
    let home = tempfile::tempdir().unwrap();
    let disk = StagedDisk::new();
    let (server, client) = serve_on(home.path(), disk.clone()).await;
    for number in 0..20 {
        let before = disk.syncs();
        statement(number).send(&client).await.unwrap();
        assert!(before < disk.syncs());
    }

    let before = client.answers("deal-0").await;
    let gate = disk.shut();
    let writes: Vec<Write> = (20..40).map(statement).collect();
    let mut answers = Box::pin(join_all(writes.iter().map(|write| write.send(&client))));
    let shut = Arc::clone(&disk);
    let mut waits = tokio::task::spawn_blocking(move || shut.wait_for_sync());
    tokio::select! {
        answers = &mut answers => panic!("answered before the sync: {answers:?}"),
        waits = &mut waits => waits.unwrap(),
    }
    // The log holds it, the disk does not: to readers it is not there.
    tokio::select! {
        answers = &mut answers => panic!("answered before the sync: {answers:?}"),
        seen = client.answers("deal-0") => assert_eq!(seen, before),
    }
    drop(gate);
    for answer in answers.await {
        assert_eq!(answer.unwrap().already, Some(false));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_is_an_unknown_outcome_and_then_writes_are_refused_and_reads_go_on() {
    for nth in [1, 2, 7] {
        let home = tempfile::tempdir().unwrap();
        let disk = StagedDisk::new();
        let (mut server, client) = serve_on(home.path(), disk.clone()).await;
        disk.fail_sync(nth);
        for number in 1..nth {
            statement(5 * number).send(&client).await.unwrap();
        }
        let before = client.answers("deal-0").await;
        let unsure = statement(5 * nth);

        let unknown = unsure.send(&client).await.unwrap_err();
        assert_eq!(
            unknown.message(),
            "the write may or may not be there; ask again with the same ids"
        );
        assert_eq!(told(unknown), "Unavailable/OUTCOME_UNKNOWN");
        for refused in [&unsure, &statement(1)] {
            let refusal = refused.send(&client).await.unwrap_err();
            assert_eq!(told(refusal), "Unavailable/STORE_FAULT");
        }
        client.wait_for_health(ServingStatus::NotServing).await;
        assert_eq!(client.answers("deal-0").await, before);
        let why = server.ended().await;
        assert!(why.contains("the disk is on fire"), "{why}");
        server.stop().await;

        let (server, client) = serve(home.path()).await.unwrap();
        client.wait_for_health(ServingStatus::Serving).await;
        let events = client.history("deal-0").await.unwrap().len() as u64;
        assert!((nth - 1..=nth).contains(&events), "{events}");
        let answered = unsure.send(&client).await.unwrap();
        assert_eq!(answered.already, Some(events == nth));
        assert_eq!(answered.revision, nth);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let mut dice = Dice(8);
    let mut ledger = Ledger::default();
    let mut data = tempfile::tempdir().unwrap();
    let mut first = 0;
    for _ in 0..12 {
        let disk = Arc::new(CutDisk::of(data.path()));
        let (server, _) = serve_on(data.path(), disk.clone()).await;
        let url = format!("http://{}", server.local_addr());
        let load = Load::start(&url, dice.below(u64::MAX), first).await;
        load.wait_for_acknowledged(1 + dice.below(150) as u32).await;
        load.ending();
        let left = disk.cut();
        let (done, next) = load.end().await;
        first = next;
        for done in done {
            ledger.extend(done.entries);
        }
        server.stop().await;

        let (server, client) = serve(left.path()).await.unwrap();
        ledger.check(&client).await;
        server.stop().await;
        data = left;
    }
    println!(
        "12 power cuts: {} acknowledged writes, all there once",
        ledger.acknowledged()
    );
}

/// A disk that remembers what its last sync made durable, and may lose all else.
struct CutDisk {
    data: PathBuf,
    /// `None` once the power is gone.
    durable: Mutex<Option<TempDir>>,
}

impl CutDisk {
    fn of(data: &Path) -> CutDisk {
        CutDisk {
            data: data.to_owned(),
            durable: Mutex::new(Some(tempfile::tempdir().unwrap())),
        }
    }

    /// Cuts the power; answers what is left.
    fn cut(&self) -> TempDir {
        self.durable.lock().unwrap().take().unwrap()
    }
}

impl Disk for CutDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        let copied = copy_log_last(&self.data)?;
        RealDisk.sync(log)?;
        match self.durable.lock().unwrap().as_mut() {
            Some(durable) => *durable = copied,
            None => return Err(io::Error::other("the power is gone")),
        }
        Ok(())
    }

    fn free_bytes(&self, log: &File) -> io::Result<u64> {
        RealDisk.free_bytes(log)
    }
}

// The log is copied last, so that no other file speaks of what the copy of the log does not have.
fn copy_log_last(data: &Path) -> io::Result<TempDir> {
    let copied = tempfile::tempdir()?;
    let log = data.join("db");
    let others = files(data).into_iter().filter(|file| *file != log);
    for file in others.chain([log.clone()]) {
        match fs::copy(&file, copied.path().join(file.file_name().unwrap())) {
            Ok(_) => {}
            // sled replaces its snapshots meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(copied)
}
