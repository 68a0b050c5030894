//! The trained weights, and what they make of features: a probability for each kind of claim, and how firm it is.
//!
//! The file `language/weights.bin`, all numbers little-endian:
//!
//! 1. The eight bytes of [`MAGIC`], which change with the layout and with the features.
//! 2. `u32` kinds K, `u32` features N, `f32` threshold, `f32` threshold of the gate, `f32` slope and offset of the gate.
//! 3. For each kind: `u8` topic, `u8` stance, two zero bytes, `f32` slope and offset of its probability, three `f32` of the
//!    convictions' offsets.
//! 4. For each of the K + 4 columns (the kinds, the gate, the three convictions): `f32` unit of its weights, `f32` weight of
//!    every quote.
//! 5. N `u32`: the features, ascending. N rows of K + 4 `i8`: their weights, in units of the column.
//!
//! `examples/train-language` writes it; nothing else does.

use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;
use crate::language::features::KINDS;
use crate::language::features::Shown;
use crate::language::lexicon::ByNumber;

/// The first bytes of a file of weights.
pub const MAGIC: [u8; 8] = *b"VBTMLNG3";

/// Columns beside those of the kinds: the gate and the convictions.
pub const COLUMNS_EXTRA: usize = 4;

/// By how much a firmer conviction must outdo a weaker one: in doubt it is the lower rung.
pub const RUNG_MARGIN: f32 = 0.2;

/// How much a feature of each kind counts, by its number.
pub const SCALES: [f32; KINDS] = [
    0.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.7, 1.5, 0.8, 0.7, 1.0, 0.7, 0.7, 1.0, 0.7, 1.0, 1.0, 0.7, 0.5,
    0.4, 0.7, 1.6, 1.0, 0.9, 0.5, 0.4, 0.7, 0.7, 0.6, 0.5, 0.3, 1.0, 0.9, 0.7, 0.5, 2.0, 1.0, 0.7,
];

/// A probability as a logistic function of a score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Curve {
    pub slope: f32,
    pub offset: f32,
}

/// One kind of claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    pub topic: Topic,
    pub stance: Stance,
    pub curve: Curve,
    pub firm: [f32; 3],
}

/// The weights, ready for use.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub kinds: Vec<Kind>,
    /// The least probability at which a claim is found.
    pub threshold: f32,
    /// The least probability that there is any claim at which one is looked for.
    pub gate_threshold: f32,
    pub gate: Curve,
    /// Per column: the unit of its weights, and the weight of every quote.
    pub columns: Vec<(f32, f32)>,
    rows: ByNumber<u32>,
    weights: Vec<i8>,
}

/// The file is not one of weights, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a file of weights of this version")]
pub struct NotWeights;

/// A known feature of a text, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    row: u32,
    value: f32,
    /// The first sentence that shows it.
    pub sentence: u16,
}

impl Model {
    /// Reads a file of weights.
    ///
    /// # Errors
    ///
    /// [`NotWeights`] when it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Model, NotWeights> {
        let mut rest = Rest(bytes);
        if rest.take(MAGIC.len())? != MAGIC {
            return Err(NotWeights);
        }
        let kinds_count = rest.u32()? as usize;
        let features_count = rest.u32()? as usize;
        let mut model = Model {
            threshold: rest.f32()?,
            gate_threshold: rest.f32()?,
            gate: rest.curve()?,
            ..Model::default()
        };
        for _ in 0..kinds_count {
            model.kinds.push(rest.kind()?);
        }
        let columns_count = kinds_count + COLUMNS_EXTRA;
        for _ in 0..columns_count {
            model.columns.push((rest.f32()?, rest.f32()?));
        }
        // What the file says of itself is not believed until it is read.
        model.rows.reserve(features_count.min(rest.0.len() / 4));
        for row in 0..features_count {
            model.rows.insert(u64::from(rest.u32()?), row as u32);
        }
        let weights = rest.take(features_count.saturating_mul(columns_count))?;
        model.weights = weights.iter().map(|byte| *byte as i8).collect();
        if rest.0.is_empty() {
            return Ok(model);
        }
        Err(NotWeights)
    }

    /// The features that the model knows, once each, scaled so that a long quote does not shout.
    pub fn known(&self, shown: &[Shown]) -> Vec<Known> {
        let known = shown.iter().filter_map(|one| {
            let row = *self.rows.get(&u64::from(one.feature))?;
            Some(Known {
                row,
                value: SCALES[usize::from(one.kind)],
                sentence: one.sentence,
            })
        });
        // Most features are not known: what is left is quicker to sort.
        let mut known: Vec<Known> = known.collect();
        known.sort_unstable_by_key(|one| (one.row, one.sentence));
        known.dedup_by_key(|one| one.row);
        let unit = scale_of(known.iter().map(|one| one.value * one.value).sum());
        for one in &mut known {
            one.value *= unit;
        }
        known
    }

    /// The score of each column.
    pub fn scores(&self, known: &[Known]) -> Vec<f32> {
        let width = self.columns.len();
        let mut sums = vec![0.0f32; width];
        for one in known {
            let start = one.row as usize * width;
            let row = &self.weights[start..start + width];
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += one.value * f32::from(*weight);
            }
        }
        for (sum, (unit, always)) in sums.iter_mut().zip(&self.columns) {
            *sum = *sum * unit + always;
        }
        sums
    }

    /// What one feature adds to a kind's score, in units of its column.
    pub fn adds(&self, known: &Known, kind: usize) -> f32 {
        let weight = self.weights[known.row as usize * self.columns.len() + kind];
        known.value * f32::from(weight)
    }

    /// The probability of each kind of claim; none when it is not likely that there is any.
    pub fn probabilities(&self, scores: &[f32]) -> Vec<f32> {
        let gate = logistic(self.gate.slope * scores[self.kinds.len()] + self.gate.offset);
        if gate < self.gate_threshold {
            return Vec::new();
        }
        self.kinds
            .iter()
            .zip(scores)
            .map(|(kind, score)| logistic(kind.curve.slope * score + kind.curve.offset))
            .collect()
    }

    /// How firm a claim of a kind is.
    pub fn conviction(&self, scores: &[f32], kind: usize) -> Conviction {
        let first = self.kinds.len() + 1;
        let mut firmest = (f32::NEG_INFINITY, Conviction::Acknowledged);
        for (rung, conviction) in Conviction::ALL.into_iter().enumerate() {
            let score = scores[first + rung] + self.kinds[kind].firm[rung];
            if firmest.0 + RUNG_MARGIN < score {
                firmest = (score, conviction);
            }
        }
        firmest.1
    }
}

/// By what the values are multiplied, from the sum of their squares.
pub fn scale_of(square: f32) -> f32 {
    if square <= 0.0 {
        return 1.0;
    }
    // Half way between counting every feature in full and giving every quote the same length.
    1.0 / (square.sqrt().sqrt() * 3.741_657_4)
}

/// From any score to a probability.
pub fn logistic(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NotWeights> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(NotWeights)?;
        self.0 = left;
        Ok(taken)
    }

    fn four(&mut self) -> Result<[u8; 4], NotWeights> {
        self.take(4)?.try_into().map_err(|_| NotWeights)
    }

    fn u32(&mut self) -> Result<u32, NotWeights> {
        self.four().map(u32::from_le_bytes)
    }

    fn f32(&mut self) -> Result<f32, NotWeights> {
        self.four().map(f32::from_le_bytes)
    }

    fn curve(&mut self) -> Result<Curve, NotWeights> {
        Ok(Curve {
            slope: self.f32()?,
            offset: self.f32()?,
        })
    }

    fn kind(&mut self) -> Result<Kind, NotWeights> {
        let [topic, stance, _, _] = self.four()?;
        Ok(Kind {
            topic: *Topic::ALL.get(usize::from(topic)).ok_or(NotWeights)?,
            stance: *Stance::ALL.get(usize::from(stance)).ok_or(NotWeights)?,
            curve: self.curve()?,
            firm: [self.f32()?, self.f32()?, self.f32()?],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_file_of_weights_is_read() {
        let whole = include_bytes!("../../language/weights.bin");
        assert!(Model::read(whole).is_ok());
        assert!(Model::read(&whole[..whole.len() - 1]).is_err());
        assert!(Model::read(&[whole.as_slice(), b"x"].concat()).is_err());
        assert!(Model::read(b"").is_err());
        assert!(Model::read(b"VBTMLNG3\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}
