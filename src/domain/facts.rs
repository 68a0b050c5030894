//! The facts of a deal that are not words: what the seller's CRM knows, the buying plan, the end.
//!
//! Each is an update that holds from a moment on; an absent field leaves what was.

use crate::domain::money::Money;
use crate::domain::statement::Claim;
use crate::domain::statement::Confidence;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::text::Prose;
use crate::domain::text::Reason;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::Outcome;

/// What the seller's CRM knows of a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealFacts {
    pub name: Option<Name>,
    pub account: Option<Name>,
    pub owner: Option<Name>,
    pub amount: Option<Money>,
    /// The CRM's own name of the stage.
    pub seller_stage: Option<Name>,
    pub close_date: Option<Date>,
    pub effective_at: Instant,
}

/// One step of the buying plan agreed with the buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MilestoneFacts {
    pub milestone: Id,
    pub name: Option<Name>,
    pub owner: Option<Id>,
    pub due_date: Option<Date>,
    pub completed_at: Option<Instant>,
    pub effective_at: Instant,
}

/// How and when a deal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub outcome: Outcome,
    pub reason: Reason,
    pub effective_at: Instant,
}

/// That a statement is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    pub statement: Id,
    pub reason: Reason,
}

/// What a person judged a statement to claim, in place of the claims it had.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    pub statement: Id,
    /// Who judged.
    pub confirmed_by: Option<Name>,
    claims: Vec<Claim>,
}

impl Confirmation {
    /// The claims as a person vouches for them: in full, and on their own word instead of words of the quote. None:
    /// the statement claims nothing.
    pub fn new(statement: Id, mut claims: Vec<Claim>, confirmed_by: Option<Name>) -> Confirmation {
        for claim in &mut claims {
            claim.confidence = Confidence::FULL;
            claim.source = ClaimSource::Confirmed;
            claim.basis = Prose::default();
        }
        Confirmation {
            statement,
            confirmed_by,
            claims,
        }
    }

    /// Each confirmed: certain, and without a basis.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }
}
