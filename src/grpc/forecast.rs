//! The pipeline as a whole: decode, call, encode.

use std::sync::Arc;

use tonic::async_trait;

use crate::app::App;
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
impl ForecastService for Forecast {}
