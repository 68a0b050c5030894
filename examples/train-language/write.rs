//! The weights as a file: each column in steps of its own unit, features without weight left out.

use verbatim::language::model::MAGIC;

use crate::calibrate::Fit;
use crate::sheets::KindOf;
use crate::sheets::Weights;

/// The greatest step.
const STEPS_MAX: f32 = 127.0;

/// A feature is kept when it has so many steps in some column.
const KEPT_MIN: i8 = 16;

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
    let units: Vec<f32> = (0..weights.columns_count())
        .map(|column| {
            let greatest = adds
                .iter()
                .fold(0.0, |most: f32, row| most.max(row[column].abs()));
            (greatest / STEPS_MAX).max(f32::MIN_POSITIVE)
        })
        .collect();
    let mut rows = Vec::new();
    for (feature, adds) in weights.features.iter().zip(&adds) {
        let steps: Vec<i8> = adds
            .iter()
            .zip(&units)
            .map(|(weight, unit)| (weight / unit).round() as i8)
            .collect();
        if steps.iter().any(|step| KEPT_MIN <= step.saturating_abs()) {
            rows.push((*feature, steps));
        }
    }

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
