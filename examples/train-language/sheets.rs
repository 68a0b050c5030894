//! The written sentences as rows of features.

use std::collections::BTreeMap;
use std::collections::HashMap;

use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Stance;
use verbatim::domain::topic::Topic;
use verbatim::language::Extractor;
use verbatim::language::features::Feature;
use verbatim::language::features::Reader;
use verbatim::language::lexicon::Lexicon;
use verbatim::language::model::SCALES;
use verbatim::language::model::scale_of;

use crate::corpus::Line;
use crate::learn;
use crate::learn::Effort;
use crate::learn::Row;

/// A feature is learned when so many sentences show it.
const SHOWN_MIN: usize = 2;

/// A kind of claim is learned when so many sentences make it.
const CLAIMED_MIN: usize = 5;

/// What stands in each row for every quote.
const ALWAYS: f64 = 0.5;

/// What tells, in the rows of convictions, which kind the claim is of.
const KIND_VALUE: f64 = 1.0;

const EFFORT: Effort = Effort {
    cost: 2.5,
    positive: 2.0,
    rounds: 15,
};

const FIRMNESS: Effort = Effort {
    cost: 0.1,
    positive: 1.0,
    rounds: 15,
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
    counts
        .into_iter()
        .filter(|(_, count)| CLAIMED_MIN <= *count)
        .map(|(kind, _)| kind)
        .collect()
}

/// Weights in full precision: a column for each kind, for the gate, for each conviction.
pub struct Weights {
    pub features: Vec<Feature>,
    places: HashMap<Feature, u32>,
    /// Place 0 is that of every quote; then the features; then, for convictions, the kinds.
    pub columns: Vec<Vec<f64>>,
    kinds_count: usize,
}

impl Weights {
    /// Learns from some of the lines.
    pub fn learn(lines: &[&Line], sheets: &[&Sheet], kinds: &[KindOf]) -> Weights {
        let mut counts: BTreeMap<Feature, usize> = BTreeMap::new();
        let whole = lines.iter().zip(sheets).filter(|(line, _)| !line.joined);
        for (feature, _) in whole.flat_map(|(_, sheet)| sheet.iter()) {
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
            columns: Vec::new(),
            kinds_count: kinds.len(),
        };
        let rows: Vec<Row> = sheets.iter().map(|sheet| weights.row(sheet)).collect();
        let width = 1 + weights.features.len();
        for kind in kinds {
            let labels: Vec<bool> = lines.iter().map(|line| makes(line, *kind)).collect();
            let column = learn::learn(&rows, &labels, width, EFFORT);
            weights.columns.push(column);
        }
        let any: Vec<bool> = lines.iter().map(|line| !line.claims.is_empty()).collect();
        let gate = learn::learn(&rows, &any, width, EFFORT);
        weights.columns.push(gate);
        weights.learn_firmness(lines, &rows, kinds);
        weights
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
                    rungs.push(claim.conviction);
                }
            }
        }
        let width = 1 + self.features.len() + kinds.len();
        for conviction in Conviction::ALL {
            let labels: Vec<bool> = rungs.iter().map(|rung| *rung == conviction).collect();
            let column = learn::learn(&claimed, &labels, width, FIRMNESS);
            self.columns.push(column);
        }
    }

    /// A sentence by the places of the features that are known.
    fn row(&self, sheet: &Sheet) -> Row {
        let mut row: Row = Vec::with_capacity(sheet.len() + 1);
        let mut square = 0.0;
        for (feature, kind) in sheet {
            if let Some(place) = self.places.get(feature) {
                let value = SCALES[usize::from(*kind)];
                square += value * value;
                row.push((*place, f64::from(value)));
            }
        }
        let unit = f64::from(scale_of(square));
        for (_, value) in &mut row {
            *value *= unit;
        }
        row.push((0, ALWAYS));
        row
    }

    /// The score of each column for a sentence.
    pub fn scores(&self, sheet: &Sheet) -> Vec<f64> {
        let row = self.row(sheet);
        self.columns
            .iter()
            .map(|column| learn::dot(column, &row))
            .collect()
    }

    /// What every quote adds to a column.
    pub fn always(&self, column: usize) -> f64 {
        self.columns[column][0] * ALWAYS
    }

    /// What a kind adds to each conviction.
    pub fn firm(&self, kind: usize) -> [f64; 3] {
        let place = 1 + self.features.len() + kind;
        let first = self.kinds_count + 1;
        [0, 1, 2].map(|rung| self.columns[first + rung][place] * KIND_VALUE)
    }
}

/// Whether a line makes a claim of a kind.
pub fn makes(line: &Line, kind: KindOf) -> bool {
    line.claims
        .iter()
        .any(|claim| (claim.topic, claim.stance) == kind)
}
