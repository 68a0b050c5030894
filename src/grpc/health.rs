//! What `grpc.health.v1` answers: whether each service, and `""` for all of them, takes calls.

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthReporter;
use tonic_health::server::HealthService;

/// The whole, and each service.
const SERVICES: [&str; 6] = [
    "",
    "verbatim.v1.QualificationService",
    "verbatim.v1.DealService",
    "verbatim.v1.ForecastService",
    "verbatim.v1.IngestService",
    "verbatim.v1.OperatorService",
];

/// Tells watchers and probes how things are.
#[derive(Clone, Debug, Default)]
pub struct Health(HealthReporter);

impl Health {
    pub fn new() -> Health {
        Health(HealthReporter::new())
    }

    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.0.clone()))
    }

    pub async fn serving(&self) {
        self.set(ServingStatus::Serving).await;
    }

    pub async fn not_serving(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    /// Ends the streams of those who watch: they would hold the server's end up.
    pub async fn end_watches(&mut self) {
        for service in SERVICES {
            self.0.clear_service_status(service).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        for service in SERVICES {
            self.0.set_service_status(service, status).await;
        }
    }
}
