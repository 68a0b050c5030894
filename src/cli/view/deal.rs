//! A deal's facts, people and buying plan.

use comfy_table::Cell;

use crate::cli::moment;
use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::wire::pb;

/// The deal as it is now.
pub fn deal(page: &Page, answer: &pb::GetDealResponse) -> String {
    let facts = answer.deal.clone().unwrap_or_default();
    let mut text = format!(
        "\n {}  {}\n\n",
        page.paint(&facts.deal_id, Hue::Strong),
        page.paint(&format!("revision {}", answer.revision), Hue::Faint)
    );
    let amount = facts.amount.as_ref().map(money::show).unwrap_or_default();
    let statements = view::count(answer.statements as usize, "statement");
    let mut lines = vec![
        ("Name", Cell::new(facts.name())),
        ("Account", Cell::new(facts.account())),
        ("Owner", Cell::new(facts.owner())),
        ("Amount", Cell::new(amount)),
        ("Stage", Cell::new(facts.seller_stage())),
        ("Close date", Cell::new(facts.close_date())),
    ];
    lines.retain(|(_, value)| !value.content().is_empty());
    lines.push(("Heard", Cell::new(statements)));
    if let Some(outcome) = &answer.outcome {
        lines.push(("Outcome", cell(ending(outcome), Hue::Strong)));
    }
    text.push_str(&page.lines(1, 10, &lines));
    text.push_str(&people(page, &answer.stakeholders));
    text.push_str(&milestones(page, &answer.milestones));
    text
}

/// How a deal ended: `Won on 2026-06-30: signed`.
pub fn ending(outcome: &pb::DealOutcome) -> String {
    let mut text = format!(
        "{} on {}",
        schema::title("Outcome", outcome.outcome),
        moment::day(outcome.effective_at.as_ref())
    );
    if !outcome.reason.is_empty() {
        text.push_str(&format!(": {}", outcome.reason));
    }
    text
}

fn people(page: &Page, people: &[pb::Stakeholder]) -> String {
    if people.is_empty() {
        return String::new();
    }
    let mut text = page.heading("The buyer's side");
    let mut table = page.table(&["Id", "Name", "Title", "Roles", ""]);
    for person in people {
        let roles: Vec<String> = person
            .roles
            .iter()
            .map(|role| schema::word("BuyingRole", *role))
            .collect();
        let departed = person.presence() == pb::Presence::Departed;
        let hue = if departed { Hue::Faint } else { Hue::Plain };
        table.add_row(vec![
            cell(&person.stakeholder_id, hue),
            cell(person.display_name(), hue),
            cell(person.title(), hue),
            cell(roles.join(", "), hue),
            cell(if departed { "departed" } else { "" }, Hue::Poor),
        ]);
    }
    view::unbroken(&mut table, &[4]);
    text.push_str(&view::finish(&table));
    text
}

fn milestones(page: &Page, milestones: &[pb::Milestone]) -> String {
    if milestones.is_empty() {
        return String::new();
    }
    let mut text = page.heading("The buying plan");
    let mut table = page.table(&["Id", "Step", "Who", "Due", "Done"]);
    for milestone in milestones {
        let done = match &milestone.completed_at {
            Some(completed_at) => moment::day(Some(completed_at)),
            None => "not yet".to_owned(),
        };
        table.add_row(vec![
            Cell::new(&milestone.milestone_id),
            Cell::new(milestone.name()),
            Cell::new(milestone.owner_stakeholder_id()),
            Cell::new(milestone.due_date()),
            Cell::new(done),
        ]);
    }
    view::unbroken(&mut table, &[3, 4]);
    text.push_str(&view::finish(&table));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    #[test]
    fn a_deal_has_facts_people_and_a_plan() {
        let answer = pb::GetDealResponse {
            deal: Some(pb::Deal {
                deal_id: "acme-claims".to_owned(),
                name: Some("Claims platform".to_owned()),
                amount: Some(pb::Money {
                    currency_code: "EUR".to_owned(),
                    units: 240_000,
                    nanos: 0,
                }),
                close_date: Some("2026-12-18".to_owned()),
                ..pb::Deal::default()
            }),
            stakeholders: vec![
                pb::Stakeholder {
                    stakeholder_id: "ana".to_owned(),
                    display_name: Some("Ana Ruiz".to_owned()),
                    title: Some("Head of claims".to_owned()),
                    roles: vec![pb::BuyingRole::Champion as i32, pb::BuyingRole::User as i32],
                    ..pb::Stakeholder::default()
                },
                pb::Stakeholder {
                    stakeholder_id: "ben".to_owned(),
                    presence: pb::Presence::Departed as i32,
                    ..pb::Stakeholder::default()
                },
            ],
            milestones: vec![pb::Milestone {
                milestone_id: "legal".to_owned(),
                name: Some("Contract checked".to_owned()),
                due_date: Some("2026-11-30".to_owned()),
                ..pb::Milestone::default()
            }],
            outcome: Some(pb::DealOutcome {
                outcome: pb::Outcome::LostToNoDecision as i32,
                effective_at: moment("2026-11-01T00:00:00Z"),
                reason: "went quiet".to_owned(),
            }),
            statements: 1,
            revision: 9,
        };
        let text = deal(
            &Page {
                width: 80,
                colours: false,
            },
            &answer,
        );
        for expected in [
            "EUR 240,000",
            "1 statement",
            "Lost to no decision on 2026-11-01: went quiet",
            "champion, user",
            "departed",
            "not yet",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        assert!(
            !text.contains("Owner"),
            "what is not known has no line:\n{text}"
        );
        fits(&text, 80);
    }
}
