//! Many deals side by side, a few lines each, in the order they are given.

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

/// The pipeline.
pub fn pipeline(page: &Page, deals: &[pb::PipelineDeal]) -> String {
    let wide = page.width >= WIDE;
    let mut table = match wide {
        true => page.table(&["Deal", "Seller's view", "Score", "State", "Costs most"]),
        false => page.table(&["Deal", "Seller's view", "Score", "Costs most"]),
    };
    for deal in deals {
        table.add_row(cells(deal, wide));
    }
    match wide {
        true => view::unbroken(&mut table, &[2, 3]),
        false => view::unbroken(&mut table, &[2]),
    }
    // An id broken over two lines cannot be copied, and a stage not be read.
    let ids = deals.iter().map(|deal| deal.deal_id.as_str());
    let views = deals
        .iter()
        .map(|deal| deal.seller_stage.as_str())
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

fn cells(deal: &pb::PipelineDeal, wide: bool) -> Vec<Cell> {
    let (hue, hue_of_score) = match is_closed(deal) {
        true => (Hue::Faint, Hue::Faint),
        false => (Hue::Plain, view::hue_of_score(deal.score)),
    };
    let closes = match deal.close_date.as_str() {
        "" => String::new(),
        date => format!("closes {date}"),
    };
    let amount = deal.amount.as_ref().map(money::show).unwrap_or_default();
    let mut cells = vec![
        cell(lines(&[&deal.deal_id, &deal.account, &deal.owner]), hue),
        cell(lines(&[&deal.seller_stage, &amount, &closes]), hue),
    ];
    let (state, state_hue) = told_state(deal);
    if wide {
        cells.push(cell(bar(deal), hue_of_score));
        cells.push(cell(state, state_hue));
    } else {
        cells.push(cell(lines(&[&bar(deal), &state]), hue_of_score));
    }
    cells.push(cell(top_cause(deal), hue));
    cells
}

fn is_closed(deal: &pb::PipelineDeal) -> bool {
    deal.outcome() != pb::Outcome::Unspecified
}

fn bar(deal: &pb::PipelineDeal) -> String {
    format!(
        "{} {:>5}\n{}",
        view::bar(deal.score / 100.0, 8),
        view::points(deal.score),
        schema::title("Band", deal.band)
    )
}

fn told_state(deal: &pb::PipelineDeal) -> (String, Hue) {
    if is_closed(deal) {
        let outcome = schema::word("Outcome", deal.outcome);
        return (outcome.replacen(" to ", " to\n", 1), Hue::Faint);
    }
    state(deal.state)
}

fn top_cause(deal: &pb::PipelineDeal) -> String {
    if is_closed(deal) || deal.top_cause() == pb::StallCause::Unspecified {
        return String::new();
    }
    let points = view::points(-deal.top_cause_points);
    format!("{points} {}", schema::word("StallCause", deal.top_cause))
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

    fn deal(id: &str, score: f64, state: pb::DealState, outcome: pb::Outcome) -> pb::PipelineDeal {
        pb::PipelineDeal {
            deal_id: id.to_owned(),
            account: "Northwind Mutual Insurance".to_owned(),
            owner: "Jana Weber".to_owned(),
            amount: Some(pb::Money {
                currency_code: "EUR".to_owned(),
                units: 240_000,
                nanos: 0,
            }),
            seller_stage: "Proposal/Price Quote".to_owned(),
            close_date: "2026-12-18".to_owned(),
            score,
            band: pb::Band::Considering as i32,
            state: state as i32,
            top_cause: pb::StallCause::BuyingGroupNotAligned as i32,
            top_cause_points: 12.3,
            outcome: outcome as i32,
            ..pb::PipelineDeal::default()
        }
    }

    #[test]
    fn deals_come_as_they_are_given_and_fit_the_page() {
        let (open, lost) = (pb::Outcome::Unspecified, pb::Outcome::LostToNoDecision);
        let deals = [
            deal("acme-renewal", 71.4, pb::DealState::Moving, open),
            deal("northwind-claims", 12.0, pb::DealState::Dark, open),
            deal("lost-one", 99.0, pb::DealState::Closed, lost),
            pb::PipelineDeal::default(),
        ];
        for width in [80, 100, 140] {
            let text = pipeline(
                &Page {
                    width,
                    colours: false,
                },
                &deals,
            );
            let place = |id: &str| text.find(id).unwrap();
            assert!(
                place("acme-renewal") < place("northwind-claims")
                    && place("northwind-claims") < place("lost-one")
            );
            assert!(text.contains("71.4") && text.contains("MOVING"), "{text}");
            assert!(text.contains("−12.3 buying group"), "{text}");
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
