//! The pipeline as a whole: decode, call, encode.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::app::watch::Watcher;
use crate::grpc::answer::past;
use crate::grpc::answer::pipeline;
use crate::grpc::answer::watch;
use crate::grpc::page_token;
use crate::grpc::qualification::answer;
use crate::grpc::request;
use crate::grpc::status;
use crate::wire::pb;
use crate::wire::pb::forecast_service_server::ForecastService;
use crate::wire::reading::Violations;

/// `verbatim.v1.ForecastService`.
pub struct Forecast {
    app: Arc<App>,
}

impl Forecast {
    pub fn new(app: Arc<App>) -> Forecast {
        Forecast { app }
    }
}

/// The items of a streaming answer.
type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl ForecastService for Forecast {
    async fn get_score_history(
        &self,
        request: Request<pb::GetScoreHistoryRequest>,
    ) -> Result<Response<pb::GetScoreHistoryResponse>, Status> {
        let query =
            request::past::score_history(request.into_inner(), self.app.now()).map_err(refused)?;
        let trend = self.app.trend(query).await.map_err(status::of)?;
        Ok(answer(past::encode_trend(trend)))
    }

    async fn compare_scores(
        &self,
        request: Request<pb::CompareScoresRequest>,
    ) -> Result<Response<pb::CompareScoresResponse>, Status> {
        let query =
            request::past::compare(request.into_inner(), self.app.now()).map_err(refused)?;
        let comparison = self.app.compare(query).await.map_err(status::of)?;
        Ok(answer(past::encode_comparison(comparison)))
    }

    type ScoreDealsStream = Items<pb::ScoreDealsResponse>;
    type WatchDealsStream = Items<pb::WatchDealsResponse>;

    async fn list_deals(
        &self,
        request: Request<pb::ListDealsRequest>,
    ) -> Result<Response<pb::ListDealsResponse>, Status> {
        let mut page =
            request::pipeline::list(request.into_inner(), self.app.now()).map_err(refused)?;
        if !page.page_token.is_empty() {
            let read = page_token::read(&page.query, &page.page_token);
            let (asked, after) = read.ok_or_else(status::page_token)?;
            page.listing.pipeline.asked = asked;
            page.listing.after = Some(after);
        }
        let asked = page.listing.pipeline.asked;
        let listed = self.app.list(page.listing).await.map_err(status::of)?;
        let next = listed.next.as_ref();
        let token = next.map(|place| page_token::write(&page.query, asked, place));
        let total = page.with_total.then_some(listed.total);
        let version = &self.app.model().version;
        Ok(answer(pipeline::encode_page(
            &listed,
            asked,
            total,
            token.unwrap_or_default(),
            version,
        )))
    }

    async fn score_deals(
        &self,
        request: Request<pb::ScoreDealsRequest>,
    ) -> Result<Response<Self::ScoreDealsStream>, Status> {
        let scoring =
            request::pipeline::score(request.into_inner(), self.app.now()).map_err(refused)?;
        let lots = self
            .app
            .scores(
                scoring.tenant,
                scoring.selection,
                scoring.asked,
                scoring.view,
            )
            .await
            .map_err(status::of)?;
        let items = lots.flat_map(|lot| {
            stream::iter(match lot {
                Ok(items) => items
                    .into_iter()
                    .map(|item| Ok(pipeline::encode_item(item, status::of)))
                    .collect(),
                Err(error) => vec![Err(status::of(error))],
            })
        });
        let mut response = Response::new(Box::pin(items) as Self::ScoreDealsStream);
        // Each message is packed for itself, and they are small.
        response.disable_compression();
        Ok(response)
    }

    async fn summarize_pipeline(
        &self,
        request: Request<pb::SummarizePipelineRequest>,
    ) -> Result<Response<pb::SummarizePipelineResponse>, Status> {
        let summing =
            request::pipeline::summarize(request.into_inner(), self.app.now()).map_err(refused)?;
        let groupings = summing.groupings.clone();
        let summed = self
            .app
            .summarize(summing.pipeline, summing.compared_with, summing.groupings)
            .await
            .map_err(status::of)?;
        let version = &self.app.model().version;
        Ok(answer(pipeline::encode_sums(&summed, &groupings, version)))
    }

    async fn watch_deals(
        &self,
        request: Request<pb::WatchDealsRequest>,
    ) -> Result<Response<Self::WatchDealsStream>, Status> {
        let watching =
            request::watch::watch(request.into_inner(), self.app.now()).map_err(refused)?;
        let watcher = self.app.watch(watching).await.map_err(status::of)?;
        let mut response = Response::new(told(watcher));
        // Each item is packed alone, which makes small ones larger.
        response.disable_compression();
        Ok(response)
    }
}

fn told(watcher: Watcher) -> Items<pb::WatchDealsResponse> {
    Box::pin(stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        match watcher.next().await {
            Ok(told) => Some((Ok(watch::encode(&told)), Some(watcher))),
            Err(ended) => Some((Err(status::streams::of_watch(ended)), None)),
        }
    }))
}

fn refused(violations: Violations) -> Status {
    status::of_violations(&violations)
}
