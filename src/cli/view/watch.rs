//! A change, in one line.

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::wire::pb;

const BAR_WIDTH: usize = 10;

/// Letters of a deal's id before it is cut, so that the numbers stand below each other.
const DEAL_WIDTH: usize = 20;

/// When, which deal, the score before and after, what happened, and what was crossed.
pub fn line(page: &Page, change: &pb::DealChange) -> String {
    let at = page.paint(&moment::minute(change.at.as_ref()), Hue::Faint);
    let deal: String = match change.deal_id.chars().count() <= DEAL_WIDTH {
        true => change.deal_id.clone(),
        false => change
            .deal_id
            .chars()
            .take(DEAL_WIDTH - 1)
            .chain(['…'])
            .collect(),
    };
    let before = change
        .score_before
        .map_or_else(|| "–".to_owned(), view::points);
    let hue = view::hue_of_score(change.score);
    let bar = page.paint(&view::bar(change.score / 100.0, BAR_WIDTH), hue);
    let after = page.paint(&format!("{:>5}", view::points(change.score)), hue);
    let mut line = format!(
        "{at}  {deal:<DEAL_WIDTH$}  {before:>5} → {after} {bar}  {}",
        happened(change)
    );
    for crossing in crossings(change) {
        line.push_str(&page.paint(&format!("  ▸ {crossing}"), Hue::Strong));
    }
    line.push('\n');
    line
}

fn happened(change: &pb::DealChange) -> String {
    if change.cause() == pb::ChangeCause::Time {
        return "time passed".to_owned();
    }
    let kinds = change.events.iter();
    let kinds: Vec<String> = kinds.map(|kind| schema::word("EventKind", *kind)).collect();
    kinds.join(", ")
}

/// The band and state that it came to, where they are other ones; a new deal comes to all it has.
fn crossings(change: &pb::DealChange) -> Vec<String> {
    let mut crossings = Vec::new();
    if change.band_crossed && change.band_before() != pb::Band::Unspecified {
        crossings.push(schema::word("Band", change.band));
    }
    if change.state_crossed && change.state_before() != pb::DealState::Unspecified {
        crossings.push(schema::word("DealState", change.state));
    }
    if change.score_before.is_none() {
        crossings.push("new".to_owned());
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    const PLAIN: Page = Page {
        width: 80,
        colours: false,
    };

    fn change() -> pb::DealChange {
        pb::DealChange {
            deal_id: "opp-1".into(),
            at: moment("2026-11-22T09:30:00Z"),
            cause: pb::ChangeCause::Event.into(),
            events: vec![pb::EventKind::Statement.into()],
            score_before: Some(41.25),
            score: 50.0,
            band_before: pb::Band::Exploring.into(),
            band: pb::Band::Considering.into(),
            state_before: pb::DealState::Moving.into(),
            state: pb::DealState::Moving.into(),
            band_crossed: true,
            ..pb::DealChange::default()
        }
    }

    #[test]
    fn a_line_tells_when_which_from_where_to_where_and_why() {
        let line = line(&PLAIN, &change());
        fits(line.trim_end_matches('\n'), 100);
        assert_eq!(
            line,
            "2026-11-22 09:30 UTC  opp-1                  41.2 →  50.0 █████░░░░░  statement  ▸ considering\n"
        );
    }

    #[test]
    fn time_and_new_deals_are_told_as_what_they_are() {
        let faded = pb::DealChange {
            cause: pb::ChangeCause::Time.into(),
            events: Vec::new(),
            band_crossed: false,
            state: pb::DealState::Dark.into(),
            state_crossed: true,
            ..change()
        };
        let told = line(&PLAIN, &faded);
        assert!(told.ends_with("time passed  ▸ dark\n"), "{told}");
        let new = pb::DealChange {
            deal_id: "a-deal-with-quite-a-long-id".into(),
            score_before: None,
            band_before: 0,
            state_before: 0,
            state_crossed: true,
            ..change()
        };
        let told = line(&PLAIN, &new);
        assert!(
            told.contains("a-deal-with-quite-a…      – →  50.0"),
            "{told}"
        );
        assert!(told.ends_with("statement  ▸ new\n"), "{told}");
    }
}
