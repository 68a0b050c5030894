//! The use cases, one method a remote call: load, decide, append, derive.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::event::Event;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::store;
use crate::store::DealKey;
use crate::store::Store;

/// Verbatim's use cases over one store.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// Which deal, and as seen when.
#[derive(Clone, Debug)]
pub struct Query {
    pub deal: DealKey,
    pub as_of: Option<Instant>,
    pub known_at: Option<Instant>,
    pub min_revision: Option<u64>,
}

/// A statement to record.
#[derive(Clone, Debug)]
pub struct Recording {
    pub deal: DealKey,
    pub statement: Statement,
    /// `statement.said_at` is the service's own now, since the caller gave none: a retry may differ in it.
    pub said_at_defaulted: bool,
    pub expected_revision: Option<u64>,
    pub validate_only: bool,
}

/// What became of a write of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub revision: u64,
    /// Nothing was recorded: it was there before.
    pub already: bool,
}

/// Why a use case was not carried out. In order of precedence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no deal {0}")]
    DealNotFound(Id),
    #[error("deal {deal} has no statement {statement}")]
    StatementNotFound { deal: Id, statement: Id },
    #[error("statement {statement} was recorded before with another {}", .differs.join(", "))]
    StatementDiffers {
        statement: Id,
        differs: Vec<&'static str>,
    },
    #[error("the deal closed at {closed_at}; a statement said after that is not recorded")]
    DealClosed { closed_at: Instant },
    #[error("the deal holds {limit} {what}, which is the most it may")]
    DealFull { what: &'static str, limit: usize },
    #[error("the deal is at revision {actual}, not {expected}")]
    RevisionMismatch { expected: u64, actual: u64 },
    #[error("the deal is at revision {actual}, which is before min_revision {min_revision}")]
    RevisionAhead { min_revision: u64, actual: u64 },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl App {
    /// The moment the service takes as now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub async fn upsert_deal(
        &self,
        deal: &DealKey,
        facts: DealFacts,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        unimplemented!()
    }

    pub async fn upsert_stakeholders(
        &self,
        deal: &DealKey,
        facts: Vec<StakeholderFacts>,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        unimplemented!()
    }

    pub async fn upsert_milestones(
        &self,
        deal: &DealKey,
        facts: Vec<MilestoneFacts>,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        unimplemented!()
    }

    pub async fn record_outcome(
        &self,
        deal: &DealKey,
        ending: Ending,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        unimplemented!()
    }

    pub async fn retract_statement(
        &self,
        deal: &DealKey,
        retraction: Retraction,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        unimplemented!()
    }

    /// Up to `events_max` events after the first `after` ones.
    pub async fn history(
        &self,
        deal: &DealKey,
        after: u64,
        events_max: usize,
    ) -> Result<Vec<Event>, Error> {
        unimplemented!()
    }
}
