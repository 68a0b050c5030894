//! A score and its ledger: what each criterion gains, what modifiers and the cap take, and the sum.

use comfy_table::Cell;

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::right;
use crate::wire::pb;

/// Letters of a quote in the ledger.
const QUOTE_MAX: usize = 110;

/// The score of a deal with all that makes it up.
pub fn score(page: &Page, score: &pb::DealScore) -> String {
    let mut text = head(page, score);
    text.push('\n');
    text.push_str(&ledger(page, score));
    text.push_str(&hypotheses(page, score));
    text
}

/// What a write did to the score: `41.0 → 47.3  Considering  +6.3`.
pub fn shift(before: Option<f64>, score: &pb::DealScore) -> String {
    let after = format!(
        "{}  {}",
        view::points(score.score),
        schema::title("Band", score.band)
    );
    match before {
        None => after,
        Some(before) => format!(
            "{} → {after}  {}",
            view::points(before),
            view::change(score.score - before)
        ),
    }
}

fn head(page: &Page, score: &pb::DealScore) -> String {
    let as_of = format!("as of {}", moment::minute(score.as_of.as_ref()));
    let mut text = format!(
        "\n {}\n {}\n\n",
        page.paint(&score.deal_id, Hue::Strong),
        page.paint(
            &format!(
                "{as_of} · revision {} · model {}",
                score.revision, score.model_version
            ),
            Hue::Faint
        )
    );

    let mut verdict = format!(
        "{}  {}  {} · forecast {}",
        view::bar(score.score / 100.0, usize::from(page.width / 6)),
        view::points(score.score),
        schema::title("Band", score.band),
        schema::word("ForecastCategory", score.forecast_category),
    );
    if let Some(momentum) = score.momentum {
        verdict.push_str(&format!(" · {} in 14 days", view::change(momentum)));
    }
    let heard = format!(
        "{} of {} on the buyer's side",
        score.stakeholders_heard,
        view::count(
            usize::try_from(score.stakeholders_active).unwrap_or(0),
            "active person"
        )
        .replace("persons", "people")
    );
    let lines = [
        ("Score", cell(verdict, view::hue_of_score(score.score))),
        ("Buyer", Cell::new(buyer_stage(score))),
        ("Heard", Cell::new(heard)),
    ];
    text.push_str(&page.lines(1, 6, &lines));
    text
}

/// Where the buyer stands, and how far the seller is ahead.
pub fn buyer_stage(score: &pb::DealScore) -> String {
    let source = match score.buyer_stage_source() {
        pb::StageSource::Stated => "as they said",
        pb::StageSource::Derived => "as the evidence shows",
        pb::StageSource::Unspecified => "source not told",
    };
    let mut text = format!(
        "{}, {source}",
        schema::title("BuyingStage", score.buyer_stage)
    );
    if !score.seller_stage.is_empty() {
        let gap = match score.stage_gap {
            i32::MIN..=0 => "not ahead of them".to_owned(),
            1 => "1 step ahead of them".to_owned(),
            gap => format!("{gap} steps ahead of them"),
        };
        text.push_str(&format!("; the seller is at {}, {gap}", score.seller_stage));
    }
    text
}

/// Gains, deductions and their sum, a line each.
pub fn ledger(page: &Page, score: &pb::DealScore) -> String {
    let mut table = page.table(&["Points", "", "of", "Level", "What the buyer said"]);
    for criterion in &score.criteria {
        let hue = if criterion.points <= 0.0 {
            Hue::Faint
        } else {
            Hue::Plain
        };
        table.add_row(vec![
            cell(schema::title("Topic", criterion.topic), hue),
            right(cell(view::points(criterion.points), hue)),
            right(cell(format!("{:.0}", criterion.weight), Hue::Faint)),
            cell(
                view::bar(criterion.level, 10),
                hue_of_level(criterion.level),
            ),
            cell(strongest(criterion), hue),
        ]);
    }
    table.add_row(vec![
        cell("Base", Hue::Strong),
        right(cell(view::points(score.base), Hue::Strong)),
        right(cell("100", Hue::Faint)),
    ]);
    for modifier in score
        .modifiers
        .iter()
        .filter(|modifier| modifier.factor < 1.0)
    {
        table.add_row(vec![
            cell(schema::title("Modifier", modifier.modifier), Hue::Plain),
            right(cell(view::points(modifier.points), Hue::Poor)),
            Cell::new(""),
            cell(format!("× {:.3}", modifier.factor), Hue::Faint),
            cell(&modifier.reason, Hue::Plain),
        ]);
    }
    for gate in &score.gates {
        let points = if gate.binding {
            view::points(score.cap_points)
        } else {
            String::new()
        };
        let hue = if gate.binding { Hue::Poor } else { Hue::Faint };
        let name = schema::word("Gate", gate.gate);
        let effect = if gate.binding {
            name
        } else {
            format!("{name} (does not bind)")
        };
        table.add_row(vec![
            cell("Cap", Hue::Plain),
            right(cell(points, hue)),
            Cell::new(""),
            cell(format!("≤ {:.0}", gate.cap), Hue::Faint),
            cell(effect, hue),
        ]);
    }
    let hue = view::hue_of_score(score.score);
    table.add_row(vec![
        cell("Score", Hue::Strong),
        right(cell(view::points(score.score), hue)),
    ]);
    view::unbroken(&mut table, &[0, 1, 2, 3]);
    view::finish(&table)
}

/// The words that count most, and how many more there are.
fn strongest(criterion: &pb::CriterionScore) -> String {
    let Some(first) = criterion.evidence.first() else {
        // Consensus also counts how much of the group has been heard.
        let heard = criterion.points > 0.0;
        let text = if heard {
            "nobody has said it; counts who has been heard"
        } else {
            "nobody has said it"
        };
        return text.to_owned();
    };
    let mut text = evidence(first, QUOTE_MAX);
    if criterion.evidence.len() > 1 {
        text.push_str(&format!(" (+{} more)", criterion.evidence.len() - 1));
    }
    text
}

/// Who said what, when, and whether it speaks for it.
pub fn evidence(evidence: &pb::Evidence, letters_max: usize) -> String {
    let side = match evidence.stance() {
        pb::Stance::Opposes => ", against",
        pb::Stance::Defers => ", later",
        pb::Stance::Supports | pb::Stance::Unspecified => "",
    };
    let notes = match evidence.attribution() {
        pb::Attribution::Paraphrased => ", by notes",
        pb::Attribution::Inferred => " (not evidence)",
        pb::Attribution::Verbatim | pb::Attribution::Unspecified => "",
    };
    let speaker = view::either(&evidence.display_name, &evidence.stakeholder_id);
    format!(
        "{}, {}{side}{notes}: {}",
        view::either(speaker, "the seller believes"),
        moment::day(evidence.said_at.as_ref()),
        view::quote(&evidence.quote, letters_max)
    )
}

fn hue_of_level(level: f64) -> Hue {
    if level < 0.10 {
        Hue::Poor
    } else if level < 0.50 {
        Hue::Fair
    } else {
        Hue::Good
    }
}

fn hypotheses(page: &Page, score: &pb::DealScore) -> String {
    if score.hypotheses.is_empty() {
        return String::new();
    }
    let mut text =
        page.heading("Believed, but no buyer has said it (worth nothing until one does)");
    let lines: Vec<(String, String)> = score
        .hypotheses
        .iter()
        .map(|belief| {
            let day = moment::day(belief.said_at.as_ref());
            (
                schema::title("Topic", belief.topic),
                format!("{} ({day})", view::quote(&belief.quote, QUOTE_MAX)),
            )
        })
        .collect();
    let lines: Vec<(&str, Cell)> = lines
        .iter()
        .map(|(topic, words)| (topic.as_str(), Cell::new(words)))
        .collect();
    text.push_str(&page.lines(1, 15, &lines));
    text
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::cli::view::tests_support::evidence as words;
    use crate::cli::view::tests_support::moment;

    fn modifiers() -> Vec<pb::ModifierScore> {
        vec![
                pb::ModifierScore {
                    modifier: pb::Modifier::StageMisalignment as i32,
                    factor: 0.825,
                    points: -11.2,
                    reason: "Proposal/Price Quote presumes consensus creation; the buyer is at supplier selection, 1 step behind.".to_owned(),
                },
                pb::ModifierScore { modifier: pb::Modifier::CloseDateSlips as i32, factor: 0.9025, points: -5.1, reason: "The close date was moved 7 days or more 2 times.".to_owned() },
                pb::ModifierScore { modifier: pb::Modifier::PlanSlippage as i32, factor: 1.0, points: 0.0, reason: String::new() },
            ]
    }

    /// A deal with gains, modifiers, a cap that binds and one that does not.
    pub fn sample() -> pb::DealScore {
        let criterion = |topic: pb::Topic, weight: f64, level: f64, evidence: Vec<pb::Evidence>| {
            pb::CriterionScore {
                topic: topic as i32,
                weight,
                level,
                points: weight * level,
                support: level,
                opposition: 0.0,
                evidence,
            }
        };
        let ana = || {
            words(
                "Ana Ruiz",
                "2026-10-02T09:00:00Z",
                "Two adjusters do nothing but retype claims, and we still miss the regulator's ten days.",
            )
        };
        let ben = || {
            words(
                "Ben Okafor",
                "2026-09-18T09:00:00Z",
                "If we are not live before the March audit, the fine alone is four hundred thousand.",
            )
        };
        pb::DealScore {
            deal_id: "acme-claims".to_owned(),
            score: 47.3,
            band: pb::Band::Considering as i32,
            forecast_category: pb::ForecastCategory::Pipeline as i32,
            momentum: Some(-3.2),
            as_of: moment("2026-11-21T22:10:00Z"),
            revision: 14,
            model_version: "v1".to_owned(),
            base: 63.8,
            criteria: vec![
                criterion(pb::Topic::Problem, 12.0, 0.80, vec![ana(), ben()]),
                criterion(pb::Topic::Consequence, 22.0, 0.71, vec![ben()]),
                criterion(pb::Topic::StatusQuo, 18.0, 0.62, vec![ana()]),
                criterion(pb::Topic::GoLive, 12.0, 1.0, vec![ben()]),
                criterion(pb::Topic::BuyingProcess, 8.0, 0.45, vec![ana()]),
                criterion(pb::Topic::Consensus, 10.0, 0.31, vec![]),
                criterion(pb::Topic::Management, 8.0, 0.0, vec![]),
                criterion(pb::Topic::Value, 6.0, 0.7, vec![ana()]),
                criterion(pb::Topic::ChangeRisk, 4.0, 0.0, vec![]),
            ],
            modifiers: modifiers(),
            gates: vec![
                pb::GateScore { gate: pb::Gate::NoCommitmentToChange as i32, cap: 45.0, binding: true },
                pb::GateScore { gate: pb::Gate::DecisionMakerUnheard as i32, cap: 55.0, binding: false },
            ],
            cap_points: -0.2,
            buyer_stage: pb::BuyingStage::SupplierSelection as i32,
            buyer_stage_source: pb::StageSource::Derived as i32,
            seller_stage: "Proposal/Price Quote".to_owned(),
            stage_gap: 1,
            hypotheses: vec![pb::Hypothesis {
                statement_id: "s9".to_owned(),
                topic: pb::Topic::Management as i32,
                stance: pb::Stance::Supports as i32,
                quote: "Their board has set aside money for this in the new fiscal year, I am quite sure.".to_owned(),
                said_at: moment("2026-09-30T09:00:00Z"),
                stakeholder_id: String::new(),
            }],
            stakeholders_heard: 2,
            stakeholders_active: 4,
        }
    }

    #[test]
    fn every_point_has_a_line() {
        let text = score(
            &Page {
                width: 100,
                colours: false,
            },
            &sample(),
        );
        for expected in [
            "Consequence",
            "15.6",
            "Base",
            "63.8",
            "Stage misalignment",
            "−11.2",
            "× 0.825",
            "≤ 45",
            "does not bind",
            "47.3",
            "as of 2026-11-21 22:10 UTC",
            "(+1 more)",
            "nobody has said it",
            "of them",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        assert!(
            !text.contains("Plan slippage"),
            "what takes nothing is not told:\n{text}"
        );
        crate::cli::view::tests_support::fits(&text, 100);
    }

    #[test]
    fn a_score_of_nothing_is_still_a_page() {
        let text = score(
            &Page {
                width: 60,
                colours: false,
            },
            &pb::DealScore::default(),
        );
        assert!(text.contains("0 of 0 active people"), "{text}");
    }
}
