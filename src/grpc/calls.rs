//! The calls in gRPC form, within their limits: how many at once, how long, how large; a panic is one failed call.
//!
//! A streaming call has limits of its own, in `flow`: it may last, and is counted apart.
//!
//! One small layer of our own instead of a tower of them, since every call passes here: no router, one future in one
//! box, and a timer that is only set when the call does not answer at once.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream;
use http::HeaderMap;
use http::Request;
use http::Response;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::Code;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tower::Service;

use crate::app::App;
use crate::app::background::Background;
use crate::grpc::deals::Deals;
use crate::grpc::flow;
use crate::grpc::flow::Places;
use crate::grpc::forecast::Forecast;
use crate::grpc::ingest::Ingest;
use crate::grpc::limits::Limits;
use crate::grpc::observed;
use crate::grpc::observed::Methods;
use crate::grpc::operator::Operator;
use crate::grpc::qualification::Qualification;
use crate::grpc::status;
use crate::grpc::traffic::Traffic;
use crate::telemetry::log::panics;
use crate::wire::pb::deal_service_server::DealServiceServer;
use crate::wire::pb::forecast_service_server::ForecastServiceServer;
use crate::wire::pb::ingest_service_server::IngestServiceServer;
use crate::wire::pb::operator_service_server::OperatorServiceServer;
use crate::wire::pb::qualification_service_server::QualificationServiceServer;

/// An answer under way.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// All services of the port, in gRPC form. Clones share everything.
#[derive(Clone)]
pub struct Calls(Arc<Shared>);

struct Shared {
    qualification: QualificationServiceServer<Qualification>,
    deals: DealServiceServer<Deals>,
    forecast: ForecastServiceServer<Forecast>,
    ingest: IngestServiceServer<Ingest>,
    operator: OperatorServiceServer<Operator>,
    /// Health and reflection: neither counted nor timed, as they must answer under load and may stream for long.
    aside: Routes,
    traffic: Arc<Traffic>,
    flowing: Places,
    /// Told when a call was refused as UNAVAILABLE, so that health is looked at before its next turn.
    refused: Arc<Notify>,
    limits: Limits,
    methods: Methods,
}

impl Calls {
    pub fn new(
        app: Arc<App>,
        aside: Routes,
        background: Background,
        refused: Arc<Notify>,
        limits: &Limits,
    ) -> Calls {
        let methods = Methods::new(app.telemetry());
        let qualification = QualificationServiceServer::new(Qualification::new(Arc::clone(&app)))
            .max_decoding_message_size(limits.message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        let deals = DealServiceServer::new(Deals::new(Arc::clone(&app)))
            .max_decoding_message_size(limits.message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        let forecast = ForecastServiceServer::new(Forecast::new(Arc::clone(&app)))
            .max_decoding_message_size(limits.message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        // Without compression: an archive is compressed.
        let operator = OperatorServiceServer::new(Operator::new(Arc::clone(&app)))
            .max_decoding_message_size(limits.message_bytes_max);
        let traffic = Arc::new(Traffic::default());
        let beside = Arc::clone(&traffic);
        let ingest = Ingest::new(app, background, beside, limits.message_bytes_max);
        let ingest = IngestServiceServer::new(ingest)
            .max_decoding_message_size(limits.message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Calls(Arc::new(Shared {
            qualification,
            deals,
            forecast,
            ingest,
            operator,
            aside: aside.prepare(),
            traffic,
            flowing: Places::new(limits.streaming_calls_max),
            refused,
            limits: limits.clone(),
            methods,
        }))
    }
}

impl Calls {
    /// Counts a call that was refused before it came here.
    pub fn count(&self, path: &str, headers: &HeaderMap, received: Instant, code: Code) {
        self.0.methods.begin(path, headers, received).end(code);
    }
}

impl Service<Request<Body>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        // The caller's time runs from here, before the answer is first polled.
        let received = Instant::now();
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.answer(request, received).await) })
    }
}

impl Shared {
    async fn answer(&self, request: Request<Body>, received: Instant) -> Response<Body> {
        let path = request.uri().path();
        if path.starts_with("/grpc.") {
            return infallible(self.aside.clone().call(request).await);
        }
        let call = self.methods.begin(path, request.headers(), received);
        if flow::STREAMING.contains(&path) {
            let answering = call.within(self.stream(call.receiving(request), received));
            return call.end_with(answering.await);
        }
        let answering = call.within(self.unary(request, received));
        let (response, code) = answering.await;
        call.end(code);
        response
    }

    /// Answers a call of one message each way; also the code it ended in.
    async fn unary(&self, request: Request<Body>, received: Instant) -> (Response<Body>, Code) {
        let Some(_place) = self.traffic.take(self.limits.calls_max) else {
            return refused(&status::too_many_calls(self.limits.calls_max));
        };
        let allowed = allowed(request.headers(), self.limits.deadline);
        let uri = request.uri().clone();
        let call = AssertUnwindSafe(async { whole(self.dispatch(request).await).await });
        let call = call.catch_unwind();
        match tokio::time::timeout_at(received + allowed, call).await {
            Ok(Ok((response, ended))) => {
                let response = self.checked(response, uri.path());
                let code = observed::code(response.headers()).unwrap_or(ended);
                (response, code)
            }
            Ok(Err(panic)) => {
                let cause = panics::words(&*panic);
                tracing::error!(cause, call = uri.path(), "a call panicked");
                refused(&status::internal())
            }
            Err(_) => refused(&status::deadline(allowed)),
        }
    }

    /// Answers a streaming call: only its head is due within the service's deadline.
    async fn stream(&self, request: Request<Body>, received: Instant) -> Response<Body> {
        let Some(place) = self.flowing.take() else {
            return status::streams::too_many(self.limits.streaming_calls_max).into_http();
        };
        let asked = asked(request.headers());
        let head = asked.unwrap_or(Duration::MAX).min(self.limits.deadline);
        let uri = request.uri().clone();
        let call = AssertUnwindSafe(self.dispatch(request)).catch_unwind();
        match tokio::time::timeout_at(received + head, call).await {
            Ok(Ok(response)) => {
                let response = self.checked(response, uri.path());
                let until = asked.and_then(|asked| Some((received.checked_add(asked)?, asked)));
                response.map(|body| flow::within(body, until, place))
            }
            Ok(Err(panic)) => {
                let cause = panics::words(&*panic);
                tracing::error!(cause, call = uri.path(), "a call panicked");
                status::internal().into_http()
            }
            Err(_) => status::deadline(head).into_http(),
        }
    }

    async fn dispatch(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if path.starts_with("/verbatim.v1.QualificationService/") {
            return infallible(self.qualification.clone().call(request).await);
        }
        if path.starts_with("/verbatim.v1.DealService/") {
            return infallible(self.deals.clone().call(request).await);
        }
        if path.starts_with("/verbatim.v1.ForecastService/") {
            return infallible(self.forecast.clone().call(request).await);
        }
        if path.starts_with("/verbatim.v1.IngestService/") {
            return infallible(self.ingest.clone().call(request).await);
        }
        if path.starts_with("/verbatim.v1.OperatorService/") {
            return infallible(self.operator.clone().call(request).await);
        }
        status::unknown_call(path).into_http()
    }

    /// Puts what tonic refused before a handler was asked into the words of this service.
    ///
    /// An answer has its status in the trailers and passes; a refusal has it in the head.
    fn checked(&self, response: Response<Body>, path: &str) -> Response<Body> {
        if !response.headers().contains_key(Status::GRPC_STATUS) {
            return response;
        }
        let Some(refusal) = Status::from_header_map(response.headers()) else {
            return response;
        };
        if refusal.code() == Code::Unavailable {
            self.refused.notify_one();
        }
        if !refusal.details().is_empty() {
            return response;
        }
        status::of_transport(refusal, path, self.limits.message_bytes_max).into_http()
    }
}

/// A refusal, and its code.
fn refused(status: &Status) -> (Response<Body>, Code) {
    (status.clone().into_http(), status.code())
}

/// The answer with its message encoded, and the code that its trailers tell.
///
/// tonic encodes only when the body is asked for, which is after the head was sent; by then the connection, on another
/// thread, is likely to have written the head alone. So head, message and trailers leave in one write.
async fn whole(response: Response<Body>) -> (Response<Body>, Code) {
    let (head, mut body) = response.into_parts();
    // A message and its trailers.
    let mut frames = Vec::with_capacity(2);
    let mut code = Code::Unknown;
    while let Some(frame) = body.frame().await {
        if let Ok(frame) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            code = observed::code(trailers).unwrap_or(code);
        }
        frames.push(frame);
    }
    // A refusal is a head alone, and has to say that it is.
    let body = match frames.is_empty() {
        true => Body::empty(),
        false => Body::new(StreamBody::new(stream::iter(frames))),
    };
    (Response::from_parts(head, body), code)
}

/// The shorter of what the caller and the service allow.
fn allowed(headers: &HeaderMap, limit: Duration) -> Duration {
    asked(headers).map_or(limit, |asked| asked.min(limit))
}

/// What the caller allows, if it says so.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    // The specification leaves a malformed one open; a caller with a broken clock is served all the same.
    let asked = timeout(headers.get("grpc-timeout")?.to_str().ok()?)?;
    // A tick before the caller's own timer, so that the caller hears who was late.
    Some(asked.saturating_sub(Duration::from_millis(1)))
}

/// Reads at most eight digits and a unit: `250m` are 250 ms.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if 8 < digits.len() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_eight_digits_and_a_unit() {
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(
            timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        for wrong in ["", "m", "1", "1x", "-1m", "+1m", "123456789m", "1µ", "é"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_shorter_of_caller_and_service_holds() {
        let limit = Duration::from_secs(10);
        let check = |header: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", header.parse().unwrap());
            assert_eq!(allowed(&headers, limit), expected, "{header}");
        };
        check("2S", Duration::from_millis(1_999));
        check("20S", limit);
        check("10u", Duration::ZERO);
        check("soon", limit);
        assert_eq!(allowed(&HeaderMap::new(), limit), limit);
    }
}
