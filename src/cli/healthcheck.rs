//! `healthcheck`: asks a service once whether it is ready, for images without a shell.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::Request;
use http::Uri;
use http::header;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::Limited;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::failure::sentence;
use crate::config;

pub const EXAMPLES: &str = "Examples:
  verbatim healthcheck
  verbatim healthcheck --server http://127.0.0.1:7450 --service verbatim.v1.DealService
  verbatim healthcheck --ops http://127.0.0.1:7451

Ends with 0 when the service is ready, with 1 when it is not or nobody answers.";

/// Bytes of an answer that are read, at most: it is a sentence.
const ANSWER_BYTES_MAX: usize = 4096;

#[derive(Args, Debug)]
pub struct HealthcheckArgs {
    /// The service to ask, by gRPC health [env: VERBATIM_SERVER; default: http://127.0.0.1:7450]
    #[arg(long, value_name = "URL", conflicts_with = "ops")]
    server: Option<String>,
    /// One service of it in place of the whole, such as verbatim.v1.DealService
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "ops"
    )]
    service: String,
    /// The operations port to ask instead, for /readyz
    #[arg(long, value_name = "URL")]
    ops: Option<String>,
    /// Milliseconds to wait for the answer
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    timeout_ms: u64,
}

/// Prints that the service is ready.
///
/// # Errors
///
/// Exit 1 with the reason when it is not; usage when the URL is none.
pub async fn run(args: HealthcheckArgs) -> Result<String, Failure> {
    let timeout = Duration::from_millis(args.timeout_ms);
    let asked = async {
        match &args.ops {
            Some(url) => of_ops(url).await,
            None => of_server(&config::server_url(args.server.as_deref()), &args.service).await,
        }
    };
    match tokio::time::timeout(timeout, asked).await {
        Ok(answer) => answer.map(|()| "ready\n".to_owned()),
        Err(_) => Err(not_ready(&format!(
            "no answer within {} ms",
            args.timeout_ms
        ))),
    }
}

async fn of_server(url: &str, service: &str) -> Result<(), Failure> {
    let channel = Endpoint::from_shared(url.to_owned())
        .map_err(|_| usage("--server", url))?
        .connect()
        .await
        .map_err(|_| not_ready(&format!("no service answers at {url}")))?;
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
        Ok(_) => Err(not_ready("the service does not serve")),
        Err(status) => Err(not_ready(&sentence(&status))),
    }
}

async fn of_ops(url: &str) -> Result<(), Failure> {
    let uri: Uri = url.parse().map_err(|_| usage("--ops", url))?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => authority,
        _ => return Err(usage("--ops", url)),
    };
    let address = (
        authority.host().trim_matches(['[', ']']),
        authority.port_u16().unwrap_or(80),
    );
    let unanswered = |_| not_ready(&format!("nobody answers at {url}"));
    let stream = TcpStream::connect(address).await.map_err(unanswered)?;

    let broken = |_| not_ready(&format!("what answers at {url} is no operations port"));
    let (mut asking, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/readyz")
        .header(header::HOST, authority.as_str())
        .body(Empty::<Bytes>::new())
        .expect("the authority of a URI is a header's value");
    let answer = asking.send_request(request).await.map_err(broken)?;
    let is_ready = answer.status().is_success();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
    let why = body.await.map(|body| body.to_bytes()).unwrap_or_default();
    connection.abort();
    match is_ready {
        true => Ok(()),
        false => Err(not_ready(String::from_utf8_lossy(&why).trim())),
    }
}

fn not_ready(why: &str) -> Failure {
    Failure::new(Exit::Refused, why)
}

fn usage(flag: &str, url: &str) -> Failure {
    let text = format!("{flag} {url}: must be a URL such as http://127.0.0.1:7450");
    Failure::new(Exit::Usage, text)
}
