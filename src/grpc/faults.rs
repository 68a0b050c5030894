//! Keeps asking the store whether it takes writes, and tells health, readiness and numbers what it says.
//!
//! The store is asked on a thread that may wait: a disk that hangs holds up neither calls nor the answer to a probe, and
//! not to have answered in time is a fault that passes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::grpc::health::Health;
use crate::store::Fault;
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::telemetry::readiness::Check;

/// How often the store is asked for a fault when no call tells of one.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the store may take to answer: a probe must not be told of a health that was longer ago.
const PATIENCE: Duration = Duration::from_millis(500);

/// A question to the store that it has not answered yet.
type Asked = JoinHandle<Option<Fault>>;

/// Asks the store for a fault each second, and at once when a call was refused; ends at a lasting one, and once `stopped` is.
///
/// When it has ended it asks no more, but for a question that hangs.
pub async fn watch(
    store: Arc<dyn Store>,
    health: Health,
    telemetry: Telemetry,
    refused: Arc<Notify>,
    lasting: watch::Sender<Option<String>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let metrics = &telemetry.metrics.store;
    let readiness = &telemetry.readiness;
    let mut asked = None;
    let mut serves = true;
    loop {
        match fault(&store, &mut asked).await {
            Some(Fault::Lasting(cause)) => {
                tracing::error!(cause, "the store has a fault; the service does not serve");
                metrics.fault_lasting.set(1);
                readiness.fails(Check::Store, cause.clone());
                health.not_serving().await;
                // An error means that nobody waits for the server's end.
                let _ = lasting.send(Some(cause));
                return;
            }
            Some(Fault::Passing(cause)) if serves => {
                tracing::error!(cause, "the store refuses writes; the service waits");
                metrics.fault_passing.set(1);
                readiness.fails(Check::Store, cause);
                health.not_serving().await;
                serves = false;
            }
            None if !serves => {
                tracing::info!("the store takes writes again");
                metrics.fault_passing.set(0);
                readiness.holds(Check::Store);
                health.serving().await;
                serves = true;
            }
            Some(Fault::Passing(_)) | None => {}
        }
        let turn = tokio::time::sleep(INTERVAL);
        tokio::select! {
            () = refused.notified() => {}
            () = turn => {}
            // The sender is never used: this is its drop.
            _ = &mut stopped => return,
        }
    }
}

/// What the store says, or that it does not. One question waits at a time.
async fn fault(store: &Arc<dyn Store>, asked: &mut Option<Asked>) -> Option<Fault> {
    let answer = asked.get_or_insert_with(|| {
        let store = Arc::clone(store);
        tokio::task::spawn_blocking(move || store.fault())
    });
    let Ok(answer) = tokio::time::timeout(PATIENCE, answer).await else {
        let waited_ms = PATIENCE.as_millis();
        let cause = format!("the disk has not answered for {waited_ms} ms");
        return Some(Fault::Passing(cause));
    };
    *asked = None;
    match answer {
        Ok(fault) => fault,
        Err(error) => Some(Fault::Passing(format!(
            "the store cannot be asked: {error}"
        ))),
    }
}
