//! An entry of a deal's history: a fact with its two times. Appended, never edited.

use crate::domain::facts::Confirmation;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Statement;
use crate::domain::time::Instant;

/// One recorded fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the deal's history, from 1.
    pub revision: u64,
    /// When the service learned it. Never earlier than that of the event before.
    pub recorded_at: Instant,
    pub fact: Fact,
}

/// What can happen to a deal.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Deal(DealFacts),
    Stakeholder(StakeholderFacts),
    Statement(Statement),
    Milestone(MilestoneFacts),
    Ending(Ending),
    Retraction(Retraction),
    Confirmation(Confirmation),
}

impl Event {
    /// When it was said or came true; for a retraction and a confirmation, when it was recorded.
    pub fn effective_at(&self) -> Instant {
        match &self.fact {
            Fact::Deal(facts) => facts.effective_at,
            Fact::Stakeholder(facts) => facts.effective_at,
            Fact::Statement(statement) => statement.said_at,
            Fact::Milestone(facts) => facts.effective_at,
            Fact::Ending(ending) => ending.effective_at,
            Fact::Retraction(_) | Fact::Confirmation(_) => self.recorded_at,
        }
    }
}
