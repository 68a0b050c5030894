//! Errors of the JSON door: `{"code": …, "message": …, "details": […]}` and the HTTP status that goes with the code.
//!
//! Those of a call are its gRPC status in JSON; the rest are about the HTTP request itself.

use std::sync::LazyLock;
use std::time::Duration;

use http::HeaderValue;
use http::Method;
use http::Response;
use http::StatusCode;
use http::header;
use prost_reflect::DescriptorPool;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use serde_json::json;
use tonic::Code;
use tonic::Status;
use tonic::body::Body;
use tonic_types::StatusExt;

/// Text from a caller is cut to this many characters when it is told back.
const TOLD_MAX: usize = 200;

static DETAILS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .expect("tonic-types carries the descriptor of google.rpc")
});

/// Goes with an answer when the request was refused before a call was asked, for who counts calls.
#[derive(Clone, Copy, Debug)]
pub struct Unasked(pub Code);

/// Why a request was not answered.
#[derive(Debug)]
pub struct Refusal {
    http: StatusCode,
    code: &'static str,
    message: String,
    details: Value,
    /// A header that the HTTP status asks for. In a box, since few refusals have one.
    header: Option<Box<(header::HeaderName, HeaderValue)>>,
    /// The code, when no call was asked.
    unasked: Option<Code>,
}

impl Refusal {
    /// The status of a call.
    pub fn of(status: &Status) -> Refusal {
        let (code, http) = names(status.code());
        let retry_after = status
            .get_details_retry_info()
            .and_then(|retry| retry.retry_delay)
            .map(|delay| HeaderValue::from(delay.as_secs().max(1)));
        Refusal {
            http,
            code,
            message: status.message().into(),
            details: details(status.details()),
            header: retry_after.map(|seconds| Box::new((header::RETRY_AFTER, seconds))),
            unasked: None,
        }
    }

    pub fn unknown_call(path: &str) -> Refusal {
        Refusal::plain(
            StatusCode::NOT_FOUND,
            "unimplemented",
            format!(
                "there is no call {}; calls are like POST /verbatim.v1.QualificationService/ScoreDeal",
                cut(path)
            ),
        )
        .because("UNKNOWN_CALL")
    }

    pub fn method(method: &Method) -> Refusal {
        let message = format!("the method must be POST, got {}", cut(method.as_str()));
        let mut refusal = Refusal::plain(StatusCode::METHOD_NOT_ALLOWED, "unimplemented", message);
        refusal.header = Some(Box::new((header::ALLOW, HeaderValue::from_static("POST"))));
        refusal
    }

    pub fn content_type(kind: &str) -> Refusal {
        let got = if kind.is_empty() { "none" } else { kind };
        let message = format!(
            "content-type must be application/json in UTF-8, application/grpc or application/grpc-web, got {}",
            cut(got)
        );
        let code = "invalid_argument";
        let mut refusal = Refusal::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message);
        let accept = HeaderValue::from_static("application/json");
        let accept_post = header::HeaderName::from_static("accept-post");
        refusal.header = Some(Box::new((accept_post, accept)));
        refusal
    }

    pub fn content_encoding() -> Refusal {
        let message = "content-encoding must be absent: the JSON form is not taken packed";
        let code = "invalid_argument";
        Refusal::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message.into())
    }

    pub fn too_slow(limit: Duration) -> Refusal {
        let message = format!("the request took longer than {} ms", limit.as_millis());
        Refusal::plain(StatusCode::REQUEST_TIMEOUT, "deadline_exceeded", message)
            .because("DEADLINE")
    }

    /// 413 rather than the 429 of other exhausted resources, since a retry would not help.
    pub fn too_large(bytes_max: usize) -> Refusal {
        let message = format!(
            "the message is larger than {bytes_max} bytes, which is the limit; nothing was done"
        );
        let code = "resource_exhausted";
        Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, code, message).because("MESSAGE_TOO_LARGE")
    }

    pub fn broken_off() -> Refusal {
        let message = "the request broke off".into();
        Refusal::plain(StatusCode::BAD_REQUEST, "canceled", message)
    }

    /// The body is not the JSON form of `kind`; `field` is the path of what is wrong, where it could be told; `cause`
    /// holds no more of the body than may be told back.
    pub fn unreadable(kind: &str, field: &str, cause: &str) -> Refusal {
        let at = if field.is_empty() { "" } else { " at " };
        let message = format!("the body is not a {kind}{at}{field}: {cause}");
        let mut refusal = Refusal::plain(StatusCode::BAD_REQUEST, "invalid_argument", message)
            .because("INVALID_FIELDS");
        if let Value::Array(details) = &mut refusal.details {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": field, "description": cause}],
            }));
        }
        refusal
    }

    pub fn fault() -> Refusal {
        let message = "the service has a fault of its own; its log has the cause";
        let mut refusal = Refusal::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            message.into(),
        );
        // Mostly after a call was answered, which is counted already.
        refusal.unasked = None;
        refusal.because("INTERNAL")
    }

    pub fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message, "details": self.details})
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = crate::json::json(self.http, self.to_json().to_string().into());
        if let Some(code) = self.unasked {
            response.extensions_mut().insert(Unasked(code));
        }
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        response
    }

    fn plain(http: StatusCode, code: &'static str, message: String) -> Refusal {
        Refusal {
            http,
            code,
            message,
            details: json!([]),
            header: None,
            unasked: (0..=16)
                .map(Code::from)
                .find(|known| names(*known).0 == code),
        }
    }

    fn because(mut self, reason: &str) -> Refusal {
        self.details = json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "verbatim.v1",
        }]);
        self
    }
}

/// The details of a status, each readable with its `@type`.
fn details(status: &[u8]) -> Value {
    DETAILS
        .get_message_by_name("google.rpc.Status")
        .and_then(|kind| DynamicMessage::decode(kind, status).ok())
        .and_then(|status| serde_json::to_value(status).ok())
        .and_then(|mut status| status.get_mut("details").map(Value::take))
        .unwrap_or_else(|| json!([]))
}

/// The names and HTTP statuses of Connect, which other tools know too.
fn names(code: Code) -> (&'static str, StatusCode) {
    match code {
        Code::Ok => ("ok", StatusCode::OK),
        Code::Cancelled => (
            "canceled",
            StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        ),
        Code::Unknown => ("unknown", StatusCode::INTERNAL_SERVER_ERROR),
        Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
        Code::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
        Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
        Code::AlreadyExists => ("already_exists", StatusCode::CONFLICT),
        Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
        Code::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS),
        Code::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST),
        Code::Aborted => ("aborted", StatusCode::CONFLICT),
        Code::OutOfRange => ("out_of_range", StatusCode::BAD_REQUEST),
        Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
        Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        Code::DataLoss => ("data_loss", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
    }
}

/// Text that may hold a caller's, short enough to be told back.
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(TOLD_MAX) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
