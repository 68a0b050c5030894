//! What the seller's stage promises, held against what the buyer said: the happy-ears gap.
//!
//! The seller's own forecast of a deal is its amount times the probability that the model gives its stage. The
//! evidence's is its amount times its score read as a percentage: a deal of 30 points counts three tenths of its
//! amount. A score is no measured probability; it is held against one because that is how forecasts are added up.

use crate::domain::model::Model;
use crate::domain::model::same_letters;
use crate::domain::money::Money;

/// The amount times a share of it, to the billionth of a unit.
pub fn share_of(amount: Money, share: f64) -> i128 {
    (amount.in_nanos() as f64 * share).round() as i128
}

/// The share of a deal's amount that its score stands for.
pub fn share_of_score(score: f64) -> f64 {
    score / 100.0
}

impl Model {
    /// The probability that a CRM's stage gives a deal; `None` for a stage that the model does not know.
    ///
    /// Matched without regard to case, spaces or punctuation.
    pub fn stage_probability(&self, seller_stage: &str) -> Option<f64> {
        let stages = &self.stage_probabilities;
        let as_written = stages.iter().find(|stage| stage.name == seller_stage);
        as_written
            .or_else(|| {
                stages
                    .iter()
                    .find(|stage| same_letters(&stage.name, seller_stage))
            })
            .map(|stage| stage.probability)
    }
}
