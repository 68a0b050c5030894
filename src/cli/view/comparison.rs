//! What made a score differ between two moments: the changes and their sum, then the lines of the score.

use comfy_table::Cell;
use comfy_table::Table;

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::right;
use crate::wire::pb;

/// Changes of a comparison that have a row of their own, unless all are asked for.
pub const ROWS_MAX: usize = 12;

/// Places of a bar.
pub const BAR: usize = 8;

/// Why a deal's score differs between two moments, the largest change first; past `rows_max` in one row.
pub fn comparison(page: &Page, answer: &pb::CompareScoresResponse, rows_max: usize) -> String {
    let span = format!("{} → {}", end(answer.from), end(answer.to));
    let known = format!(
        "revision {} · model {}",
        answer.revision, answer.model_version
    );
    let mut text = head(page, &answer.deal_id, &format!("{span} · {known}"));
    let verdict = format!(
        " {} → {}  {}\n\n",
        view::points(answer.score_before),
        view::points(answer.score_after),
        page.paint(&view::change(answer.difference), hue(answer.difference)),
    );
    text.push_str(&verdict);
    if answer.changes.is_empty() {
        text.push_str(" Nothing moved it.\n");
        return text;
    }
    text.push_str(&view::finish(&changes(page, answer, rows_max)));
    text.push_str(&page.heading("By line of the score"));
    text.push_str(&view::finish(&lines(page, answer)));
    text
}

/// The deal and what is told of it.
pub fn head(page: &Page, deal_id: &str, of: &str) -> String {
    format!(
        "\n {}\n{}\n",
        page.paint(deal_id, Hue::Strong),
        page.paragraph(1, cell(of, Hue::Faint))
    )
}

fn end(seen: Option<pb::Seen>) -> String {
    let pb::Seen { as_of, known_at } = seen.unwrap_or_default();
    let as_of = moment::minute(as_of.as_ref());
    match known_at {
        Some(known_at) => format!("{as_of} (as known {})", moment::minute(Some(&known_at))),
        None => as_of,
    }
}

fn changes(page: &Page, answer: &pb::CompareScoresResponse, rows_max: usize) -> Table {
    let mut table = page.table(&["Points", "", "When", "What", "What happened"]);
    let sizes = answer.changes.iter().map(|change| change.points.abs());
    let most = sizes.fold(f64::MIN_POSITIVE, f64::max);
    let (told, small) = answer.changes.split_at(rows_max.min(answer.changes.len()));
    for change in told {
        let day = match change.kind() {
            pb::ChangeKind::Aged => String::new(),
            _ => moment::day(change.at.as_ref()),
        };
        table.add_row(vec![
            right(cell(view::change(change.points), hue(change.points))),
            cell(
                view::bar(change.points.abs() / most, BAR),
                hue(change.points),
            ),
            Cell::new(day),
            Cell::new(kind(change)),
            Cell::new(&change.summary),
        ]);
    }
    if !small.is_empty() {
        let points: f64 = small.iter().map(|change| change.points).sum();
        table.add_row(vec![
            right(cell(view::change(points), hue(points))),
            Cell::new(""),
            Cell::new(""),
            Cell::new(""),
            cell(
                format!(
                    "{} that moved less (--all)",
                    view::count(small.len(), "change")
                ),
                Hue::Faint,
            ),
        ]);
    }
    table.add_row(vec![
        right(cell(view::change(answer.difference), Hue::Strong)),
        Cell::new(""),
        Cell::new(""),
        Cell::new(""),
        cell("Difference", Hue::Strong),
    ]);
    view::unbroken(&mut table, &[0, 1, 2, 3]);
    table
}

/// `said`, `said, learned later`.
pub fn kind(change: &pb::ScoreChange) -> String {
    let kind = schema::word("ChangeKind", change.kind);
    if change.learned_later {
        return format!("{kind},\nlearned later");
    }
    kind
}

fn lines(page: &Page, answer: &pb::CompareScoresResponse) -> Table {
    let mut table = page.table(&["Points", "", ""]);
    let mut row = |points: f64, name: String, more: String| {
        // What a person would read as nothing has no line.
        if view::points(points) != "0.0" {
            table.add_row(vec![
                right(cell(view::change(points), hue(points))),
                Cell::new(name),
                cell(more, Hue::Faint),
            ]);
        }
    };
    let by_line = answer.by_line.clone().unwrap_or_default();
    for line in by_line.criteria {
        row(
            line.points,
            schema::title("Topic", line.topic),
            String::new(),
        );
    }
    for line in by_line.modifiers {
        let name = schema::title("Modifier", line.modifier);
        row(line.points, name, String::new());
    }
    let gate = |gate: i32| match schema::word("Gate", gate) {
        name if name.is_empty() => "none".to_owned(),
        name => name,
    };
    let gates = match answer.gate_before == answer.gate_after {
        true => gate(answer.gate_after),
        false => format!("{} → {}", gate(answer.gate_before), gate(answer.gate_after)),
    };
    row(by_line.cap, "Cap".to_owned(), gates);
    view::unbroken(&mut table, &[0, 1]);
    table
}

/// How a change looks.
pub fn hue(points: f64) -> Hue {
    match view::change(points).chars().next() {
        Some('+') => Hue::Good,
        Some('−') => Hue::Poor,
        _ => Hue::Faint,
    }
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

    fn sample() -> pb::CompareScoresResponse {
        let later = pb::ScoreChange {
            learned_later: true,
            ..change(
                pb::ChangeKind::Said,
                2.04,
                "Ben Okafor: “The fine alone is four hundred thousand.”",
            )
        };
        pb::CompareScoresResponse {
            deal_id: "acme-claims".to_owned(),
            revision: 14,
            model_version: "v1".to_owned(),
            from: Some(pb::Seen {
                as_of: moment("2026-10-01T09:00:00Z"),
                known_at: moment("2026-10-01T09:00:00Z"),
            }),
            to: Some(pb::Seen {
                as_of: moment("2026-11-01T09:00:00Z"),
                known_at: None,
            }),
            score_before: 40.0,
            score_after: 33.04,
            difference: -6.96,
            by_line: Some(pb::ScoreLines {
                criteria: vec![pb::CriterionPoints {
                    topic: pb::Topic::Consequence as i32,
                    points: -7.0,
                }],
                modifiers: vec![pb::ModifierPoints {
                    modifier: pb::Modifier::CloseDateSlips as i32,
                    points: 0.04,
                }],
                cap: 0.0,
            }),
            changes: vec![
                change(
                    pb::ChangeKind::Aged,
                    -8.0,
                    "What was said and not said again fades, most on the cost of doing nothing.",
                ),
                later,
                change(pb::ChangeKind::Left, -1.0, "Hanna Vogel left."),
            ],
            gate_before: 0,
            gate_after: 0,
        }
    }

    #[test]
    fn a_comparison_tells_each_change_and_their_sum() {
        for width in [60, 80, 140] {
            let page = Page {
                width,
                colours: false,
            };
            let text = comparison(&page, &sample(), ROWS_MAX);
            for part in [
                "40.0 → 33.0",
                "−8.0",
                "████████",
                "+2.0",
                "learned later",
                "−7.0",
                "Difference",
            ] {
                assert!(text.contains(part), "{part}:\n{text}");
            }
            assert!(
                !text.contains("slips"),
                "what rounds to nothing has no line:\n{text}"
            );
            fits(&text, usize::from(width));
        }
    }

    #[test]
    fn small_changes_share_a_row() {
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = comparison(&page, &sample(), 1);
        assert!(text.contains("+1.0"), "{text}");
        assert!(text.contains("2 changes that moved less (--all)"), "{text}");
        let same = pb::CompareScoresResponse::default();
        assert!(comparison(&page, &same, 1).contains("Nothing moved it."));
    }
}
