//! What a claim says beside its topic: an amount, a date, an event, a kind of issue, a step of buying.
//!
//! Read from the sentence that the claim rests on, and the date from the whole quote. What is not said plainly is left out.

pub mod ahead;
pub mod amount;
pub mod date;

use crate::domain::statement::Claim;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::CompellingEvent;
use crate::domain::topic::IssueCategory;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;
use crate::language::Heard;
use crate::language::lexicon::Group;
use crate::language::lexicon::Lexicon;
use crate::language::tokens::Tokens;

/// The group of each kind of issue; of two with as many words the first counts.
const ISSUES: [(&str, IssueCategory); 9] = [
    ("CAT_RISK", IssueCategory::RiskCompliance),
    ("CAT_COMPETE", IssueCategory::CompetitivePressure),
    ("CAT_NEWMARKET", IssueCategory::NewMarkets),
    ("CAT_MARGIN", IssueCategory::MarginImprovement),
    ("CAT_REVENUE", IssueCategory::RevenueGrowth),
    ("CAT_CUSTOMER", IssueCategory::CustomerAcquisitionRetention),
    (
        "CAT_EMPLOYEE",
        IssueCategory::EmployeeSatisfactionProductivity,
    ),
    ("CAT_COST", IssueCategory::CostReduction),
    ("CAT_MARKET", IssueCategory::MarketChange),
];

/// The group of each event, the plainest first.
const EVENTS: [(&str, CompellingEvent); 6] = [
    ("EVENT_LEGAL", CompellingEvent::LegalCompliance),
    ("EVENT_END_OF_LIFE", CompellingEvent::EndOfLife),
    ("EVENT_CONTRACT", CompellingEvent::ContractExpiry),
    ("EVENT_LAUNCH", CompellingEvent::ProductLaunch),
    ("EVENT_COMPETITIVE", CompellingEvent::CompetitiveMove),
    ("EVENT_FISCAL", CompellingEvent::FiscalPeriod),
];

/// The group of each step that can be told from words, the latest first.
const STAGES: [(&str, BuyingStage); 5] = [
    ("STAGE_IMPLEMENTATION", BuyingStage::Implementation),
    ("STAGE_APPROVAL", BuyingStage::Approval),
    ("STAGE_SELECTION", BuyingStage::SupplierSelection),
    ("STAGE_REQUIREMENTS", BuyingStage::RequirementsBuilding),
    ("STAGE_EXPLORATION", BuyingStage::SolutionExploration),
];

/// Reads details.
#[derive(Debug)]
pub struct Details {
    issues: Vec<(Group, IssueCategory)>,
    events: Vec<(Group, CompellingEvent)>,
    stages: Vec<(Group, BuyingStage)>,
}

impl Details {
    /// Finds the groups it reads by.
    pub fn new(lexicon: &Lexicon) -> Details {
        fn found<T: Copy>(lexicon: &Lexicon, named: &[(&str, T)]) -> Vec<(Group, T)> {
            named
                .iter()
                .filter_map(|(name, value)| Some((lexicon.group(name)?, *value)))
                .collect()
        }
        Details {
            issues: found(lexicon, &ISSUES),
            events: found(lexicon, &EVENTS),
            stages: found(lexicon, &STAGES),
        }
    }

    /// The claim with what its sentence says of it.
    pub fn add(
        &self,
        mut claim: Claim,
        lexicon: &Lexicon,
        heard: Heard<'_>,
        quote: &Tokens,
        sentence: usize,
    ) -> Claim {
        let tokens = &quote.tokens[quote.sentences[sentence].tokens.clone()];
        let groups: Vec<Group> = lexicon.hits(tokens).iter().map(|hit| hit.group).collect();
        let supports = claim.stance == Stance::Supports;
        match claim.topic {
            Topic::Problem | Topic::Consequence | Topic::StatusQuo if supports => {
                claim.issue_category = self.issue(&groups);
                claim.impact = amount::first(claim.basis.as_str());
            }
            Topic::Value | Topic::Management => {
                claim.impact = amount::first(claim.basis.as_str());
            }
            Topic::GoLive => {
                claim.target_date = heard
                    .said_on
                    .and_then(|said_on| date::latest(heard.quote, said_on));
                claim.compelling_event = first(&self.events, &groups);
            }
            _ => {}
        }
        let is_of_buying = matches!(
            claim.topic,
            Topic::BuyingProcess | Topic::Alternative | Topic::Value | Topic::Management
        );
        if is_of_buying && claim.stance != Stance::Defers {
            claim.buying_stage = first(&self.stages, &groups);
        }
        claim
    }

    fn issue(&self, groups: &[Group]) -> Option<IssueCategory> {
        let mut most = (0, None);
        for (group, issue) in &self.issues {
            let count = groups.iter().filter(|found| *found == group).count();
            if most.0 < count {
                most = (count, Some(*issue));
            }
        }
        most.1
    }
}

fn first<T: Copy>(named: &[(Group, T)], groups: &[Group]) -> Option<T> {
    named
        .iter()
        .find(|(group, _)| groups.contains(group))
        .map(|(_, value)| *value)
}
