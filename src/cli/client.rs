//! The service as a client sees it, and the arguments that every client command has.

use std::time::Duration;

use clap::Args;
use prost::Message;
use tonic::Response;
use tonic::Status;
use tonic::transport::Channel;
use tonic::transport::Endpoint;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::schema;
use crate::config;
use crate::wire::pb;
use crate::wire::pb::deal_service_client::DealServiceClient;
use crate::wire::pb::forecast_service_client::ForecastServiceClient;
use crate::wire::pb::ingest_service_client::IngestServiceClient;
use crate::wire::pb::operator_service_client::OperatorServiceClient;
use crate::wire::pb::qualification_service_client::QualificationServiceClient;
use crate::wire::pb::write::Write;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longer than any deadline of the service, so that its answer comes first.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A page of history may be larger than the 4 MiB that clients take by default.
const ANSWER_BYTES_MAX: usize = 64 << 20;

#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    /// The service to call [env: VERBATIM_SERVER; default: http://127.0.0.1:7450]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

/// Where to ask and how to answer.
#[derive(Args, Clone, Debug)]
pub struct CallArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Answer with the JSON of the response, for programs; also of a refusal, on standard error
    #[arg(long)]
    pub json: bool,
}

/// A connection to the service.
#[derive(Clone)]
pub struct Client {
    pub qualification: QualificationServiceClient<Channel>,
    pub deals: DealServiceClient<Channel>,
    pub forecast: ForecastServiceClient<Channel>,
    pub ingest: IngestServiceClient<Channel>,
    pub operator: OperatorServiceClient<Channel>,
}

/// What became of a write that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Now,
    /// It was there already.
    Before,
}

impl ServerArgs {
    /// Connects to the service named.
    ///
    /// # Errors
    ///
    /// Usage when the URL is none; unavailable when nobody answers there.
    pub async fn connect(&self) -> Result<Client, Failure> {
        Client::connect(&config::server_url(self.server.as_deref())).await
    }
}

impl CallArgs {
    /// Turns an answer into what is printed: its JSON, or what `view` makes of it.
    pub fn show<M: Message>(
        &self,
        name: &str,
        answer: Result<Response<M>, Status>,
        view: impl FnOnce(&M) -> String,
    ) -> Result<String, Failure> {
        let answer = answer.map_err(|status| self.refusal(&status))?.into_inner();
        match self.json {
            true => Ok(schema::to_json(name, &answer) + "\n"),
            false => Ok(view(&answer)),
        }
    }

    pub fn refusal(&self, status: &Status) -> Failure {
        match self.json {
            true => Failure::of_status_as_json(status),
            false => Failure::of_status(status),
        }
    }
}

impl Client {
    /// Connects to the service at `url`. Errors as [`ServerArgs::connect`].
    pub async fn connect(url: &str) -> Result<Client, Failure> {
        let usage = |why: &str| Failure::new(Exit::Usage, format!("--server {url}: {why}"));
        if !url.starts_with("http://") {
            return Err(usage("must be a URL such as http://127.0.0.1:7450"));
        }
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| usage("must be a URL such as http://127.0.0.1:7450"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT);
        let channel = endpoint.connect().await.map_err(|error| {
            let text = format!(
                "no service answers at {url}: {}\n  start one with `verbatim serve`, or name another with --server",
                innermost(&error)
            );
            Failure::new(Exit::Unavailable, text)
        })?;
        Ok(Client {
            qualification: QualificationServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX),
            deals: DealServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX),
            forecast: ForecastServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX),
            operator: OperatorServiceClient::new(channel.clone()),
            ingest: IngestServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX),
        })
    }

    /// Sends any one write.
    pub async fn write(&mut self, write: Write) -> Result<Taken, Status> {
        let before = match write {
            Write::UpsertDeal(request) => self.deals.upsert_deal(request).await.map(|_| false)?,
            Write::UpsertStakeholders(request) => self
                .deals
                .upsert_stakeholders(request)
                .await
                .map(|_| false)?,
            Write::UpsertMilestones(request) => {
                self.deals.upsert_milestones(request).await.map(|_| false)?
            }
            Write::RecordOutcome(request) => {
                self.deals.record_outcome(request).await.map(|_| false)?
            }
            Write::RetractBuyerStatement(request) => {
                self.deals
                    .retract_buyer_statement(request)
                    .await?
                    .into_inner()
                    .already_retracted
            }
            Write::RecordBuyerStatement(request) => {
                self.qualification
                    .record_buyer_statement(request)
                    .await?
                    .into_inner()
                    .already_recorded
            }
            Write::ConfirmClaims(request) => {
                self.qualification
                    .confirm_claims(request)
                    .await?
                    .into_inner()
                    .already_confirmed
            }
        };
        Ok(if before { Taken::Before } else { Taken::Now })
    }

    /// All that was recorded of a deal, oldest first, page after page.
    pub async fn history(&mut self, deal_id: &str) -> Result<Vec<pb::DealEvent>, Status> {
        let mut events = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListDealHistoryRequest {
                deal_id: deal_id.to_owned(),
                page_size: 500,
                page_token,
            };
            let page = self.deals.list_deal_history(request).await?.into_inner();
            events.extend(page.events);
            if page.next_page_token.is_empty() {
                return Ok(events);
            }
            page_token = page.next_page_token;
        }
    }
}

/// The first cause of an error: transports wrap it in words that say nothing.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
