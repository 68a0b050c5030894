//! Many deals side by side, a few lines each, the best first; what is closed comes last.

use comfy_table::Cell;

use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::explain::state;
use crate::wire::pb;

/// Letters of an id or a stage that are kept on one line.
const UNBROKEN_MAX: usize = 24;

/// From this width on the state has a column of its own.
const WIDE: u16 = 96;

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

    let wide = page.width >= WIDE;
    let mut table = match wide {
        true => page.table(&["Deal", "Seller's view", "Score", "State", "Costs most"]),
        false => page.table(&["Deal", "Seller's view", "Score", "Costs most"]),
    };
    for row in &rows {
        table.add_row(row.cells(wide));
    }
    match wide {
        true => view::unbroken(&mut table, &[2, 3]),
        false => view::unbroken(&mut table, &[2]),
    }
    // An id broken over two lines cannot be copied, and a stage not be read.
    let ids = rows.iter().map(|row| row.score.deal_id.as_str());
    let views = rows
        .iter()
        .map(|row| row.score.seller_stage.as_str())
        .chain(["closes 2026-12-31"]);
    view::at_least(&mut table, 0, widest(ids));
    view::at_least(&mut table, 1, widest(views));
    view::dotted(&mut table);
    view::finish(&table)
}

/// The width of a column, padding included, that keeps these on a line each, within reason.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> u16 {
    let letters = texts.map(|text| text.chars().count()).max().unwrap_or(0);
    letters.min(UNBROKEN_MAX) as u16 + 2
}

impl Row {
    fn cells(&self, wide: bool) -> Vec<Cell> {
        let facts = self.deal.deal.clone().unwrap_or_default();
        let hue = self.hue();
        let closes = match facts.close_date() {
            "" => String::new(),
            date => format!("closes {date}"),
        };
        let amount = facts.amount.as_ref().map(money::show).unwrap_or_default();
        let mut cells = vec![
            cell(
                lines(&[&self.score.deal_id, facts.account(), facts.owner()]),
                hue,
            ),
            cell(lines(&[facts.seller_stage(), &amount, &closes]), hue),
        ];
        let (state, state_hue) = self.state();
        if wide {
            cells.push(cell(self.bar(), self.hue_of_score()));
            cells.push(cell(state, state_hue));
        } else {
            cells.push(cell(lines(&[&self.bar(), &state]), self.hue_of_score()));
        }
        cells.push(cell(self.top_cause(), hue));
        cells
    }

    fn is_closed(&self) -> bool {
        self.deal.outcome.is_some()
    }

    fn hue(&self) -> Hue {
        if self.is_closed() {
            Hue::Faint
        } else {
            Hue::Plain
        }
    }

    fn hue_of_score(&self) -> Hue {
        if self.is_closed() {
            Hue::Faint
        } else {
            view::hue_of_score(self.score.score)
        }
    }

    fn bar(&self) -> String {
        format!(
            "{} {:>5}\n{}",
            view::bar(self.score.score / 100.0, 8),
            view::points(self.score.score),
            schema::title("Band", self.score.band)
        )
    }

    fn state(&self) -> (String, Hue) {
        match &self.deal.outcome {
            Some(outcome) => {
                let outcome = schema::word("Outcome", outcome.outcome);
                (outcome.replacen(" to ", " to\n", 1), Hue::Faint)
            }
            None => state(self.explanation.state),
        }
    }

    fn top_cause(&self) -> String {
        match self.explanation.causes.first() {
            Some(cause) if !self.is_closed() => {
                let points = view::points(-cause.points);
                format!("{points} {}", schema::word("StallCause", cause.cause))
            }
            _ => String::new(),
        }
    }
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
