//! What other systems know, taken in: decode, call, encode.

use std::sync::Arc;

use tonic::async_trait;

use crate::app::App;
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
impl IngestService for Ingest {}
