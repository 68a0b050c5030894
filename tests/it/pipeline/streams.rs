//! Streams of scores: in order, each deal answered, in either form.

use tonic::Code;
use verbatim::wire::pb;
use verbatim::wire::pb::score_deals_response::Result as Answer;

use crate::pipeline::pages::Caller;
use crate::server::http;

async fn stream(
    caller: &mut Caller,
    request: pb::ScoreDealsRequest,
) -> Vec<pb::ScoreDealsResponse> {
    let mut stream = caller
        .forecast
        .score_deals(request)
        .await
        .unwrap()
        .into_inner();
    let mut items = Vec::new();
    while let Some(item) = stream.message().await.unwrap() {
        items.push(item);
    }
    items
}

async fn fill(caller: &mut Caller, deals: usize) {
    for number in 0..deals {
        caller.said(&format!("d{number:04}"), number).await;
    }
}

#[tokio::test]
async fn named_deals_come_in_their_order_and_an_absent_one_with_its_error() {
    let mut caller = Caller::start().await;
    fill(&mut caller, 3).await;
    let deal_ids = ["d0002", "nowhere", "d0000", "d0002"].map(str::to_owned);
    // Named deals are found before and after the portfolio was looked at as a whole.
    for whole in [false, true] {
        if whole {
            stream(&mut caller, pb::ScoreDealsRequest::default()).await;
        }
        let request = pb::ScoreDealsRequest {
            deal_ids: deal_ids.to_vec(),
            ..pb::ScoreDealsRequest::default()
        };
        let items = stream(&mut caller, request).await;
        let ids: Vec<&str> = items.iter().map(|item| item.deal_id.as_str()).collect();
        assert_eq!(ids, deal_ids);
        for item in items {
            match item.result.unwrap() {
                Answer::Row(row) => {
                    assert_eq!(row.deal_id, item.deal_id);
                    assert!(row.state != 0 && row.top_cause != 0, "{row:?}");
                }
                Answer::Error(error) => {
                    assert_eq!(item.deal_id, "nowhere");
                    assert_eq!(error.code, Code::NotFound as i32);
                    assert_eq!(error.reason, "DEAL_NOT_FOUND");
                    assert_eq!(error.message, "there is no deal nowhere");
                }
                Answer::Score(score) => panic!("{score:?}"),
            }
        }
    }
    caller.running.stop().await;
}

#[tokio::test]
async fn those_that_fit_come_by_id_and_in_full_when_asked_for() {
    let mut caller = Caller::start().await;
    fill(&mut caller, 600).await;
    let items = stream(&mut caller, pb::ScoreDealsRequest::default()).await;
    assert_eq!(items.len(), 600);
    assert!(items.is_sorted_by(|one, next| one.deal_id < next.deal_id));

    let least = 5.0;
    let filter = pb::PipelineFilter {
        score_min: Some(least),
        ..pb::PipelineFilter::default()
    };
    let request = pb::ScoreDealsRequest {
        filter: Some(filter),
        view: pb::PipelineView::Full as i32,
        ..pb::ScoreDealsRequest::default()
    };
    let full = stream(&mut caller, request).await;
    let mut rows = items.iter().filter_map(|item| match &item.result {
        Some(Answer::Row(row)) if least <= row.score => Some(row),
        _ => None,
    });
    for item in &full {
        let (Some(Answer::Score(score)), Some(row)) = (&item.result, rows.next()) else {
            panic!("{item:?}");
        };
        assert_eq!(score.deal_id, row.deal_id);
        assert_eq!((score.score, score.as_of), (row.score, row.as_of));
        assert_eq!(score.criteria.len(), 9);
    }
    assert!(rows.next().is_none() && !full.is_empty() && full.len() < 600);
    caller.running.stop().await;
}

#[tokio::test]
async fn in_json_each_item_is_a_line() {
    let mut caller = Caller::start().await;
    fill(&mut caller, 2).await;
    let path = "/verbatim.v1.ForecastService/ScoreDeals";
    let headers = [("content-type", "application/json")];
    let body = br#"{"dealIds": ["d0001", "nowhere"]}"#;
    let answer = http(caller.running.address(), "POST", path, &headers, body).await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["row"]["dealId"], "d0001");
    assert_eq!(lines[1]["error"]["reason"], "DEAL_NOT_FOUND");
    caller.running.stop().await;
}
