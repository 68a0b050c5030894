//! `bench-echo`: the least that a gRPC call costs, as a process of its own, for `bench` to hold the service against.
//!
//! It has the service's transport settings and nothing else: it reads a request of any size and answers bytes of a
//! fixed size. It decides nothing, keeps nothing and knows no message.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use clap::Args;
use futures_util::future::Ready;
use futures_util::future::ready;
use http::Request;
use http::Response;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tower::Service;

use crate::cli::bench::raw::Raw;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::serve::Stop;
use crate::grpc::limits::Limits;
use crate::grpc::serve;

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
    let echo = Echo {
        answer: Bytes::from(vec![b'x'; args.response_bytes]),
    };
    eprintln!("verbatim bench-echo listens on http://{address}");
    let limits = Limits::default();
    serve::transport(limits.streams_max)
        .serve_with_incoming_shutdown(echo, incoming, async move { stop.wanted().await })
        .await
        .map_err(|error| failed(&error))?;
    Ok(String::new())
}

#[derive(Clone)]
struct Echo {
    answer: Bytes,
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Answering(self.answer.clone());
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(call, request).await) })
    }
}

struct Answering(Bytes);

impl Service<tonic::Request<Bytes>> for Answering {
    type Response = tonic::Response<Bytes>;
    type Error = Status;
    type Future = Ready<Result<tonic::Response<Bytes>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        ready(Ok(tonic::Response::new(self.0.clone())))
    }
}
