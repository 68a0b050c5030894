//! Every field of the pipeline's requests: both sides of each bound, each refusal by its path, all of them at once.

use prost_types::Timestamp;
use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;
use verbatim::wire::pb;

use crate::pipeline::pages::Caller;
use crate::server::NOW_SECONDS;

/// A change to a request, the field that is then refused (empty: none is) and words of the refusal.
type Case<T> = (fn(&mut T), &'static str, &'static str);

#[track_caller]
fn check<T>(outcome: Result<T, Status>, field: &str, words: &str) {
    let refusal = match outcome {
        Ok(_) => {
            assert_eq!(field, "", "was taken: {words}");
            return;
        }
        Err(refusal) => refusal,
    };
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    let told: Vec<(&str, &str)> = violations
        .iter()
        .map(|violation| (violation.field.as_str(), violation.description.as_str()))
        .collect();
    assert_eq!(told.len(), 1, "{field}: {told:?}");
    assert_eq!(told[0].0, field, "{told:?}");
    assert!(told[0].1.contains(words), "{field}: {told:?}");
}

fn filter(request: &mut pb::ListDealsRequest) -> &mut pb::PipelineFilter {
    request.filter.get_or_insert_default()
}

fn money(currency_code: &str, units: i64) -> Option<pb::Money> {
    Some(pb::Money {
        currency_code: currency_code.into(),
        units,
        nanos: 0,
    })
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

const LIST: &[Case<pb::ListDealsRequest>] = &[
    (|_| {}, "", ""),
    (|r| r.page_size = 1_000, "", ""),
    (
        |r| r.page_size = 1_001,
        "page_size",
        "from 0 to 1000, got 1001",
    ),
    (|r| r.page_size = -1, "page_size", "from 0 to 1000, got -1"),
    (|r| r.order = 5, "", ""),
    (|r| r.order = 6, "order", "one of SCORE, LIFT"),
    (|r| r.direction = 3, "direction", "one of DESCENDING"),
    (|r| r.as_of = at(NOW_SECONDS + 300), "", ""),
    (
        |r| r.as_of = at(NOW_SECONDS + 301),
        "as_of",
        "at most 5 minutes ahead",
    ),
    (|r| filter(r).owners = vec![String::new(); 100], "", ""),
    (
        |r| filter(r).owners = vec![String::new(); 101],
        "filter.owners",
        "at most 100, got 101",
    ),
    (
        |r| filter(r).accounts = vec!["a".into(), "x".repeat(257)],
        "filter.accounts[1]",
        "at most 256 bytes",
    ),
    (
        |r| filter(r).seller_stages = vec!["a\nb".into()],
        "filter.seller_stages[0]",
        "control character",
    ),
    (|r| filter(r).bands = vec![5], "", ""),
    (
        |r| filter(r).bands = vec![6],
        "filter.bands[0]",
        "one of NOT_BUYING",
    ),
    (
        |r| filter(r).states = vec![1, 0],
        "filter.states[1]",
        "must be set",
    ),
    (
        |r| filter(r).forecast_categories = vec![-1],
        "filter.forecast_categories[0]",
        "one of OMITTED",
    ),
    (
        |r| filter(r).close_date_from = "2026-02-30".into(),
        "filter.close_date_from",
        "YYYY-MM-DD",
    ),
    (
        |r| {
            filter(r).close_date_from = "2026-02-02".into();
            filter(r).close_date_to = "2026-02-01".into();
        },
        "filter.close_date_to",
        "not be before",
    ),
    (
        |r| filter(r).amount_min = money("eur", 1),
        "filter.amount_min",
        "capital letters",
    ),
    (
        |r| {
            filter(r).amount_min = money("EUR", 1);
            filter(r).amount_max = money("USD", 2);
        },
        "filter.amount_max",
        "currency of amount_min",
    ),
    (
        |r| {
            filter(r).amount_min = money("EUR", 2);
            filter(r).amount_max = money("EUR", 1);
        },
        "filter.amount_max",
        "not be below",
    ),
    (|r| filter(r).score_min = Some(100.0), "", ""),
    (
        |r| filter(r).score_min = Some(100.1),
        "filter.score_min",
        "from 0 to 100",
    ),
    (
        |r| filter(r).score_max = Some(f64::NAN),
        "filter.score_max",
        "from 0 to 100",
    ),
    (
        |r| {
            filter(r).score_min = Some(2.0);
            filter(r).score_max = Some(1.0);
        },
        "filter.score_max",
        "not be below",
    ),
    (
        |r| filter(r).name_contains = "x".repeat(257),
        "filter.name_contains",
        "at most 256",
    ),
    (
        |r| filter(r).status = 3,
        "filter.status",
        "one of OPEN, CLOSED",
    ),
];

const SCORE: &[Case<pb::ScoreDealsRequest>] = &[
    (|r| r.deal_ids = vec!["d".into(); 10_000], "", ""),
    (
        |r| r.deal_ids = vec!["d".into(); 10_001],
        "deal_ids",
        "at most 10000, got 10001",
    ),
    (
        |r| r.deal_ids = vec!["d".into(), "a/b".into()],
        "deal_ids[1]",
        "'/'",
    ),
    (
        |r| {
            r.deal_ids = vec!["d".into()];
            r.filter = Some(pb::PipelineFilter::default());
        },
        "filter",
        "not be set together with deal_ids",
    ),
    (|r| r.view = 3, "view", "one of ROW, FULL, got 3"),
];

const SUM: &[Case<pb::SummarizePipelineRequest>] = &[
    (|r| r.group_by = vec![1, 7], "", ""),
    (
        |r| r.group_by = vec![1, 2, 3],
        "group_by",
        "at most 2, got 3",
    ),
    (|r| r.group_by = vec![1, 1], "group_by[1]", "not come twice"),
    (|r| r.group_by = vec![8], "group_by[0]", "one of OWNER"),
    (
        |r| r.compared_with = at(NOW_SECONDS + 301),
        "compared_with",
        "5 minutes ahead",
    ),
];

#[tokio::test]
async fn each_field_is_refused_by_its_path() {
    let mut caller = Caller::start().await;
    for (change, field, words) in LIST {
        let mut request = pb::ListDealsRequest::default();
        change(&mut request);
        check(caller.forecast.list_deals(request).await, field, words);
    }
    for (change, field, words) in SCORE {
        let mut request = pb::ScoreDealsRequest::default();
        change(&mut request);
        check(caller.forecast.score_deals(request).await, field, words);
    }
    for (change, field, words) in SUM {
        let mut request = pb::SummarizePipelineRequest::default();
        change(&mut request);
        check(
            caller.forecast.summarize_pipeline(request).await,
            field,
            words,
        );
    }
    caller.running.stop().await;
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    let mut caller = Caller::start().await;
    let mut request = pb::ListDealsRequest {
        page_size: -1,
        order: 9,
        ..pb::ListDealsRequest::default()
    };
    filter(&mut request).score_min = Some(-1.0);
    filter(&mut request).bands = vec![9];
    let refusal = caller.forecast.list_deals(request).await.unwrap_err();
    let told = refusal.get_details_bad_request().unwrap().field_violations;
    assert_eq!(told.len(), 4, "{told:?}");
    caller.running.stop().await;
}
