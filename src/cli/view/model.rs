//! The numbers of the scoring model.

use comfy_table::Cell;

use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::right;
use crate::wire::pb;

/// What weighs how much, fades how fast and caps where.
pub fn model(page: &Page, model: &pb::Model) -> String {
    let mut text = format!(
        "\n {} {}\n",
        page.paint("Model", Hue::Strong),
        model.version
    );
    text.push_str(&topics(page, model));
    text.push_str(&strength(page, model));
    text.push_str(&deductions(page, model));
    text.push_str(&thresholds(page, model));
    text
}

fn topics(page: &Page, model: &pb::Model) -> String {
    let mut text = page.heading("Topics");
    let mut table = page.table(&["Topic", "Weight", "", "Counts half after"]);
    let most = model
        .topics
        .iter()
        .map(|topic| topic.weight)
        .fold(1.0, f64::max);
    for topic in &model.topics {
        let signal = topic.weight <= 0.0;
        let weight = if signal {
            "signal".to_owned()
        } else {
            number(topic.weight)
        };
        let half_life = match topic.half_life_days {
            Some(days) => format!("{} days", number(days)),
            None => "never: in full until its date".to_owned(),
        };
        let bar = if signal {
            String::new()
        } else {
            view::bar(topic.weight / most, 22)
        };
        table.add_row(vec![
            Cell::new(schema::title("Topic", topic.topic)),
            right(Cell::new(weight)),
            cell(bar, Hue::Good),
            Cell::new(half_life),
        ]);
    }
    text.push_str(&view::finish(&table));
    text
}

fn strength(page: &Page, model: &pb::Model) -> String {
    let conviction = model.conviction.unwrap_or_default();
    let attribution = model.attribution.unwrap_or_default();
    let roles: Vec<String> = model
        .standings
        .iter()
        .map(|role| {
            format!(
                "{} {}",
                schema::word("BuyingRole", role.role),
                number(role.standing)
            )
        })
        .collect();
    let lines = [
        (
            "Conviction",
            format!(
                "acknowledged {} · owned {} · committed {}",
                number(conviction.acknowledged),
                number(conviction.owned),
                number(conviction.committed)
            ),
        ),
        (
            "Attribution",
            format!(
                "verbatim {} · paraphrased {} · inferred 0",
                number(attribution.verbatim),
                number(attribution.paraphrased)
            ),
        ),
        (
            "Standing",
            format!(
                "{} · no role {}",
                roles.join(" · "),
                number(model.standing_unknown)
            ),
        ),
        (
            "Departed",
            format!("standing × {}", number(model.departed_factor)),
        ),
        (
            "Deferred",
            format!("support × {}", number(model.deferral_factor)),
        ),
    ];
    page.heading("Strength of a claim, each factor") + &labelled(page, &lines)
}

fn deductions(page: &Page, model: &pb::Model) -> String {
    let modifiers = model.modifiers.unwrap_or_default();
    let gates: Vec<String> = model
        .gates
        .iter()
        .map(|gate| format!("{} {}", schema::word("Gate", gate.gate), number(gate.cap)))
        .collect();
    let lines = [
        (
            "Stage ahead",
            format!(
                "− {} % a step",
                number(modifiers.stage_misalignment_per_step * 100.0)
            ),
        ),
        (
            "Date slips",
            format!(
                "× {} a slip, at least {}",
                number(modifiers.slip_factor),
                number(modifiers.slip_factor_min)
            ),
        ),
        (
            "Plan overdue",
            format!(
                "× {} a step, at least {}",
                number(modifiers.overdue_factor),
                number(modifiers.overdue_factor_min)
            ),
        ),
        (
            "Signals",
            format!(
                "priority up to − {} % · alternative up to − {} % · engagement up to − {} %",
                number(modifiers.priority_weight * 100.0),
                number(modifiers.alternative_weight * 100.0),
                number(modifiers.engagement_weight * 100.0)
            ),
        ),
        ("Caps", gates.join(" · ")),
    ];
    page.heading("What takes away") + &labelled(page, &lines)
}

fn thresholds(page: &Page, model: &pb::Model) -> String {
    let bands: Vec<String> = model
        .bands
        .iter()
        .map(|band| {
            format!(
                "{} from {}",
                schema::word("Band", band.band),
                number(band.score_min)
            )
        })
        .collect();
    let categories: Vec<String> = model
        .forecast_categories
        .iter()
        .map(|category| {
            format!(
                "{} from {}",
                schema::word("ForecastCategory", category.category),
                number(category.score_min)
            )
        })
        .collect();
    let stages: Vec<String> = model
        .seller_stages
        .iter()
        .map(|stage| format!("{} {}", stage.name, stage.presumed_step))
        .collect();
    let lines = [
        ("Bands", bands.join(" · ")),
        ("Forecast", categories.join(" · ")),
        ("Seller stages", stages.join(" · ")),
    ];
    page.heading("What a score is called, and the buyer's step that a seller's stage presumes")
        + &labelled(page, &lines)
}

fn labelled(page: &Page, lines: &[(&str, String)]) -> String {
    let lines: Vec<(&str, Cell)> = lines
        .iter()
        .map(|(label, text)| (*label, Cell::new(text)))
        .collect();
    page.lines(1, 13, &lines)
}

/// A number of the model without needless zeros: 22, 0.75, 17.5.
fn number(number: f64) -> String {
    // Six decimals hide what binary fractions add, such as 17.499999999999996.
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    #[test]
    fn the_numbers_of_the_model_are_told() {
        let model = pb::Model {
            version: "v1".to_owned(),
            topics: vec![
                pb::TopicModel {
                    topic: 2,
                    weight: 22.0,
                    half_life_days: Some(45.0),
                },
                pb::TopicModel {
                    topic: 4,
                    weight: 12.0,
                    half_life_days: None,
                },
                pb::TopicModel {
                    topic: 10,
                    weight: 0.0,
                    half_life_days: Some(30.0),
                },
            ],
            modifiers: Some(pb::ModifierModel {
                stage_misalignment_per_step: 0.175,
                ..pb::ModifierModel::default()
            }),
            gates: vec![pb::GateModel { gate: 4, cap: 30.0 }],
            ..pb::Model::default()
        };
        let text = super::model(
            &Page {
                width: 100,
                colours: false,
            },
            &model,
        );
        for expected in [
            "Consequence",
            "45 days",
            "signal",
            "never",
            "− 17.5 % a step",
            "consequence unknown 30",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 100);
    }
}
