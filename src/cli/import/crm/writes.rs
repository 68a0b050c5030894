//! The writes that importers make, each from what a row tells.

use jiff::Timestamp;

use crate::cli::moment;
use crate::conversation::divide;
use crate::conversation::divide::QUOTE_BYTES_MAX;
use crate::conversation::page;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// Bytes of a name, at most; a longer one is cut.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of the reason of an outcome, at most; a longer one is cut.
const REASON_BYTES_MAX: usize = 1_024;

/// Facts of a deal from a moment on.
pub fn deal(at: Timestamp, deal: pb::Deal) -> (Timestamp, Write) {
    let effective_at = Some(moment::to_proto(at));
    let deal = Some(pb::Deal {
        effective_at,
        ..deal
    });
    let request = pb::UpsertDealRequest {
        deal,
        expected_revision: None,
    };
    (at, Write::UpsertDeal(request))
}

/// Facts of a person from a moment on.
pub fn stakeholder(
    at: Timestamp,
    deal_id: &str,
    stakeholder: pb::Stakeholder,
) -> (Timestamp, Write) {
    let request = pb::UpsertStakeholdersRequest {
        deal_id: deal_id.to_owned(),
        stakeholders: vec![pb::Stakeholder {
            effective_at: Some(moment::to_proto(at)),
            ..stakeholder
        }],
        expected_revision: None,
    };
    (at, Write::UpsertStakeholders(request))
}

/// The end of a deal.
pub fn outcome(
    at: Timestamp,
    deal_id: &str,
    outcome: pb::Outcome,
    reason: &str,
) -> (Timestamp, Write) {
    let request = pb::RecordOutcomeRequest {
        deal_id: deal_id.to_owned(),
        outcome: Some(pb::DealOutcome {
            outcome: outcome.into(),
            effective_at: Some(moment::to_proto(at)),
            reason: cut(reason, REASON_BYTES_MAX),
        }),
        expected_revision: None,
    };
    (at, Write::RecordOutcome(request))
}

/// What was said, in as many statements as its length asks for: `ID`, `ID.2`, `ID.3` …
///
/// `statement` has everything but the quote.
pub fn statements(
    at: Timestamp,
    statement: &pb::BuyerStatement,
    text: &str,
) -> Vec<(Timestamp, Write)> {
    let text = page::printable(text);
    let parts = divide::parts(&text, QUOTE_BYTES_MAX)
        .into_iter()
        .enumerate();
    let said = parts.map(|(before, part)| {
        let statement_id = match before {
            0 => statement.statement_id.clone(),
            before => format!("{}.{}", statement.statement_id, before + 1),
        };
        let statement = pb::BuyerStatement {
            statement_id,
            said_at: Some(moment::to_proto(at)),
            quote: part.to_owned(),
            ..statement.clone()
        };
        let request = pb::RecordBuyerStatementRequest {
            statement: Some(statement),
            ..pb::RecordBuyerStatementRequest::default()
        };
        (at, Write::RecordBuyerStatement(request))
    });
    said.collect()
}

/// A name as the interface takes it; none when it is empty.
pub fn name(text: &str) -> Option<String> {
    let printable: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let name = cut(printable.trim(), NAME_BYTES_MAX);
    (!name.is_empty()).then_some(name)
}

/// An id as the interface takes it: an export may use `/`, which ids may not.
pub fn id(text: &str) -> String {
    text.replace('/', "-")
}

fn cut(text: &str, bytes_max: usize) -> String {
    divide::beginning(text, bytes_max).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotes(text: &str) -> Vec<(String, String)> {
        let statement = pb::BuyerStatement {
            statement_id: "n1".to_owned(),
            ..pb::BuyerStatement::default()
        };
        let said = statements(Timestamp::UNIX_EPOCH, &statement, text).into_iter();
        said.map(|(_, write)| match write {
            Write::RecordBuyerStatement(request) => {
                let statement = request.statement.unwrap();
                (statement.statement_id, statement.quote)
            }
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn a_long_text_becomes_several_statements_and_loses_no_word() {
        let text = "Wörter und Sätze. ".repeat(1_000);
        let parts = quotes(&text);
        assert!(4 < parts.len(), "{}", parts.len());
        assert_eq!(parts[0].0, "n1");
        assert_eq!(parts[1].0, "n1.2");
        let joined: Vec<&str> = parts.iter().map(|(_, quote)| quote.as_str()).collect();
        assert_eq!(joined.join(" "), text.trim());
        assert!(
            parts
                .iter()
                .all(|(_, quote)| quote.len() <= QUOTE_BYTES_MAX)
        );
    }

    #[test]
    fn a_text_without_a_break_is_cut_between_letters() {
        let parts = quotes(&"ä".repeat(5_000));
        let letters: usize = parts.iter().map(|(_, quote)| quote.chars().count()).sum();
        assert_eq!(letters, 5_000);
    }

    #[test]
    fn nothing_but_blanks_says_nothing() {
        assert!(quotes(" \r\n\t\u{0} ").is_empty());
        assert_eq!(name(" \u{7} "), None);
    }
}
