//! The service as its callers see it.

use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use verbatim::grpc::calls::Calls;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::forecast_service_client::ForecastServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

/// Longer than the service takes for anything, so that a test fails instead of waiting for ever.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The moment at which deals are compared: fixed, so that answers are. Everything is said before it.
pub const AS_OF_SECONDS: i64 = 1_740_787_200;

/// The way to a service: a connection, or its calls in this process.
type Way = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

#[derive(Clone)]
pub struct Client {
    pub qualification: QualificationServiceClient<Way>,
    pub deals: DealServiceClient<Way>,
    pub forecast: ForecastServiceClient<Way>,
    pub health: HealthClient<Way>,
}

/// All that is answered about one deal.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    pub score: Result<pb::DealScore, String>,
    pub stall: Result<pb::StallExplanation, String>,
    pub deal: Result<pb::GetDealResponse, String>,
    pub history: Result<Vec<pb::DealEvent>, String>,
}

impl Client {
    pub async fn connect(url: &str) -> Client {
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
        let channel = endpoint.timeout(CALL_TIMEOUT).connect().await.unwrap();
        Client::by(BoxCloneSyncService::new(
            channel.map_err(|error| Status::from_error(error.into())),
        ))
    }

    /// A client of calls in this process, without a connection.
    pub fn of(calls: Calls) -> Client {
        Client::by(BoxCloneSyncService::new(
            calls.map_err(|never| match never {}),
        ))
    }

    fn by(way: Way) -> Client {
        const ANSWER_BYTES_MAX: usize = 64 << 20;
        Client {
            qualification: QualificationServiceClient::new(way.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX),
            deals: DealServiceClient::new(way.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            forecast: ForecastServiceClient::new(way.clone()),
            health: HealthClient::new(way),
        }
    }

    /// The whole history; empty when there is no such deal.
    pub async fn history(&self, deal: &str) -> Result<Vec<pb::DealEvent>, Status> {
        let mut deals = self.deals.clone();
        let mut request = pb::ListDealHistoryRequest {
            deal_id: deal.into(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut events = Vec::new();
        loop {
            let page = match deals.list_deal_history(request.clone()).await {
                Ok(page) => page.into_inner(),
                Err(status) if status.code() == tonic::Code::NotFound => return Ok(events),
                Err(status) => return Err(status),
            };
            events.extend(page.events);
            if page.next_page_token.is_empty() {
                return Ok(events);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The score of a deal as of the moment of comparison.
    pub async fn score(&self, deal: &str) -> Result<pb::DealScore, Status> {
        self.score_at_least(deal, None).await
    }

    /// The same, of at least a revision.
    pub async fn score_at_least(
        &self,
        deal: &str,
        min_revision: Option<u64>,
    ) -> Result<pb::DealScore, Status> {
        let request = pb::ScoreDealRequest {
            deal_id: deal.into(),
            as_of: Some(moment(AS_OF_SECONDS)),
            min_revision,
            ..Default::default()
        };
        let answer = self.qualification.clone().score_deal(request).await?;
        Ok(answer.into_inner().score.unwrap())
    }

    /// The score week by week, of at least a revision.
    pub async fn trend(
        &self,
        deal: &str,
        knowledge: pb::Knowledge,
        min_revision: Option<u64>,
    ) -> Result<pb::GetScoreHistoryResponse, Status> {
        let request = pb::GetScoreHistoryRequest {
            deal_id: deal.into(),
            step: pb::TrendStep::Weekly.into(),
            knowledge: knowledge.into(),
            min_revision,
            ..Default::default()
        };
        let answer = self.forecast.clone().get_score_history(request).await?;
        Ok(answer.into_inner())
    }

    /// What the day before the moment of comparison did, of at least a revision.
    pub async fn compare(
        &self,
        deal: &str,
        min_revision: Option<u64>,
    ) -> Result<pb::CompareScoresResponse, Status> {
        let seen = |seconds| pb::Seen {
            as_of: Some(moment(seconds)),
            known_at: None,
        };
        let request = pb::CompareScoresRequest {
            deal_id: deal.into(),
            from: Some(seen(AS_OF_SECONDS - 86_400)),
            to: Some(seen(AS_OF_SECONDS)),
            min_revision,
        };
        let answer = self.forecast.clone().compare_scores(request).await?;
        Ok(answer.into_inner())
    }

    /// Everything there is to ask about a deal; a refusal as its code and reason.
    pub async fn answers(&self, deal: &str) -> Answers {
        let explain = pb::ExplainStallRequest {
            deal_id: deal.into(),
            as_of: Some(moment(AS_OF_SECONDS)),
            ..Default::default()
        };
        let get = pb::GetDealRequest {
            deal_id: deal.into(),
        };
        let stall = self.qualification.clone().explain_stall(explain).await;
        let facts = self.deals.clone().get_deal(get).await;
        Answers {
            score: self.score(deal).await.map_err(told),
            stall: stall
                .map(|answer| answer.into_inner().explanation.unwrap())
                .map_err(told),
            deal: facts.map(tonic::Response::into_inner).map_err(told),
            history: self.history(deal).await.map_err(told),
        }
    }

    /// Waits until health is as `wanted`; health is told as it changes.
    pub async fn wait_for_health(&self, wanted: ServingStatus) {
        let reached = tokio::time::timeout(CALL_TIMEOUT, self.watch_health(wanted));
        reached.await.expect("health stays as it is");
    }

    async fn watch_health(&self, wanted: ServingStatus) {
        let mut health = self.health.clone();
        let watch = health.watch(HealthCheckRequest::default()).await;
        let mut told = watch.unwrap().into_inner();
        while let Some(answer) = told.message().await.unwrap() {
            if answer.status == wanted as i32 {
                return;
            }
        }
        panic!("the watch ended before health was {wanted:?}");
    }
}

/// The code and the reason of a refusal, as `UNAVAILABLE/STORE_FAULT` would be `Unavailable/STORE_FAULT`.
pub fn told(status: Status) -> String {
    let details = status.get_error_details();
    let reason = details.error_info().map_or("", |info| info.reason.as_str());
    format!("{:?}/{reason}", status.code())
}

pub fn moment(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}
