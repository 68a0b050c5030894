//! A real server in process, on port 0, with a clock and a store that obey the test.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::Full;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
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
use verbatim::store::Store;
use verbatim::telemetry::Telemetry;

use crate::support::staged_store::StagedStore;

/// The manual clock stands here: 2026-03-01T12:00:00Z.
pub const NOW_SECONDS: i64 = 1_772_366_400;

/// A server and what it stands on.
pub struct Running {
    pub server: Server,
    pub store: Arc<StagedStore>,
    pub telemetry: Telemetry,
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
    let store = Arc::new(StagedStore::default());
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
