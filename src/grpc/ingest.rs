//! What other systems know, taken in: decode, call, encode.

use std::sync::Arc;

use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::grpc::answer::conversation;
use crate::grpc::qualification::answer;
use crate::grpc::request;
use crate::grpc::status;
use crate::wire::pb;
use crate::wire::pb::ingest_service_server::IngestService;

/// `verbatim.v1.IngestService`.
pub struct Ingest {
    app: Arc<App>,
}

impl Ingest {
    pub fn new(app: Arc<App>) -> Ingest {
        Ingest { app }
    }
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
}
