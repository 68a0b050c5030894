//! A collector as operations teams run one: it speaks OTLP/gRPC, with TLS or without, and keeps what it is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsService;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsServiceServer;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::MetricsService;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::MetricsServiceServer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceService;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::Identity;
use tonic::transport::Server;
use tonic::transport::ServerTlsConfig;
use tonic::transport::server::TcpIncoming;

/// Clones share what was sent.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Sent>>);

#[derive(Default)]
struct Sent {
    traces: Vec<ExportTraceServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    /// The metadata of each request.
    metadata: Vec<MetadataMap>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut sent = self.0.lock().unwrap();
        sent.metadata.push(request.metadata().clone());
        sent.traces.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut sent = self.0.lock().unwrap();
        sent.metadata.push(request.metadata().clone());
        sent.metrics.push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut sent = self.0.lock().unwrap();
        sent.metadata.push(request.metadata().clone());
        sent.logs.push(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Collector {
    pub async fn start() -> (Collector, SocketAddr) {
        Collector::serve(Server::builder())
    }

    /// One that speaks TLS only, by this certificate and key in PEM.
    pub async fn start_with_tls(certificate: &str, key: &str) -> (Collector, SocketAddr) {
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        Collector::serve(Server::builder().tls_config(tls).unwrap())
    }

    fn serve(mut server: Server) -> (Collector, SocketAddr) {
        let collector = Collector::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let metrics = MetricsServiceServer::new(collector.clone());
        tokio::spawn(
            server
                .add_service(TraceServiceServer::new(collector.clone()))
                .add_service(metrics.accept_compressed(CompressionEncoding::Gzip))
                .add_service(LogsServiceServer::new(collector.clone()))
                .serve_with_incoming(incoming),
        );
        (collector, address)
    }

    pub fn traces(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.lock().unwrap().traces.clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let sent = self.traces();
        let resources = sent.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|spans| &spans.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    pub fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        self.0.lock().unwrap().metrics.clone()
    }

    /// A family, as it was sent last.
    #[track_caller]
    pub fn metric(&self, name: &str) -> Metric {
        let sent = self.metrics();
        let last = sent.last().expect("metrics were sent");
        let resources = last.resource_metrics.iter();
        let scopes = resources.flat_map(|metrics| &metrics.scope_metrics);
        let mut metrics = scopes.flat_map(|scope| &scope.metrics);
        let found = metrics.find(|metric| metric.name == name);
        found.unwrap_or_else(|| panic!("no {name}")).clone()
    }

    pub fn logs(&self) -> Vec<ExportLogsServiceRequest> {
        self.0.lock().unwrap().logs.clone()
    }

    pub fn records(&self) -> Vec<LogRecord> {
        let sent = self.logs();
        let resources = sent.iter().flat_map(|request| &request.resource_logs);
        let scopes = resources.flat_map(|logs| &logs.scope_logs);
        scopes.flat_map(|scope| scope.log_records.clone()).collect()
    }

    /// What each request had under a header.
    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let sent = self.0.lock().unwrap();
        let values = sent.metadata.iter().map(|metadata| metadata.get(name));
        values
            .map(|value| Some(value?.to_str().unwrap().to_owned()))
            .collect()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
