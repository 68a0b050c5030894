//! The operations port: what probes, scrapers and operators ask, in plain HTTP/1.1, apart from the calls.
//!
//! 1. It answers from a thread of its own, so that a probe is answered when every thread that answers calls waits.
//! 2. It opens before the store does and closes after it: a service that starts or stops says so.
//! 3. It gives no deal away; but who may reach it may change what is logged. It is for the inside of a cluster.

mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::ops::routes::Routes;
use crate::telemetry::Telemetry;
use crate::telemetry::log::Log;

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;

/// How long a caller may take to send the head of a request, also of the next one on its connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What to wait with after the listener failed, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The operations port, open until it is dropped.
pub struct Ops {
    address: SocketAddr,
    /// Dropped to end the thread.
    _open: oneshot::Sender<()>,
}

impl Ops {
    /// Binds `listen` and answers there; bound when it returns.
    ///
    /// # Errors
    ///
    /// When the address cannot be had, or no thread.
    pub fn start(listen: SocketAddr, telemetry: Telemetry, log: Log) -> io::Result<Ops> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let routes = Arc::new(Routes::new(telemetry, log));
        let (open, closed) = oneshot::channel();
        thread::Builder::new()
            .name("ops".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, routes) => {}
                        // The sender is never used: this is its drop.
                        _ = closed => {}
                    }
                });
                // A scrape may wait for a disk that hangs, and nobody waits for that.
                runtime.shutdown_background();
            })?;
        Ok(Ops {
            address,
            _open: open,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: std::net::TcpListener, routes: Arc<Routes>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the operations port cannot be used");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Never closed, so there is always a place to wait for.
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the operations port could not take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let routes = Arc::clone(&routes);
        tokio::spawn(async move {
            let _place = place;
            let answer = service_fn(move |request| {
                let routes = Arc::clone(&routes);
                async move { routes.answer(request).await }
            });
            // An error is a caller that went away.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}
