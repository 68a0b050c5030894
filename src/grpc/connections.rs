//! The connections of the port: accepted, served over HTTP/1.1 or HTTP/2, and ended in good order.
//!
//! 1. A call is answered where it came in: its future is polled once by the task of its connection, and only what has to
//!    wait becomes a task of its own. Most calls never wait, and then cost no task, no wake and no change of thread.
//! 2. Calls that came together are answered together, in one write, after `IN_PLACE_MAX` at the latest; those left
//!    by then become tasks, so that other threads take them.
//! 3. A panic ends the call it happened in, and nothing else.
//! 4. Once told to close, no connection is accepted, and each ends when its calls have.

mod cork;

use std::convert::Infallible;
use std::future::Future;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::task::noop_waker_ref;
use http::Request;
use http::Response;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tower::Service;

use crate::grpc::connections::cork::Cork;

/// Flow-control windows that let a page of history pass without a pause.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// Metadata of a call; also bounds what a connection can make us hold.
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// A peer that is gone is noticed after these two.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the calls that came together are answered in place before what was answered is sent, and the rest left to
/// other threads: about as long as it takes to wake them.
const IN_PLACE_MAX: Duration = Duration::from_micros(250);

/// What to wait with after the listener failed, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The calls of one connection that have come and that nobody has looked at. Clones share them.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<Vec<Call>>>);

/// Serves `service` until `closed` is set, and then until all connections have ended. Dropping it ends them at once.
pub async fn serve<S>(
    service: S,
    mut incoming: TcpIncoming,
    streams_max: u32,
    mut closed: watch::Receiver<bool>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let mut connections = JoinSet::new();
    let (tell, told) = watch::channel(false);
    loop {
        let stream = tokio::select! {
            // An error means that the sender is gone, and with it the server.
            _ = closed.wait_for(|closed| *closed) => break,
            stream = incoming.next() => stream,
            Some(_) = connections.join_next() => continue,
        };
        match stream {
            Some(Ok(stream)) => {
                connections.spawn(connection(
                    service.clone(),
                    stream,
                    streams_max,
                    told.clone(),
                ));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None => break,
        }
    }
    // Before the connections are told: a caller who is turned away connects anew at once, and whom the listener has taken
    // in and nobody serves is reset.
    drop(incoming);
    tell.send_replace(true);
    while connections.join_next().await.is_some() {}
}

async fn connection<S>(
    service: S,
    stream: TcpStream,
    streams_max: u32,
    mut closed: watch::Receiver<bool>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let cork = Cork::new(stream);
    let arrived = Arrived::default();
    let builder = builder(arrived.clone(), streams_max);
    let answer =
        service_fn(move |request: Request<Incoming>| service.clone().call(request.map(Body::new)));
    let mut serving = pin!(builder.serve_connection(TokioIo::new(cork.clone()), answer));
    let mut closed = pin!(async { closed.wait_for(|closed| *closed).await.is_ok() });
    let mut told = false;
    let mut yielded = false;
    let served = poll_fn(|context| {
        if !told && closed.as_mut().poll(context).is_ready() {
            told = true;
            serving.as_mut().graceful_shutdown();
        }
        let mut answered = false;
        loop {
            if let Poll::Ready(ended) = serving.as_mut().poll(context) {
                arrived.answer();
                return Poll::Ready(ended);
            }
            if !arrived.answer() {
                break;
            }
            answered = true;
        }
        // Answers of tasks come one by one; those that are about to answer as well go first.
        if cork.holds_any() && !answered && !std::mem::replace(&mut yielded, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        yielded = false;
        match cork.poll_send(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            _ => Poll::Pending,
        }
    });
    match served.await {
        Ok(()) => cork.end().await,
        Err(error) => tracing::debug!(%error, "a connection failed"),
    }
}

fn builder(arrived: Arrived, streams_max: u32) -> auto::Builder<Arrived> {
    let mut builder = auto::Builder::new(arrived);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams_max)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    // With a timer hyper bounds how long the head of a request may take.
    builder.http1().timer(TokioTimer::new());
    builder
}

impl Arrived {
    /// Answers the calls that have come; those that have to wait, or for which there is no time, become tasks. Answers
    /// whether there were any.
    fn answer(&self) -> bool {
        let calls = std::mem::take(&mut *self.calls());
        if calls.is_empty() {
            return false;
        }
        let until = Instant::now() + IN_PLACE_MAX;
        // Nobody need be woken for it: a future that waits is polled again by its task, which leaves a waker of its own.
        let mut context = Context::from_waker(noop_waker_ref());
        for mut call in calls {
            if until < Instant::now() {
                tokio::spawn(call);
                continue;
            }
            let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut context)));
            if let Ok(Poll::Pending) = polled {
                tokio::spawn(call);
            }
        }
        true
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        // Only whole calls are put here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Arrived {
    fn execute(&self, call: F) {
        self.calls().push(Box::pin(call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::BodyExt;
    use http_body_util::Full;
    use hyper::client::conn::http2;
    use hyper::client::conn::http2::SendRequest;
    use hyper_util::rt::TokioExecutor;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    /// Answers 2 MiB at `/large`, when told to at `/late`, panics at `/panic`, and else answers its path.
    #[derive(Clone, Default)]
    struct Paths {
        told: Arc<Notify>,
    }

    impl Service<Request<Body>> for Paths {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            let told = Arc::clone(&self.told);
            Box::pin(async move {
                let path = request.uri().path().to_owned();
                let answer = match &*path {
                    "/panic" => panic!("on purpose"),
                    "/large" => Bytes::from(vec![b'x'; 2 << 20]),
                    "/late" => {
                        told.notified().await;
                        Bytes::from(path)
                    }
                    _ => Bytes::from(path),
                };
                Ok(Response::new(Body::new(Full::new(answer))))
            })
        }
    }

    struct Served {
        requests: SendRequest<Full<Bytes>>,
        told: Arc<Notify>,
        close: watch::Sender<bool>,
        serving: JoinHandle<()>,
    }

    impl Served {
        async fn start() -> Served {
            let paths = Paths::default();
            let told = Arc::clone(&paths.told);
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = incoming.local_addr().unwrap();
            let (close, closed) = watch::channel(false);
            let serving = tokio::spawn(serve(paths, incoming, 128, closed));
            let stream = TcpStream::connect(address).await.unwrap();
            let (requests, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            Served {
                requests,
                told,
                close,
                serving,
            }
        }

        fn ask(&self, path: &str) -> JoinHandle<hyper::Result<usize>> {
            let mut requests = self.requests.clone();
            let uri = format!("http://server{path}");
            tokio::spawn(async move {
                let request = Request::post(uri).body(Full::default()).unwrap();
                let answer = requests.send_request(request).await?;
                Ok(answer.into_body().collect().await?.to_bytes().len())
            })
        }
    }

    #[tokio::test]
    async fn a_call_that_waits_holds_up_no_other_of_its_connection() {
        let served = Served::start().await;
        let late = served.ask("/late");
        for _ in 0..100 {
            assert_eq!(served.ask("/now").await.unwrap().unwrap(), 4);
        }
        assert!(!late.is_finished());
        served.told.notify_one();
        assert_eq!(late.await.unwrap().unwrap(), 5);
    }

    #[tokio::test]
    async fn a_panic_ends_its_call_and_no_other() {
        let served = Served::start().await;
        let calls = ["/a", "/panic", "/bc"].map(|path| served.ask(path));
        let [a, panicked, bc] = calls;
        assert_eq!(a.await.unwrap().unwrap(), 2);
        assert!(panicked.await.unwrap().is_err());
        assert_eq!(bc.await.unwrap().unwrap(), 3);
        assert_eq!(served.ask("/after").await.unwrap().unwrap(), 6);
    }

    #[tokio::test]
    async fn more_than_is_held_is_sent_as_the_peer_takes_it() {
        let served = Served::start().await;
        let calls: Vec<_> = (0..20).map(|_| served.ask("/large")).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 2 << 20);
        }
    }

    #[tokio::test]
    async fn a_connection_ends_when_its_calls_have() {
        let served = Served::start().await;
        let late = served.ask("/late");
        assert_eq!(served.ask("/now").await.unwrap().unwrap(), 4);
        served.close.send_replace(true);
        assert!(!served.serving.is_finished());
        served.told.notify_one();
        assert_eq!(late.await.unwrap().unwrap(), 5);
        served.serving.await.unwrap();
    }
}
