//! Pages: whole, in order, of one moment, good while more is recorded, and held to their request.

use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::forecast_service_client::ForecastServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement_of;
use crate::server;
use crate::server::NOW_SECONDS;
use crate::server::Running;

pub struct Caller {
    pub running: Running,
    pub forecast: ForecastServiceClient<Channel>,
    pub deals: DealServiceClient<Channel>,
    pub qualification: QualificationServiceClient<Channel>,
}

impl Caller {
    pub async fn start() -> Caller {
        let running = server::start().await;
        let channel = running.channel().await;
        Caller {
            running,
            forecast: ForecastServiceClient::new(channel.clone()),
            deals: DealServiceClient::new(channel.clone()),
            qualification: QualificationServiceClient::new(channel),
        }
    }

    pub async fn deal(&mut self, deal: pb::Deal) {
        let request = pb::UpsertDealRequest {
            deal: Some(deal),
            ..pb::UpsertDealRequest::default()
        };
        self.deals.upsert_deal(request).await.unwrap();
    }

    pub async fn said(&mut self, deal: &str, number: usize) {
        let mut request = statement_of(deal);
        let statement = request.statement.as_mut().unwrap();
        statement.statement_id = format!("s{number}");
        // Deals of which more was said score differently.
        statement.claims[0].topic = number as i32 % 9 + 1;
        let record = self.qualification.record_buyer_statement(request);
        record.await.unwrap();
    }

    pub async fn page(
        &mut self,
        request: &pb::ListDealsRequest,
        page_token: &str,
    ) -> Result<pb::ListDealsResponse, Status> {
        let request = pb::ListDealsRequest {
            page_token: page_token.into(),
            ..request.clone()
        };
        let answer = self.forecast.list_deals(request).await?;
        Ok(answer.into_inner())
    }

    /// All pages, one after the other.
    pub async fn pages(&mut self, request: &pb::ListDealsRequest) -> Vec<pb::PipelineDeal> {
        let mut deals = Vec::new();
        let mut token = String::new();
        loop {
            let page = self.page(request, &token).await.unwrap();
            assert!(page.deals.len() <= request.page_size as usize);
            deals.extend(page.deals);
            token = page.next_page_token;
            if token.is_empty() {
                return deals;
            }
        }
    }
}

fn ids(deals: &[pb::PipelineDeal]) -> Vec<&str> {
    deals.iter().map(|deal| deal.deal_id.as_str()).collect()
}

/// 23 deals, some without an amount or a date, in two currencies.
async fn fill(caller: &mut Caller) {
    for number in 0..23_i64 {
        let id = format!("d{number:02}");
        caller
            .deal(pb::Deal {
                deal_id: id.clone(),
                name: Some(format!("Deal {number}")),
                amount: (number % 4 != 0).then(|| pb::Money {
                    currency_code: if number % 3 == 0 { "USD" } else { "EUR" }.into(),
                    units: number * 7 % 11 * 1_000,
                    nanos: 0,
                }),
                close_date: (number % 5 != 0).then(|| format!("2026-04-{:02}", number % 9 + 1)),
                effective_at: Some(prost_types::Timestamp {
                    seconds: NOW_SECONDS - 86_400 * (number + 1),
                    nanos: 0,
                }),
                ..pb::Deal::default()
            })
            .await;
        for said in 0..number as usize % 6 {
            caller.said(&id, said).await;
        }
    }
}

#[tokio::test]
async fn pages_are_whole_and_in_order_whatever_the_order() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    for order in 1..=5 {
        for direction in 1..=2 {
            let request = |page_size| pb::ListDealsRequest {
                order,
                direction,
                page_size,
                ..pb::ListDealsRequest::default()
            };
            let whole = caller.pages(&request(1_000)).await;
            assert_eq!(whole.len(), 23);
            let paged = caller.pages(&request(4)).await;
            assert_eq!(ids(&paged), ids(&whole));
            check_order(&whole, order, direction);
        }
    }
    caller.running.stop().await;
}

/// Each comes after the one before it: by value, those without one last, then by id.
fn check_order(deals: &[pb::PipelineDeal], order: i32, direction: i32) {
    // Values as whole numbers, or text where that says the same.
    let value = |deal: &pb::PipelineDeal| -> Option<(String, f64)> {
        let number = |number| Some((String::new(), number));
        match pb::PipelineOrder::try_from(order).unwrap() {
            pb::PipelineOrder::Score => number(deal.score),
            pb::PipelineOrder::Lift => number(deal.lift),
            pb::PipelineOrder::Momentum => deal.momentum.and_then(number),
            pb::PipelineOrder::Amount => deal
                .amount
                .as_ref()
                .map(|amount| (amount.currency_code.clone(), amount.units as f64)),
            pb::PipelineOrder::CloseDate if deal.close_date.is_empty() => None,
            pb::PipelineOrder::CloseDate => number(deal.close_date[8..].parse().unwrap()),
            pb::PipelineOrder::Unspecified => unreachable!(),
        }
    };
    for pair in deals.windows(2) {
        let (one, next) = (value(&pair[0]), value(&pair[1]));
        let fits = match (&one, &next) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((currency, _)), Some((other, _))) if currency != other => currency < other,
            (Some((_, one)), Some((_, next))) if one != next => (one < next) == (direction == 2),
            _ => pair[0].deal_id < pair[1].deal_id,
        };
        assert!(fits, "{order} {direction}: {one:?} {next:?}");
    }
}

#[tokio::test]
async fn a_token_stays_good_while_more_is_recorded_and_other_deals_come_once() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    let request = pb::ListDealsRequest {
        page_size: 5,
        ..pb::ListDealsRequest::default()
    };
    let mut token = String::new();
    let mut seen = Vec::new();
    let mut as_of = None;
    loop {
        let page = caller.page(&request, &token).await.unwrap();
        assert_eq!(*as_of.get_or_insert(page.as_of), page.as_of);
        seen.extend(page.deals.into_iter().map(|deal| deal.deal_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        for said in 10..14 {
            caller.said("d00", seen.len() * 100 + said).await;
        }
    }
    seen.retain(|deal| deal != "d00");
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), count), (22, 22));
    caller.running.stop().await;
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    let request = pb::ListDealsRequest {
        page_size: 5,
        ..pb::ListDealsRequest::default()
    };
    let token = caller.page(&request, "").await.unwrap().next_page_token;
    // How much is asked for may change on the way.
    let larger = pb::ListDealsRequest {
        page_size: 6,
        with_total: true,
        ..request.clone()
    };
    let page = caller.page(&larger, &token).await.unwrap();
    assert_eq!((page.deals.len(), page.total), (6, Some(23)));
    let others = [
        pb::ListDealsRequest {
            direction: 2,
            ..request.clone()
        },
        pb::ListDealsRequest {
            filter: Some(pb::PipelineFilter {
                score_min: Some(0.0),
                ..pb::PipelineFilter::default()
            }),
            ..request.clone()
        },
        pb::ListDealsRequest {
            as_of: page.as_of,
            ..request.clone()
        },
    ];
    let mut wrong: Vec<(pb::ListDealsRequest, String)> = others
        .into_iter()
        .map(|other| (other, token.clone()))
        .collect();
    wrong.push((request.clone(), "x".into()));
    wrong.push((request.clone(), token[2..].into()));
    for (request, token) in wrong {
        let refusal = caller.page(&request, &token).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
        let info = refusal.get_details_error_info().unwrap();
        assert_eq!(info.reason, "PAGE_TOKEN");
    }
    caller.running.stop().await;
}

#[tokio::test]
async fn the_total_comes_only_when_asked_for() {
    let mut caller = Caller::start().await;
    let request = pb::ListDealsRequest::default();
    let page = caller.page(&request, "").await.unwrap();
    assert_eq!((page.total, page.next_page_token.as_str()), (None, ""));
    // The running minute is told to its end.
    assert_eq!(page.as_of.unwrap().seconds, NOW_SECONDS + 60);
    let counted = pb::ListDealsRequest {
        with_total: true,
        ..request
    };
    let page = caller.page(&counted, "").await.unwrap();
    assert_eq!(page.total, Some(0));
    caller.running.stop().await;
}
