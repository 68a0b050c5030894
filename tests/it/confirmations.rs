//! A person's judgement of a statement's claims: its laws over random histories, and how it is asked for.

use proptest::prelude::*;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::domain::deal::Deal;
use verbatim::domain::deal::packed;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::Confirmation;
use verbatim::domain::facts::Retraction;
use verbatim::domain::statement::Claim;
use verbatim::domain::text::Id;
use verbatim::domain::text::Reason;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_event::Event;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::histories::history;
use crate::histories::judgement;
use crate::histories::moment;
use crate::histories::recorded;
use crate::laws::agree;
use crate::laws::score_at;
use crate::requests::statement;
use crate::server;
use crate::server::NOW_SECONDS;

/// Which statement is judged, to claim what, and how much later.
type Judged = (prop::sample::Index, Vec<Claim>, prop::sample::Index);

fn judged() -> impl Strategy<Value = Vec<Judged>> {
    prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            judgement(),
            any::<prop::sample::Index>(),
        ),
        1..6,
    )
}

/// The history with the confirmations somewhere after their statements, and the one that had those claims at first.
fn with_and_as_if(facts: Vec<Fact>, judged: Vec<Judged>) -> (Vec<Fact>, Vec<Fact>) {
    let mut with = facts.clone();
    for (which, claims, later) in judged {
        let said: Vec<usize> = (0..with.len())
            .filter(|place| matches!(with[*place], Fact::Statement(_)))
            .collect();
        if said.is_empty() {
            continue;
        }
        let place = *which.get(&said);
        let Fact::Statement(statement) = &with[place] else {
            continue;
        };
        let confirmation = Confirmation::new(statement.id.clone(), claims, None);
        let after = place + 1 + later.index(with.len() - place);
        with.insert(after, Fact::Confirmation(confirmation));
    }
    let mut as_if = facts;
    for fact in &with {
        let Fact::Confirmation(confirmation) = fact else {
            continue;
        };
        for fact in &mut as_if {
            if let Fact::Statement(statement) = fact
                && statement.id == confirmation.statement
            {
                statement.claims = confirmation.claims().to_vec();
            }
        }
    }
    (with, as_if)
}

fn retracted(facts: &[Fact], statement: &Id) -> Vec<Fact> {
    let mut facts = facts.to_vec();
    facts.push(Fact::Retraction(Retraction {
        statement: statement.clone(),
        reason: Reason::new("misheard").unwrap(),
    }));
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn confirmed_claims_count_as_if_the_statement_had_come_with_them(
        facts in history(),
        judged in judged(),
        as_of in moment(),
    ) {
        let (with, as_if) = with_and_as_if(facts, judged);
        let with = score_at(&recorded(with), as_of);
        let as_if = score_at(&recorded(as_if), as_of);
        agree(&with, &as_if)?;
        prop_assert_eq!(with.momentum.is_some(), as_if.momentum.is_some());
        prop_assert_eq!(with.hypotheses.len(), as_if.hypotheses.len());
        prop_assert_eq!((with.heard, with.active), (as_if.heard, as_if.active));
    }

    #[test]
    fn a_retraction_takes_confirmed_claims_with_it(
        facts in history(),
        judged in judged(),
        too_late in judgement(),
        as_of in moment(),
    ) {
        let (with, _) = with_and_as_if(facts, judged);
        let confirmed = with.iter().find_map(|fact| match fact {
            Fact::Confirmation(confirmation) => Some(confirmation.statement.clone()),
            _ => None,
        });
        prop_assume!(confirmed.is_some());
        let statement = confirmed.unwrap();
        let never: Vec<Fact> = with
            .iter()
            .filter(|fact| match fact {
                Fact::Statement(said) => said.id != statement,
                _ => true,
            })
            .cloned()
            .collect();
        let mut gone = retracted(&with, &statement);
        // Refused when it is asked for; a history that has it all the same is not changed by it.
        gone.push(Fact::Confirmation(Confirmation::new(statement.clone(), too_late, None)));
        prop_assert!(Deal::replay(&recorded(gone.clone())).confirmation(&statement).is_none());
        let retracted = score_at(&recorded(gone), as_of);
        let never = score_at(&recorded(never), as_of);
        agree(&retracted, &never)?;
        prop_assert_eq!(retracted.active, never.active);
        prop_assert_eq!(retracted.hypotheses.len(), never.hypotheses.len());
    }

    #[test]
    fn a_projection_holds_confirmations_as_the_events_do(facts in history(), judged in judged()) {
        let (with, _) = with_and_as_if(facts, judged);
        let events = recorded(with);
        let deal = Deal::replay(&events);
        prop_assert_eq!(packed::unpack(&packed::pack(&deal)), Some(deal));
    }
}

fn confirm(claims: Vec<pb::Claim>) -> pb::ConfirmClaimsRequest {
    pb::ConfirmClaimsRequest {
        deal_id: "d1".into(),
        statement_id: "s1".into(),
        claims,
        confirmed_by: "eve".into(),
        expected_revision: None,
    }
}

fn claim(topic: pb::Topic) -> pb::Claim {
    pb::Claim {
        topic: topic as i32,
        ..pb::Claim::default()
    }
}

/// A statement `s1` of deal `d1`, with one claim on the problem.
fn said() -> pb::RecordBuyerStatementRequest {
    let mut request = statement();
    let said = request.statement.as_mut().unwrap();
    said.statement_id = "s1".into();
    said.said_at = Some(prost_types::Timestamp {
        seconds: NOW_SECONDS - 86_400,
        nanos: 0,
    });
    request
}

#[track_caller]
fn check(refusal: &Status, code: Code, reason: &str) {
    let info = refusal.get_details_error_info().unwrap();
    assert_eq!((refusal.code(), &*info.reason), (code, reason));
}

async fn start() -> (server::Running, QualificationServiceClient<Channel>) {
    let running = server::start().await;
    let client = QualificationServiceClient::new(running.channel().await);
    (running, client)
}

#[tokio::test]
async fn a_confirmation_replaces_the_claims_and_tells_what_that_did() {
    let (running, mut client) = start().await;
    let before = client.record_buyer_statement(said()).await.unwrap();
    let before = before.into_inner();
    let corrected = vec![pb::Claim {
        // What a reader said of them is not taken over.
        confidence: Some(0.2),
        basis: "a day a week".into(),
        ..claim(pb::Topic::Consequence)
    }];
    let answer = client.confirm_claims(confirm(corrected.clone())).await;
    let answer = answer.unwrap().into_inner();
    assert!(!answer.already_confirmed);
    assert_eq!(answer.revision, 2);
    assert_eq!(answer.score_before, before.score.map(|score| score.score));
    let kept = answer.statement.unwrap();
    assert_eq!(kept.quote, "We lose a day a week to this.");
    assert_eq!(kept.claims.len(), 1);
    let claim = &kept.claims[0];
    assert_eq!(claim.topic(), pb::Topic::Consequence);
    assert_eq!(claim.source(), pb::ClaimSource::Confirmed);
    assert_eq!((claim.confidence, &*claim.basis), (Some(1.0), ""));
    let levels = |score: pb::DealScore| {
        let heard = score.criteria.into_iter().filter(|one| 0.0 < one.level);
        heard.map(|one| one.topic()).collect::<Vec<pb::Topic>>()
    };
    assert_eq!(
        levels(answer.score.unwrap()),
        [pb::Topic::Consequence, pb::Topic::Consensus]
    );

    let again = client.confirm_claims(confirm(corrected)).await.unwrap();
    let again = again.into_inner();
    assert!(again.already_confirmed && again.score_before.is_none());
    assert_eq!(again.revision, 2);

    let rejected = client.confirm_claims(confirm(Vec::new())).await.unwrap();
    let rejected = rejected.into_inner();
    assert!(rejected.statement.unwrap().claims.is_empty());
    assert_eq!(rejected.score.unwrap().score, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn another_person_may_confirm_the_same_and_that_is_kept() {
    let (running, mut client) = start().await;
    client.record_buyer_statement(said()).await.unwrap();
    for (by, revision) in [("eve", 2), ("eve", 2), ("ivo", 3), ("", 4)] {
        let mut request = confirm(vec![claim(pb::Topic::Problem)]);
        request.confirmed_by = by.into();
        let answer = client.confirm_claims(request).await.unwrap().into_inner();
        assert_eq!(answer.revision, revision, "{by}");
    }
    let mut deals = DealServiceClient::new(running.channel().await);
    let history = deals.list_deal_history(pb::ListDealHistoryRequest {
        deal_id: "d1".into(),
        ..pb::ListDealHistoryRequest::default()
    });
    let entries = history.await.unwrap().into_inner().events;
    let by: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match entry.event.as_ref()? {
            Event::Confirmation(confirmation) => Some(&*confirmation.confirmed_by),
            _ => None,
        })
        .collect();
    assert_eq!(by, ["eve", "ivo", ""]);
    assert_eq!(entries[1].effective_at, entries[1].recorded_at);
    running.stop().await;
}

#[tokio::test]
async fn a_statement_that_comes_again_shows_the_claims_it_has_by_now() {
    let (running, mut client) = start().await;
    client.record_buyer_statement(said()).await.unwrap();
    let judged = confirm(vec![claim(pb::Topic::Value)]);
    client.confirm_claims(judged).await.unwrap();
    let again = client.record_buyer_statement(said()).await.unwrap();
    let again = again.into_inner();
    assert!(again.already_recorded);
    let claims = again.statement.unwrap().claims;
    assert_eq!(claims[0].topic(), pb::Topic::Value);
    assert_eq!(claims[0].source(), pb::ClaimSource::Confirmed);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_confirmed_is_refused_in_order() {
    let (running, mut client) = start().await;
    let judged = || confirm(vec![claim(pb::Topic::Problem)]);
    let no_deal = client.confirm_claims(judged()).await.unwrap_err();
    check(&no_deal, Code::NotFound, "DEAL_NOT_FOUND");

    client.record_buyer_statement(said()).await.unwrap();
    let mut other = judged();
    other.statement_id = "s2".into();
    other.expected_revision = Some(9);
    let unknown = client.confirm_claims(other).await.unwrap_err();
    check(&unknown, Code::NotFound, "STATEMENT_NOT_FOUND");

    let mut late = judged();
    late.expected_revision = Some(9);
    let late = client.confirm_claims(late).await.unwrap_err();
    check(&late, Code::Aborted, "REVISION_MISMATCH");

    let mut deals = DealServiceClient::new(running.channel().await);
    let retraction = pb::RetractBuyerStatementRequest {
        deal_id: "d1".into(),
        statement_id: "s1".into(),
        reason: "misheard".into(),
        expected_revision: None,
    };
    deals.retract_buyer_statement(retraction).await.unwrap();
    let retracted = client.confirm_claims(judged()).await.unwrap_err();
    check(&retracted, Code::FailedPrecondition, "STATEMENT_RETRACTED");

    let wrong = pb::ConfirmClaimsRequest {
        deal_id: String::new(),
        statement_id: " s".into(),
        claims: vec![claim(pb::Topic::Unspecified)],
        confirmed_by: "x".repeat(257),
        expected_revision: None,
    };
    let wrong = client.confirm_claims(wrong).await.unwrap_err();
    let violations = wrong.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|one| &*one.field).collect();
    let expected = ["deal_id", "statement_id", "claims[0].topic", "confirmed_by"];
    assert_eq!(fields, expected);
    running.stop().await;
}
