//! A disk that does not answer holds up no probe: health says so in time, and says when it answers again.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use verbatim::store::embedded::Disk;
use verbatim::store::embedded::RealDisk;

use crate::disk::serve_on;

/// The most a probe may wait for its answer.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// The most the disk hangs: a test whose only thread waits for it fails, and does not wait for ever.
const HANG_MAX: Duration = Duration::from_secs(20);

/// A disk whose figures wait while it hangs.
#[derive(Default)]
struct HangingDisk {
    hangs: Mutex<bool>,
    answers: Condvar,
}

impl HangingDisk {
    fn set_hanging(&self) -> Hanging<'_> {
        *self.hangs.lock().unwrap() = true;
        Hanging(self)
    }
}

/// Until this is dropped, so that a test that fails meanwhile ends.
struct Hanging<'a>(&'a HangingDisk);

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        *self.0.hangs.lock().unwrap() = false;
        self.0.answers.notify_all();
    }
}

impl Disk for HangingDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        RealDisk.sync(log)
    }

    fn free_bytes(&self, log: &File) -> io::Result<u64> {
        let hangs = self.hangs.lock().unwrap();
        let waited = self
            .answers
            .wait_timeout_while(hangs, HANG_MAX, |hangs| *hangs);
        drop(waited);
        RealDisk.free_bytes(log)
    }
}

// One thread, so that a wait for the disk on it would be noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_probe_is_answered_in_time_while_the_disk_hangs() {
    let home = tempfile::tempdir().unwrap();
    let disk = Arc::new(HangingDisk::default());
    let (server, client) = serve_on(home.path(), Arc::clone(&disk) as Arc<dyn Disk>).await;
    client.wait_for_health(ServingStatus::Serving).await;

    let hanging = disk.set_hanging();
    client.wait_for_health(ServingStatus::NotServing).await;
    let mut health = client.health.clone();
    let probe = health.check(HealthCheckRequest::default());
    let answer = tokio::time::timeout(PROBE_TIMEOUT, probe).await;
    let answer = answer.expect("the probe is answered in time").unwrap();
    assert_eq!(answer.get_ref().status, ServingStatus::NotServing as i32);

    drop(hanging);
    client.wait_for_health(ServingStatus::Serving).await;
    server.stop().await;
}
