//! A service for the tests of clients: takes every statement, but for refusals that a test scripts.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;

use futures_util::Stream;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::Streaming;
use tonic::transport::Server;

use crate::wire::pb;
use crate::wire::pb::ingest_request::Item;
use crate::wire::pb::ingest_response::Outcome;
use crate::wire::pb::ingest_service_server::IngestService;
use crate::wire::pb::ingest_service_server::IngestServiceServer;
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
        let ingest = IngestServiceServer::new(self.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .add_service(ingest)
                .serve_with_incoming(incoming),
        );
        url
    }

    /// Takes a statement, unless the script says otherwise.
    fn hear(&self, statement: pb::BuyerStatement) -> Result<(), Status> {
        let mut script = self.0.lock().unwrap();
        let at = format!("{}/{}", statement.deal_id, statement.statement_id);
        if let Some((code, times)) = script.refuse.get_mut(&at)
            && *times > 0
        {
            *times -= 1;
            return Err(Status::new(*code, "as the test says"));
        }
        let heard = script.heard.entry(statement.deal_id).or_default();
        heard.push(statement.statement_id);
        Ok(())
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
        self.hear(statement)?;
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

/// A refusal of the data is the answer to its item; any other ends the stream.
#[tonic::async_trait]
impl IngestService for Fake {
    async fn import_transcript(
        &self,
        _request: Request<pb::ImportTranscriptRequest>,
    ) -> Result<Response<pb::ImportTranscriptResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    type IngestStream = Pin<Box<dyn Stream<Item = Result<pb::IngestResponse, Status>> + Send>>;

    async fn ingest(
        &self,
        request: Request<Streaming<pb::IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        let begun = Some((self.clone(), request.into_inner()));
        let answers = stream::unfold(begun, |begun| async {
            let (fake, mut items) = begun?;
            let pb::IngestRequest { tag, item } = items.message().await.ok()??;
            let Some(Item::RecordBuyerStatement(request)) = item else {
                return Some((Err(Status::unimplemented("")), None));
            };
            let outcome = match fake.hear(request.statement.unwrap()) {
                Ok(()) => Outcome::Recorded(pb::IngestRecorded::default()),
                Err(status) if status.code() == Code::FailedPrecondition => {
                    Outcome::Refused(pb::IngestRefused {
                        code: status.code() as i32,
                        message: status.message().to_owned(),
                        ..pb::IngestRefused::default()
                    })
                }
                Err(status) => return Some((Err(status), None)),
            };
            let answer = pb::IngestResponse {
                tag,
                outcome: Some(outcome),
                ..pb::IngestResponse::default()
            };
            Some((Ok(answer), Some((fake, items))))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
