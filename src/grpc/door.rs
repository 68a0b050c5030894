//! Tells the forms of a request apart: gRPC, gRPC-Web, JSON, and a person with a browser.
//!
//! gRPC comes first and goes straight through. Only a request that names an origin pays for CORS.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::header;
use tokio::time::Instant;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::Layer;
use tower::Service;
use tower_http::cors::AllowHeaders;
use tower_http::cors::AllowMethods;
use tower_http::cors::AllowOrigin;
use tower_http::cors::CorsLayer;

use crate::grpc::calls::Answer;
use crate::grpc::calls::Calls;
use crate::grpc::limits::Limits;
use crate::json;
use crate::telemetry::traces;
use crate::telemetry::traces::TRACEPARENT;
use crate::telemetry::traces::current;

/// How long a browser may remember what CORS allows.
const CORS_AGE: Duration = Duration::from_secs(7_200);

/// The one service of the port. Clones share everything.
#[derive(Clone)]
pub struct Door(Arc<Shared>);

struct Shared {
    calls: Calls,
    json: json::Limits,
    cors: Option<CorsLayer>,
}

/// The forms behind CORS.
#[derive(Clone)]
struct Forms(Door);

enum Form {
    Grpc,
    GrpcWeb,
    Other,
}

impl Door {
    /// # Errors
    ///
    /// The origin that is not one.
    pub fn new(calls: Calls, limits: &Limits) -> Result<Door, String> {
        Ok(Door(Arc::new(Shared {
            calls,
            json: json::Limits {
                body_bytes_max: limits.message_bytes_max,
                deadline: limits.deadline,
            },
            cors: cors(&limits.cors_origins)?,
        })))
    }

    fn answer(&self, request: Request<Body>) -> Answer {
        match form(request.headers()) {
            Form::Grpc => self.0.calls.clone().call(request),
            Form::GrpcWeb => {
                let mut web = GrpcWebLayer::new().layer(self.0.calls.clone());
                Box::pin(web.call(request))
            }
            Form::Other => {
                let door = self.clone();
                let received = Instant::now();
                Box::pin(async move { Ok(door.json(request, received).await) })
            }
        }
    }

    /// Answers in JSON; what is refused before a call is asked is counted here.
    async fn json(&self, request: Request<Body>, received: Instant) -> Response<Body> {
        let calls = &self.0.calls;
        let uri = request.uri().clone();
        let trace = request.headers().get(TRACEPARENT).cloned();
        let call = traces::named(request.headers()).unwrap_or_else(current::call_or_new);
        let answered = async {
            let response = json::answer(calls.clone(), &self.0.json, request).await;
            if let Some(json::Unasked(code)) = response.extensions().get() {
                let headers = trace.into_iter().map(|trace| (TRACEPARENT, trace));
                calls.count(uri.path(), &headers.collect(), received, *code);
            }
            response
        };
        current::within(Some(call), answered).await
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        match &self.0.cors {
            Some(cors) if request.headers().contains_key(header::ORIGIN) => {
                Box::pin(cors.layer(Forms(self.clone())).call(request))
            }
            _ => self.answer(request),
        }
    }
}

impl Service<Request<Body>> for Forms {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        self.0.answer(request)
    }
}

fn form(headers: &HeaderMap) -> Form {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Form::Other;
    };
    let kind = kind.as_bytes();
    let Some(rest) = kind.strip_prefix(b"application/grpc") else {
        return Form::Other;
    };
    match rest {
        b"" | b"+proto" | [b';', ..] => Form::Grpc,
        [b'-', b'w', b'e', b'b', ..] => Form::GrpcWeb,
        _ => Form::Other,
    }
}

/// `None` when no page may call: then no CORS header is ever sent.
fn cors(origins: &[String]) -> Result<Option<CorsLayer>, String> {
    if origins.is_empty() {
        return Ok(None);
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let mut values = Vec::with_capacity(origins.len());
        for origin in origins {
            let fits = origin.starts_with("http://") || origin.starts_with("https://");
            let value = HeaderValue::from_str(origin).ok().filter(|_| fits);
            values.push(value.ok_or_else(|| {
                format!("a CORS origin must be like https://crm.example.com or *, got {origin:?}")
            })?);
        }
        AllowOrigin::list(values)
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::list([Method::GET, Method::POST]))
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            HeaderName::from_static("grpc-status"),
            HeaderName::from_static("grpc-message"),
            HeaderName::from_static("grpc-status-details-bin"),
        ])
        .max_age(CORS_AGE);
    Ok(Some(layer))
}
