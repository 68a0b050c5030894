//! One write of a stream, and what a deal makes of it.

use crate::app::Error;
use crate::app::error::refused;
use crate::domain::deal::Deal;
use crate::domain::decide;
use crate::domain::event::Fact;
use crate::domain::facts::Confirmation;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::store::DealKey;

/// One write.
#[derive(Clone, Debug)]
pub struct Entry {
    pub deal: DealKey,
    pub expected_revision: Option<u64>,
    pub what: What,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum What {
    Statement {
        statement: Box<Statement>,
        /// `said_at` is the service's own now, since the caller gave none: a retry may differ in it.
        said_at_defaulted: bool,
    },
    Deal(DealFacts),
    People(Vec<StakeholderFacts>),
    Plan(Vec<MilestoneFacts>),
    Ending(Ending),
    Retraction(Retraction),
    Confirmation(Confirmation),
}

impl Entry {
    /// The events it makes at most.
    pub fn events_max(&self) -> usize {
        match &self.what {
            What::People(people) => people.len(),
            What::Plan(milestones) => milestones.len(),
            What::Statement { .. }
            | What::Deal(_)
            | What::Ending(_)
            | What::Retraction(_)
            | What::Confirmation(_) => 1,
        }
    }

    /// Of a statement: its id.
    pub fn statement_id(&self) -> Option<Id> {
        match &self.what {
            What::Statement { statement, .. } => Some(statement.id.clone()),
            _ => None,
        }
    }

    /// The facts to record, none when they were there before; whether a statement is the same is not looked at.
    pub fn decide(&self, key: &DealKey, deal: &Deal) -> Result<Vec<Fact>, Error> {
        let decided = match &self.what {
            What::Statement { statement, .. } => match deal.statement(&statement.id) {
                Some(_) => Ok(Vec::new()),
                None => decide::hear(deal, (**statement).clone()),
            },
            What::Deal(facts) => decide::learn_deal(deal, facts.clone()),
            What::People(facts) => decide::learn_people(deal, facts.clone()),
            What::Plan(facts) => decide::learn_plan(deal, facts.clone()),
            What::Ending(ending) => decide::close(deal, ending.clone()),
            What::Retraction(_) | What::Confirmation(_) if deal.revision() == 0 => {
                return Err(Error::DealNotFound(key.deal.clone()));
            }
            What::Retraction(retraction) => decide::take_back(deal, retraction.clone()),
            What::Confirmation(confirmation) => decide::confirm(deal, confirmation.clone()),
        };
        decided.map_err(|refusal| refused(key, refusal))
    }
}
