//! The three calls the service exists for: decode, call, encode.

use std::sync::Arc;

use prost::Message;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::grpc::answer::score;
use crate::grpc::answer::stall;
use crate::grpc::request;
use crate::grpc::status;
use crate::wire::pb;
use crate::wire::pb::qualification_service_server::QualificationService;
use crate::wire::statement;

/// An answer of fewer bytes is sent as it is: packing it costs more than it saves, and many clients accept gzip without
/// asking for it.
const PACKED_BYTES_MIN: usize = 16 << 10;

/// `verbatim.v1.QualificationService`.
pub struct Qualification {
    app: Arc<App>,
}

impl Qualification {
    pub fn new(app: Arc<App>) -> Qualification {
        Qualification { app }
    }
}

#[async_trait]
impl QualificationService for Qualification {
    async fn record_buyer_statement(
        &self,
        request: Request<pb::RecordBuyerStatementRequest>,
    ) -> Result<Response<pb::RecordBuyerStatementResponse>, Status> {
        let recording = request::record(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let deal_id = recording.deal.deal.clone();
        let recorded = self.app.record(recording).await.map_err(status::of)?;
        Ok(answer(pb::RecordBuyerStatementResponse {
            statement: Some(statement::encode(&recorded.statement, &deal_id)),
            already_recorded: recorded.already,
            score: Some(score::encode(&recorded.score)),
            score_before: recorded.score_before,
            revision: recorded.revision,
        }))
    }

    async fn score_deal(
        &self,
        request: Request<pb::ScoreDealRequest>,
    ) -> Result<Response<pb::ScoreDealResponse>, Status> {
        let query = request::score(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let scored = self.app.score(query).await.map_err(status::of)?;
        Ok(answer(pb::ScoreDealResponse {
            score: Some(score::encode(&scored)),
        }))
    }

    async fn explain_stall(
        &self,
        request: Request<pb::ExplainStallRequest>,
    ) -> Result<Response<pb::ExplainStallResponse>, Status> {
        let (query, planned) = request::explain(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let explained = self.app.explain(query, planned).await.map_err(status::of)?;
        Ok(answer(pb::ExplainStallResponse {
            explanation: Some(stall::encode(&explained)),
        }))
    }
}

/// An answer, packed only when it is large.
pub fn answer<M: Message>(message: M) -> Response<M> {
    let small = message.encoded_len() < PACKED_BYTES_MIN;
    let mut response = Response::new(message);
    if small {
        response.disable_compression();
    }
    response
}
