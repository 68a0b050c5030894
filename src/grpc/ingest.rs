//! What other systems know, taken in: decode, call, encode.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::Streaming;
use tonic::async_trait;

use crate::app::App;
use crate::app::background::Background;
use crate::app::ingest::Intake;
use crate::app::ingest::WINDOW_ALONE;
use crate::app::ingest::WINDOW_SHARED;
use crate::grpc::answer::conversation;
use crate::grpc::answer::ingest;
use crate::grpc::qualification::answer;
use crate::grpc::request;
use crate::grpc::status;
use crate::grpc::traffic::Lookout;
use crate::grpc::traffic::Traffic;
use crate::wire::pb;
use crate::wire::pb::ingest_service_server::IngestService;

/// `verbatim.v1.IngestService`.
pub struct Ingest {
    app: Arc<App>,
    /// Streams are worked off there: they may go on for minutes, and nobody waits for one of their writes.
    background: Background,
    /// The calls that a stream gives way to.
    traffic: Arc<Traffic>,
    message_bytes_max: usize,
}

/// Lots of answers ready for the caller to take, at most.
const LOTS_MAX: usize = 2;

/// Answers that were ready together.
type Lot = Vec<Result<pb::IngestResponse, Status>>;

impl Ingest {
    pub fn new(
        app: Arc<App>,
        background: Background,
        traffic: Arc<Traffic>,
        message_bytes_max: usize,
    ) -> Ingest {
        Ingest {
            app,
            background,
            traffic,
            message_bytes_max,
        }
    }
}

/// A stream of writes under way: nothing is read while its window is full, nor while nobody takes the answers.
struct Flow {
    app: Arc<App>,
    intake: Intake,
    lookout: Lookout,
    /// `None` once it ended.
    items: Option<Streaming<pb::IngestRequest>>,
    closing: watch::Receiver<bool>,
    message_bytes_max: usize,
    /// What the stream ends with when all is answered.
    end: Option<Status>,
}

#[async_trait]
impl IngestService for Ingest {
    async fn import_transcript(
        &self,
        request: Request<pb::ImportTranscriptRequest>,
    ) -> Result<Response<pb::ImportTranscriptResponse>, Status> {
        let import = request::import_transcript(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let imported = self.app.import(import).await.map_err(status::of)?;
        Ok(answer(conversation::encode(&imported)))
    }

    type IngestStream = Pin<Box<dyn Stream<Item = Result<pb::IngestResponse, Status>> + Send>>;

    async fn ingest(
        &self,
        request: Request<Streaming<pb::IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        let mut flow = Flow {
            app: Arc::clone(&self.app),
            intake: Intake::new(Arc::clone(&self.app)),
            lookout: Lookout::over(Arc::clone(&self.traffic)),
            items: Some(request.into_inner()),
            closing: self.app.closing(),
            message_bytes_max: self.message_bytes_max,
            end: None,
        };
        let (lots, ready) = mpsc::channel(LOTS_MAX);
        self.background.spawn(async move {
            loop {
                let lot = tokio::select! {
                    lot = flow.next() => lot,
                    // The caller is gone. What was begun goes on to its end.
                    () = lots.closed() => return,
                };
                let Some(lot) = lot else { return };
                if lots.send(lot).await.is_err() {
                    return;
                }
            }
        });
        let answers = ReceiverStream::new(ready).flat_map(stream::iter);
        let mut response: Response<Self::IngestStream> = Response::new(Box::pin(answers));
        // Each answer is packed alone, which makes small ones larger.
        response.disable_compression();
        Ok(response)
    }
}

impl Flow {
    /// What is to be told next; never empty.
    async fn next(&mut self) -> Option<Lot> {
        loop {
            let ready = std::iter::from_fn(|| self.intake.answer());
            let lot: Lot = ready.map(|answer| Ok(ingest::encode(answer))).collect();
            if !lot.is_empty() {
                return Some(lot);
            }
            if self.items.is_none() && self.intake.is_empty() {
                return self.end.take().map(|end| vec![Err(end)]);
            }
            if *self.closing.borrow() && self.items.is_some() {
                self.stop(Some(status::streams::closing()));
                continue;
            }
            let window = match self.lookout.sees_calls() {
                true => WINDOW_SHARED,
                false => WINDOW_ALONE,
            };
            let has_room = self.intake.has_room(window);
            let read = async {
                match &mut self.items {
                    Some(items) if has_room => items.message().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = self.closing.changed() => {}
                () = self.intake.written() => {}
                item = read => match item {
                    Ok(Some(item)) => {
                        self.intake.take(request::ingest::item(item, self.app.now()));
                    }
                    Ok(None) => self.stop(None),
                    Err(refused) => {
                        let refused = status::streams::of_item(refused, self.message_bytes_max);
                        self.stop(Some(refused));
                    }
                },
            }
        }
    }

    /// Reads no more.
    fn stop(&mut self, end: Option<Status>) {
        self.items = None;
        self.end = end;
        self.intake.end();
    }
}
