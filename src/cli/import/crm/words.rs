//! The words that CRMs have for roles and for ends of deals, in the words of the interface.

use crate::wire::pb;
use crate::wire::pb::BuyingRole;
use crate::wire::pb::Outcome;

/// What a CRM calls a role, by words in it; the first that fits.
///
/// Source: the standard values of Salesforce's OpportunityContactRole and of HubSpot's buying role.
const ROLES: [(&str, BuyingRole); 17] = [
    ("economic", BuyingRole::EconomicBuyer),
    ("budget", BuyingRole::EconomicBuyer),
    ("decision", BuyingRole::DecisionMaker),
    ("sponsor", BuyingRole::ExecutiveSponsor),
    ("champion", BuyingRole::Champion),
    ("coach", BuyingRole::Champion),
    ("evaluator", BuyingRole::TechnicalEvaluator),
    ("technical", BuyingRole::TechnicalEvaluator),
    ("influencer", BuyingRole::Influencer),
    ("procurement", BuyingRole::Procurement),
    ("purchas", BuyingRole::Procurement),
    ("legal", BuyingRole::Legal),
    ("compliance", BuyingRole::Legal),
    ("blocker", BuyingRole::Blocker),
    ("gatekeeper", BuyingRole::Influencer),
    ("user", BuyingRole::User),
    ("executive", BuyingRole::ExecutiveSponsor),
];

/// Why a deal was lost, by words in the reason; the first that fits.
const LOST: [(&str, Outcome); 17] = [
    ("no decision", Outcome::LostToNoDecision),
    ("no budget", Outcome::LostToNoDecision),
    ("budget", Outcome::LostToNoDecision),
    ("funding", Outcome::LostToNoDecision),
    ("timing", Outcome::LostToNoDecision),
    ("priorit", Outcome::LostToNoDecision),
    ("unresponsive", Outcome::LostToNoDecision),
    ("no response", Outcome::LostToNoDecision),
    ("dark", Outcome::LostToNoDecision),
    ("status quo", Outcome::LostToNoDecision),
    ("postponed", Outcome::LostToNoDecision),
    ("compet", Outcome::LostToCompetitor),
    ("other vendor", Outcome::LostToCompetitor),
    ("disqualif", Outcome::Disqualified),
    ("duplicate", Outcome::Disqualified),
    ("bad fit", Outcome::Disqualified),
    ("spam", Outcome::Disqualified),
];

/// Words for an end that do not say which.
const VAGUE_ENDS: [&str; 7] = [
    "cancelled",
    "canceled",
    "closed",
    "abandoned",
    "dead",
    "rejected",
    "ended",
];

/// The role, if the words name one.
pub fn role(words: &str) -> Option<BuyingRole> {
    found(&ROLES, words)
}

/// The roles of a cell that may list several.
pub fn roles(cell: &str) -> Vec<i32> {
    let mut roles: Vec<i32> = cell
        .split([';', ','])
        .filter_map(role)
        .map(i32::from)
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// What a lost deal was lost to, if the reason tells.
pub fn lost_to(reason: &str) -> Option<pb::Outcome> {
    found(&LOST, reason)
}

/// The end that a deal came to, where a cell says nothing else: a stage may be about budget or timing, too.
pub fn end(cell: &str) -> Option<pb::Outcome> {
    match cell.replace(['_', '-'], " ").trim() {
        "no decision" => Some(Outcome::LostToNoDecision),
        "disqualified" => Some(Outcome::Disqualified),
        _ => None,
    }
}

/// Whether a cell names an end and not which.
pub fn is_vague_end(cell: &str) -> bool {
    cell.split(|letter: char| !letter.is_alphabetic())
        .any(|word| VAGUE_ENDS.contains(&word))
}

fn found<T: Copy>(table: &[(&str, T)], words: &str) -> Option<T> {
    let words = words.to_lowercase();
    let hit = table.iter().find(|(word, _)| words.contains(word));
    hit.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_of_crms_are_known() {
        for (words, role_is) in [
            ("Economic Decision Maker", Some(BuyingRole::EconomicBuyer)),
            ("Decision Maker", Some(BuyingRole::DecisionMaker)),
            ("Executive Sponsor", Some(BuyingRole::ExecutiveSponsor)),
            ("Technical Buyer", Some(BuyingRole::TechnicalEvaluator)),
            ("Business User", Some(BuyingRole::User)),
            ("BUDGET_HOLDER", Some(BuyingRole::EconomicBuyer)),
            ("END_USER", Some(BuyingRole::User)),
            ("Other", None),
            ("", None),
        ] {
            assert_eq!(role(words), role_is, "{words}");
        }
        assert_eq!(roles("Champion; Decision maker; other").len(), 2);
    }

    #[test]
    fn a_reason_tells_what_a_deal_was_lost_to() {
        assert_eq!(
            lost_to("Lost to Competitor"),
            Some(Outcome::LostToCompetitor)
        );
        assert_eq!(
            lost_to("No Decision / Non-Responsive"),
            Some(Outcome::LostToNoDecision)
        );
        assert_eq!(lost_to("Duplicate record"), Some(Outcome::Disqualified));
        assert_eq!(lost_to("Price"), None);
    }
}
