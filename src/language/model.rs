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
use crate::language::features::Feature;
use crate::language::features::KINDS;
use crate::language::features::Shown;

/// The first bytes of a file of weights.
pub const MAGIC: [u8; 8] = *b"VBTMLNG3";

/// Columns beside those of the kinds: the gate and the convictions.
pub const COLUMNS_EXTRA: usize = 4;

/// How many upper halves a feature may have.
const UPPERS: usize = 1 << 16;

/// So many upper bits of a feature have a mark of their own where some feature of the model has them: most features of a
/// quote are not of the model, and 14 of 15 of those are told by a look at one bit.
const MARKED_BITS: u32 = 21;

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

/// [`SCALES`] in tenths, for sums of whole numbers.
const TENTHS: [i16; KINDS] = {
    let mut tenths = [0; KINDS];
    let mut kind = 0;
    while kind < KINDS {
        tenths[kind] = (SCALES[kind] * 10.0 + 0.5) as i16;
        kind += 1;
    }
    tenths
};

/// So many columns a row has in memory; those without a use are 0.
const WIDTH: usize = 40;

/// So many rows may be summed up in 16 bits: none adds more than 127 times 20 tenths.
const SUMMED_MAX: usize = 12;

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
    rows: Rows,
    weights: Vec<[i8; WIDTH]>,
}

/// The file is not one of weights, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a file of weights of this version")]
pub struct NotWeights;

/// A known feature of a text, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    row: u32,
    /// In tenths.
    value: i16,
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
        let columns_count = kinds_count.saturating_add(COLUMNS_EXTRA);
        if WIDTH < columns_count {
            return Err(NotWeights);
        }
        for _ in 0..columns_count {
            model.columns.push((rest.f32()?, rest.f32()?));
        }
        model.rows = rest.rows(features_count)?;
        let weights = rest.take(features_count.saturating_mul(columns_count))?;
        model.weights = vec![[0; WIDTH]; features_count];
        for (row, bytes) in model.weights.iter_mut().zip(weights.chunks(columns_count)) {
            for (weight, byte) in row.iter_mut().zip(bytes) {
                *weight = *byte as i8;
            }
        }
        if rest.0.is_empty() {
            return Ok(model);
        }
        Err(NotWeights)
    }

    /// The features that the model knows, once each.
    pub fn known(&self, shown: &[Shown]) -> Vec<Known> {
        // One number each, so that they are quick to sort: many are shown often.
        let mut found = Vec::new();
        self.rows.find(shown, |row, one| {
            found.push(u64::from(row) << 32 | u64::from(one.sentence) << 8 | u64::from(one.kind));
        });
        found.sort_unstable();
        found.dedup_by_key(|one| *one >> 32);
        let known = found.into_iter().map(|one| Known {
            row: (one >> 32) as u32,
            value: TENTHS[usize::from(one as u8)],
            sentence: (one >> 8) as u16,
        });
        known.collect()
    }

    /// The score of each column, scaled so that a long quote does not shout.
    pub fn scores(&self, known: &[Known]) -> Vec<f32> {
        let mut sums = [0i32; WIDTH];
        for some in known.chunks(SUMMED_MAX) {
            let mut part = [0i16; WIDTH];
            for one in some {
                for (sum, weight) in part.iter_mut().zip(&self.weights[one.row as usize]) {
                    *sum += one.value * i16::from(*weight);
                }
            }
            for (sum, part) in sums.iter_mut().zip(part) {
                *sum += i32::from(part);
            }
        }
        let square: i32 = known.iter().map(|one| i32::from(one.value).pow(2)).sum();
        let scale = scale_of(square as f32 / 100.0) / 10.0;
        let columns = self.columns.iter().zip(sums);
        columns
            .map(|((unit, always), sum)| sum as f32 * scale * unit + always)
            .collect()
    }

    /// What one feature adds to a kind's score, in tenths of the unit of its column.
    pub fn adds(&self, known: &Known, kind: usize) -> i32 {
        i32::from(known.value) * i32::from(self.weights[known.row as usize][kind])
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

/// The features of the rows, ascending, where those of each upper half begin, and which upper bits there are.
#[derive(Clone, Debug, Default)]
struct Rows {
    features: Vec<Feature>,
    starts: Vec<u32>,
    marks: Vec<u64>,
}

impl Rows {
    /// Tells the row of each feature that has one.
    ///
    /// In three passes, of which the first two neither branch nor wait for what they read: so the processor has many of
    /// their reads under way at a time, and the third finds in its cache what it compares.
    fn find(&self, shown: &[Shown], mut found: impl FnMut(u32, &Shown)) {
        if self.features.is_empty() {
            return;
        }
        let mut marked = shown.to_vec();
        let mut count = 0;
        for one in shown {
            marked[count] = *one;
            let (word, bit) = mark(one.feature);
            count += usize::from(self.marks[word] & bit != 0);
        }
        marked.truncate(count);

        let last = self.features.len() - 1;
        let near = marked.iter().map(|one| {
            let upper = (one.feature >> 16) as usize;
            let start = self.starts[upper] as usize;
            let end = self.starts[upper + 1] as usize;
            (start, end, self.features[start.min(last)])
        });
        let near: Vec<(usize, usize, Feature)> = near.collect();

        for (one, (start, end, first)) in marked.iter().zip(near) {
            let row = match first == one.feature {
                true => Some(start),
                false => (start + 1..end).find(|row| self.features[*row] == one.feature),
            };
            if let Some(row) = row {
                found(row as u32, one);
            }
        }
    }
}

/// Where the mark of a feature's upper bits is.
fn mark(feature: Feature) -> (usize, u64) {
    let upper = feature >> (Feature::BITS - MARKED_BITS);
    ((upper / u64::BITS) as usize, 1 << (upper % u64::BITS))
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

    fn rows(&mut self, count: usize) -> Result<Rows, NotWeights> {
        let bytes = self.take(count.saturating_mul(size_of::<Feature>()))?;
        let (features, _) = bytes.as_chunks();
        let mut rows = Rows {
            features: features
                .iter()
                .map(|one| u32::from_le_bytes(*one))
                .collect(),
            starts: Vec::with_capacity(UPPERS + 1),
            marks: vec![0; (1 << MARKED_BITS) / u64::BITS as usize],
        };
        if !rows.features.is_sorted_by(|one, next| one < next) {
            return Err(NotWeights);
        }
        let mut start = 0;
        for upper in 0..=UPPERS {
            let near = rows.features[start..].iter();
            start += near
                .take_while(|one| ((**one >> 16) as usize) < upper)
                .count();
            rows.starts.push(start as u32);
        }
        for feature in &rows.features {
            let (word, bit) = mark(*feature);
            rows.marks[word] |= bit;
        }
        Ok(rows)
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
    fn features_out_of_order_are_not_weights() {
        let mut bytes = include_bytes!("../../language/weights.bin").to_vec();
        let kinds_count = bytes[8] as usize;
        let first = 32 + 24 * kinds_count + 8 * (kinds_count + COLUMNS_EXTRA);
        for at in first..first + 4 {
            bytes.swap(at, at + 4);
        }
        assert!(Model::read(&bytes).is_err());
    }

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
