//! A connection of the callers: HTTP/2 and nothing on top, so that they leave as much of the machine to the server as
//! they can.
//!
//! Requests are framed by hand and answers are not read, but for the status they end in. What the callers of one thread
//! send is sent together.

use std::future::Future;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use bytes::BufMut;
use bytes::Bytes;
use bytes::BytesMut;
use h2::RecvStream;
use h2::client::Builder;
use h2::client::SendRequest;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Uri;
use http::header;
use tokio::net::TcpStream;
use tonic::Status;

use crate::cli::bench::work::Call;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;

const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// Before each message: whether it is compressed, and its length.
const FRAME_HEAD_BYTES: usize = 5;

/// A connection to a server. Clones share it.
#[derive(Clone)]
pub struct Line {
    requests: SendRequest<Bytes>,
    authority: String,
}

impl Line {
    /// Connects to `url`; the connection is served by a task of this runtime.
    ///
    /// # Errors
    ///
    /// Unavailable when nobody answers there.
    pub async fn connect(url: &str) -> Result<Line, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            let text = format!("no service answers at {url}: {error}");
            Failure::new(Exit::Unavailable, text)
        };
        let uri: Uri = url.parse().map_err(|error| failed(&error))?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let address: Vec<SocketAddr> = tokio::net::lookup_host(&authority)
            .await
            .map_err(|error| failed(&error))?
            .collect();
        let stream = TcpStream::connect(&*address).await;
        let stream = stream.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let (requests, connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(stream)
            .await
            .map_err(|error| failed(&error))?;
        tokio::spawn(together(connection));
        Ok(Line {
            requests,
            authority,
        })
    }

    /// Makes one call, and answers the size of its answer.
    ///
    /// # Errors
    ///
    /// What the server refused.
    pub async fn call(&self, call: Call) -> Result<usize, Status> {
        let broken = |error: h2::Error| Status::unavailable(error.to_string());
        let mut requests = self.requests.clone().ready().await.map_err(broken)?;
        let (answer, mut body) = requests
            .send_request(self.head(call.path), false)
            .map_err(broken)?;
        body.send_data(framed(&call.message), true)
            .map_err(broken)?;

        let (head, mut body) = answer.await.map_err(broken)?.into_parts();
        let bytes = drained(&mut body).await.map_err(broken)?;
        let trailers = body.trailers().await.map_err(broken)?;
        let ended = trailers.as_ref().unwrap_or(&head.headers);
        match status(ended) {
            Some(refused) => Err(refused),
            None => Ok(bytes.saturating_sub(FRAME_HEAD_BYTES)),
        }
    }

    fn head(&self, path: &str) -> Request<()> {
        let uri = Uri::builder()
            .scheme("http")
            .authority(&*self.authority)
            .path_and_query(path);
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.build().expect("a server's address and a path of ours");
        let headers = request.headers_mut();
        let kind = HeaderValue::from_static("application/grpc");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        request
    }
}

/// Drives a connection; lets others of its thread go first, so that what they send goes with it.
async fn together(connection: impl Future<Output = Result<(), h2::Error>>) {
    let mut connection = pin!(connection);
    let mut yielded = false;
    let ended = poll_fn(|context| {
        if !yielded {
            yielded = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        yielded = false;
        connection.as_mut().poll(context)
    });
    // A connection that breaks is told by the calls on it.
    let _ = ended.await;
}

fn framed(message: &Bytes) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEAD_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.put_slice(message);
    framed.freeze()
}

/// Takes in a body, and answers how much it was.
async fn drained(body: &mut RecvStream) -> Result<usize, h2::Error> {
    let mut bytes = 0;
    while let Some(piece) = body.data().await {
        let piece = piece?.len();
        body.flow_control().release_capacity(piece)?;
        bytes += piece;
    }
    Ok(bytes)
}

/// What a call was refused with, if it was.
fn status(ended: &HeaderMap) -> Option<Status> {
    match ended.get(Status::GRPC_STATUS) {
        Some(code) if code == "0" => None,
        _ => Some(
            Status::from_header_map(ended)
                .unwrap_or_else(|| Status::unknown("the answer has no status")),
        ),
    }
}
