//! The three calls the service exists for, and the reading of quotes: decode, call, encode.

use std::sync::Arc;

use prost::Message;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::grpc::answer::extraction;
use crate::grpc::answer::score;
use crate::grpc::answer::stall;
use crate::grpc::request;
use crate::grpc::request::claims;
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
        let (reader, language) = extraction::encode_read(recorded.read.as_ref());
        Ok(answer(pb::RecordBuyerStatementResponse {
            statement: Some(statement::encode(&recorded.statement, &deal_id)),
            already_recorded: recorded.already,
            score: Some(score::encode(&recorded.score)),
            score_before: recorded.score_before,
            revision: recorded.revision,
            language,
            reader,
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

    async fn extract_claims(
        &self,
        request: Request<pb::ExtractClaimsRequest>,
    ) -> Result<Response<pb::ExtractClaimsResponse>, Status> {
        let spoken = claims::extract(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let extraction = self.app.extract(&spoken).await;
        Ok(answer(extraction::encode(&extraction)))
    }

    async fn confirm_claims(
        &self,
        request: Request<pb::ConfirmClaimsRequest>,
    ) -> Result<Response<pb::ConfirmClaimsResponse>, Status> {
        let write = claims::confirm(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let deal_id = write.deal.deal.clone();
        let confirmed = self
            .app
            .confirm_claims(write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        Ok(answer(pb::ConfirmClaimsResponse {
            statement: Some(statement::encode(&confirmed.statement, &deal_id)),
            already_confirmed: confirmed.already,
            score: Some(score::encode(&confirmed.score)),
            score_before: confirmed.score_before,
            revision: confirmed.revision,
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
