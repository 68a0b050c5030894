//! The past of a deal through the service: its score over time, and why two moments differ.

use std::sync::Arc;

use prost_types::Timestamp;
use serde_json::json;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::app::App;
use verbatim::app::ComparisonQuery;
use verbatim::app::TrendQuery;
use verbatim::clock::ManualClock;
use verbatim::domain::difference::Seen;
use verbatim::domain::facts::Retraction;
use verbatim::domain::text::Id;
use verbatim::domain::text::Reason;
use verbatim::domain::time::Instant;
use verbatim::domain::trend::Knowledge;
use verbatim::domain::trend::TrendStep;
use verbatim::domain::walk::ChangeKind;
use verbatim::grpc::request;
use verbatim::model_file;
use verbatim::store::DealKey;
use verbatim::store::memory::Memory;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::forecast_service_client::ForecastServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement_of;
use crate::server;
use crate::server::NOW_SECONDS;
use crate::server::post;

const DAY: i64 = 86_400;

fn days_ago(days: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: NOW_SECONDS - days * DAY,
        nanos: 0,
    })
}

/// Says something on a topic so many days ago; the service's clock stands still, so all is recorded now.
async fn say(channel: &Channel, id: &str, days: i64, topic: pb::Topic) {
    let mut request = statement_of("d1");
    let statement = request.statement.as_mut().unwrap();
    statement.statement_id = id.into();
    statement.said_at = days_ago(days);
    statement.claims[0].topic = topic as i32;
    statement.claims[0].conviction = pb::Conviction::Committed as i32;
    let mut client = QualificationServiceClient::new(channel.clone());
    client.record_buyer_statement(request).await.unwrap();
}

async fn person(channel: &Channel, days: i64, presence: pb::Presence) {
    let request = pb::UpsertStakeholdersRequest {
        deal_id: "d1".into(),
        stakeholders: vec![pb::Stakeholder {
            stakeholder_id: "p1".into(),
            display_name: Some("Ana Ruiz".into()),
            roles: vec![pb::BuyingRole::EconomicBuyer as i32],
            presence: presence as i32,
            effective_at: days_ago(days),
            ..pb::Stakeholder::default()
        }],
        ..pb::UpsertStakeholdersRequest::default()
    };
    let mut client = DealServiceClient::new(channel.clone());
    client.upsert_stakeholders(request).await.unwrap();
}

/// Ana joins 20 days ago, speaks twice and leaves 2 days ago.
async fn story(channel: &Channel) {
    person(channel, 20, pb::Presence::Active).await;
    say(channel, "s1", 18, pb::Topic::Problem).await;
    say(channel, "s2", 11, pb::Topic::Consequence).await;
    person(channel, 2, pb::Presence::Departed).await;
}

fn history() -> pb::GetScoreHistoryRequest {
    pb::GetScoreHistoryRequest {
        deal_id: "d1".into(),
        ..pb::GetScoreHistoryRequest::default()
    }
}

fn comparison(days: i64) -> pb::CompareScoresRequest {
    pb::CompareScoresRequest {
        deal_id: "d1".into(),
        from: Some(pb::Seen {
            as_of: days_ago(days),
            known_at: None,
        }),
        ..pb::CompareScoresRequest::default()
    }
}

async fn points(channel: &Channel, request: pb::GetScoreHistoryRequest) -> Vec<pb::ScorePoint> {
    let mut client = ForecastServiceClient::new(channel.clone());
    let answer = client.get_score_history(request).await.unwrap();
    answer.into_inner().points
}

async fn compare(
    channel: &Channel,
    request: pb::CompareScoresRequest,
) -> pb::CompareScoresResponse {
    let mut client = ForecastServiceClient::new(channel.clone());
    client.compare_scores(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn each_point_is_what_a_score_of_its_moment_says() {
    let running = server::start().await;
    let channel = running.channel().await;
    story(&channel).await;
    let mut scores = QualificationServiceClient::new(channel.clone());
    for (step, count) in [
        (pb::TrendStep::Unspecified, 21),
        (pb::TrendStep::Daily, 21),
        (pb::TrendStep::Weekly, 3),
        (pb::TrendStep::AtEachChange, 4),
    ] {
        let request = pb::GetScoreHistoryRequest {
            step: step as i32,
            ..history()
        };
        let points = points(&channel, request).await;
        assert_eq!(points.len(), count, "{step:?}: {points:#?}");
        assert_eq!(points.last().unwrap().at, days_ago(0));
        for point in points {
            let at = pb::ScoreDealRequest {
                deal_id: "d1".into(),
                as_of: point.at,
                ..pb::ScoreDealRequest::default()
            };
            let score = scores.score_deal(at).await.unwrap().into_inner().score;
            let score = score.unwrap();
            assert!((point.score - score.score).abs() <= 1e-9, "{point:?}");
            assert!((point.base - score.base).abs() <= 1e-9, "{point:?}");
            assert_eq!(point.band, score.band);
            assert_eq!(point.revision, score.revision);
            let at = pb::ExplainStallRequest {
                deal_id: "d1".into(),
                as_of: point.at,
                ..pb::ExplainStallRequest::default()
            };
            let stall = scores.explain_stall(at).await.unwrap().into_inner();
            let stall = stall.explanation.unwrap();
            assert_eq!(point.state, stall.state, "{point:?}");
            assert_eq!(point.top_cause, stall.causes[0].cause, "{point:?}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_day_shows_what_was_known_of_it_only_once_it_was_told() {
    let running = server::start().await;
    let channel = running.channel().await;
    story(&channel).await;
    let request = |from| pb::GetScoreHistoryRequest {
        from: days_ago(from),
        step: pb::TrendStep::Daily as i32,
        knowledge: pb::Knowledge::Then as i32,
        ..history()
    };
    // All was told just now: there was nothing to show before, however far back one asks.
    let shown = points(&channel, request(10)).await;
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!((shown[0].at, shown[0].revision), (days_ago(0), 4));
    let changes = pb::GetScoreHistoryRequest {
        step: pb::TrendStep::AtEachChange as i32,
        ..request(10)
    };
    let shown = points(&channel, changes).await;
    let revisions: Vec<u64> = shown[0]
        .changes
        .iter()
        .map(|change| change.revision())
        .collect();
    assert_eq!((shown.len(), revisions), (1, vec![2, 3, 4]), "{shown:#?}");
    running.stop().await;
}

#[tokio::test]
async fn a_difference_is_told_by_what_was_said_what_aged_and_who_left() {
    let running = server::start().await;
    let channel = running.channel().await;
    story(&channel).await;
    let answer = compare(&channel, comparison(15)).await;
    let sum: f64 = answer.changes.iter().map(|change| change.points).sum();
    assert!((sum - answer.difference).abs() <= 1e-9, "{answer:#?}");
    let of_scores = answer.score_after - answer.score_before;
    assert!((of_scores - answer.difference).abs() <= 1e-9, "{answer:#?}");
    assert_eq!(answer.to.unwrap().as_of, days_ago(0));

    let of_kind = |kind: pb::ChangeKind| {
        let found = answer.changes.iter().filter(|change| change.kind() == kind);
        let found: Vec<&pb::ScoreChange> = found.collect();
        assert_eq!(found.len(), 1, "{kind:?}: {answer:#?}");
        found[0]
    };
    let said = of_kind(pb::ChangeKind::Said);
    let cited = said.statement.as_ref().unwrap();
    assert_eq!(cited.statement_id, "s2");
    assert_eq!(cited.display_name, "Ana Ruiz");
    assert_eq!(cited.said_at, days_ago(11));
    assert_eq!(said.revision(), 3);
    assert!(said.points > 0.0 && !said.learned_later, "{said:?}");
    let left = of_kind(pb::ChangeKind::Left);
    assert_eq!(
        (left.summary.as_str(), left.stakeholder_id.as_str()),
        ("Ana Ruiz left.", "p1")
    );
    assert!(left.points < 0.0 && left.statement.is_none(), "{left:?}");
    assert!(of_kind(pb::ChangeKind::Aged).points < 0.0);
    assert_eq!(answer.changes.len(), 3, "{answer:#?}");

    let itself = compare(&channel, comparison(0)).await;
    assert_eq!((itself.difference, itself.changes), (0.0, vec![]));
    running.stop().await;
}

#[tokio::test]
async fn what_was_told_later_is_a_change_of_its_own() {
    let running = server::start().await;
    let channel = running.channel().await;
    story(&channel).await;
    let mut request = comparison(15);
    // A day before all was recorded the service knew nothing of it.
    request.from.as_mut().unwrap().known_at = days_ago(1);
    request.to = Some(pb::Seen {
        as_of: days_ago(15),
        known_at: None,
    });
    let answer = compare(&channel, request.clone()).await;
    assert_eq!(answer.score_before, 0.0);
    assert!(answer.score_after > 0.0);
    let told: Vec<(bool, i32, &str)> = answer
        .changes
        .iter()
        .map(|change| (change.learned_later, change.kind, change.summary.as_str()))
        .collect();
    let said = "Ana Ruiz: “We lose a day a week to this.”";
    assert_eq!(told, [(true, pb::ChangeKind::Said as i32, said)]);
    assert_eq!(answer.changes[0].at, days_ago(18));
    assert_eq!(answer.changes[0].recorded_at, days_ago(0));

    (request.from, request.to) = (request.to, request.from);
    let back = compare(&channel, request).await;
    assert_eq!(back.changes[0].points, -answer.changes[0].points);
    running.stop().await;
}

#[tokio::test]
async fn both_calls_are_asked_in_json() {
    let running = server::start().await;
    story(&running.channel().await).await;
    let history = json!({"dealId": "d1", "step": "TREND_STEP_AT_EACH_CHANGE"}).to_string();
    let path = "/verbatim.v1.ForecastService/GetScoreHistory";
    let (status, answer) = post(running.address(), path, &history).await;
    assert_eq!(status, 200, "{answer}");
    let change = &answer["points"][0]["changes"][0];
    assert_eq!(change["kind"], "CHANGE_KIND_SAID");
    assert_eq!(change["statement"]["statementId"], "s1");

    let compare = json!({"dealId": "d1", "from": {"asOf": "2026-02-14T12:00:00Z"}}).to_string();
    let path = "/verbatim.v1.ForecastService/CompareScores";
    let (status, answer) = post(running.address(), path, &compare).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["changes"].as_array().unwrap().len(), 3, "{answer}");
    let line = &answer["byLine"]["criteria"][1];
    assert_eq!(line["topic"], "TOPIC_CONSEQUENCE", "{answer}");
    assert!(line["points"].as_f64().unwrap() > 0.0, "{answer}");
    running.stop().await;
}

/// All that is refused: the field and words of the refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>, expected: &[(&str, &str)]) {
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), expected.len(), "{violations:?}");
    for (violation, (field, words)) in violations.iter().zip(expected) {
        assert_eq!(violation.field, *field, "{violations:?}");
        assert!(violation.description.contains(words), "{violations:?}");
    }
}

#[tokio::test]
async fn a_request_is_refused_with_all_that_is_wrong_with_it() {
    let running = server::start().await;
    let mut client = ForecastServiceClient::new(running.channel().await);
    let wrong = pb::GetScoreHistoryRequest {
        deal_id: "a/b".into(),
        from: days_ago(-1),
        to: days_ago(-1),
        step: 4,
        knowledge: 3,
        min_revision: None,
    };
    refused(
        client.get_score_history(wrong).await,
        &[
            ("deal_id", "must not hold '/'"),
            ("from", "at most 5 minutes ahead"),
            ("to", "at most 5 minutes ahead"),
            (
                "step",
                "must be one of DAILY, WEEKLY, AT_EACH_CHANGE, got 4",
            ),
            ("knowledge", "must be one of NOW, THEN, got 3"),
        ],
    );
    let reversed = pb::GetScoreHistoryRequest {
        from: days_ago(1),
        to: days_ago(2),
        ..history()
    };
    refused(
        client.get_score_history(reversed).await,
        &[("from", "must not be later than `to`")],
    );
    let wrong = pb::CompareScoresRequest {
        deal_id: String::new(),
        to: Some(pb::Seen {
            as_of: days_ago(-1),
            known_at: days_ago(-1),
        }),
        ..pb::CompareScoresRequest::default()
    };
    refused(
        client.compare_scores(wrong).await,
        &[
            ("deal_id", "must not be empty"),
            ("from.as_of", "must be set"),
            ("to.as_of", "at most 5 minutes ahead"),
            ("to.known_at", "at most 5 minutes ahead"),
        ],
    );
    running.stop().await;
}

#[tokio::test]
async fn a_deal_that_is_absent_or_behind_is_told_so() {
    let running = server::start().await;
    let channel = running.channel().await;
    let mut client = ForecastServiceClient::new(channel.clone());
    let code = |status: Status| status.code();
    let absent = client.get_score_history(history()).await;
    assert_eq!(absent.map_err(code).unwrap_err(), Code::NotFound);
    let absent = client.compare_scores(comparison(1)).await;
    assert_eq!(absent.map_err(code).unwrap_err(), Code::NotFound);
    say(&channel, "s1", 3, pb::Topic::Problem).await;
    let behind = pb::GetScoreHistoryRequest {
        min_revision: Some(2),
        ..history()
    };
    let behind = client.get_score_history(behind).await;
    assert_eq!(behind.map_err(code).unwrap_err(), Code::FailedPrecondition);
    let behind = pb::CompareScoresRequest {
        min_revision: Some(2),
        ..comparison(1)
    };
    let behind = client.compare_scores(behind).await;
    assert_eq!(behind.map_err(code).unwrap_err(), Code::FailedPrecondition);
    running.stop().await;
}

#[tokio::test]
async fn a_span_of_more_than_a_thousand_points_or_entries_is_refused() {
    let running = server::start().await;
    let channel = running.channel().await;
    let mut client = ForecastServiceClient::new(channel.clone());
    say(&channel, "old", 1_000, pb::Topic::Problem).await;
    refused(
        client.get_score_history(history()).await,
        &[("from", "at most 1000 points up to `to`, got 1001")],
    );
    let shorter = pb::GetScoreHistoryRequest {
        from: days_ago(999),
        ..history()
    };
    assert_eq!(points(&channel, shorter).await.len(), 1_000);

    for number in 0..1_000 {
        say(&channel, &format!("s{number}"), 1, pb::Topic::Value).await;
    }
    let changes = |days| pb::GetScoreHistoryRequest {
        from: days_ago(days),
        step: pb::TrendStep::AtEachChange as i32,
        ..history()
    };
    assert_eq!(points(&channel, changes(999)).await.len(), 2);
    refused(
        client.get_score_history(changes(1_000)).await,
        &[("from", "at most 1000 entries up to `to`, got 1001")],
    );
    compare(&channel, comparison(1_000)).await;
    refused(
        client.compare_scores(comparison(1_001)).await,
        &[("from", "at most 1000 entries up to `to`, got 1001")],
    );
    running.stop().await;
}

#[tokio::test]
async fn a_closed_deal_ends_when_it_closed() {
    let running = server::start().await;
    let channel = running.channel().await;
    story(&channel).await;
    let request = pb::RecordOutcomeRequest {
        deal_id: "d1".into(),
        outcome: Some(pb::DealOutcome {
            outcome: pb::Outcome::Won as i32,
            effective_at: days_ago(5),
            ..pb::DealOutcome::default()
        }),
        ..pb::RecordOutcomeRequest::default()
    };
    let mut deals = DealServiceClient::new(channel.clone());
    deals.record_outcome(request).await.unwrap();
    let told = points(&channel, history()).await;
    let last = told.last().unwrap();
    assert_eq!(last.at, days_ago(5));
    assert_eq!(last.state(), pb::DealState::Closed);
    let answer = compare(&channel, comparison(15)).await;
    assert_eq!(answer.to.unwrap().as_of, days_ago(5));
    // What a dashboard showed goes on until it was told of the close.
    let shown = pb::GetScoreHistoryRequest {
        knowledge: pb::Knowledge::Then as i32,
        ..history()
    };
    let shown = points(&channel, shown).await;
    assert_eq!(shown.last().unwrap().at, days_ago(0));
    running.stop().await;
}

async fn told_of_deal(channel: &Channel, days: i64, stage: &str, close_date: &str) {
    let request = pb::UpsertDealRequest {
        deal: Some(pb::Deal {
            deal_id: "d1".into(),
            seller_stage: Some(stage.into()),
            close_date: Some(close_date.into()),
            effective_at: days_ago(days),
            ..pb::Deal::default()
        }),
        expected_revision: None,
    };
    let mut client = DealServiceClient::new(channel.clone());
    client.upsert_deal(request).await.unwrap();
}

async fn told_of_person(channel: &Channel, days: i64, id: &str, role: pb::BuyingRole) {
    let request = pb::UpsertStakeholdersRequest {
        deal_id: "d1".into(),
        stakeholders: vec![pb::Stakeholder {
            stakeholder_id: id.into(),
            roles: vec![role as i32],
            effective_at: days_ago(days),
            ..pb::Stakeholder::default()
        }],
        expected_revision: None,
    };
    let mut client = DealServiceClient::new(channel.clone());
    client.upsert_stakeholders(request).await.unwrap();
}

async fn told_of_plan(channel: &Channel, days: i64, milestone: pb::Milestone) {
    let request = pb::UpsertMilestonesRequest {
        deal_id: "d1".into(),
        milestones: vec![pb::Milestone {
            milestone_id: "m1".into(),
            name: Some("Security review".into()),
            effective_at: days_ago(days),
            ..milestone
        }],
        expected_revision: None,
    };
    let mut client = DealServiceClient::new(channel.clone());
    client.upsert_milestones(request).await.unwrap();
}

/// Something of every kind happens in the last 15 days.
async fn eventful_story(channel: &Channel) {
    person(channel, 20, pb::Presence::Active).await;
    for (id, topic) in [
        ("s1", pb::Topic::Problem),
        ("s2", pb::Topic::Consequence),
        ("s3", pb::Topic::StatusQuo),
    ] {
        say(channel, id, 19, topic).await;
    }
    let mut wish = statement_of("d1");
    let statement = wish.statement.as_mut().unwrap();
    statement.said_at = days_ago(19);
    statement.claims[0].topic = pb::Topic::GoLive as i32;
    statement.claims[0].target_date = "2026-02-26".into();
    let mut client = QualificationServiceClient::new(channel.clone());
    client.record_buyer_statement(wish).await.unwrap();
    told_of_deal(channel, 19, "Prospecting", "2026-03-10").await;
    let due = pb::Milestone {
        due_date: Some("2026-02-25".into()),
        ..pb::Milestone::default()
    };
    told_of_plan(channel, 19, due).await;

    told_of_deal(channel, 10, "Prospecting", "2026-04-10").await;
    told_of_deal(channel, 9, "Negotiation/Review", "2026-04-10").await;
    // Only from a group of more than three deciders on it counts who has not been heard.
    for id in ["p2", "p3", "p4"] {
        told_of_person(channel, 8, id, pb::BuyingRole::DecisionMaker).await;
    }
    told_of_person(channel, 7, "p1", pb::BuyingRole::User).await;
    person(channel, 6, pb::Presence::Departed).await;
    person(channel, 5, pb::Presence::Active).await;
    let done = pb::Milestone {
        completed_at: days_ago(1),
        ..pb::Milestone::default()
    };
    told_of_plan(channel, 1, done).await;
}

#[tokio::test]
async fn each_kind_of_change_has_a_sentence_of_its_own() {
    let running = server::start().await;
    let channel = running.channel().await;
    eventful_story(&channel).await;
    let mut changes = compare(&channel, comparison(15)).await.changes;
    changes.sort_by_key(|change| change.at.as_ref().map(|at| (at.seconds, at.nanos)));
    let told: Vec<(pb::ChangeKind, bool, &str)> = changes
        .iter()
        .map(|change| (change.kind(), change.points < 0.0, change.summary.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                pb::ChangeKind::SellerChanged,
                true,
                "The seller moved the close date from 10 March 2026 to 10 April 2026."
            ),
            (
                pb::ChangeKind::SellerChanged,
                true,
                "The seller moved the stage from “Prospecting” to “Negotiation/Review”."
            ),
            (pb::ChangeKind::Joined, true, "p4 joined as decision maker."),
            (pb::ChangeKind::RoleChanged, true, "Ana Ruiz is now user."),
            (pb::ChangeKind::Left, true, "Ana Ruiz left."),
            (pb::ChangeKind::Joined, false, "Ana Ruiz is back."),
            (
                pb::ChangeKind::DatePassed,
                true,
                "“Security review” is overdue."
            ),
            (
                pb::ChangeKind::DatePassed,
                true,
                "The go-live date that Ana Ruiz named, 26 February 2026, has gone by."
            ),
            (
                pb::ChangeKind::PlanChanged,
                false,
                "“Security review” is done."
            ),
            (
                pb::ChangeKind::Aged,
                true,
                "What was said and not said again fades, most on the cost of doing nothing and whether things can stay as they are."
            ),
        ]
    );
    running.stop().await;
}

/// A service whose clock the test moves, without its doors.
fn app_at(now: Instant) -> (Arc<App>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(now));
    let model = Arc::new(model_file::default().clone());
    let app = App::new(Arc::new(Memory::new()), clock.clone(), model, 1 << 20);
    (Arc::new(app), clock)
}

fn at_day(days: i64) -> Instant {
    Instant::from_unix(NOW_SECONDS + days * DAY, 0).unwrap()
}

/// Ana says it on day 0; on day 2 it is taken back.
async fn taken_back() -> (Arc<App>, DealKey) {
    let (app, clock) = app_at(at_day(0));
    let mut given = statement_of("d1");
    given.statement.as_mut().unwrap().statement_id = "s1".into();
    let recording = request::record(given, at_day(0)).unwrap();
    let key = recording.deal.clone();
    app.record(recording).await.unwrap();
    clock.set(at_day(2));
    let retraction = Retraction {
        statement: Id::new("s1").unwrap(),
        reason: Reason::new("misheard").unwrap(),
    };
    app.retract_statement(&key, retraction, None).await.unwrap();
    clock.set(at_day(4));
    (app, key)
}

#[tokio::test]
async fn a_statement_taken_back_is_cited_where_it_once_counted() {
    let (app, key) = taken_back().await;
    let seen = |known_at| Seen {
        as_of: at_day(1),
        known_at,
    };
    let query = |from: Seen, to: Seen| ComparisonQuery {
        deal: key.clone(),
        from,
        to_as_of: Some(to.as_of),
        to_known_at: to.known_at,
        min_revision: None,
    };
    let told = app.compare(query(seen(at_day(1)), seen(Instant::MAX)));
    let difference = told.await.unwrap().difference;
    assert!(difference.ledger.total < 0.0);
    let [change] = difference.changes.as_slice() else {
        panic!("{difference:#?}");
    };
    assert_eq!(change.kind, ChangeKind::TakenBack);
    assert_eq!(
        change.summary,
        "p1: “We lose a day a week to this.” was taken back: misheard"
    );
    assert_eq!(change.citation.as_ref().unwrap().said_at, at_day(0));
    assert_eq!(change.entry.unwrap().recorded_at, at_day(2));

    // With all that is known now it never counted.
    let told = app.compare(query(seen(Instant::MAX), seen(Instant::MAX)));
    assert_eq!(told.await.unwrap().difference.changes, vec![]);
}

#[tokio::test]
async fn a_dashboard_of_a_past_day_shows_what_was_taken_back_since() {
    let (app, key) = taken_back().await;
    let query = |knowledge, step| TrendQuery {
        deal: key.clone(),
        from: None,
        to: None,
        step,
        knowledge,
        min_revision: None,
    };
    let shown = app.trend(query(Knowledge::Then, TrendStep::Daily)).await;
    let shown = shown.unwrap().points;
    let counted: Vec<bool> = shown.iter().map(|point| 0.0 < point.score).collect();
    assert_eq!(counted, [true, true, false, false, false], "{shown:#?}");

    let each = app.trend(query(Knowledge::Then, TrendStep::AtEachChange));
    let each = each.await.unwrap().points;
    let kinds: Vec<Vec<ChangeKind>> = each
        .iter()
        .map(|point| point.changes.iter().map(|change| change.kind).collect())
        .collect();
    assert_eq!(
        kinds,
        [vec![ChangeKind::Said], vec![ChangeKind::TakenBack], vec![]]
    );

    // Known now, nothing was ever true of the deal: one point tells so.
    let now = app.trend(query(Knowledge::Now, TrendStep::Daily)).await;
    let now = now.unwrap().points;
    assert_eq!((now.len(), now[0].at, now[0].score), (1, at_day(4), 0.0));
}
