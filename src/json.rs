//! The JSON door: the same calls for callers that cannot speak gRPC, such as a CRM's script, curl or a page.
//!
//! `POST /verbatim.v1.<Service>/<Call>` with the proto3 JSON form of the request. A request is turned into its gRPC
//! form, asked of the same services in process, and the answer is turned back: limits, deadlines and errors are theirs.
//! No logic of its own lives here.
//!
//! A streaming call is a message a line (`lines`).
//!
//! Zeros, empty lists and `false` are written out, so that a script finds every field that the interface names.

mod blame;
mod lines;
mod refusal;

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::BufMut;
use bytes::Bytes;
use bytes::BytesMut;
use futures_util::FutureExt;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use http::request::Parts;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use prost::Message;
use prost_reflect::DescriptorPool;
use prost_reflect::DynamicMessage;
use prost_reflect::MessageDescriptor;
use prost_reflect::MethodDescriptor;
use prost_reflect::SerializeOptions;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::json::blame::Blame;
use crate::json::refusal::Refusal;
pub use crate::json::refusal::Unasked;
use crate::wire::DESCRIPTOR;

/// What this door allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Unit: bytes of JSON.
    pub body_bytes_max: usize,
    /// The most that sending a request may take; the call has a limit of its own.
    pub deadline: Duration,
}

/// A flag byte and the length come before a message in gRPC form.
const PREFIX_BYTES: usize = 5;

const HINT: &str = r#"{"service":"Verbatim: how qualified is a deal, and why does it stall","call":"POST /verbatim.v1.QualificationService/ScoreDeal with content-type: application/json and {\"dealId\":\"…\"}","interface":"gRPC reflection on this port"}
"#;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTOR).expect("build.rs compiled the descriptor from proto/")
});

/// Answers a request that is not in gRPC form.
pub async fn answer<S>(calls: S, limits: &Limits, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(try_answer(calls, limits, request))
        .catch_unwind()
        .await
    {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => {
            // The line of the panic itself, with its place, comes before.
            tracing::error!(call = path, "the JSON door panicked");
            Refusal::fault().into_response()
        }
    }
}

async fn try_answer<S>(
    calls: S,
    limits: &Limits,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path == "/" && (parts.method == Method::GET || parts.method == Method::HEAD) {
        return Ok(json(StatusCode::OK, HINT.into()));
    }
    let method = method(path).ok_or_else(|| Refusal::unknown_call(path))?;
    if parts.method != Method::POST {
        return Err(Refusal::method(&parts.method));
    }
    check_content(&parts.headers)?;

    let kind = method.input();
    let asked = match method.is_client_streaming() {
        true => lines::request(kind, body, limits.body_bytes_max),
        false => {
            let body = within(limits.deadline, read(body, limits.body_bytes_max)).await??;
            let message = decode(&kind, &body)
                .map_err(|what| Refusal::unreadable(kind.name(), &what.field, &what.cause))?;
            let framed = framed(&message).ok_or_else(|| Refusal::too_large(u32::MAX as usize))?;
            Body::new(Full::new(framed))
        }
    };
    let response = ask(calls, parts, asked).await?;
    match method.is_server_streaming() {
        true => lines::response(method.output(), response),
        false => encode(&method.output(), response).await,
    }
}

fn method(path: &str) -> Option<MethodDescriptor> {
    let (service, call) = path.strip_prefix('/')?.split_once('/')?;
    let service = POOL.get_service_by_name(service)?;
    service.methods().find(|method| method.name() == call)
}

/// JSON in UTF-8, one message or a message a line, and not packed is what this door takes.
fn check_content(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    if !matches!(parts.next(), Some("application/json" | lines::CONTENT_TYPE)) {
        return Err(Refusal::content_type(&kind));
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    if charset.is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8")) {
        return Err(Refusal::content_type(&kind));
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Refusal::content_encoding()),
        _ => Ok(()),
    }
}

async fn within<T>(deadline: Duration, reading: impl Future<Output = T>) -> Result<T, Refusal> {
    tokio::time::timeout(deadline, reading)
        .await
        .map_err(|_| Refusal::too_slow(deadline))
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large(bytes_max)),
        Err(error) => {
            tracing::debug!(error, "a request broke off");
            Err(Refusal::broken_off())
        }
    }
}

/// Why a body is not the JSON form of a message.
struct Unreadable {
    /// The path of what is wrong, where it could be told.
    field: String,
    /// What is wrong, and what may be there instead.
    cause: String,
}

/// Reads the JSON form of a message; an empty body is an empty message.
fn decode(kind: &MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Unreadable> {
    if body.trim_ascii().is_empty() {
        return Ok(DynamicMessage::new(kind.clone()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    DynamicMessage::deserialize(kind.clone(), &mut reader)
        .and_then(|message| reader.end().map(|()| message))
        .map_err(|error| {
            let Blame {
                field,
                cause,
                allowed,
            } = blame::blame(kind, body);
            // With its place, unless the reader stumbled over another field first.
            let whole = error.to_string();
            let told = if whole.starts_with(&cause) {
                whole
            } else {
                cause
            };
            let cause = refusal::cut(&told);
            let allowed = allowed.map_or_else(String::new, |allowed| format!("; {allowed}"));
            Unreadable {
                field,
                cause: format!("{cause}{allowed}"),
            }
        })
}

/// The message in gRPC form; `None` when it is too long for that.
fn framed(message: &DynamicMessage) -> Option<Bytes> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).ok()?);
    framed.put(message.encode_to_vec().as_slice());
    Some(framed.freeze())
}

/// Asks the services in process, in gRPC form.
async fn ask<S>(mut calls: S, mut parts: Parts, body: Body) -> Result<Response<Body>, Refusal>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    for foreign in [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::ACCEPT_ENCODING,
        header::TRANSFER_ENCODING,
    ] {
        parts.headers.remove(foreign);
    }
    parts.headers.remove("grpc-encoding");
    parts.headers.remove("grpc-accept-encoding");
    let grpc = HeaderValue::from_static("application/grpc");
    parts.headers.insert(header::CONTENT_TYPE, grpc);

    match calls.call(Request::from_parts(parts, body)).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

/// Turns an answer in gRPC form into JSON.
async fn encode(
    kind: &MessageDescriptor,
    response: Response<Body>,
) -> Result<Response<Body>, Refusal> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        return Err(Refusal::of(&status));
    }
    let collected = response
        .into_body()
        .collect()
        .await
        .map_err(|status| Refusal::of(&status))?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    match Status::from_header_map(&trailers) {
        Some(status) if status.code() != tonic::Code::Ok => return Err(Refusal::of(&status)),
        _ => {}
    }
    let framed = collected.to_bytes();
    let message = framed.get(PREFIX_BYTES..).ok_or_else(Refusal::fault)?;
    let mut text = Vec::with_capacity(framed.len() * 3);
    write(kind, message, &mut text)?;
    Ok(json(StatusCode::OK, text.into()))
}

/// Writes the JSON form of an encoded message behind `text`.
fn write(kind: &MessageDescriptor, message: &[u8], text: &mut Vec<u8>) -> Result<(), Refusal> {
    let options = SerializeOptions::new().skip_default_fields(false);
    DynamicMessage::decode(kind.clone(), message)
        .ok()
        .and_then(|message| {
            let mut writer = serde_json::Serializer::new(text);
            message.serialize_with_options(&mut writer, &options).ok()
        })
        .ok_or_else(Refusal::fault)
}

fn json(status: StatusCode, text: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_content_type(kind: &'static str, fits: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        assert_eq!(check_content(&headers).is_ok(), fits, "{kind}");
    }

    #[test]
    fn json_in_utf_8_is_taken_however_it_is_written() {
        check_content_type("application/json", true);
        check_content_type("Application/JSON; charset=UTF-8", true);
        check_content_type("application/json;charset=\"utf-8\"", true);
        check_content_type("application/json; charset=latin1", false);
        check_content_type("application/x-ndjson", true);
        check_content_type("application/jsonp", false);
        check_content_type("text/plain", false);
        check_content_type("application/x-www-form-urlencoded", false);
        assert!(check_content(&HeaderMap::new()).is_err());
    }
}
