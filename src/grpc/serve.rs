//! The server: one port for all forms of a call, health, reflection, and an end at which nothing is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

use crate::app::App;
use crate::app::background::Background;
use crate::grpc::calls::Calls;
use crate::grpc::connections;
use crate::grpc::connections::KEEPALIVE_INTERVAL;
use crate::grpc::door::Door;
use crate::grpc::faults;
use crate::grpc::figures;
use crate::grpc::health::Health;
use crate::grpc::limits::Limits;
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::telemetry::pulse;
use crate::telemetry::pulse::Pulse;
use crate::telemetry::readiness::Check;
use crate::wire::DESCRIPTOR;

/// A server that serves, in the background, until it is stopped.
pub struct Server {
    address: SocketAddr,
    limits: Limits,
    health: Health,
    app: Arc<App>,
    telemetry: Telemetry,
    pulse: JoinHandle<()>,
    store: Arc<dyn Store>,
    /// Sent once, to stop accepting.
    closing: watch::Sender<bool>,
    serving: JoinHandle<()>,
    fault_watch: JoinHandle<()>,
    /// Dropped to end it.
    fault_watch_stop: oneshot::Sender<()>,
    /// The store's lasting fault, once it has one.
    fault: watch::Receiver<Option<String>>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        address: SocketAddr,
        cause: std::io::Error,
    },
    #[error("{0}")]
    Origin(String),
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
    #[error("the descriptor of the interface cannot be read: {0}")]
    Descriptor(#[from] tonic_reflection::server::Error),
}

impl Server {
    /// Binds `listen` and serves `app` in the background; the listener is bound when it returns.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing was left running.
    pub async fn start_with(
        app: Arc<App>,
        store: Arc<dyn Store>,
        limits: &Limits,
        listen: SocketAddr,
    ) -> Result<Server, StartError> {
        let health = Health::new();
        let refused = Arc::new(Notify::new());
        let telemetry = app.telemetry().clone();
        figures::report(&telemetry.metrics, &app, &store);
        let calls = Calls::new(
            Arc::clone(&app),
            aside(&health)?,
            Background::start().map_err(StartError::Threads)?,
            Arc::clone(&refused),
            limits,
        );
        let door = Door::new(calls, limits).map_err(StartError::Origin)?;
        let unbound = |cause| StartError::Listen {
            address: listen,
            cause,
        };
        let incoming = TcpIncoming::bind(listen)
            .map_err(unbound)?
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE_INTERVAL));
        let address = incoming.local_addr().map_err(unbound)?;

        health.serving().await;
        let (fault_sender, fault) = watch::channel(None);
        let (fault_watch_stop, stopped) = oneshot::channel();
        let fault_watch = tokio::spawn(faults::watch(
            Arc::clone(&store),
            health.clone(),
            telemetry.clone(),
            refused,
            fault_sender,
            stopped,
        ));
        let pulse = tokio::spawn(beat(telemetry.pulse.clone()));
        telemetry.readiness.holds(Check::Start);
        let (closing, closed) = watch::channel(false);
        let streams_max = limits.streams_max;
        let serving = tokio::spawn(connections::serve(door, incoming, streams_max, closed));
        Ok(Server {
            address,
            limits: limits.clone(),
            health,
            app,
            telemetry,
            pulse,
            store,
            closing,
            serving,
            fault_watch,
            fault_watch_stop,
            fault,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops so that nothing is lost: reports that it does not serve, goes on for `drain`, accepts no more, lets calls
    /// in flight end for at most `drain_timeout`, and closes the store.
    pub async fn stop(mut self) {
        drop(self.fault_watch_stop);
        // Waited for, so that it cannot report health after what is reported next, nor hold the store open.
        let _ = self.fault_watch.await;
        let readiness = &self.telemetry.readiness;
        readiness.fails(Check::Shutdown, "the service is stopping");
        self.health.not_serving().await;
        tokio::time::sleep(self.limits.drain).await;

        self.health.end_watches().await;
        // GOAWAY first, so that no stream that ends is opened again on its connection. An error means that serving has
        // ended by itself.
        let _ = self.closing.send(true);
        // Streams end by themselves only when their callers like.
        self.app.end_streams();
        let ended = tokio::time::timeout(self.limits.drain_timeout, &mut self.serving).await;
        if ended.is_err() {
            let waited_ms = self.limits.drain_timeout.as_millis();
            tracing::warn!(waited_ms, "calls were still in flight at the end");
            self.serving.abort();
        }

        self.store.close().await;

        self.pulse.abort();
        // Waited for, so that there is no beat after the end; the error says that it was aborted.
        let _ = self.pulse.await;
        self.telemetry.pulse.end();
    }

    /// Waits until the server cannot go on by itself; answers why, in a sentence.
    ///
    /// A lasting fault of the store counts: reads would go on, but only a restart brings writes back. A full disk does
    /// not: writes come back by themselves.
    pub async fn ended(&mut self) -> String {
        tokio::select! {
            served = &mut self.serving => match served {
                Ok(()) => "the listener was closed".into(),
                Err(error) => format!("the listener failed: {error}"),
            },
            Ok(fault) = self.fault.wait_for(Option::is_some) => {
                let cause = fault.as_deref().unwrap_or_default();
                format!("the store refuses writes since a fault: {cause}")
            }
        }
    }
}

/// Tells, again and again, that the threads of this runtime run.
async fn beat(pulse: Pulse) {
    loop {
        pulse.beat(Instant::now());
        tokio::time::sleep(pulse::INTERVAL).await;
    }
}

fn aside(health: &Health) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::new(health.service())
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
