//! What a claim says beside its topic: an amount, a date, an event, a kind of issue, a step of buying.

use crate::domain::statement::Claim;
use crate::language::Heard;
use crate::language::lexicon::Lexicon;
use crate::language::tokens::Tokens;

/// Reads details.
#[derive(Debug)]
pub struct Details {}

impl Details {
    /// Finds the groups it reads by.
    pub fn new(_lexicon: &Lexicon) -> Details {
        Details {}
    }

    /// The claim with what its sentence says of it.
    pub fn add(
        &self,
        claim: Claim,
        _lexicon: &Lexicon,
        _heard: Heard<'_>,
        _quote: &Tokens,
        _sentence: usize,
    ) -> Claim {
        claim
    }
}
