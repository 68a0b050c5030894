//! A service for the tests of clients: takes every statement, but for refusals that a test scripts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::transport::Server;

use crate::wire::pb;
use crate::wire::pb::qualification_service_server::QualificationService;
use crate::wire::pb::qualification_service_server::QualificationServiceServer;

/// Clones are one service.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<Script>>);

struct Script {
    /// By `DEAL/STATEMENT`: the code to refuse with, and how often.
    refuse: BTreeMap<String, (Code, usize)>,
    heard: BTreeMap<String, Vec<String>>,
}

impl Fake {
    pub fn new(refuse: &[(&str, Code, usize)]) -> Fake {
        let refuse = refuse
            .iter()
            .map(|(at, code, times)| ((*at).to_owned(), (*code, *times)));
        Fake(Arc::new(Mutex::new(Script {
            refuse: refuse.collect(),
            heard: BTreeMap::new(),
        })))
    }

    /// Serves for as long as the test's runtime lives; answers the URL.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = QualificationServiceServer::new(self.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        url
    }

    /// The statements taken of each deal, in the order they came.
    pub fn heard(&self) -> BTreeMap<String, Vec<String>> {
        self.0.lock().unwrap().heard.clone()
    }
}

#[tonic::async_trait]
impl QualificationService for Fake {
    async fn record_buyer_statement(
        &self,
        request: Request<pb::RecordBuyerStatementRequest>,
    ) -> Result<Response<pb::RecordBuyerStatementResponse>, Status> {
        let statement = request.into_inner().statement.unwrap();
        // Another task gets its turn, so that lanes do interleave.
        tokio::task::yield_now().await;
        let mut script = self.0.lock().unwrap();
        let at = format!("{}/{}", statement.deal_id, statement.statement_id);
        if let Some((code, times)) = script.refuse.get_mut(&at)
            && *times > 0
        {
            *times -= 1;
            return Err(Status::new(*code, "as the test says"));
        }
        script
            .heard
            .entry(statement.deal_id)
            .or_default()
            .push(statement.statement_id);
        Ok(Response::new(pb::RecordBuyerStatementResponse::default()))
    }

    async fn score_deal(
        &self,
        _request: Request<pb::ScoreDealRequest>,
    ) -> Result<Response<pb::ScoreDealResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn explain_stall(
        &self,
        _request: Request<pb::ExplainStallRequest>,
    ) -> Result<Response<pb::ExplainStallResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn extract_claims(
        &self,
        _request: Request<pb::ExtractClaimsRequest>,
    ) -> Result<Response<pb::ExtractClaimsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn confirm_claims(
        &self,
        _request: Request<pb::ConfirmClaimsRequest>,
    ) -> Result<Response<pb::ConfirmClaimsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
