//! Each call as those who run the service see it: a number, a line in the log when it ends, a span of a trace.
//!
//! 1. A call is counted and timed once, at its end, whatever ends it: an answer, a refusal, a panic, a caller who went away.
//!    A stream ends with its last frame.
//! 2. Its method is one of the interface's own; what is not is counted as `unknown`.
//! 3. A line names the method, the code, the duration and the trace, and nothing that a caller sent beside.

mod messages;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use http::HeaderMap;
use http::Request;
use http::Response;
use http_body::Frame;
use http_body::SizeHint;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::time::Instant;
use tonic::Code;
use tonic::Status;
use tonic::body::Body;
use tracing::Instrument;
use tracing::Span;
use tracing::field;
use tracing::span::EnteredSpan;

use crate::grpc::observed::messages::Counted;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::calls::CODES;
use crate::telemetry::metrics::calls::Method;
use crate::telemetry::metrics::calls::Shape;
use crate::telemetry::metrics::calls::UNKNOWN;
use crate::telemetry::traces;
use crate::telemetry::traces::Sampled;
use crate::telemetry::traces::current;
use crate::telemetry::traces::current::Call;
use crate::wire::DESCRIPTOR;

/// The package whose services are served here.
const PACKAGE: &str = "verbatim.v1";

/// The methods of the interface, each with its numbers.
pub struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
}

/// A call under way.
pub struct Observed {
    method: Arc<Method>,
    received: Instant,
    span: Span,
    sampled: Option<Sampled>,
    traced: Call,
    has_ended: bool,
}

/// The body of a streaming answer; the call ends with it.
struct Streamed {
    body: Body,
    call: Observed,
}

impl Methods {
    pub fn new(telemetry: &Telemetry) -> Methods {
        let calls = &telemetry.metrics.calls;
        let files = FileDescriptorSet::decode(DESCRIPTOR)
            .expect("build.rs compiled the descriptor from proto/");
        let ours = files.file.iter().filter(|file| file.package() == PACKAGE);
        let mut by_path = HashMap::new();
        for service in ours.flat_map(|file| &file.service) {
            let full = format!("{PACKAGE}.{}", service.name());
            for method in &service.method {
                let shape = match method.client_streaming() || method.server_streaming() {
                    true => Shape::Stream,
                    false => Shape::Unary,
                };
                let path = format!("/{full}/{}", method.name());
                let method = calls.method(&full, method.name(), shape);
                by_path.insert(path, Arc::new(method));
            }
        }
        let unknown = Arc::new(calls.method(UNKNOWN, UNKNOWN, Shape::Unary));
        Methods { by_path, unknown }
    }

    /// A call to `path` was received.
    pub fn begin(&self, path: &str, headers: &HeaderMap, received: Instant) -> Observed {
        let method = Arc::clone(self.by_path.get(path).unwrap_or(&self.unknown));
        method.begun();
        let traced = traces::named(headers).unwrap_or_else(current::call_or_new);
        let _entered = current::enter(Some(traced));
        // Another level than the lines of a call, so that spans cost nothing where nobody sends them.
        let span = tracing::debug_span!(
            "call",
            otel.name = method.name,
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.system = "grpc",
            rpc.grpc.status_code = field::Empty,
        );
        traces::adopt(&span, headers);
        Observed {
            method,
            received,
            sampled: traces::sent(&span).as_ref().and_then(Sampled::of),
            traced,
            span,
            has_ended: false,
        }
    }
}

impl Observed {
    /// What is done for the call: its lines and spans are in its trace.
    pub fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        current::within(Some(self.traced), work).instrument(self.span.clone())
    }

    /// The request of a call that streams, whose messages are counted as they come.
    pub fn receiving(&self, request: Request<Body>) -> Request<Body> {
        match self.method.messages() {
            Some(messages) => {
                request.map(|body| Body::new(Counted::new(body, messages.received.clone())))
            }
            None => request,
        }
    }

    /// The call has ended.
    pub fn end(mut self, code: Code) {
        self.ended(code);
    }

    /// Ends the call with the body of its answer; at once when the head refuses it.
    pub fn end_with(self, response: Response<Body>) -> Response<Body> {
        if let Some(code) = code(response.headers()) {
            self.end(code);
            return response;
        }
        let response = response.map(|body| match self.method.messages() {
            Some(messages) => Body::new(Counted::new(body, messages.sent.clone())),
            None => body,
        });
        response.map(|body| Body::new(Streamed { body, call: self }))
    }

    /// From here on lines of this thread belong to the call.
    fn entered(&self) -> (current::Entered, EnteredSpan) {
        (
            current::enter(Some(self.traced)),
            self.span.clone().entered(),
        )
    }

    fn ended(&mut self, code: Code) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let took = self.received.elapsed();
        self.span.record("rpc.grpc.status_code", code as i64);
        self.method.ended(code as usize, took, self.sampled);
        let _entered = self.entered();
        let method = self.method.name.as_str();
        let duration_ms = took.as_micros() as f64 / 1e3;
        let name = CODES.get(code as usize).copied().unwrap_or_default();
        match code {
            Code::Ok => tracing::debug!(method, code = name, duration_ms, "call"),
            Code::Unknown | Code::Internal | Code::Unavailable | Code::DataLoss => {
                self.span.record("otel.status_code", "ERROR");
                tracing::error!(method, code = name, duration_ms, "call");
            }
            Code::DeadlineExceeded | Code::ResourceExhausted => {
                tracing::warn!(method, code = name, duration_ms, "call");
            }
            Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => {
                tracing::info!(method, code = name, duration_ms, "call");
            }
        }
    }
}

impl Drop for Observed {
    /// Without an end the caller went away.
    fn drop(&mut self) {
        self.ended(Code::Cancelled);
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let entered = self.call.entered();
        let polled = Pin::new(&mut self.body).poll_frame(context);
        drop(entered);
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.call.ended(code(trailers).unwrap_or(Code::Unknown));
                }
            }
            Some(Err(status)) => self.call.ended(status.code()),
            None => self.call.ended(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The code that a head or trailers end a call in, if they do.
pub fn code(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_under_a_method_of_the_interface() {
        let telemetry = Telemetry::default();
        let methods = Methods::new(&telemetry);
        let begin = |path| methods.begin(path, &HeaderMap::new(), Instant::now());
        begin("/verbatim.v1.QualificationService/ScoreDeal").end(Code::NotFound);
        drop(begin("/verbatim.v1.QualificationService/ScoreDeal"));
        begin("/verbatim.v1.QualificationService/ana-said").end(Code::Unimplemented);
        begin("/x/y").end(Code::Unimplemented);
        let text = telemetry.metrics.scrape();
        let score = "service=\"verbatim.v1.QualificationService\"}";
        for line in [
            "code=\"NOT_FOUND\",method=\"ScoreDeal\",service=\"verbatim.v1.QualificationService\"} 1\n".to_owned(),
            "code=\"CANCELLED\",method=\"ScoreDeal\",service=\"verbatim.v1.QualificationService\"} 1\n".to_owned(),
            "code=\"UNIMPLEMENTED\",method=\"unknown\",service=\"unknown\"} 2\n".to_owned(),
            format!("verbatim_request_duration_seconds_count{{code=\"NOT_FOUND\",method=\"ScoreDeal\",{score} 1\n"),
            "verbatim_requests_in_flight 0\n".to_owned(),
        ] {
            assert!(text.contains(&line), "{line} in {text}");
        }
        assert!(!text.contains("ana-said"), "{text}");
    }
}
