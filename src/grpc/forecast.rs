//! The pipeline as a whole: decode, call, encode.

use std::sync::Arc;

use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::grpc::answer::past;
use crate::grpc::qualification::answer;
use crate::grpc::request;
use crate::grpc::status;
use crate::wire::pb;
use crate::wire::pb::forecast_service_server::ForecastService;

/// `verbatim.v1.ForecastService`.
pub struct Forecast {
    app: Arc<App>,
}

impl Forecast {
    pub fn new(app: Arc<App>) -> Forecast {
        Forecast { app }
    }
}

#[async_trait]
impl ForecastService for Forecast {
    async fn get_score_history(
        &self,
        request: Request<pb::GetScoreHistoryRequest>,
    ) -> Result<Response<pb::GetScoreHistoryResponse>, Status> {
        let query = request::past::score_history(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let trend = self.app.trend(query).await.map_err(status::of)?;
        Ok(answer(past::encode_trend(trend)))
    }

    async fn compare_scores(
        &self,
        request: Request<pb::CompareScoresRequest>,
    ) -> Result<Response<pb::CompareScoresResponse>, Status> {
        let query = request::past::compare(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
        let comparison = self.app.compare(query).await.map_err(status::of)?;
        Ok(answer(past::encode_comparison(comparison)))
    }
}
