//! A real server in process, on port 0, with a clock and a store that obey the test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::Full;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::Service;
use tower::ServiceExt;
use verbatim::app::App;
use verbatim::clock::ManualClock;
use verbatim::domain::time::Instant;
use verbatim::grpc::limits::Limits;
use verbatim::grpc::serve::Server;
use verbatim::model_file;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Projection;
use verbatim::store::Revision;
use verbatim::store::Store;
use verbatim::store::StoredEvent;
use verbatim::telemetry::Telemetry;

/// The manual clock stands here: 2026-03-01T12:00:00Z.
pub const NOW_SECONDS: i64 = 1_772_366_400;

/// A server and what it stands on.
pub struct Running {
    pub server: Server,
    pub store: Arc<Staged>,
    pub telemetry: Telemetry,
}

/// A store in memory that waits, fails and panics when the test says so.
#[derive(Default)]
pub struct Staged {
    deals: Mutex<BTreeMap<DealKey, Vec<Vec<u8>>>>,
    fault: Mutex<Option<String>>,
    /// Appends wait for a permit while this is set.
    gate: Mutex<Option<Arc<Semaphore>>>,
    waiting: tokio::sync::watch::Sender<usize>,
    closed: Mutex<bool>,
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

pub async fn start() -> Running {
    start_with(Limits::default()).await
}

pub async fn start_with(limits: Limits) -> Running {
    let store = Arc::new(Staged::default());
    let now = Instant::from_unix(NOW_SECONDS, 0).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let app = app(Arc::clone(&store) as Arc<dyn Store>, clock);
    let telemetry = app.telemetry().clone();
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_with(app, Arc::clone(&store) as Arc<dyn Store>, &limits, listen)
        .await
        .unwrap();
    Running {
        server,
        store,
        telemetry,
    }
}

fn app(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Arc<App> {
    let model = Arc::new(model_file::default().clone());
    Arc::new(App::new(store, clock, model, 1 << 20))
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub async fn channel(&self) -> Channel {
        channel(self.address()).await
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

pub async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// Sends bytes as the body of a call in gRPC form over HTTP/2; answers the status, wherever it stands.
pub async fn raw_call(
    channel: &mut Channel,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Status {
    let mut request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::new(Full::new(Bytes::from(body)));
    let request = request.body(body).unwrap();
    let response = channel.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let collected = response.into_body().collect().await.unwrap();
    let trailers: HeaderMap = collected.trailers().cloned().unwrap_or_default();
    Status::from_header_map(&trailers).expect("an answer ends with a status")
}

/// A message in gRPC form, not compressed.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = vec![0];
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    framed
}

/// One request over HTTP/1.1, on a connection of its own.
pub async fn http(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that has heard enough may close before all is sent.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer has a head");
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let mut body = answer[end + 4..].to_vec();
    if head.contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body,
    }
}

/// A call in JSON form.
pub async fn post(address: SocketAddr, path: &str, body: &str) -> (u16, serde_json::Value) {
    let headers = [("content-type", "application/json")];
    let answer = http(address, "POST", path, &headers, body.as_bytes()).await;
    let json = serde_json::from_slice(&answer.body).expect("an answer is JSON");
    (answer.status, json)
}

fn unchunked(mut chunked: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunked.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let length = std::str::from_utf8(&chunked[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend(&chunked[end + 2..end + 2 + length]);
        chunked = &chunked[end + 2 + length + 2..];
    }
}

impl Staged {
    /// From now on appends wait until [`Staged::let_through`].
    pub fn hold_appends(&self) {
        *self.gate.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    }

    /// Waits until so many appends wait.
    pub async fn until_waiting(&self, count: usize) {
        let mut waiting = self.waiting.subscribe();
        let enough = waiting.wait_for(|waiting| count <= *waiting);
        let enough = tokio::time::timeout(Duration::from_secs(20), enough).await;
        enough.expect("so many appends come").unwrap();
    }

    pub fn let_through(&self) {
        let gate = self.gate.lock().unwrap().take();
        gate.unwrap().add_permits(Semaphore::MAX_PERMITS);
    }

    pub fn break_down(&self, cause: &str) {
        *self.fault.lock().unwrap() = Some(cause.into());
    }

    pub fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap()
    }

    pub fn events_kept(&self) -> usize {
        self.deals.lock().unwrap().values().map(Vec::len).sum()
    }
}

#[async_trait]
impl Store for Staged {
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        assert!(&*deal.deal != "panic", "the deal of this name panics");
        Ok(self.deals.lock().unwrap().get(deal).map_or(0, Vec::len) as u64)
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        assert!(&*deal.deal != "panic", "the deal of this name panics");
        let deals = self.deals.lock().unwrap();
        let events = deals.get(deal).into_iter().flatten().enumerate();
        Ok(events
            .skip(after as usize)
            .take(events_max)
            .map(|(place, bytes)| StoredEvent {
                revision: place as u64 + 1,
                bytes: bytes.clone(),
            })
            .collect())
    }

    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        if let Some(Fault::Lasting(fault)) = self.fault() {
            return Err(Error::Fault(fault));
        }
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            self.waiting.send_modify(|waiting| *waiting += 1);
            let _permit = gate.acquire().await.unwrap();
        }
        let mut deals = self.deals.lock().unwrap();
        let kept = deals.entry(deal.clone()).or_default();
        let actual = kept.len() as u64;
        if actual != expected {
            return Err(Error::Conflict { expected, actual });
        }
        kept.extend(events);
        Ok(kept.len() as u64)
    }

    async fn projection(&self, _: &DealKey) -> Result<Option<Projection>, Error> {
        Ok(None)
    }

    fn keep_projection(&self, _: &DealKey, _: Projection) {}

    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        let deals = self.deals.lock().unwrap();
        Ok(deals
            .iter()
            .filter(|(deal, _)| &*deal.tenant == tenant)
            .filter(|(deal, _)| after.is_none_or(|after| after < &*deal.deal))
            .map(|(deal, events)| (deal.clone(), events.len() as u64))
            .take(deals_max)
            .collect())
    }

    async fn changes(&self, _: u64, _: usize) -> Result<Vec<Change>, Error> {
        Ok(Vec::new())
    }

    fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap().clone().map(Fault::Lasting)
    }

    async fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }
}
