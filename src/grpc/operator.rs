//! For whoever runs the service: decode, call, encode.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::watch;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::app::Error;
use crate::grpc::status;
use crate::store::archive::Export;
use crate::store::archive::Piece;
use crate::wire::pb;
use crate::wire::pb::operator_service_server::OperatorService;

/// Bytes of an archive in one answer: a client takes 4 MiB by default.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// `verbatim.v1.OperatorService`.
pub struct Operator {
    app: Arc<App>,
}

impl Operator {
    pub fn new(app: Arc<App>) -> Operator {
        Operator { app }
    }
}

/// A backup under way: nothing is read while nobody takes the answers.
struct Flow {
    export: Export,
    /// What of the last piece was not yet told.
    chunks: VecDeque<pb::BackupResponse>,
    closing: watch::Receiver<bool>,
}

#[async_trait]
impl OperatorService for Operator {
    type BackupStream = Pin<Box<dyn Stream<Item = Result<pb::BackupResponse, Status>> + Send>>;

    async fn backup(
        &self,
        request: Request<pb::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let pb::BackupRequest { until_sequence } = request.into_inner();
        let until = match until_sequence {
            0 => u64::MAX,
            until => until,
        };
        let flow = Flow {
            export: self.app.back_up(until).await.map_err(status::of)?,
            chunks: VecDeque::new(),
            closing: self.app.closing(),
        };
        let answers = stream::unfold(Some(flow), |flow| async {
            let mut flow = flow?;
            match flow.next().await.transpose()? {
                Ok(answer) => Some((Ok(answer), Some(flow))),
                Err(refused) => Some((Err(refused), None)),
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

impl Flow {
    async fn next(&mut self) -> Result<Option<pb::BackupResponse>, Status> {
        loop {
            if *self.closing.borrow() {
                return Err(status::streams::backup_cut());
            }
            if let Some(chunk) = self.chunks.pop_front() {
                return Ok(Some(chunk));
            }
            let piece = self.export.next().await;
            let Some(Piece { bytes, sequence }) =
                piece.map_err(|error| status::of(Error::Store(error)))?
            else {
                return Ok(None);
            };
            let last_sequence = self.export.last();
            let chunks = bytes
                .chunks(CHUNK_BYTES_MAX)
                .map(|chunk| pb::BackupResponse {
                    chunk: chunk.to_vec(),
                    sequence,
                    last_sequence,
                });
            self.chunks.extend(chunks);
        }
    }
}
