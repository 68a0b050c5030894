//! The score over time: its line, then a row a point, or a row a change.

use comfy_table::Cell;
use comfy_table::Table;

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::comparison::BAR;
use crate::cli::view::comparison::head;
use crate::cli::view::comparison::hue;
use crate::cli::view::comparison::kind;
use crate::cli::view::explain::state;
use crate::cli::view::pipeline::over_time;
use crate::cli::view::right;
use crate::wire::pb;

/// A deal's score over time: its line, then a row a point, or a row a change.
pub fn trend(page: &Page, trend: &pb::GetScoreHistoryResponse, step: pb::TrendStep) -> String {
    let by = match step {
        pb::TrendStep::Daily => "day by day",
        pb::TrendStep::Weekly | pb::TrendStep::Unspecified => "week by week",
        pb::TrendStep::AtEachChange => "change by change",
    };
    let mut text = head(
        page,
        &trend.deal_id,
        &format!(
            "{by} · revision {} · model {}",
            trend.revision, trend.model_version
        ),
    );
    let scores: Vec<Option<f64>> = trend.points.iter().map(|point| Some(point.score)).collect();
    text.push_str(&over_time(page, &scores));
    text.push('\n');
    let table = match step {
        pb::TrendStep::AtEachChange => changes_over_time(page, &trend.points),
        _ => points(page, &trend.points),
    };
    text + &view::finish(&table)
}

fn points(page: &Page, points: &[pb::ScorePoint]) -> Table {
    let mut table = page.table(&["When", "Score", "", "Change", "State", "Costs most"]);
    let mut before: Option<f64> = None;
    for point in points {
        let change = before.map(|before| point.score - before);
        let (state, hue_of_state) = state(point.state);
        table.add_row(vec![
            Cell::new(moment::day(point.at.as_ref())),
            cell(
                view::bar(point.score / 100.0, BAR),
                view::hue_of_score(point.score),
            ),
            right(cell(
                view::points(point.score),
                view::hue_of_score(point.score),
            )),
            right(cell(
                change.map(view::change).unwrap_or_default(),
                change.map_or(Hue::Plain, hue),
            )),
            cell(state, hue_of_state),
            Cell::new(schema::word("StallCause", point.top_cause)),
        ]);
        before = Some(point.score);
    }
    view::unbroken(&mut table, &[0, 1, 2, 3, 4]);
    table
}

fn changes_over_time(page: &Page, points: &[pb::ScorePoint]) -> Table {
    let mut table = page.table(&["When", "Score", "Points", "What", "What happened"]);
    for point in points {
        let day = moment::day(point.at.as_ref());
        let score = right(cell(
            view::points(point.score),
            view::hue_of_score(point.score),
        ));
        if point.changes.is_empty() {
            table.add_row(vec![
                Cell::new(day),
                score,
                Cell::new(""),
                Cell::new(""),
                cell("no change, only time", Hue::Faint),
            ]);
            continue;
        }
        for (place, change) in point.changes.iter().enumerate() {
            // The score is the one after all changes of that moment.
            let is_last = place + 1 == point.changes.len();
            let score = if is_last {
                score.clone()
            } else {
                Cell::new("")
            };
            table.add_row(vec![
                Cell::new(&day),
                score,
                right(cell(view::change(change.points), hue(change.points))),
                Cell::new(kind(change)),
                Cell::new(&change.summary),
            ]);
        }
    }
    view::unbroken(&mut table, &[0, 1, 2, 3]);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    fn change(kind: pb::ChangeKind, points: f64, summary: &str) -> pb::ScoreChange {
        pb::ScoreChange {
            kind: kind as i32,
            points,
            summary: summary.to_owned(),
            at: moment("2026-10-02T09:00:00Z"),
            ..pb::ScoreChange::default()
        }
    }

    #[test]
    fn a_trend_has_a_row_a_point_or_a_row_a_change() {
        let point = |score: f64, changes: Vec<pb::ScoreChange>| pb::ScorePoint {
            at: moment("2026-10-02T23:59:59.999999999Z"),
            score,
            state: pb::DealState::Moving as i32,
            top_cause: pb::StallCause::ManagementNotSold as i32,
            changes,
            ..pb::ScorePoint::default()
        };
        let said = change(pb::ChangeKind::Said, 10.0, "Ana: “We must.”");
        let left = change(pb::ChangeKind::Left, -2.0, "Ben left.");
        let answer = pb::GetScoreHistoryResponse {
            deal_id: "d1".to_owned(),
            points: vec![point(10.0, vec![said]), point(8.0, vec![left])],
            ..pb::GetScoreHistoryResponse::default()
        };
        let page = Page {
            width: 80,
            colours: false,
        };
        let weekly = trend(&page, &answer, pb::TrendStep::Weekly);
        for part in [
            "week by week",
            "10.0 → 8.0, best 10.0",
            "−2.0",
            "MOVING",
            "management not sold",
        ] {
            assert!(weekly.contains(part), "{part}:\n{weekly}");
        }
        fits(&weekly, 80);
        let changes = trend(&page, &answer, pb::TrendStep::AtEachChange);
        assert!(
            changes.contains("Ben left.") && changes.contains("+10.0"),
            "{changes}"
        );
        fits(&changes, 80);
    }
}
