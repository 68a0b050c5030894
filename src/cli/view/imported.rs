//! What an import of a conversation took, what it left, and what it did to the score.

use comfy_table::Cell;

use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::wire::pb;

/// Letters of a quote that are shown.
const QUOTE_LETTERS: usize = 160;

/// Passages of one kind that are shown; the JSON has all.
const REMARKS_SHOWN: usize = 20;

pub fn imported(page: &Page, done: &str, answer: &pb::ImportTranscriptResponse) -> String {
    let before = answer.already_recorded as usize;
    let all_before = 0 < before && before == answer.statements.len();
    let done = if all_before {
        "Imported before; nothing changed"
    } else {
        done
    };
    let mut text = format!("\n {}\n\n", page.paint(done, Hue::Strong));
    text.push_str(&page.lines(1, 10, &summary(answer)));
    text.push_str(&statements(page, &answer.statements));
    for (heading, remarks) in [
        ("Not understood", &answer.not_understood),
        ("Taken, though in doubt", &answer.doubtful),
        ("Left out, as no speech", &answer.left_out),
    ] {
        text.push_str(&passages(page, heading, remarks));
    }
    text
}

fn summary(answer: &pb::ImportTranscriptResponse) -> Vec<(&'static str, Cell)> {
    let score = answer.score.clone().unwrap_or_default();
    let mut shift = format!(
        "{}  {}",
        view::points(score.score),
        schema::title("Band", score.band)
    );
    if let Some(before) = answer.score_before {
        shift = format!(
            "{} → {shift}  {}",
            view::points(before),
            view::change(score.score - before)
        );
    }
    let speakers = answer.speakers.iter();
    let speakers = speakers.map(|one| format!("{} ({})", one.label, one.turns));
    let claims = answer.statements.iter().map(|one| one.claims.len()).sum();
    let mut taken = format!(
        "{}, {}",
        view::count(answer.statements.len(), "statement"),
        view::count(claims, "claim")
    );
    if 0 < answer.already_recorded {
        taken.push_str(&format!(", {} there before", answer.already_recorded));
    }
    let mut lines = vec![
        ("Id", Cell::new(&answer.transcript_id)),
        (
            "Format",
            Cell::new(format!(
                "{}, {}",
                schema::word("TranscriptFormat", answer.format),
                answer.encoding
            )),
        ),
        (
            "Speakers",
            Cell::new(speakers.collect::<Vec<String>>().join(", ")),
        ),
        ("Taken", Cell::new(taken)),
    ];
    if !answer.skipped.is_empty() {
        lines.push(("Skipped", Cell::new(skipped(&answer.skipped))));
    }
    lines.push(("Score", cell(shift, view::hue_of_score(score.score))));
    lines.push(("Revision", cell(answer.revision, Hue::Faint)));
    lines
}

/// How many turns were skipped for each reason: `12 seller, 3 backchannel`.
fn skipped(turns: &[pb::SkippedTurn]) -> String {
    let mut counts: Vec<(i32, usize)> = Vec::new();
    for turn in turns {
        match counts.iter_mut().find(|(reason, _)| *reason == turn.reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((turn.reason, 1)),
        }
    }
    let words = counts
        .iter()
        .map(|(reason, count)| format!("{count} {}", schema::word("SkipReason", *reason)));
    words.collect::<Vec<String>>().join(", ")
}

fn statements(page: &Page, statements: &[pb::ImportedStatement]) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let mut text = page.heading("What was said");
    let mut table = page.table(&["Line", "Who", "Words and claims"]);
    for statement in statements {
        let hue = if statement.already_recorded {
            Hue::Faint
        } else {
            Hue::Plain
        };
        let mut words = view::quote(&statement.quote, QUOTE_LETTERS);
        for claim in &statement.claims {
            words.push_str(&format!("\n→ {}", view::history::claim(claim)));
        }
        table.add_row(vec![
            view::right(cell(statement.line, Hue::Faint)),
            cell(&statement.stakeholder_id, hue),
            cell(words, hue),
        ]);
    }
    view::unbroken(&mut table, &[0]);
    text.push_str(&view::finish(&table));
    text
}

fn passages(page: &Page, heading: &str, remarks: &[pb::TranscriptRemark]) -> String {
    if remarks.is_empty() {
        return String::new();
    }
    let mut text = page.heading(heading);
    let mut table = page.table(&["Lines", "Why", "Words"]);
    for remark in remarks.iter().take(REMARKS_SHOWN) {
        let lines = match remark.line == remark.last_line {
            true => remark.line.to_string(),
            false => format!("{}–{}", remark.line, remark.last_line),
        };
        table.add_row(vec![
            view::right(cell(lines, Hue::Faint)),
            Cell::new(&remark.reason),
            cell(view::quote(&remark.excerpt, 60), Hue::Faint),
        ]);
    }
    view::unbroken(&mut table, &[0]);
    text.push_str(&view::finish(&table));
    if REMARKS_SHOWN < remarks.len() {
        let more = view::count(remarks.len() - REMARKS_SHOWN, "passage");
        text.push_str(&format!(" and {more} more; --json lists all\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    #[test]
    fn an_import_tells_what_was_taken_and_what_was_not() {
        let mut answer = pb::ImportTranscriptResponse {
            transcript_id: "call-1".to_owned(),
            format: pb::TranscriptFormat::WebVtt as i32,
            encoding: "UTF-8".to_owned(),
            statements: vec![pb::ImportedStatement {
                stakeholder_id: "ana".to_owned(),
                quote: "We cannot go on like this, and my board knows it as well as I do."
                    .to_owned(),
                claims: vec![pb::Claim {
                    topic: pb::Topic::StatusQuo as i32,
                    ..pb::Claim::default()
                }],
                line: 12,
                ..pb::ImportedStatement::default()
            }],
            skipped: vec![
                pb::SkippedTurn {
                    reason: pb::SkipReason::Seller as i32,
                    ..pb::SkippedTurn::default()
                };
                3
            ],
            not_understood: vec![pb::TranscriptRemark {
                line: 20,
                last_line: 22,
                reason: "a cue that names no speaker".to_owned(),
                excerpt: "and so on".to_owned(),
            }],
            score_before: Some(41.0),
            score: Some(pb::DealScore {
                score: 47.3,
                band: pb::Band::Considering as i32,
                ..pb::DealScore::default()
            }),
            revision: 15,
            ..pb::ImportTranscriptResponse::default()
        };
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = imported(&page, "Imported", &answer);
        for expected in [
            "Imported\n",
            "call-1",
            "web vtt, UTF-8",
            "1 statement, 1 claim",
            "3 seller",
            "41.0 → 47.3  Considering  +6.3",
            "“We cannot go on",
            "→ status quo",
            "20–22",
            "a cue that names no speaker",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 80);

        answer.already_recorded = 1;
        answer.score_before = None;
        assert!(imported(&page, "Imported", &answer).contains("nothing changed"));
    }
}
