//! The weights as a file: each column in steps of its own unit.

use verbatim::language::features::Feature;
use verbatim::language::model::MAGIC;

use crate::calibrate::Fit;
use crate::sheets;
use crate::sheets::KindOf;
use crate::sheets::Weights;

/// What goes beside the weights.
pub struct Beside<'a> {
    pub kinds: &'a [KindOf],
    pub curves: &'a [Fit],
    pub gate: Fit,
    pub gate_threshold: f64,
    pub threshold: f64,
}

/// The file described in `src/language/model.rs`, and how many features it holds.
pub fn file(weights: &Weights, beside: &Beside<'_>) -> (Vec<u8>, usize) {
    let adds: Vec<Vec<f32>> = (0..weights.features.len())
        .map(|at| weights.adds(at))
        .collect();
    let units = weights.units();
    let rows: Vec<(Feature, Vec<i8>)> = weights
        .features
        .iter()
        .zip(&adds)
        .map(|(feature, adds)| (*feature, sheets::steps(adds, &units)))
        .collect();

    let mut bytes = MAGIC.to_vec();
    let mut put = |part: &[u8]| bytes.extend_from_slice(part);
    put(&(beside.kinds.len() as u32).to_le_bytes());
    put(&(rows.len() as u32).to_le_bytes());
    for number in [
        beside.threshold,
        beside.gate_threshold,
        beside.gate.slope,
        beside.gate.offset,
    ] {
        put(&(number as f32).to_le_bytes());
    }
    for (place, ((topic, stance), curve)) in beside.kinds.iter().zip(beside.curves).enumerate() {
        put(&[*topic as u8, *stance as u8, 0, 0]);
        put(&(curve.slope as f32).to_le_bytes());
        put(&(curve.offset as f32).to_le_bytes());
        for firm in weights.firm(place) {
            put(&firm.to_le_bytes());
        }
    }
    for (unit, always) in units.iter().zip(weights.always()) {
        put(&unit.to_le_bytes());
        put(&always.to_le_bytes());
    }
    for (feature, _) in &rows {
        put(&feature.to_le_bytes());
    }
    for (_, steps) in &rows {
        for step in steps {
            put(&step.to_le_bytes());
        }
    }
    (bytes, rows.len())
}
