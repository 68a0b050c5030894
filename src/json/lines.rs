//! Streaming calls of the JSON door: a message a line, each way.
//!
//! A stream that ends in an error ends with the line `{"error": …}` of the same form as any error of this door: by then the
//! HTTP status has been sent. A line that cannot be read ends the stream; what came before it was done.

use bytes::Bytes;
use bytes::BytesMut;
use futures_util::stream;
use http::HeaderValue;
use http::Response;
use http::header;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use prost_reflect::MessageDescriptor;
use serde_json::json;
use tonic::Code;
use tonic::Status;
use tonic::body::Body;
use tonic_types::ErrorDetails;
use tonic_types::StatusExt;

use crate::json;
use crate::json::PREFIX_BYTES;
use crate::json::Unreadable;
use crate::json::refusal::Refusal;

/// The form of a stream in JSON.
pub const CONTENT_TYPE: &str = "application/x-ndjson";

/// Lines on their way in.
struct Lines {
    body: Body,
    kind: MessageDescriptor,
    line_bytes_max: usize,
    read: BytesMut,
    /// Of `read`, what is known to hold no end of a line.
    searched: usize,
    number: usize,
    ended: bool,
}

/// Messages on their way out.
struct Messages {
    body: Body,
    kind: MessageDescriptor,
    read: BytesMut,
}

/// The lines of a body in gRPC form, each read when the call asks for it.
pub fn request(kind: MessageDescriptor, body: Body, line_bytes_max: usize) -> Body {
    let lines = Lines {
        body,
        kind,
        line_bytes_max,
        read: BytesMut::new(),
        searched: 0,
        number: 0,
        ended: false,
    };
    Body::new(StreamBody::new(stream::unfold(
        Some(lines),
        |lines| async {
            let mut lines = lines?;
            match lines.next().await? {
                Ok(message) => Some((Ok(Frame::data(message)), Some(lines))),
                Err(status) => Some((Err(status), None)),
            }
        },
    )))
}

/// The messages of an answer in gRPC form, a line each.
pub fn response(
    kind: MessageDescriptor,
    response: Response<Body>,
) -> Result<Response<Body>, Refusal> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        return Err(Refusal::of(&status));
    }
    let messages = Messages {
        body: response.into_body(),
        kind,
        read: BytesMut::new(),
    };
    let lines = stream::unfold(Some(messages), |messages| async {
        let mut messages = messages?;
        match messages.next().await? {
            Ok(lines) => Some((Ok::<_, Status>(Frame::data(lines)), Some(messages))),
            Err(refusal) => {
                let mut line = json!({"error": refusal.to_json()}).to_string();
                line.push('\n');
                Some((Ok(Frame::data(line.into())), None))
            }
        }
    });
    let mut response = Response::new(Body::new(StreamBody::new(lines)));
    let kind = HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Bytes, Status>> {
        loop {
            let line = match self.line().await? {
                Ok(line) => line,
                Err(status) => return Some(Err(status)),
            };
            self.number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let message = json::decode(&self.kind, &line).map_err(|what| self.unreadable(&what));
            return Some(
                message.and_then(|message| json::framed(&message).ok_or_else(|| self.too_long())),
            );
        }
    }

    /// The next line without its end, or what is left when there is no more to come.
    async fn line(&mut self) -> Option<Result<Bytes, Status>> {
        loop {
            let fresh = &self.read[self.searched..];
            if let Some(length) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(self.searched + length + 1).freeze();
                self.searched = 0;
                return Some(Ok(line));
            }
            self.searched = self.read.len();
            if self.line_bytes_max < self.read.len() {
                self.number += 1;
                return Some(Err(self.too_long()));
            }
            if self.ended {
                let rest = self.read.split().freeze();
                self.searched = 0;
                return (!rest.is_empty()).then_some(Ok(rest));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(status)) => return Some(Err(status)),
                None => self.ended = true,
            }
        }
    }

    fn unreadable(&self, what: &Unreadable) -> Status {
        let number = self.number;
        let kind = self.kind.name();
        let Unreadable { field, cause } = what;
        let at = if field.is_empty() { "" } else { " at " };
        let mut details = ErrorDetails::with_bad_request_violation(field, cause);
        // As of any body that cannot be read.
        details.set_error_info("INVALID_FIELDS", "verbatim.v1", []);
        Status::with_error_details(
            Code::InvalidArgument,
            format!("line {number} is not a {kind}{at}{field}: {cause}"),
            details,
        )
    }

    fn too_long(&self) -> Status {
        let (number, limit) = (self.number, self.line_bytes_max);
        Status::resource_exhausted(format!(
            "line {number} is longer than {limit} bytes, which is the limit"
        ))
    }
}

impl Messages {
    /// All messages that have arrived since, as lines; waits for at least one.
    async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        loop {
            match self.arrived() {
                Ok(lines) if lines.is_empty() => {}
                told => return Some(told),
            }
            match self.body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => self.read.extend_from_slice(&data),
                    Err(frame) => return ended(frame).map(Err),
                },
                Err(status) => return Some(Err(Refusal::of(&status))),
            }
        }
    }

    fn arrived(&mut self) -> Result<Bytes, Refusal> {
        let mut lines = Vec::new();
        while let Some(length) = self.next_length() {
            if self.read.len() < PREFIX_BYTES + length {
                break;
            }
            let message = self.read.split_to(PREFIX_BYTES + length);
            json::write(&self.kind, &message[PREFIX_BYTES..], &mut lines)?;
            lines.push(b'\n');
        }
        Ok(lines.into())
    }

    /// The length of the message that `read` begins with, once its prefix is there.
    fn next_length(&self) -> Option<usize> {
        let (_, rest) = self.read.split_first()?;
        let length = rest.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*length) as usize)
    }
}

/// The error in the trailers, if the stream ends in one.
fn ended(trailers: Frame<Bytes>) -> Option<Refusal> {
    let trailers = trailers.into_trailers().ok()?;
    let status = Status::from_header_map(&trailers)?;
    (status.code() != Code::Ok).then(|| Refusal::of(&status))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderMap;
    use prost::Message;

    use super::*;
    use crate::wire::pb::ScoreDealRequest;

    fn kind() -> MessageDescriptor {
        json::POOL
            .get_message_by_name("verbatim.v1.ScoreDealRequest")
            .unwrap()
    }

    fn body(frames: Vec<Frame<Bytes>>) -> Body {
        let frames = frames.into_iter().map(Ok::<_, Infallible>);
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    fn chunks(text: &str, length: usize) -> Body {
        let chunks = text.as_bytes().chunks(length);
        body(
            chunks
                .map(|chunk| Frame::data(Bytes::copy_from_slice(chunk)))
                .collect(),
        )
    }

    /// The deals that the lines ask for, and how their stream ends.
    async fn asked(mut lines: Body) -> (Vec<String>, Option<Status>) {
        let mut deals = Vec::new();
        while let Some(frame) = lines.frame().await {
            match frame {
                Ok(frame) => {
                    let framed = frame.into_data().unwrap();
                    let message = ScoreDealRequest::decode(&framed[PREFIX_BYTES..]).unwrap();
                    deals.push(message.deal_id);
                }
                Err(status) => return (deals, Some(status)),
            }
        }
        (deals, None)
    }

    fn message(deal_id: &str) -> Vec<u8> {
        let message = ScoreDealRequest {
            deal_id: deal_id.into(),
            ..ScoreDealRequest::default()
        };
        let message = message.encode_to_vec();
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(&message);
        framed
    }

    async fn told(frames: Vec<Frame<Bytes>>) -> Vec<serde_json::Value> {
        let answer = response(kind(), Response::new(body(frames))).unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn each_line_is_a_message_wherever_the_chunks_are_cut() {
        let text = "{\"dealId\": \"a\"}\n\n{\"deal_id\": \"b\"}\r\n  {\"dealId\":\"c\"}";
        for length in 1..=text.len() {
            let (deals, end) = asked(request(kind(), chunks(text, length), 64)).await;
            assert_eq!(deals, ["a", "b", "c"], "in chunks of {length}");
            assert!(end.is_none(), "{end:?}");
        }
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_read_is_named_and_those_before_it_stand() {
        let text = "{\"dealId\": \"a\"}\n{\"dealId\": 7}\n{\"dealId\": \"c\"}\n";
        let (deals, end) = asked(request(kind(), chunks(text, 9), 64)).await;
        assert_eq!(deals, ["a"]);
        let end = end.unwrap();
        assert_eq!(end.code(), Code::InvalidArgument);
        assert!(end.message().starts_with("line 2"), "{}", end.message());
        let reason = end.get_details_error_info().map(|info| info.reason);
        assert_eq!(reason.as_deref(), Some("INVALID_FIELDS"));
    }

    #[tokio::test]
    async fn a_line_past_the_limit_ends_the_stream() {
        let text = format!("{{\"dealId\": \"a\"}}\n{}", "x".repeat(100));
        let (deals, end) = asked(request(kind(), chunks(&text, 16), 64)).await;
        assert_eq!(deals, ["a"]);
        assert_eq!(end.map(|end| end.code()), Some(Code::ResourceExhausted));
    }

    #[tokio::test]
    async fn messages_become_lines_and_an_error_the_last_one() {
        let both = [message("a"), message("b")].concat();
        let (first, rest) = both.split_at(3);
        let mut trailers = HeaderMap::new();
        let gone = Status::unavailable("gone");
        gone.add_header(&mut trailers).unwrap();
        let lines = told(vec![
            Frame::data(Bytes::copy_from_slice(first)),
            Frame::data(Bytes::copy_from_slice(rest)),
            Frame::trailers(trailers),
        ])
        .await;
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["dealId"], "a");
        assert_eq!(lines[1]["dealId"], "b");
        assert_eq!(lines[2]["error"]["code"], "unavailable");
    }

    #[tokio::test]
    async fn a_stream_that_ends_well_says_nothing_of_its_end() {
        let mut trailers = HeaderMap::new();
        Status::ok("").add_header(&mut trailers).unwrap();
        let lines = told(vec![
            Frame::data(Bytes::from(message("a"))),
            Frame::trailers(trailers),
        ])
        .await;
        assert_eq!(lines.len(), 1);
    }
}
