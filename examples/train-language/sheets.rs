//! The written sentences as rows of features.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::HashMap;

use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Stance;
use verbatim::domain::topic::Topic;
use verbatim::language::Extractor;
use verbatim::language::features::Feature;
use verbatim::language::features::Reader;
use verbatim::language::lexicon::Lexicon;
use verbatim::language::model::COLUMNS_EXTRA;
use verbatim::language::model::SCALES;
use verbatim::language::model::scale_of;

use crate::corpus::Line;
use crate::learn;
use crate::learn::Each;
use crate::learn::Effort;
use crate::learn::LABELS_MAX;
use crate::learn::Row;

/// A feature is learned when so many sentences show it.
const SHOWN_MIN: usize = 2;

/// A kind of claim is learned when so many sentences make it.
const CLAIMED_MIN: usize = 5;

/// The greatest step of a weight, in units of its column.
const STEPS_MAX: f32 = 127.0;

/// A feature is kept when it has so many steps in some column: half the features go, and no more than 0.005 of F1 with them.
const KEPT_MIN: i8 = 8;

/// What stands in each row for every quote.
const ALWAYS: f32 = 0.5;

/// What tells, in the rows of convictions, which kind the claim is of.
const KIND_VALUE: f32 = 1.0;

const EFFORT: Effort = Effort {
    cost: 2.5,
    positive: 2.0,
    rounds: 10,
};

const FIRMNESS: Effort = Effort {
    cost: 0.1,
    positive: 1.0,
    rounds: 10,
};

/// The features of a sentence, once each, with their kinds.
pub type Sheet = Vec<(Feature, u8)>;

/// Topic and stance.
pub type KindOf = (Topic, Stance);

/// Features of all lines.
pub fn of(lines: &[Line]) -> Vec<Sheet> {
    let lexicon = Lexicon::compiled();
    let reader = Reader::new(&lexicon);
    lines
        .iter()
        .map(|line| {
            let mut shown = Extractor::features(&lexicon, &reader, &line.quote, &line.context);
            shown.sort_unstable();
            shown.dedup_by_key(|one| one.feature);
            shown.iter().map(|one| (one.feature, one.kind)).collect()
        })
        .collect()
}

/// The kinds of claims that are made often enough to be learned, in order.
pub fn kinds(lines: &[Line]) -> Vec<KindOf> {
    let mut counts: BTreeMap<KindOf, usize> = BTreeMap::new();
    for claim in lines.iter().flat_map(|line| &line.claims) {
        *counts.entry((claim.topic, claim.stance)).or_default() += 1;
    }
    // The rarest go when there are more than are learned side by side; the gate takes a place too.
    let mut often: Vec<(KindOf, usize)> = counts
        .into_iter()
        .filter(|(_, count)| CLAIMED_MIN <= *count)
        .collect();
    often.sort_by_key(|(kind, count)| (Reverse(*count), *kind));
    often.truncate(LABELS_MAX - 1);
    let mut kinds: Vec<KindOf> = often.into_iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    kinds
}

/// Weights in full precision: a column for each kind, for the gate, for each conviction.
pub struct Weights {
    pub features: Vec<Feature>,
    places: HashMap<Feature, u32>,
    /// For each place, the kinds and the gate. Place 0 is that of every quote; then the features.
    claims: Vec<Each>,
    /// The same for the convictions; after the features come the kinds.
    firmness: Vec<Each>,
    kinds_count: usize,
}

impl Weights {
    /// Learns from some of the lines.
    pub fn learn(lines: &[&Line], sheets: &[&Sheet], kinds: &[KindOf]) -> Weights {
        let mut counts: BTreeMap<Feature, usize> = BTreeMap::new();
        for (feature, _) in sheets.iter().flat_map(|sheet| sheet.iter()) {
            *counts.entry(*feature).or_default() += 1;
        }
        let features: Vec<Feature> = counts
            .into_iter()
            .filter(|(_, count)| SHOWN_MIN <= *count)
            .map(|(feature, _)| feature)
            .collect();
        let places = features.iter().copied().zip(1..).collect();
        let mut weights = Weights {
            features,
            places,
            claims: Vec::new(),
            firmness: Vec::new(),
            kinds_count: kinds.len(),
        };
        let rows: Vec<Row> = sheets.iter().map(|sheet| weights.row(sheet)).collect();
        let labels: Vec<Each> = lines.iter().map(|line| labels(line, kinds)).collect();
        let width = 1 + weights.features.len();
        weights.claims = learn::learn(&rows, &labels, width, EFFORT);
        weights.learn_firmness(lines, &rows, kinds);
        weights.cut();
        weights
    }

    /// Leaves out the features that say little, as the file does: what is measured is what is used.
    fn cut(&mut self) {
        let units = self.units();
        let kept: Vec<usize> = (0..self.features.len())
            .filter(|at| {
                let steps = steps(&self.adds(*at), &units);
                steps.iter().any(|step| KEPT_MIN <= step.saturating_abs())
            })
            .collect();
        let rows = |rows: &[Each]| -> Vec<Each> {
            let features = kept.iter().map(|at| rows[1 + at]);
            let after = rows[1 + self.features.len()..].iter().copied();
            [rows[0]].into_iter().chain(features).chain(after).collect()
        };
        (self.claims, self.firmness) = (rows(&self.claims), rows(&self.firmness));
        self.features = kept.iter().map(|at| self.features[*at]).collect();
        self.places = self.features.iter().copied().zip(1..).collect();
    }

    /// The step of each column.
    pub fn units(&self) -> Vec<f32> {
        let mut units = vec![f32::MIN_POSITIVE; self.columns_count()];
        for at in 0..self.features.len() {
            for (unit, weight) in units.iter_mut().zip(self.adds(at)) {
                *unit = unit.max(weight.abs() / STEPS_MAX);
            }
        }
        units
    }

    fn learn_firmness(&mut self, lines: &[&Line], rows: &[Row], kinds: &[KindOf]) {
        let mut claimed = Vec::new();
        let mut rungs = Vec::new();
        for (line, row) in lines.iter().zip(rows) {
            for claim in &line.claims {
                let kind = kinds
                    .iter()
                    .position(|kind| *kind == (claim.topic, claim.stance));
                if let Some(kind) = kind {
                    let mut row = row.clone();
                    row.push(((1 + self.features.len() + kind) as u32, KIND_VALUE));
                    claimed.push(row);
                    let mut rung = [-1.0; LABELS_MAX];
                    rung[claim.conviction as usize] = 1.0;
                    rungs.push(rung);
                }
            }
        }
        let width = 1 + self.features.len() + kinds.len();
        self.firmness = learn::learn(&claimed, &rungs, width, FIRMNESS);
    }

    /// A sentence by the places of the features that are known.
    fn row(&self, sheet: &Sheet) -> Row {
        let mut row: Row = Vec::with_capacity(sheet.len() + 1);
        let mut square = 0.0;
        for (feature, kind) in sheet {
            if let Some(place) = self.places.get(feature) {
                let value = SCALES[usize::from(*kind)];
                square += value * value;
                row.push((*place, value));
            }
        }
        let unit = scale_of(square);
        for (_, value) in &mut row {
            *value *= unit;
        }
        row.push((0, ALWAYS));
        row
    }

    /// How many columns there are.
    pub fn columns_count(&self) -> usize {
        self.kinds_count + COLUMNS_EXTRA
    }

    /// The score of each column for a sentence.
    pub fn scores(&self, sheet: &Sheet) -> Vec<f64> {
        let row = self.row(sheet);
        let claims = learn::dot(&self.claims, &row);
        let firmness = learn::dot(&self.firmness, &row);
        let claims = claims[..=self.kinds_count].iter();
        let both = claims.chain(&firmness[..Conviction::ALL.len()]);
        both.map(|score| f64::from(*score)).collect()
    }

    /// What a feature adds to each column, by its place among the features.
    pub fn adds(&self, at: usize) -> Vec<f32> {
        self.at(1 + at)
    }

    /// What every quote adds to each column.
    pub fn always(&self) -> Vec<f32> {
        let always = self.at(0);
        always.iter().map(|weight| weight * ALWAYS).collect()
    }

    fn at(&self, place: usize) -> Vec<f32> {
        let claims = &self.claims[place][..=self.kinds_count];
        [claims, &self.firmness[place][..Conviction::ALL.len()]].concat()
    }

    /// What a kind adds to each conviction.
    pub fn firm(&self, kind: usize) -> [f32; 3] {
        let row = &self.firmness[1 + self.features.len() + kind];
        [0, 1, 2].map(|rung| row[rung] * KIND_VALUE)
    }
}

/// Weights in whole steps of their columns.
pub fn steps(adds: &[f32], units: &[f32]) -> Vec<i8> {
    let steps = adds.iter().zip(units);
    steps
        .map(|(weight, unit)| (weight / unit).round() as i8)
        .collect()
}

/// Of each kind whether a line makes it, then whether it makes any claim.
fn labels(line: &Line, kinds: &[KindOf]) -> Each {
    let mut labels = [-1.0; LABELS_MAX];
    for (label, kind) in labels.iter_mut().zip(kinds) {
        if makes(line, *kind) {
            *label = 1.0;
        }
    }
    if !line.claims.is_empty() {
        labels[kinds.len()] = 1.0;
    }
    labels
}

/// Whether a line makes a claim of a kind.
pub fn makes(line: &Line, kind: KindOf) -> bool {
    line.claims
        .iter()
        .any(|claim| (claim.topic, claim.stance) == kind)
}
