//! What was recorded of a deal, an entry a row.

use comfy_table::Cell;

use crate::cli::moment;
use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::deal::ending;
use crate::cli::view::right;
use crate::wire::pb;
use crate::wire::pb::deal_event::Event;

const QUOTE_MAX: usize = 160;

/// All entries, oldest first.
pub fn history(page: &Page, events: &[pb::DealEvent]) -> String {
    let mut table = page.table(&["Rev", "When", "Recorded", "Kind", "What"]);
    for event in events {
        let (kind, what) = match &event.event {
            Some(event) => told(event),
            None => ("unknown", "of a newer service".to_owned()),
        };
        table.add_row(vec![
            right(cell(event.revision, Hue::Faint)),
            Cell::new(moment::day(event.effective_at.as_ref())),
            cell(moment::day(event.recorded_at.as_ref()), Hue::Faint),
            Cell::new(kind),
            Cell::new(what),
        ]);
    }
    view::unbroken(&mut table, &[0, 1, 2, 3]);
    format!("\n{}", view::finish(&table))
}

fn told(event: &Event) -> (&'static str, String) {
    match event {
        Event::Deal(deal) => ("deal", facts(deal)),
        Event::Stakeholder(person) => ("person", person_facts(person)),
        Event::Statement(statement) => ("statement", said(statement)),
        Event::Milestone(milestone) => ("milestone", step(milestone)),
        Event::Outcome(outcome) => ("outcome", ending(outcome)),
        Event::Retraction(retraction) => (
            "retraction",
            format!(
                "{} taken back: {}",
                retraction.statement_id, retraction.reason
            ),
        ),
        Event::Confirmation(confirmation) => ("confirmation", judged(confirmation)),
    }
}

fn facts(deal: &pb::Deal) -> String {
    let mut facts = Vec::new();
    let amount = deal.amount.as_ref().map(money::show);
    for (name, value) in [
        ("name", deal.name.as_deref()),
        ("account", deal.account.as_deref()),
        ("owner", deal.owner.as_deref()),
        ("amount", amount.as_deref()),
        ("stage", deal.seller_stage.as_deref()),
        ("close date", deal.close_date.as_deref()),
    ] {
        if let Some(value) = value {
            facts.push(format!("{name} {value}"));
        }
    }
    facts.join(" · ")
}

fn person_facts(person: &pb::Stakeholder) -> String {
    let mut facts = vec![view::either(person.display_name(), &person.stakeholder_id).to_owned()];
    facts.extend(person.title.clone());
    facts.extend(
        person
            .roles
            .iter()
            .map(|role| schema::word("BuyingRole", *role)),
    );
    if person.no_roles {
        facts.push("no roles".to_owned());
    }
    if person.presence() != pb::Presence::Unspecified {
        facts.push(schema::word("Presence", person.presence));
    }
    facts.join(" · ")
}

/// Who said what, and the claims in it.
pub fn said(statement: &pb::BuyerStatement) -> String {
    let who = match &statement.speaker {
        Some(speaker) => view::either(&speaker.display_name, &speaker.stakeholder_id),
        None => "the seller believes",
    };
    let claims: Vec<String> = statement.claims.iter().map(claim).collect();
    let claims = if claims.is_empty() {
        "no claim".to_owned()
    } else {
        claims.join("; ")
    };
    let attribution = schema::word("Attribution", statement.attribution);
    format!(
        "{who} ({attribution}): {} → {claims}  [{}]",
        view::quote(&statement.quote, QUOTE_MAX),
        statement.statement_id
    )
}

/// What a person made of the claims of a statement.
fn judged(confirmation: &pb::ClaimConfirmation) -> String {
    let claims: Vec<String> = confirmation.claims.iter().map(claim).collect();
    let claims = match claims.is_empty() {
        true => "no claim".to_owned(),
        false => claims.join("; "),
    };
    let by = match confirmation.confirmed_by.as_str() {
        "" => String::new(),
        by => format!(" by {by}"),
    };
    format!("{} judged{by} → {claims}", confirmation.statement_id)
}

/// `go live supports committed, by 2026-12-01`.
pub fn claim(claim: &pb::Claim) -> String {
    let mut text = schema::word("Topic", claim.topic);
    for word in [
        schema::word("Stance", claim.stance),
        schema::word("Conviction", claim.conviction),
    ] {
        if !word.is_empty() {
            text.push_str(&format!(" {word}"));
        }
    }
    if !claim.target_date.is_empty() {
        text.push_str(&format!(", by {}", claim.target_date));
    }
    if let Some(impact) = &claim.impact {
        text.push_str(&format!(", {}", money::show(impact)));
    }
    if claim.source() == pb::ClaimSource::Extracted {
        let confidence = claim.confidence.unwrap_or(1.0);
        // Nobody who reads is certain, and a rounded hundred would say so.
        let percent = (confidence * 100.0)
            .round()
            .min(if confidence < 1.0 { 99.0 } else { 100.0 });
        text.push_str(&match claim.basis.as_str() {
            "" => format!(", read at {percent} %"),
            basis => format!(", read from “{basis}” at {percent} %"),
        });
    }
    text
}

fn step(milestone: &pb::Milestone) -> String {
    let mut facts = vec![view::either(milestone.name(), &milestone.milestone_id).to_owned()];
    if let Some(due) = &milestone.due_date {
        facts.push(format!("due {due}"));
    }
    if let Some(owner) = &milestone.owner_stakeholder_id {
        facts.push(format!("by {owner}"));
    }
    if milestone.completed_at.is_some() {
        facts.push(format!(
            "done {}",
            moment::day(milestone.completed_at.as_ref())
        ));
    }
    facts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    fn statement() -> pb::BuyerStatement {
        let claim = pb::Claim {
            topic: pb::Topic::GoLive as i32,
            stance: pb::Stance::Supports as i32,
            conviction: pb::Conviction::Committed as i32,
            target_date: "2026-12-01".to_owned(),
            ..pb::Claim::default()
        };
        pb::BuyerStatement {
            statement_id: "s1".to_owned(),
            speaker: Some(pb::Speaker {
                stakeholder_id: "ana".to_owned(),
                ..pb::Speaker::default()
            }),
            quote: "We go live by the first of December or we pay.".to_owned(),
            attribution: pb::Attribution::Verbatim as i32,
            claims: vec![claim],
            ..pb::BuyerStatement::default()
        }
    }

    #[test]
    fn a_claim_that_was_read_tells_from_what_and_how_sure_it_is() {
        let check = |confidence: f64, basis: &str, expected: &str| {
            let read = pb::Claim {
                topic: pb::Topic::Value as i32,
                confidence: Some(confidence),
                source: pb::ClaimSource::Extracted as i32,
                basis: basis.to_owned(),
                ..pb::Claim::default()
            };
            assert_eq!(claim(&read), expected);
        };
        check(0.824, "it pays", "value, read from “it pays” at 82 %");
        check(0.9999, "", "value, read at 99 %");
        check(1.0, "", "value, read at 100 %");
    }

    #[test]
    fn every_kind_of_entry_is_told() {
        let statement = statement();
        let deal = pb::Deal {
            seller_stage: Some("Negotiation/Review".to_owned()),
            ..pb::Deal::default()
        };
        let person = pb::Stakeholder {
            stakeholder_id: "ben".to_owned(),
            presence: 2,
            ..pb::Stakeholder::default()
        };
        let milestone = pb::Milestone {
            milestone_id: "legal".to_owned(),
            due_date: Some("2026-11-30".to_owned()),
            ..pb::Milestone::default()
        };
        let outcome = pb::DealOutcome {
            outcome: 1,
            ..pb::DealOutcome::default()
        };
        let retraction = pb::Retraction {
            statement_id: "s1".to_owned(),
            reason: "misheard".to_owned(),
        };
        let kinds = [
            Some(Event::Deal(deal)),
            Some(Event::Stakeholder(person)),
            Some(Event::Statement(statement)),
            Some(Event::Milestone(milestone)),
            Some(Event::Outcome(outcome)),
            Some(Event::Retraction(retraction)),
            Some(Event::Confirmation(pb::ClaimConfirmation {
                statement_id: "s1".to_owned(),
                claims: Vec::new(),
                confirmed_by: "eve".to_owned(),
            })),
            None,
        ];
        let events: Vec<pb::DealEvent> = (1..)
            .zip(kinds)
            .map(|(revision, event)| pb::DealEvent {
                revision,
                recorded_at: moment("2026-11-02T00:00:00Z"),
                effective_at: moment("2026-11-01T00:00:00Z"),
                event,
            })
            .collect();
        let text = history(
            &Page {
                width: 100,
                colours: false,
            },
            &events,
        );
        for expected in [
            "stage Negotiation/Review",
            "ben · departed",
            "go live supports committed, by",
            "legal · due 2026-11-30",
            "Won on –",
            "s1 taken back: misheard",
            "s1 judged by eve → no claim",
            "of a newer service",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 100);
    }
}
