//! Streaming calls: they may last as long as the caller likes, are counted apart, and end in a status whatever happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use http::HeaderMap;
use http_body::Body as _;
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use crate::grpc::status;
use crate::telemetry::log::panics;

/// The calls that stream, either way.
pub const STREAMING: [&str; 4] = [
    "/verbatim.v1.ForecastService/ScoreDeals",
    "/verbatim.v1.ForecastService/WatchDeals",
    "/verbatim.v1.IngestService/Ingest",
    "/verbatim.v1.OperatorService/Backup",
];

/// How many streaming calls may still be opened.
#[derive(Debug)]
pub struct Places(Arc<Semaphore>);

/// A streaming call's place, given back on drop.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// When a stream is cut, and what its caller had allowed.
pub type Until = Option<(Instant, Duration)>;

/// A body under way; gone once it has ended.
type Flowing = Option<(Body, Until, Place)>;

impl Places {
    pub fn new(streaming_calls_max: usize) -> Places {
        let places = streaming_calls_max.min(Semaphore::MAX_PERMITS);
        Places(Arc::new(Semaphore::new(places)))
    }

    /// A place, if one is left.
    pub fn take(&self) -> Option<Place> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(Place)
    }
}

/// The body of a streaming answer: ends in DEADLINE_EXCEEDED at `until`, in INTERNAL after a panic, and holds its place
/// until then.
pub fn within(body: Body, until: Until, place: Place) -> Body {
    // A refusal is a head alone, and has to say that it is: gRPC's C core takes an empty frame behind it for a fault.
    if body.is_end_stream() {
        return body;
    }
    let frames = stream::unfold(Some((body, until, place)), |flowing: Flowing| async {
        let (mut body, until, place) = flowing?;
        let next = AssertUnwindSafe(body.frame()).catch_unwind();
        let next = match until {
            None => next.await,
            Some((moment, allowed)) => match tokio::time::timeout_at(moment, next).await {
                Ok(next) => next,
                Err(_) => return Some((Ok(end(&status::deadline(allowed))), None)),
            },
        };
        match next {
            Ok(None) => None,
            Ok(Some(frame)) => Some((frame, Some((body, until, place)))),
            Err(panic) => {
                let cause = panics::words(&*panic);
                tracing::error!(cause, "a streaming call panicked");
                Some((Ok(end(&status::internal())), None))
            }
        }
    });
    Body::new(StreamBody::new(frames))
}

/// The trailers that end a stream.
fn end(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    if let Err(unsaid) = status.add_header(&mut trailers) {
        tracing::error!(%unsaid, "a status could not be told");
    }
    Frame::trailers(trailers)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::StreamExt;
    use tonic::Code;

    use super::*;

    type Frames = Result<Frame<Bytes>, Infallible>;

    fn place() -> Place {
        Places::new(1).take().unwrap()
    }

    async fn ending(body: Body) -> (Bytes, Option<Code>) {
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let code = Status::from_header_map(&trailers).map(|status| status.code());
        (collected.to_bytes(), code)
    }

    #[test]
    fn a_place_is_refused_when_all_are_taken_and_given_back_on_drop() {
        let places = Places::new(1);
        let first = places.take();
        assert!(first.is_some());
        assert!(places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
    }

    #[tokio::test]
    async fn a_stream_passes_as_it_is_and_holds_its_place_until_it_ends() {
        let places = Places::new(1);
        let frames: [Frames; 2] = [
            Ok(Frame::data(Bytes::from_static(b"one "))),
            Ok(Frame::data(Bytes::from_static(b"two"))),
        ];
        let body = Body::new(StreamBody::new(stream::iter(frames)));
        let body = within(body, None, places.take().unwrap());
        assert!(places.take().is_none());
        assert_eq!(ending(body).await, (Bytes::from_static(b"one two"), None));
        assert!(places.take().is_some());
    }

    #[test]
    fn a_refusal_stays_a_head_alone_and_holds_no_place() {
        let places = Places::new(1);
        let body = within(Body::empty(), None, places.take().unwrap());
        assert!(body.is_end_stream());
        assert!(places.take().is_some());
    }

    #[tokio::test]
    async fn a_panic_ends_the_stream_in_internal() {
        let frames = stream::iter([0, 1]).map(|number| -> Frames {
            assert!(number == 0, "broken on purpose");
            Ok(Frame::data(Bytes::from_static(b"kept")))
        });
        let body = within(Body::new(StreamBody::new(frames)), None, place());
        let (kept, code) = ending(body).await;
        assert_eq!((&*kept, code), (&b"kept"[..], Some(Code::Internal)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_cut_when_its_caller_allows_no_more() {
        let never = stream::pending::<Frames>();
        let second = Duration::from_secs(1);
        let until = Some((Instant::now() + second, second));
        let body = within(Body::new(StreamBody::new(never)), until, place());
        let (_, code) = ending(body).await;
        assert_eq!(code, Some(Code::DeadlineExceeded));
    }
}
