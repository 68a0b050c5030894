//! What one person on the buyer's side said at one moment, and what it claims.

use crate::domain::money::Money;
use crate::domain::stakeholder::Roles;
use crate::domain::text::Id;
use crate::domain::text::Line;
use crate::domain::text::Name;
use crate::domain::text::Prose;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::topic::Attribution;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Channel;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::CompellingEvent;
use crate::domain::topic::Conviction;
use crate::domain::topic::IssueCategory;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// The buyer's words, 1 to 4,096 bytes.
pub type Quote = Prose<4096>;

/// The most claims of one statement.
pub const CLAIMS_MAX: usize = 16;

/// What one person said at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub id: Id,
    pub said_at: Instant,
    pub quote: Quote,
    pub channel: Option<Channel>,
    pub source_uri: Line<2048>,
    /// The seller's words just before. Never scored.
    pub context: Prose<4096>,
    pub voice: Voice,
    /// At most [`CLAIMS_MAX`].
    pub claims: Vec<Claim>,
}

/// Whose words they are: a buyer's, or the seller's belief of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Evidence.
    Buyer {
        speaker: Speaker,
        /// Notes of the words rather than the words.
        paraphrased: bool,
    },
    /// A hypothesis, of somebody or of nobody in particular.
    Seller { about: Option<Speaker> },
}

/// Who said it; what is given beside the id updates the stakeholder as of then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    pub stakeholder: Id,
    pub display_name: Option<Name>,
    pub title: Option<Name>,
    pub roles: Option<Roles>,
}

/// One thing a statement asserts.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub topic: Topic,
    pub stance: Stance,
    pub conviction: Conviction,
    pub confidence: Confidence,
    pub issue_category: Option<IssueCategory>,
    pub impact: Option<Money>,
    pub target_date: Option<Date>,
    pub compelling_event: Option<CompellingEvent>,
    pub buying_stage: Option<BuyingStage>,
    pub source: ClaimSource,
    /// The words of the quote that the claim rests on.
    pub basis: Prose<4096>,
}

/// How sure it is that a quote makes a claim: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Confidence(f64);

/// Outside of what a confidence may be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("must be above 0 and at most 1, got {0}")]
pub struct NotConfidence(f64);

impl Confidence {
    /// What a caller gives or confirms.
    pub const FULL: Confidence = Confidence(1.0);

    /// # Errors
    ///
    /// [`NotConfidence`] unless above 0 and at most 1.
    pub fn new(confidence: f64) -> Result<Confidence, NotConfidence> {
        if 0.0 < confidence && confidence <= 1.0 {
            return Ok(Confidence(confidence));
        }
        Err(NotConfidence(confidence))
    }

    pub fn get(self) -> f64 {
        self.0
    }
}

impl Voice {
    pub fn attribution(&self) -> Attribution {
        match self {
            Voice::Buyer {
                paraphrased: false, ..
            } => Attribution::Verbatim,
            Voice::Buyer {
                paraphrased: true, ..
            } => Attribution::Paraphrased,
            Voice::Seller { .. } => Attribution::Inferred,
        }
    }

    /// Who said it, or of whom it is believed.
    pub fn speaker(&self) -> Option<&Speaker> {
        match self {
            Voice::Buyer { speaker, .. } => Some(speaker),
            Voice::Seller { about } => about.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_is_above_nothing_and_at_most_certain() {
        assert!(Confidence::new(f64::MIN_POSITIVE).is_ok());
        assert!(Confidence::new(1.0).is_ok());
        for wrong in [0.0, -0.1, 1.000_000_1, f64::NAN, f64::INFINITY] {
            assert!(Confidence::new(wrong).is_err(), "{wrong}");
        }
    }
}
