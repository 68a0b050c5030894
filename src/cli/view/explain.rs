//! Why a deal does not move: each cause with its points, the words behind it, the question to ask and what to do.

use comfy_table::Cell;

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::score::evidence;
use crate::wire::pb;

/// Causes told in full; the others follow with their points alone.
pub const CAUSES_IN_FULL: usize = 4;

const QUOTE_MAX: usize = 240;

/// Statements cited for a cause.
const EVIDENCE_MAX: usize = 3;

/// What is missing that is told of a cause.
const MISSING_MAX: usize = 4;

const LABEL: u16 = 9;

/// Below this width the line of a cause tells only the score that resolving it reaches.
const NARROW: u16 = 72;

/// The explanation, with so many causes told in full.
pub fn explanation(
    page: &Page,
    explanation: &pb::StallExplanation,
    causes_in_full: usize,
) -> String {
    let mut text = head(page, explanation);
    text.push_str(&walk_away(page, explanation));
    text.push_str(&causes(page, explanation, causes_in_full));
    text.push_str(&next_steps(page, explanation));
    text.push_str(&tactic_warnings(page, explanation));
    text.push_str(&contradictions(page, explanation));
    text.push_str(&reminders(page, explanation));
    text
}

/// The state of a deal in capitals and in the colour of how bad that is.
pub fn state(state: i32) -> (String, Hue) {
    let hue = match pb::DealState::try_from(state) {
        Ok(pb::DealState::Moving) => Hue::Good,
        Ok(pb::DealState::Slowing) => Hue::Fair,
        Ok(pb::DealState::Stalled | pb::DealState::Dark) => Hue::Poor,
        Ok(pb::DealState::Closed | pb::DealState::Unspecified) | Err(_) => Hue::Faint,
    };
    (schema::word("DealState", state).to_uppercase(), hue)
}

fn head(page: &Page, explanation: &pb::StallExplanation) -> String {
    let (state, hue) = state(explanation.state);
    let since = match &explanation.state_since {
        Some(since) => format!(" since {}", moment::day(Some(since))),
        None => String::new(),
    };
    let as_of = moment::minute(explanation.as_of.as_ref());
    let score = format!("score {}", view::points(explanation.score));
    let mut text = format!(
        "\n {}  {}{since}  {}\n {}\n\n",
        page.paint(&explanation.deal_id, Hue::Strong),
        page.paint(&state, hue),
        page.paint(&score, view::hue_of_score(explanation.score)),
        page.paint(
            &format!("as of {as_of} · revision {}", explanation.revision),
            Hue::Faint
        ),
    );
    text.push_str(&page.paragraph(1, cell(&explanation.headline, Hue::Strong)));
    text
}

fn walk_away(page: &Page, explanation: &pb::StallExplanation) -> String {
    match &explanation.walk_away {
        Some(walk_away) if walk_away.recommended => {
            let line = ("Walk away", cell(&walk_away.reason, Hue::Poor));
            format!("\n{}", page.lines(1, LABEL, &[line]))
        }
        _ => String::new(),
    }
}

fn causes(page: &Page, explanation: &pb::StallExplanation, in_full: usize) -> String {
    if explanation.causes.is_empty() {
        return String::new();
    }
    let lost: f64 = explanation.causes.iter().map(|cause| cause.points).sum();
    let mut text = page.heading(&format!(
        "Where {} of 100 points are lost",
        view::points(lost)
    ));
    for (at, cause) in explanation.causes.iter().take(in_full).enumerate() {
        text.push_str(&one_cause(page, at + 1, cause));
    }
    let rest: Vec<String> = explanation
        .causes
        .iter()
        .skip(in_full)
        .map(|cause| {
            format!(
                "{} {}",
                schema::word("StallCause", cause.cause),
                view::points(-cause.points)
            )
        })
        .collect();
    if !rest.is_empty() {
        text.push('\n');
        text.push_str(&page.lines(1, LABEL, &[("And", cell(rest.join(" · "), Hue::Faint))]));
    }
    text
}

fn one_cause(page: &Page, number: usize, cause: &pb::Cause) -> String {
    let name = format!("{:<28}", schema::title("StallCause", cause.cause));
    let reached = view::points(cause.score_if_resolved);
    let resolved = match page.width {
        0..NARROW => format!("→ {reached}"),
        _ => format!("{} → {reached} once resolved", view::change(cause.lift)),
    };
    let mut text = format!(
        "\n {number:>2}. {}  {}   {}\n",
        page.paint(&name, Hue::Strong),
        page.paint(&format!("{:>6}", view::points(-cause.points)), Hue::Poor),
        page.paint(&resolved, Hue::Faint),
    );

    if !cause.summary.is_empty() {
        text.push_str(&page.paragraph(5, Cell::new(&cause.summary)));
    }
    let mut lines: Vec<(&str, Cell)> = Vec::new();
    for (at, said) in cause.evidence.iter().take(EVIDENCE_MAX).enumerate() {
        lines.push((once("Said", at), Cell::new(evidence(said, QUOTE_MAX))));
    }
    if !cause.missing.is_empty() {
        lines.push(("Missing", Cell::new(missing(&cause.missing))));
    }
    if !cause.who_should_say_it.is_empty() {
        let people: Vec<String> = cause.who_should_say_it.iter().map(person).collect();
        lines.push(("Whom", Cell::new(people.join("; "))));
    }
    for (at, question) in cause.questions.iter().enumerate() {
        lines.push((once("Ask", at), cell(question, Hue::Good)));
    }
    if !cause.remedy.is_empty() {
        lines.push(("Do", Cell::new(&cause.remedy)));
    }
    text.push_str(&page.lines(5, LABEL, &lines));
    text
}

/// What nobody has said, as one list; where it is long, its head.
fn missing(missing: &[String]) -> String {
    let told: Vec<&str> = missing
        .iter()
        .take(MISSING_MAX)
        .map(|text| text.trim_end_matches('.'))
        .collect();
    let text = told.join("; ");
    match missing.len() - told.len() {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

/// A label for the first of several lines, none for those after it.
fn once(label: &str, at: usize) -> &str {
    if at == 0 { label } else { "" }
}

/// A person with title and roles: `Ana Ruiz, COO (decision maker)`.
pub fn person(person: &pb::Person) -> String {
    let mut text = view::either(&person.display_name, &person.stakeholder_id).to_owned();
    if !person.title.is_empty() {
        text.push_str(&format!(", {}", person.title));
    }
    let roles: Vec<String> = person
        .roles
        .iter()
        .map(|role| schema::word("BuyingRole", *role))
        .collect();
    if !roles.is_empty() {
        text.push_str(&format!(" ({})", roles.join(", ")));
    }
    text
}

fn next_steps(page: &Page, explanation: &pb::StallExplanation) -> String {
    if explanation.next_steps.is_empty() {
        return String::new();
    }
    let mut text = page.heading("What to resolve next, in this order");
    let mut table = page.table(&["", "Resolve", "Score", "", "Ask first"]);
    for (at, step) in explanation.next_steps.iter().enumerate() {
        table.add_row(vec![
            Cell::new(format!("{}.", at + 1)),
            Cell::new(schema::title("StallCause", step.cause)),
            view::right(cell(
                view::points(step.score_after),
                view::hue_of_score(step.score_after),
            )),
            cell(
                view::bar(step.score_after / 100.0, 10),
                view::hue_of_score(step.score_after),
            ),
            Cell::new(&step.question),
        ]);
    }
    view::unbroken(&mut table, &[0, 1, 2, 3]);
    text.push_str(&view::finish(&table));
    text
}

fn tactic_warnings(page: &Page, explanation: &pb::StallExplanation) -> String {
    let mut text = String::new();
    for warning in &explanation.tactic_warnings {
        if text.is_empty() {
            text.push_str(&page.heading("Do not press the order"));
        }
        let tactic = schema::title("Tactic", warning.tactic);
        let basis = match warning.basis.as_str() {
            "" => tactic,
            basis => format!("{tactic}, by “{basis}”"),
        };
        let lines = [
            (
                "Planned",
                Cell::new(view::quote(&warning.planned_next_step, QUOTE_MAX)),
            ),
            ("That is", cell(basis, Hue::Poor)),
            ("Missed", Cell::new(&warning.missed_earlier)),
            ("Instead", cell(&warning.instead, Hue::Good)),
        ];
        text.push_str(&page.lines(1, LABEL, &lines));
        text.push('\n');
    }
    text
}

fn contradictions(page: &Page, explanation: &pb::StallExplanation) -> String {
    let mut text = String::new();
    for contradiction in &explanation.contradictions {
        if text.is_empty() {
            text.push_str(&page.heading("What does not go together"));
        }
        let topic = schema::title("Topic", contradiction.topic);
        let mut lines = vec![(
            "Topic",
            Cell::new(format!("{topic}: {}", contradiction.summary)),
        )];
        let sides = [
            ("Earlier", &contradiction.earlier),
            ("Later", &contradiction.later),
        ];
        for (label, side) in sides {
            if let Some(side) = side {
                lines.push((label, Cell::new(evidence(side, QUOTE_MAX))));
            }
        }
        text.push_str(&page.lines(1, LABEL, &lines));
    }
    text
}

fn reminders(page: &Page, explanation: &pb::StallExplanation) -> String {
    let mut text = String::new();
    for reminder in &explanation.reminders {
        if text.is_empty() {
            text.push_str(&page.heading("Their own words, to give back to them"));
        }
        let words = reminder
            .evidence
            .as_ref()
            .map(|said| evidence(said, QUOTE_MAX))
            .unwrap_or_default();
        text.push_str(&page.paragraph(1, cell(&reminder.why, Hue::Faint)));
        text.push_str(&page.paragraph(3, Cell::new(words)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::evidence as words;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    fn cause(cause: pb::StallCause, points: f64, lift: f64) -> pb::Cause {
        pb::Cause {
            cause: cause as i32,
            points,
            score_if_resolved: 31.2 + lift,
            lift,
            summary: "Nobody on the buyer's side has said what it costs them to leave things as they are.".to_owned(),
            evidence: vec![words("Ana Ruiz", "2026-10-02T09:00:00Z", "Honestly, we have lived with this for years and could live with it a little longer if we had to.")],
            missing: vec!["what another year of retyping costs".to_owned(), "who pays the fine".to_owned()],
            who_should_say_it: vec![pb::Person {
                stakeholder_id: "ben".to_owned(),
                display_name: "Ben Okafor".to_owned(),
                title: "CFO".to_owned(),
                roles: vec![pb::BuyingRole::EconomicBuyer as i32],
                presence: pb::Presence::Active as i32,
            }],
            questions: vec!["What happens if nothing changes by March?".to_owned(), "Who else feels it?".to_owned()],
            remedy: "Ask for the cost of waiting before the next demonstration; do not send a price first.".to_owned(),
            cells: vec![],
        }
    }

    fn sample() -> pb::StallExplanation {
        let said = words(
            "Ana Ruiz",
            "2026-10-02T09:00:00Z",
            "We cannot go through another audit like the last one.",
        );
        pb::StallExplanation {
            deal_id: "acme-claims".to_owned(),
            state: pb::DealState::Stalled as i32,
            state_since: moment("2026-10-02T09:00:00Z"),
            headline: "Stalled since 2 October: taken with the future, at ease with the present; nobody has said what waiting costs.".to_owned(),
            score: 31.2,
            as_of: moment("2026-11-21T22:10:00Z"),
            revision: 14,
            causes: vec![
                cause(pb::StallCause::ConsequenceUnknown, 24.1, 13.8),
                cause(pb::StallCause::NoCommitmentToChange, 18.0, 4.1),
                pb::Cause { cause: pb::StallCause::AttentionDrift as i32, points: 14.2, lift: 6.0, score_if_resolved: 37.2, ..pb::Cause::default() },
                pb::Cause { cause: pb::StallCause::StageMisaligned as i32, points: 12.5, ..pb::Cause::default() },
            ],
            next_steps: vec![
                pb::NextStep { cause: pb::StallCause::ConsequenceUnknown as i32, score_after: 45.0, question: "What happens if nothing changes by March?".to_owned() },
                pb::NextStep { cause: pb::StallCause::BuyingGroupNotAligned as i32, score_after: 66.0, question: "Who would have to say yes, and who could say no?".to_owned() },
            ],
            contradictions: vec![pb::Contradiction { topic: pb::Topic::StatusQuo as i32, earlier: Some(said.clone()), later: Some(said.clone()), same_person: true, summary: "Ana Ruiz has changed her mind.".to_owned() }],
            walk_away: Some(pb::WalkAway { recommended: true, reason: "The economic buyer can live with the consequence.".to_owned() }),
            tactic_warnings: vec![pb::TacticWarning {
                planned_next_step: "Offer 10 % if they sign by Friday".to_owned(),
                tactic: pb::Tactic::ExpiringOffer as i32,
                missed_earlier: "Nobody has said what waiting costs.".to_owned(),
                missed_cause: 2,
                instead: "Ask what happens if nothing changes by March.".to_owned(),
                basis: "sign by Friday".to_owned(),
            }],
            reminders: vec![pb::Reminder { why: "Why they said they must change".to_owned(), evidence: Some(said) }],
            model_version: "v1".to_owned(),
        }
    }

    #[test]
    fn every_part_of_the_explanation_is_told() {
        let text = explanation(
            &Page {
                width: 100,
                colours: false,
            },
            &sample(),
            2,
        );
        for expected in [
            "STALLED since 2026-10-02",
            "Walk away",
            "Where 68.8 of 100 points are lost",
            " 1. Consequence unknown",
            "−24.1",
            "+13.8 → 45.0 once resolved",
            "Ben Okafor, CFO (economic buyer)",
            "attention drift −14.2 · stage misaligned −12.5",
            "Buying group not aligned",
            "Expiring offer, by “sign by Friday”",
            "has changed her mind",
            "Why they said they must change",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 100);
        fits(
            &explanation(
                &Page {
                    width: 60,
                    colours: false,
                },
                &sample(),
                4,
            ),
            60,
        );
    }
}
