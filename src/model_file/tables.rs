//! The tables of a model file, as they stand in it.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    pub version: String,
    pub departed_factor: f64,
    pub undated_go_live_half_life_days: f64,
    pub deferral_factor: f64,
    pub level_unvoiced: f64,
    pub value_taken: f64,
    pub momentum_days: f64,
    pub topics: BTreeMap<String, TopicEntry>,
    pub conviction: BTreeMap<String, f64>,
    pub attribution: AttributionTable,
    pub standing: BTreeMap<String, f64>,
    pub consensus: ConsensusTable,
    pub modifiers: ModifierTable,
    pub gates: BTreeMap<String, f64>,
    pub bands: BandTable,
    pub forecast_categories: CategoryTable,
    pub stage_rungs: BTreeMap<String, f64>,
    pub states: StateTable,
    pub seller_stages: BTreeMap<String, i64>,
    /// Absent in files of before there were any: then those of the default model hold.
    pub stage_probabilities: Option<BTreeMap<String, f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicEntry {
    #[serde(default)]
    pub weight: f64,
    pub half_life_days: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "the keys are names of the interface")]
pub struct AttributionTable {
    pub VERBATIM: f64,
    pub PARAPHRASED: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsensusTable {
    pub said_share: f64,
    pub standing_min: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModifierTable {
    pub stage_misalignment_per_step: f64,
    pub derived_gap_max: u8,
    pub slip_factor: f64,
    pub slip_factor_min: f64,
    pub slip_days_min: i32,
    pub overdue_factor: f64,
    pub overdue_factor_min: f64,
    pub priority_weight: f64,
    pub priority_deferral_weight: f64,
    pub alternative_weight: f64,
    pub engagement_weight: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "the keys are names of the interface")]
pub struct BandTable {
    pub EXPLORING: f64,
    pub CONSIDERING: f64,
    pub COMMITTED: f64,
    pub COMPELLED: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "the keys are names of the interface")]
pub struct CategoryTable {
    pub PIPELINE: f64,
    pub BEST_CASE: f64,
    pub COMMIT: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateTable {
    pub dark_days: f64,
    pub unheard_days: f64,
    pub stalled_days: f64,
    pub stalled_slips: usize,
    pub slowing_days: f64,
    pub slowing_momentum: f64,
}
