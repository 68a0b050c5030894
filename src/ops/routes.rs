//! The paths of the operations port and what each answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::body::Incoming;
use tokio::sync::Mutex;

use crate::telemetry::Telemetry;
use crate::telemetry::log::Log;
use crate::telemetry::metrics;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::open;

const PATHS: &str = "\
GET /livez            whether the threads that answer calls run
GET /readyz           whether the service takes calls; ?verbose tells each check
GET /metrics          numbers, as Prometheus reads them; as OpenMetrics, with exemplars, if asked for
GET /loglevel         what is logged
PUT /loglevel         log by this filter from now on, such as debug or info,sled=warn
";

const TEXT: &str = "text/plain; charset=utf-8";

/// Bytes of a filter, at most.
const FILTER_BYTES_MAX: usize = 1024;

/// How long a filter may take to come.
const FILTER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the figures may take, which are read from the disk.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

type Answer = Response<Full<Bytes>>;

pub struct Routes {
    telemetry: Telemetry,
    log: Log,
    /// Held while figures are read, so that a disk that hangs holds up one thread and not one a scrape.
    scraping: Arc<Mutex<()>>,
}

impl Routes {
    pub fn new(telemetry: Telemetry, log: Log) -> Routes {
        Routes {
            telemetry,
            log,
            scraping: Arc::default(),
        }
    }

    pub async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let path = request.uri().path();
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        Ok(match path {
            "/" if reads => text(StatusCode::OK, PATHS),
            "/livez" if reads => self.liveness(),
            "/readyz" if reads => self.readiness(request.uri().query()),
            "/metrics" if reads => self.metrics(request.headers().get(header::ACCEPT)).await,
            "/loglevel" if reads => text(StatusCode::OK, self.log.filter() + "\n"),
            "/loglevel" if request.method() == Method::PUT => {
                self.set_filter(request.into_body()).await
            }
            "/" | "/livez" | "/readyz" | "/metrics" => not_allowed("GET, HEAD"),
            "/loglevel" => not_allowed("GET, HEAD, PUT"),
            _ => text(StatusCode::NOT_FOUND, format!("there are\n{PATHS}")),
        })
    }

    fn liveness(&self) -> Answer {
        match self.telemetry.pulse.silent(Instant::now()) {
            None => text(StatusCode::OK, "ok\n"),
            Some(silence) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                format!(
                    "the threads that answer calls have not run for {} s\n",
                    silence.as_secs()
                ),
            ),
        }
    }

    fn readiness(&self, query: Option<&str>) -> Answer {
        let readiness = &self.telemetry.readiness;
        let failing = readiness.failing();
        let status = match failing.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let is_verbose = query.is_some_and(|query| {
            let mut parts = query.split('&');
            parts.any(|part| part.split('=').next() == Some("verbose"))
        });
        if is_verbose {
            return text(status, readiness.verbose());
        }
        let why: Vec<String> = failing.into_iter().map(|(_, why)| why).collect();
        match why.is_empty() {
            true => text(status, "ok\n"),
            false => text(status, format!("not ready: {}\n", why.join("; "))),
        }
    }

    async fn metrics(&self, accept: Option<&HeaderValue>) -> Answer {
        let Ok(scraping) = Arc::clone(&self.scraping).try_lock_owned() else {
            return text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the scrape before this one is not done\n",
            );
        };
        let accept = accept.and_then(|accept| accept.to_str().ok());
        let (kind, of): (_, fn(&Metrics) -> String) = match accept.is_some_and(open::is_preferred) {
            true => (open::CONTENT_TYPE, Metrics::scrape_open),
            false => (metrics::CONTENT_TYPE, Metrics::scrape),
        };
        let telemetry = self.telemetry.clone();
        let scrape = tokio::task::spawn_blocking(move || {
            let _scraping = scraping;
            of(&telemetry.metrics)
        });
        match tokio::time::timeout(SCRAPE_TIMEOUT, scrape).await {
            Ok(Ok(figures)) => {
                let mut answer = text(StatusCode::OK, figures);
                let kind = HeaderValue::from_static(kind);
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
                answer
            }
            Ok(Err(_)) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the figures could not be read; the log says why\n",
            ),
            Err(_) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the figures could not be read in time: the disk does not answer\n",
            ),
        }
    }

    async fn set_filter(&self, body: Incoming) -> Answer {
        let body = Limited::new(body, FILTER_BYTES_MAX).collect();
        let body = match tokio::time::timeout(FILTER_TIMEOUT, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                let problem = format!("the filter must be at most {FILTER_BYTES_MAX} bytes\n");
                return text(StatusCode::BAD_REQUEST, problem);
            }
            Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the filter did not come\n"),
        };
        let filter = String::from_utf8_lossy(&body);
        let filter = filter.trim();
        match self.log.set_filter(filter) {
            Ok(()) => {
                tracing::info!(filter, "what is logged was changed");
                text(StatusCode::OK, format!("{filter}\n"))
            }
            Err(problem) => {
                let problem = format!("the filter {problem}, got {filter:?}\n");
                text(StatusCode::BAD_REQUEST, problem)
            }
        }
    }
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("this takes {methods}\n"),
    );
    let methods = HeaderValue::from_static(methods);
    answer.headers_mut().insert(header::ALLOW, methods);
    answer
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(TEXT);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
