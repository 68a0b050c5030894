//! From a quote to the claims it makes: local, deterministic, explainable.
//!
//! 1. [`tokens`] takes the text apart, [`lexicon`] finds groups of words in it, [`features`] says what is there and how it
//!    is meant: negated, asked, supposed, reported.
//! 2. [`model`] gives each kind of claim a probability, from weights trained on the sentences in `language/corpus`.
//! 3. This file decides: one claim a topic, of those that are likely enough, with the sentence each rests on; [`details`]
//!    reads amounts, dates and the like.
//!
//! Pure: no I/O, clock, network or randomness. Any text has an answer, and at most the first
//! [`tokens::TOKENS_MAX`] words of it are read.

pub mod details;
pub mod features;
pub mod foreign;
pub mod lexicon;
pub mod model;
pub mod tally;
pub mod tokens;
pub mod words;

use std::sync::LazyLock;

use crate::domain::statement::Claim;
use crate::domain::statement::Confidence;
use crate::domain::text::Prose;
use crate::domain::time::Date;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::Topic;
use crate::language::details::Details;
use crate::language::features::Reader;
use crate::language::features::Shown;
use crate::language::lexicon::Lexicon;
use crate::language::model::Known;
use crate::language::model::Model;
use crate::language::model::NotWeights;
use crate::language::tokens::Tokens;

const WEIGHTS: &[u8] = include_bytes!("../language/weights.bin");

/// What was made of a quote.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Read; without a claim when it makes none. One claim a topic at most, in the order of topics.
    Claims(Vec<Claim>),
    /// Not in English: nothing is claimed of it.
    Unsupported,
}

/// A quote, and what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    pub quote: &'a str,
    /// The seller's words just before; may be empty.
    pub context: &'a str,
    /// The day it was said: what "next fall" counts from. Without it no target date is read.
    pub said_on: Option<Date>,
}

/// Reads quotes.
#[derive(Debug)]
pub struct Extractor {
    lexicon: Lexicon,
    reader: Reader,
    details: Details,
    model: Model,
}

impl Extractor {
    /// The one with the weights compiled in; made at the first call.
    pub fn compiled() -> &'static Extractor {
        static COMPILED: LazyLock<Extractor> = LazyLock::new(|| {
            Extractor::new(WEIGHTS).expect("a test reads the weights that are compiled in")
        });
        &COMPILED
    }

    /// One with other weights.
    ///
    /// # Errors
    ///
    /// [`NotWeights`] when `weights` are not such a file.
    pub fn new(weights: &[u8]) -> Result<Extractor, NotWeights> {
        let lexicon = Lexicon::compiled();
        Ok(Extractor {
            reader: Reader::new(&lexicon),
            details: Details::new(&lexicon),
            model: Model::read(weights)?,
            lexicon,
        })
    }

    /// The claims that a quote makes.
    pub fn read(&self, heard: Heard<'_>) -> Reading {
        let quote = self.lexicon.tokens(heard.quote);
        if foreign::is_foreign(heard.quote, &quote) {
            return Reading::Unsupported;
        }
        let context = self.lexicon.tokens(heard.context);
        let shown = self.reader.features(&self.lexicon, &quote, &context);
        let known = self.model.known(&shown);
        let scores = self.model.scores(&known);
        let chosen = self.choose(&scores);
        Reading::Claims(
            chosen
                .into_iter()
                .filter_map(|(kind, probability)| {
                    self.claim(heard, &quote, &known, &scores, kind, probability)
                })
                .collect(),
        )
    }

    /// The likely kinds, one a topic, in the order of topics.
    fn choose(&self, scores: &[f32]) -> Vec<(usize, f32)> {
        let probabilities = self.model.probabilities(scores);
        let mut chosen: Vec<(usize, f32)> = Vec::new();
        for topic in Topic::ALL {
            let kinds = self.model.kinds.iter().zip(&probabilities).enumerate();
            let best = kinds
                .filter(|(_, (kind, _))| kind.topic == topic)
                .map(|(place, (_, probability))| (place, *probability))
                .max_by(|one, other| one.1.total_cmp(&other.1));
            chosen.extend(best.filter(|(_, probability)| self.model.threshold <= *probability));
        }
        chosen
    }

    fn claim(
        &self,
        heard: Heard<'_>,
        quote: &Tokens,
        known: &[Known],
        scores: &[f32],
        place: usize,
        probability: f32,
    ) -> Option<Claim> {
        let kind = &self.model.kinds[place];
        let sentence = self.basis(quote, known, place);
        let tokens = quote
            .sentences
            .get(sentence)
            .map(|sentence| &quote.tokens[sentence.tokens.clone()])?;
        let (first, last) = (tokens.first()?, tokens.last()?);
        let basis = heard.quote.get(first.start as usize..last.end as usize)?;
        let claim = Claim {
            topic: kind.topic,
            stance: kind.stance,
            conviction: self.model.conviction(scores, place),
            confidence: Confidence::new(f64::from(probability)).ok()?,
            issue_category: None,
            impact: None,
            target_date: None,
            compelling_event: None,
            buying_stage: None,
            source: ClaimSource::Extracted,
            basis: Prose::new(basis).ok()?,
        };
        Some(
            self.details
                .add(claim, &self.lexicon, heard, quote, sentence),
        )
    }

    /// The sentence that speaks most for a kind of claim.
    fn basis(&self, quote: &Tokens, known: &[Known], kind: usize) -> usize {
        let mut sums = vec![0i32; quote.sentences.len()];
        for one in known {
            if let Some(sum) = sums.get_mut(usize::from(one.sentence)) {
                *sum += self.model.adds(one, kind);
            }
        }
        let mut best = 0;
        for (place, sum) in sums.iter().enumerate() {
            if sums[best] < *sum {
                best = place;
            }
        }
        best
    }

    /// What the trainer learns from: the features of a quote.
    pub fn features(lexicon: &Lexicon, reader: &Reader, quote: &str, context: &str) -> Vec<Shown> {
        reader.features(lexicon, &lexicon.tokens(quote), &lexicon.tokens(context))
    }
}
