//! Sums: by hand, by currency, in groups that come to the whole, and at two moments.

use verbatim::wire::pb;

use crate::pipeline::pages::Caller;
use crate::server::NOW_SECONDS;

const DAY: i64 = 86_400;

fn money(currency_code: &str, units: i64) -> Option<pb::Money> {
    Some(pb::Money {
        currency_code: currency_code.into(),
        units,
        nanos: 0,
    })
}

fn days_ago(days: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: NOW_SECONDS - days * DAY,
        nanos: 0,
    })
}

fn deal(id: &str, owner: &str, stage: &str, amount: Option<pb::Money>) -> pb::Deal {
    pb::Deal {
        deal_id: id.into(),
        owner: Some(owner.into()),
        seller_stage: Some(stage.into()),
        close_date: Some("2026-05-31".into()),
        amount,
        effective_at: days_ago(10),
        ..pb::Deal::default()
    }
}

/// Four deals nobody has said a word on, so each scores 0; one is dark, one is lost, one is of yesterday.
async fn fill(caller: &mut Caller) {
    let old = pb::Deal {
        effective_at: days_ago(20),
        ..deal("old", "Ann", "Qualification", money("EUR", 1_000))
    };
    caller.deal(old).await;
    let proposed = deal("proposed", "Bob", "Proposal/Price Quote", money("EUR", 200));
    caller.deal(proposed).await;
    let odd = pb::Deal {
        effective_at: days_ago(1),
        ..deal("odd", "Bob", "Verbal OK", money("USD", 30))
    };
    caller.deal(odd).await;
    let lost = deal("lost", "Ann", "Closed Lost", money("EUR", 5_000));
    caller.deal(lost).await;
    let request = pb::RecordOutcomeRequest {
        deal_id: "lost".into(),
        outcome: Some(pb::DealOutcome {
            outcome: pb::Outcome::LostToNoDecision as i32,
            effective_at: days_ago(2),
            ..pb::DealOutcome::default()
        }),
        ..pb::RecordOutcomeRequest::default()
    };
    caller.deals.record_outcome(request).await.unwrap();
}

async fn sum(
    caller: &mut Caller,
    request: pb::SummarizePipelineRequest,
) -> pb::SummarizePipelineResponse {
    let answer = caller.forecast.summarize_pipeline(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn sums_are_what_one_adds_up_by_hand() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    let answer = sum(&mut caller, pb::SummarizePipelineRequest::default()).await;
    let total = answer.summary.unwrap().total.unwrap();
    assert_eq!((total.deals, total.open, total.dark), (4, 3, 1));
    assert_eq!((total.stalled, total.stage_unknown), (0, 1));
    assert_eq!(
        (total.score_mean, total.score_median),
        (Some(0.0), Some(0.0))
    );
    let [eur, usd] = &total.amounts[..] else {
        panic!("{total:?}");
    };
    assert_eq!((eur.deals, eur.amount.clone()), (3, money("EUR", 6_200)));
    assert_eq!(eur.dark, money("EUR", 1_000));
    assert_eq!(eur.expected, money("EUR", 0));
    // A tenth of 1,000 and three quarters of 200; a lost deal promises nothing.
    assert_eq!(eur.seller_forecast, money("EUR", 250));
    assert_eq!(eur.evidence_forecast, money("EUR", 0));
    assert_eq!(eur.happy_ears_gap, money("EUR", 250));
    assert_eq!(usd.amount, money("USD", 30));
    assert_eq!(usd.stage_unknown, money("USD", 30));
    assert_eq!(usd.seller_forecast, money("USD", 0));
    caller.running.stop().await;
}

#[tokio::test]
async fn words_count_in_what_is_expected() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    for number in 0..9 {
        caller.said("proposed", number).await;
    }
    let listed = caller
        .page(&pb::ListDealsRequest::default(), "")
        .await
        .unwrap();
    assert_eq!(listed.deals[0].deal_id, "proposed");
    let score = listed.deals[0].score;
    assert!(1.0 < score, "{score}");
    let answer = sum(&mut caller, pb::SummarizePipelineRequest::default()).await;
    let total = answer.summary.unwrap().total.unwrap();
    let expected = total.amounts[0].expected.as_ref().unwrap();
    let expected = expected.units as f64 + f64::from(expected.nanos) / 1e9;
    assert!((expected - 2.0 * score).abs() < 1e-6, "{expected} {score}");
    assert!((total.score_mean.unwrap() - score / 4.0).abs() < 1e-9);
    assert_eq!(total.score_median, Some(0.0));
    caller.running.stop().await;
}

#[tokio::test]
async fn groups_come_to_the_whole_and_carry_their_keys() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    for grouping in 1..=7 {
        let request = pb::SummarizePipelineRequest {
            group_by: vec![grouping],
            ..pb::SummarizePipelineRequest::default()
        };
        let summary = sum(&mut caller, request).await.summary.unwrap();
        let deals: i64 = summary
            .groups
            .iter()
            .map(|group| group.sums.as_ref().unwrap().deals)
            .sum();
        assert_eq!(deals, 4, "{grouping}");
    }
    let request = pb::SummarizePipelineRequest {
        group_by: vec![
            pb::PipelineGrouping::Owner as i32,
            pb::PipelineGrouping::State as i32,
        ],
        ..pb::SummarizePipelineRequest::default()
    };
    let summary = sum(&mut caller, request).await.summary.unwrap();
    let mut keys: Vec<(&str, &str)> = summary
        .groups
        .iter()
        .map(|group| (group.keys[0].value.as_str(), group.keys[1].value.as_str()))
        .collect();
    keys.sort_unstable();
    let expected = [
        ("Ann", "DEAL_STATE_CLOSED"),
        ("Ann", "DEAL_STATE_DARK"),
        ("Bob", "DEAL_STATE_MOVING"),
    ];
    assert_eq!(keys, expected);
    caller.running.stop().await;
}

#[tokio::test]
async fn two_moments_are_summed_up_side_by_side() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    let request = pb::SummarizePipelineRequest {
        compared_with: days_ago(5),
        ..pb::SummarizePipelineRequest::default()
    };
    let answer = sum(&mut caller, request).await;
    let then = answer.compared.unwrap();
    assert_eq!(then.as_of, days_ago(5));
    let then = then.total.unwrap();
    // The deal of yesterday had not begun, and the lost one was open.
    assert_eq!((then.deals, then.open, then.dark), (3, 3, 1));
    assert_eq!(answer.summary.unwrap().total.unwrap().open, 3);
    caller.running.stop().await;
}

/// A change to an empty filter, and the deals that fit it then, by id.
type Filtered = (fn(&mut pb::PipelineFilter), &'static [&'static str]);

const FILTERS: &[Filtered] = &[
    (|_| {}, &["lost", "odd", "old", "proposed"]),
    (
        |f| f.status = pb::DealStatus::Open as i32,
        &["odd", "old", "proposed"],
    ),
    (|f| f.owners = vec!["ANN".into()], &["lost", "old"]),
    (
        |f| {
            f.owners = vec!["ANN".into()];
            f.status = pb::DealStatus::Open as i32;
        },
        &["old"],
    ),
    (
        |f| f.states = vec![pb::DealState::Dark as i32, pb::DealState::Moving as i32],
        &["odd", "old", "proposed"],
    ),
    (|f| f.amount_min = money("EUR", 201), &["lost", "old"]),
    (
        |f| f.forecast_categories = vec![pb::ForecastCategory::Closed as i32],
        &["lost"],
    ),
    (|f| f.close_date_from = "2026-06-01".into(), &[]),
];

#[tokio::test]
async fn a_filter_takes_every_part_that_is_set() {
    let mut caller = Caller::start().await;
    fill(&mut caller).await;
    for (change, expected) in FILTERS {
        let mut filter = pb::PipelineFilter::default();
        change(&mut filter);
        let request = pb::ListDealsRequest {
            filter: Some(filter.clone()),
            ..pb::ListDealsRequest::default()
        };
        let page = caller.page(&request, "").await.unwrap();
        let ids: Vec<&str> = page
            .deals
            .iter()
            .map(|deal| deal.deal_id.as_str())
            .collect();
        assert_eq!(ids, *expected, "{filter:?}");
    }
    caller.running.stop().await;
}
