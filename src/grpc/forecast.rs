//! The pipeline as a whole: decode, call, encode.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::app::watch::Watcher;
use crate::grpc::answer;
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

/// The items of a streaming answer.
type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl ForecastService for Forecast {
    type WatchDealsStream = Items<pb::WatchDealsResponse>;

    async fn watch_deals(
        &self,
        request: Request<pb::WatchDealsRequest>,
    ) -> Result<Response<Self::WatchDealsStream>, Status> {
        let watching = request::watch::watch(request.into_inner(), self.app.now())
            .map_err(|violations| status::of_violations(&violations))?;
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
            Ok(told) => Some((Ok(answer::watch::encode(&told)), Some(watcher))),
            Err(ended) => Some((Err(status::streams::of_watch(ended)), None)),
        }
    }))
}
