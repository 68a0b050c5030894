//! Every field of every request: both sides of each bound, each refusal by its path, all of them at once.

use prost_types::Timestamp;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::server;
use crate::server::NOW_SECONDS;

/// A change to a request, the field that is then refused (empty: none is) and words of the refusal.
type Case<T> = (fn(&mut T), &'static str, &'static str);

const AHEAD: i64 = 300;

pub fn statement() -> pb::RecordBuyerStatementRequest {
    statement_of("d1")
}

/// A request that is as it should be.
pub fn statement_of(deal: &str) -> pb::RecordBuyerStatementRequest {
    pb::RecordBuyerStatementRequest {
        statement: Some(pb::BuyerStatement {
            deal_id: deal.into(),
            speaker: Some(pb::Speaker {
                stakeholder_id: "p1".into(),
                ..pb::Speaker::default()
            }),
            quote: "We lose a day a week to this.".into(),
            attribution: pb::Attribution::Verbatim as i32,
            claims: vec![pb::Claim {
                topic: pb::Topic::Problem as i32,
                ..pb::Claim::default()
            }],
            ..pb::BuyerStatement::default()
        }),
        ..pb::RecordBuyerStatementRequest::default()
    }
}

#[track_caller]
fn check<T>(outcome: Result<T, Status>, field: &str, words: &str) {
    let refusal = match outcome {
        Ok(_) => {
            assert_eq!(field, "", "was taken: {words}");
            return;
        }
        Err(refusal) => refusal,
    };
    if field.is_empty() {
        assert_ne!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
        return;
    }
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    let told: Vec<(&str, &str)> = violations
        .iter()
        .map(|violation| (violation.field.as_str(), violation.description.as_str()))
        .collect();
    assert_eq!(told.len(), 1, "{field}: {told:?}");
    assert_eq!(told[0].0, field, "{told:?}");
    assert!(told[0].1.contains(words), "{field}: {told:?}");
    assert!(refusal.message().starts_with(field), "{refusal:?}");
}

fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

fn said(request: &mut pb::RecordBuyerStatementRequest) -> &mut pb::BuyerStatement {
    request.statement.as_mut().unwrap()
}

fn speaker(request: &mut pb::RecordBuyerStatementRequest) -> &mut pb::Speaker {
    said(request).speaker.as_mut().unwrap()
}

fn claim(request: &mut pb::RecordBuyerStatementRequest) -> &mut pb::Claim {
    &mut said(request).claims[0]
}

fn impact(currency_code: &str, units: i64, nanos: i32) -> Option<pb::Money> {
    Some(pb::Money {
        currency_code: currency_code.into(),
        units,
        nanos,
    })
}

const STATEMENT: &[Case<pb::RecordBuyerStatementRequest>] = &[
    (|_| {}, "", ""),
    (|r| r.statement = None, "statement", "must be set"),
    (
        |r| said(r).deal_id.clear(),
        "statement.deal_id",
        "must not be empty",
    ),
    (|r| said(r).deal_id = "x".repeat(128), "", ""),
    (
        |r| said(r).deal_id = "x".repeat(129),
        "statement.deal_id",
        "at most 128 bytes, got 129",
    ),
    (
        |r| said(r).deal_id = "a/b".into(),
        "statement.deal_id",
        "'/'",
    ),
    (|r| said(r).statement_id = "x".repeat(128), "", ""),
    (
        |r| said(r).statement_id = " s".into(),
        "statement.statement_id",
        "blank",
    ),
    (
        |r| said(r).speaker = None,
        "statement.speaker",
        "unless attribution is INFERRED",
    ),
    (
        |r| {
            said(r).speaker = None;
            said(r).attribution = 3;
        },
        "",
        "",
    ),
    (
        |r| speaker(r).stakeholder_id.clear(),
        "statement.speaker.stakeholder_id",
        "empty",
    ),
    (|r| speaker(r).display_name = "x".repeat(256), "", ""),
    (
        |r| speaker(r).display_name = "x".repeat(257),
        "statement.speaker.display_name",
        "256",
    ),
    (
        |r| speaker(r).title = "a\nb".into(),
        "statement.speaker.title",
        "U+000A",
    ),
    (|r| speaker(r).roles = vec![1; 10], "", ""),
    (
        |r| speaker(r).roles = vec![1; 11],
        "statement.speaker.roles",
        "at most 10, got 11",
    ),
    (
        |r| speaker(r).roles = vec![1, 11],
        "statement.speaker.roles[1]",
        "ECONOMIC_BUYER",
    ),
    (
        |r| speaker(r).roles = vec![0],
        "statement.speaker.roles[0]",
        "must be set",
    ),
    (|r| said(r).said_at = at(NOW_SECONDS + AHEAD, 0), "", ""),
    (
        |r| said(r).said_at = at(NOW_SECONDS + AHEAD, 1),
        "statement.said_at",
        "5 minutes",
    ),
    (|r| said(r).said_at = at(0, 0), "", ""),
    (
        |r| said(r).said_at = at(-1, 0),
        "statement.said_at",
        "1970-01-01",
    ),
    (
        |r| said(r).said_at = at(0, -1),
        "statement.said_at",
        "1970-01-01",
    ),
    (
        |r| said(r).said_at = at(0, 1_000_000_000),
        "statement.said_at",
        "1970-01-01",
    ),
    (
        |r| said(r).said_at = at(i64::MAX, i32::MAX),
        "statement.said_at",
        "2200-01-01",
    ),
    (
        |r| said(r).quote.clear(),
        "statement.quote",
        "must not be empty",
    ),
    (
        |r| said(r).quote = " \n".into(),
        "statement.quote",
        "must not be empty",
    ),
    (|r| said(r).quote = "x".repeat(4_096), "", ""),
    (
        |r| said(r).quote = "x".repeat(4_097),
        "statement.quote",
        "at most 4096 bytes, got 4097",
    ),
    (
        |r| said(r).quote = "a\u{0}".into(),
        "statement.quote",
        "U+0000",
    ),
    (|r| said(r).quote = "a\r\n\tb".into(), "", ""),
    (
        |r| said(r).attribution = 0,
        "statement.attribution",
        "must be set to one of VERBATIM",
    ),
    (
        |r| said(r).attribution = 4,
        "statement.attribution",
        "got 4",
    ),
    (|r| said(r).channel = 7, "", ""),
    (|r| said(r).channel = 8, "statement.channel", "CALL, VIDEO"),
    (|r| said(r).channel = -1, "statement.channel", "got -1"),
    (|r| said(r).source_uri = "x".repeat(2_048), "", ""),
    (
        |r| said(r).source_uri = "x".repeat(2_049),
        "statement.source_uri",
        "2048",
    ),
    (|r| said(r).context = "x".repeat(4_096), "", ""),
    (
        |r| said(r).context = "x".repeat(4_097),
        "statement.context",
        "4096",
    ),
    (|r| said(r).claims.clear(), "", ""),
    (|r| said(r).claims = vec![claim(r).clone(); 16], "", ""),
    (
        |r| said(r).claims = vec![claim(r).clone(); 17],
        "statement.claims",
        "at most 16, got 17",
    ),
];

const CLAIM: &[Case<pb::RecordBuyerStatementRequest>] = &[
    (
        |r| claim(r).topic = 0,
        "statement.claims[0].topic",
        "must be set",
    ),
    (|r| claim(r).topic = 12, "", ""),
    (
        |r| claim(r).topic = 13,
        "statement.claims[0].topic",
        "got 13",
    ),
    (|r| claim(r).stance = 3, "", ""),
    (
        |r| claim(r).stance = 4,
        "statement.claims[0].stance",
        "SUPPORTS, OPPOSES, DEFERS",
    ),
    (|r| claim(r).conviction = 3, "", ""),
    (
        |r| claim(r).conviction = 4,
        "statement.claims[0].conviction",
        "got 4",
    ),
    (
        |r| claim(r).confidence = Some(0.0),
        "statement.claims[0].confidence",
        "above 0",
    ),
    (|r| claim(r).confidence = Some(f64::MIN_POSITIVE), "", ""),
    (|r| claim(r).confidence = Some(1.0), "", ""),
    (
        |r| claim(r).confidence = Some(1.000_001),
        "statement.claims[0].confidence",
        "1.000001",
    ),
    (
        |r| claim(r).confidence = Some(f64::NAN),
        "statement.claims[0].confidence",
        "NaN",
    ),
    (
        |r| claim(r).confidence = Some(f64::INFINITY),
        "statement.claims[0].confidence",
        "inf",
    ),
    (
        |r| claim(r).confidence = Some(-0.5),
        "statement.claims[0].confidence",
        "-0.5",
    ),
    (|r| claim(r).issue_category = 10, "", ""),
    (
        |r| claim(r).issue_category = 11,
        "statement.claims[0].issue_category",
        "got 11",
    ),
    (|r| claim(r).impact = impact("EUR", i64::MIN, 0), "", ""),
    (
        |r| claim(r).impact = impact("eur", 1, 0),
        "statement.claims[0].impact.currency_code",
        "capital",
    ),
    (
        |r| claim(r).impact = impact("EUR", 1, -1),
        "statement.claims[0].impact.nanos",
        "same sign",
    ),
    (
        |r| claim(r).impact = impact("EUR", 1, i32::MIN),
        "statement.claims[0].impact.nanos",
        "from -999999999",
    ),
    (|r| claim(r).target_date = "2199-12-31".into(), "", ""),
    (
        |r| claim(r).target_date = "2200-01-01".into(),
        "statement.claims[0].target_date",
        "2200",
    ),
    (
        |r| claim(r).target_date = "31.12.2026".into(),
        "statement.claims[0].target_date",
        "YYYY",
    ),
    (|r| claim(r).compelling_event = 7, "", ""),
    (
        |r| claim(r).compelling_event = 8,
        "statement.claims[0].compelling_event",
        "got 8",
    ),
    (|r| claim(r).buying_stage = 8, "", ""),
    (
        |r| claim(r).buying_stage = 9,
        "statement.claims[0].buying_stage",
        "got 9",
    ),
    // Output only: what a caller puts there is not even read.
    (|r| claim(r).source = 99, "", ""),
    (|r| claim(r).basis = "\u{0}".into(), "", ""),
];

#[tokio::test]
async fn a_statement_is_held_to_every_bound() {
    let running = server::start().await;
    let mut client = QualificationServiceClient::new(running.channel().await);
    for (change, field, words) in STATEMENT.iter().chain(CLAIM) {
        let mut request = statement();
        request.validate_only = true;
        change(&mut request);
        check(client.record_buyer_statement(request).await, field, words);
    }
    running.stop().await;
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let running = server::start().await;
    let mut client = QualificationServiceClient::new(running.channel().await);
    let mut request = statement();
    said(&mut request).quote.clear();
    said(&mut request).channel = 99;
    claim(&mut request).topic = 0;
    claim(&mut request).target_date = "soon".into();
    let refusal = client.record_buyer_statement(request).await.unwrap_err();
    let info = refusal.get_details_error_info().unwrap();
    assert_eq!(
        (&*info.reason, &*info.domain),
        ("INVALID_FIELDS", "verbatim.v1")
    );
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations
        .iter()
        .map(|violation| &*violation.field)
        .collect();
    assert_eq!(
        fields,
        [
            "statement.quote",
            "statement.channel",
            "statement.claims[0].topic",
            "statement.claims[0].target_date"
        ]
    );
    assert!(refusal.message().ends_with("; and 1 more"), "{refusal}");
    running.stop().await;
}

fn deal(request: &mut pb::UpsertDealRequest) -> &mut pb::Deal {
    request.deal.as_mut().unwrap()
}

const DEAL: &[Case<pb::UpsertDealRequest>] = &[
    (|r| r.deal = None, "deal", "must be set"),
    (|r| deal(r).deal_id.clear(), "deal.deal_id", "empty"),
    (|r| deal(r).name = Some("x".repeat(257)), "deal.name", "256"),
    (
        |r| deal(r).account = Some("\u{202E}".into()),
        "deal.account",
        "U+202E",
    ),
    (
        |r| deal(r).owner = Some("a\tb".into()),
        "deal.owner",
        "U+0009",
    ),
    (
        |r| deal(r).amount = impact("", 1, 0),
        "deal.amount.currency_code",
        "three capital letters",
    ),
    (
        |r| deal(r).seller_stage = Some("x".repeat(257)),
        "deal.seller_stage",
        "256",
    ),
    (
        |r| deal(r).close_date = Some(String::new()),
        "deal.close_date",
        "YYYY-MM-DD",
    ),
    (
        |r| deal(r).effective_at = at(NOW_SECONDS + AHEAD, 1),
        "deal.effective_at",
        "5 minutes",
    ),
];

const PEOPLE: &[Case<pb::UpsertStakeholdersRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (
        |r| r.stakeholders.clear(),
        "stakeholders",
        "must be 1 to 200, got 0",
    ),
    (
        |r| r.stakeholders = people(201),
        "stakeholders",
        "must be 1 to 200, got 201",
    ),
    (
        |r| r.stakeholders[0].stakeholder_id.clear(),
        "stakeholders[0].stakeholder_id",
        "empty",
    ),
    (
        |r| r.stakeholders[1].stakeholder_id = "p0".into(),
        "stakeholders[1].stakeholder_id",
        "twice",
    ),
    (
        |r| r.stakeholders[1].display_name = Some("x".repeat(257)),
        "stakeholders[1].display_name",
        "256",
    ),
    (
        |r| r.stakeholders[0].title = Some("\n".into()),
        "stakeholders[0].title",
        "U+000A",
    ),
    (
        |r| r.stakeholders[0].roles = vec![99],
        "stakeholders[0].roles[0]",
        "got 99",
    ),
    (
        |r| {
            r.stakeholders[0].roles = vec![1];
            r.stakeholders[0].no_roles = true;
        },
        "stakeholders[0].no_roles",
        "together with roles",
    ),
    (
        |r| r.stakeholders[0].presence = 3,
        "stakeholders[0].presence",
        "ACTIVE, DEPARTED",
    ),
    (
        |r| r.stakeholders[0].effective_at = at(-1, 0),
        "stakeholders[0].effective_at",
        "1970",
    ),
];

const PLAN: &[Case<pb::UpsertMilestonesRequest>] = &[
    (|r| r.deal_id = "a/b".into(), "deal_id", "'/'"),
    (
        |r| r.milestones.clear(),
        "milestones",
        "must be 1 to 200, got 0",
    ),
    (
        |r| r.milestones = plan(201),
        "milestones",
        "must be 1 to 200, got 201",
    ),
    (
        |r| r.milestones[1].milestone_id = "m0".into(),
        "milestones[1].milestone_id",
        "twice",
    ),
    (
        |r| r.milestones[0].milestone_id.clear(),
        "milestones[0].milestone_id",
        "empty",
    ),
    (
        |r| r.milestones[0].name = Some("x".repeat(257)),
        "milestones[0].name",
        "256",
    ),
    (
        |r| r.milestones[0].owner_stakeholder_id = Some(String::new()),
        "milestones[0].owner_stakeholder_id",
        "empty",
    ),
    (
        |r| r.milestones[0].due_date = Some("2026-02-30".into()),
        "milestones[0].due_date",
        "2026-02-30",
    ),
    (
        |r| r.milestones[0].completed_at = at(NOW_SECONDS + AHEAD, 1),
        "milestones[0].completed_at",
        "5 minutes",
    ),
    (
        |r| r.milestones[0].effective_at = at(NOW_SECONDS + AHEAD, 1),
        "milestones[0].effective_at",
        "5 minutes",
    ),
];

fn ending(request: &mut pb::RecordOutcomeRequest) -> &mut pb::DealOutcome {
    request.outcome.as_mut().unwrap()
}

const OUTCOME: &[Case<pb::RecordOutcomeRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (|r| r.outcome = None, "outcome", "must be set"),
    (
        |r| ending(r).outcome = 0,
        "outcome.outcome",
        "must be set to one of WON",
    ),
    (|r| ending(r).outcome = 5, "outcome.outcome", "got 5"),
    (
        |r| ending(r).reason = "x".repeat(1_025),
        "outcome.reason",
        "1024",
    ),
    (
        |r| ending(r).effective_at = at(NOW_SECONDS + AHEAD, 1),
        "outcome.effective_at",
        "5 minutes",
    ),
];

const RETRACTION: &[Case<pb::RetractBuyerStatementRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (|r| r.statement_id.clear(), "statement_id", "empty"),
    (|r| r.reason.clear(), "reason", "empty"),
    (|r| r.reason = "x".repeat(1_025), "reason", "1024"),
];

const HISTORY: &[Case<pb::ListDealHistoryRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (
        |r| r.page_size = -1,
        "page_size",
        "must be from 0 to 1000, got -1",
    ),
    (|r| r.page_size = 1_001, "page_size", "got 1001"),
    (
        |r| r.page_token = "1-00000000".into(),
        "page_token",
        "next_page_token",
    ),
];

const SCORE: &[Case<pb::ScoreDealRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (|r| r.as_of = at(NOW_SECONDS + AHEAD, 0), "", ""),
    (
        |r| r.as_of = at(NOW_SECONDS + AHEAD, 1),
        "as_of",
        "5 minutes",
    ),
    (
        |r| r.known_at = at(NOW_SECONDS + AHEAD, 1),
        "known_at",
        "5 minutes",
    ),
];

const STALL: &[Case<pb::ExplainStallRequest>] = &[
    (|r| r.deal_id.clear(), "deal_id", "empty"),
    (|r| r.as_of = at(0, -1), "as_of", "1970"),
    (|r| r.known_at = at(-1, 0), "known_at", "1970"),
    (
        |r| r.planned_next_steps = vec!["x".repeat(1_024); 20],
        "",
        "",
    ),
    (
        |r| r.planned_next_steps = vec!["x".into(); 21],
        "planned_next_steps",
        "at most 20, got 21",
    ),
    (
        |r| r.planned_next_steps = vec!["x".into(), "x".repeat(1_025)],
        "planned_next_steps[1]",
        "1024",
    ),
    (
        |r| r.planned_next_steps = vec![" ".into()],
        "planned_next_steps[0]",
        "empty",
    ),
];

fn people(count: usize) -> Vec<pb::Stakeholder> {
    let person = |place| pb::Stakeholder {
        stakeholder_id: format!("p{place}"),
        ..pb::Stakeholder::default()
    };
    (0..count).map(person).collect()
}

fn plan(count: usize) -> Vec<pb::Milestone> {
    let milestone = |place| pb::Milestone {
        milestone_id: format!("m{place}"),
        ..pb::Milestone::default()
    };
    (0..count).map(milestone).collect()
}

async fn facts(channel: Channel) {
    let mut deals = DealServiceClient::new(channel);
    for (change, field, words) in DEAL {
        let mut request = pb::UpsertDealRequest {
            deal: Some(pb::Deal {
                deal_id: "d1".into(),
                ..pb::Deal::default()
            }),
            ..pb::UpsertDealRequest::default()
        };
        change(&mut request);
        check(deals.upsert_deal(request).await, field, words);
    }
    for (change, field, words) in PEOPLE {
        let mut request = pb::UpsertStakeholdersRequest {
            deal_id: "d1".into(),
            stakeholders: people(2),
            ..pb::UpsertStakeholdersRequest::default()
        };
        change(&mut request);
        check(deals.upsert_stakeholders(request).await, field, words);
    }
    for (change, field, words) in PLAN {
        let mut request = pb::UpsertMilestonesRequest {
            deal_id: "d1".into(),
            milestones: plan(2),
            ..pb::UpsertMilestonesRequest::default()
        };
        change(&mut request);
        check(deals.upsert_milestones(request).await, field, words);
    }
    for (change, field, words) in OUTCOME {
        let mut request = pb::RecordOutcomeRequest {
            deal_id: "d1".into(),
            outcome: Some(pb::DealOutcome {
                outcome: pb::Outcome::Won as i32,
                ..pb::DealOutcome::default()
            }),
            ..pb::RecordOutcomeRequest::default()
        };
        change(&mut request);
        check(deals.record_outcome(request).await, field, words);
    }
}

async fn reads(channel: Channel) {
    let mut deals = DealServiceClient::new(channel.clone());
    for (change, field, words) in RETRACTION {
        let mut request = pb::RetractBuyerStatementRequest {
            deal_id: "d1".into(),
            statement_id: "s1".into(),
            reason: "misheard".into(),
            ..pb::RetractBuyerStatementRequest::default()
        };
        change(&mut request);
        check(deals.retract_buyer_statement(request).await, field, words);
    }
    for (change, field, words) in HISTORY {
        let mut request = pb::ListDealHistoryRequest {
            deal_id: "d1".into(),
            ..pb::ListDealHistoryRequest::default()
        };
        change(&mut request);
        check(deals.list_deal_history(request).await, field, words);
    }
    let nameless = pb::GetDealRequest::default();
    check(deals.get_deal(nameless).await, "deal_id", "empty");
    let mut qualification = QualificationServiceClient::new(channel);
    for (change, field, words) in SCORE {
        let mut request = pb::ScoreDealRequest {
            deal_id: "d1".into(),
            ..pb::ScoreDealRequest::default()
        };
        change(&mut request);
        check(qualification.score_deal(request).await, field, words);
    }
    for (change, field, words) in STALL {
        let mut request = pb::ExplainStallRequest {
            deal_id: "d1".into(),
            ..pb::ExplainStallRequest::default()
        };
        change(&mut request);
        check(qualification.explain_stall(request).await, field, words);
    }
}

#[tokio::test]
async fn facts_and_reads_are_held_to_every_bound() {
    let running = server::start().await;
    facts(running.channel().await).await;
    reads(running.channel().await).await;
    running.stop().await;
}
