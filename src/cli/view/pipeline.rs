//! Many deals side by side, two lines each, the best first; what is closed comes last.

use comfy_table::Cell;

use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::explain::state;
use crate::cli::view::right;
use crate::wire::pb;

/// Letters of an id that are kept on one line.
const ID_WIDTH_MAX: usize = 24;

/// Narrower pages tell the stage within the column of the deal.
const WIDTH_WITH_STAGE: u16 = 96;

/// What a stage and a date take in that column.
const STAGE_WIDTH: usize = 22;

/// What is known of one deal of the pipeline.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub deal: pb::GetDealResponse,
    pub score: pb::DealScore,
    pub explanation: pb::StallExplanation,
}

/// The pipeline.
pub fn pipeline(page: &Page, rows: &[Row]) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|one, other| {
        let closed = one
            .deal
            .outcome
            .is_some()
            .cmp(&other.deal.outcome.is_some());
        closed.then(other.score.score.total_cmp(&one.score.score))
    });

    // An id broken over two lines cannot be copied.
    let ids = rows.iter().map(|row| row.score.deal_id.chars().count());
    let id_width = ids.max().unwrap_or(0).min(ID_WIDTH_MAX);
    let with_stage = page.width >= WIDTH_WITH_STAGE;
    let deal_width = if with_stage {
        id_width
    } else {
        id_width.max(STAGE_WIDTH)
    };
    let mut table = match with_stage {
        true => page.table(&[
            "Deal",
            "Seller's stage",
            "Amount",
            "Score",
            "State",
            "Costs most",
        ]),
        false => page.table(&["Deal", "Amount", "Score", "State", "Costs most"]),
    };
    for row in rows {
        table.add_row(cells(row, with_stage));
    }
    let numbers = table.column_count() - 4;
    view::unbroken(&mut table, &[numbers, numbers + 1, numbers + 2]);
    view::at_least(&mut table, 0, deal_width as u16 + 2);
    view::dotted(&mut table);
    view::finish(&table)
}

fn cells(row: &Row, with_stage: bool) -> Vec<Cell> {
    let facts = row.deal.deal.clone().unwrap_or_default();
    let closed = row.deal.outcome.is_some();
    let hue = if closed { Hue::Faint } else { Hue::Plain };

    let closes = match facts.close_date() {
        "" => String::new(),
        date => format!("closes {date}"),
    };
    let stage = lines(&[facts.seller_stage(), &closes]);
    let deal = match with_stage {
        true => lines(&[&row.score.deal_id, facts.account()]),
        false => lines(&[&row.score.deal_id, facts.account(), &stage]),
    };
    let amount = facts.amount.as_ref().map(money::show).unwrap_or_default();

    let score = format!(
        "{} {:>5}\n{}",
        view::bar(row.score.score / 100.0, 8),
        view::points(row.score.score),
        schema::title("Band", row.score.band)
    );
    let score_hue = if closed {
        Hue::Faint
    } else {
        view::hue_of_score(row.score.score)
    };
    let (state, state_hue) = match &row.deal.outcome {
        Some(outcome) => (
            schema::word("Outcome", outcome.outcome).replacen(" to ", " to\n", 1),
            Hue::Faint,
        ),
        None => state(row.explanation.state),
    };
    let cause = match row.explanation.causes.first() {
        Some(cause) if !closed => {
            format!(
                "{} {}",
                view::points(-cause.points),
                schema::word("StallCause", cause.cause)
            )
        }
        _ => String::new(),
    };

    let mut cells = vec![cell(deal, hue)];
    if with_stage {
        cells.push(cell(stage, hue));
    }
    cells.push(right(cell(lines(&[&amount, facts.owner()]), hue)));
    cells.push(cell(score, score_hue));
    cells.push(cell(state, state_hue));
    cells.push(cell(cause, hue));
    cells
}

/// Those that are not empty, one below the other.
fn lines(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n")
}

/// A deal's score over time, a tick a week: its line, and where it stood at both ends.
pub fn over_time(page: &Page, weekly: &[Option<f64>]) -> String {
    let told: Vec<f64> = weekly.iter().copied().flatten().collect();
    let (Some(first), Some(last)) = (told.first(), told.last()) else {
        return String::new();
    };
    // A page narrower than the weeks shows the latest ones.
    let shown = weekly.len().min(usize::from(page.width).saturating_sub(30));
    let line = view::sparkline(&weekly[weekly.len() - shown..]);
    let best = told.iter().copied().fold(f64::MIN, f64::max);
    format!(
        " {}  {}\n",
        page.paint(&line, view::hue_of_score(*last)),
        page.paint(
            &format!(
                "{} → {}, best {}",
                view::points(*first),
                view::points(*last),
                view::points(best)
            ),
            Hue::Faint
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    fn row(id: &str, score: f64, state: pb::DealState, outcome: Option<pb::DealOutcome>) -> Row {
        Row {
            deal: pb::GetDealResponse {
                deal: Some(pb::Deal {
                    account: Some("Northwind Mutual Insurance".to_owned()),
                    owner: Some("Jana Weber".to_owned()),
                    amount: Some(pb::Money {
                        currency_code: "EUR".to_owned(),
                        units: 240_000,
                        nanos: 0,
                    }),
                    seller_stage: Some("Proposal/Price Quote".to_owned()),
                    close_date: Some("2026-12-18".to_owned()),
                    ..pb::Deal::default()
                }),
                outcome,
                ..pb::GetDealResponse::default()
            },
            score: pb::DealScore {
                deal_id: id.to_owned(),
                score,
                band: pb::Band::Considering as i32,
                ..pb::DealScore::default()
            },
            explanation: pb::StallExplanation {
                state: state as i32,
                causes: vec![pb::Cause {
                    cause: pb::StallCause::BuyingGroupNotAligned as i32,
                    points: 12.3,
                    ..pb::Cause::default()
                }],
                ..pb::StallExplanation::default()
            },
        }
    }

    #[test]
    fn the_best_come_first_and_the_closed_last() {
        let lost = pb::DealOutcome {
            outcome: pb::Outcome::LostToNoDecision as i32,
            ..pb::DealOutcome::default()
        };
        let rows = [
            row("northwind-claims", 12.0, pb::DealState::Dark, None),
            row("lost-one", 99.0, pb::DealState::Closed, Some(lost)),
            row("acme-renewal", 71.4, pb::DealState::Moving, None),
            Row::default(),
        ];
        for width in [80, 100, 140] {
            let text = pipeline(
                &Page {
                    width,
                    colours: false,
                },
                &rows,
            );
            let place = |id: &str| text.find(id).unwrap();
            assert!(
                place("acme-renewal") < place("northwind-claims")
                    && place("northwind-claims") < place("lost-one")
            );
            assert!(text.contains("71.4") && text.contains("MOVING"), "{text}");
            fits(&text, usize::from(width));
        }
    }

    #[test]
    fn a_line_over_time_tells_both_ends() {
        let page = Page {
            width: 100,
            colours: false,
        };
        let text = over_time(&page, &[None, Some(10.0), Some(80.0), Some(40.0)]);
        assert_eq!(text, "  ▁▇▄  10.0 → 40.0, best 80.0\n");
        assert_eq!(over_time(&page, &[None]), "");
    }
}
