//! `bench-echo`: the least that a gRPC call costs, as a process of its own, for `bench` to hold the service against.
//!
//! It reads a request of any size and answers bytes of a fixed size. It decides nothing, knows no message, and keeps
//! nothing, or only what the thread of `file` makes durable before the answer. Its connections are served by tonic's own
//! server as tonic sets it up, or by the service's.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use clap::Args;
use clap::ValueEnum;
use http::Request;
use http::Response;
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tower::Service;

use crate::cli::bench::file::Appender;
use crate::cli::bench::raw::Raw;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::serve::Stop;
use crate::grpc::connections;
use crate::grpc::limits::Limits;

pub const EXAMPLES: &str = "Examples:
  verbatim bench-echo --listen 127.0.0.1:7451 --response-bytes 3000";

#[derive(Args, Debug)]
pub struct EchoArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Bytes of each answer's message
    #[arg(long, value_name = "BYTES", default_value_t = 1_500)]
    response_bytes: usize,
    /// Whose server serves the connections
    #[arg(long, value_enum, default_value_t = Transport::Tonic)]
    transport: Transport,
    /// Append a record to a file here, and answer after its sync
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Bytes of each record
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    record_bytes: usize,
}

/// Whose server serves the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Transport {
    /// That of tonic, with its defaults.
    Tonic,
    /// That of the service, with its settings.
    Service,
}

/// Serves until told to stop.
pub async fn run(args: EchoArgs) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Unavailable,
            format!("cannot listen on {}: {error}", args.listen),
        )
    };
    let mut stop = Stop::listen()?;
    let incoming = TcpIncoming::bind(args.listen)
        .map_err(|error| failed(&error))?
        .with_nodelay(Some(true));
    let address = incoming.local_addr().map_err(|error| failed(&error))?;
    let appender = match &args.directory {
        Some(directory) => Some(
            Appender::start(directory)
                .map_err(|error| failed(&error))?
                .0,
        ),
        None => None,
    };
    let echo = Echo {
        answer: Bytes::from(vec![b'x'; args.response_bytes]),
        appender,
        record_bytes: args.record_bytes,
    };
    eprintln!("verbatim bench-echo listens on http://{address}");
    match args.transport {
        Transport::Tonic => tonic::transport::Server::builder()
            .serve_with_incoming_shutdown(echo, incoming, async move { stop.wanted().await })
            .await
            .map_err(|error| failed(&error))?,
        Transport::Service => {
            let (close, closed) = watch::channel(false);
            let streams_max = Limits::default().streams_max;
            let serving = connections::serve(echo, incoming, streams_max, closed);
            let stopping = async {
                stop.wanted().await;
                close.send_replace(true);
            };
            tokio::join!(serving, stopping);
        }
    }
    Ok(String::new())
}

#[derive(Clone)]
struct Echo {
    answer: Bytes,
    appender: Option<Appender>,
    record_bytes: usize,
}

type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call(self.clone());
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(call, request).await) })
    }
}

struct Call(Echo);

impl Service<tonic::Request<Bytes>> for Call {
    type Response = tonic::Response<Bytes>;
    type Error = Status;
    type Future = Answering<Result<tonic::Response<Bytes>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        let echo = self.0.clone();
        Box::pin(async move {
            if let Some(appender) = &echo.appender {
                let kept = appender.append(vec![b'x'; echo.record_bytes]).await;
                kept.ok_or_else(|| Status::internal("the file is not written any more"))?;
            }
            Ok(tonic::Response::new(echo.answer))
        })
    }
}
