//! Reads a scoring model from its file; the default one is compiled in.
//!
//! A file is refused whole, with every fault and its line: a score by half a model would be a wrong score.

mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use crate::domain::model::Fault;
use crate::domain::model::Model;
use crate::domain::model::SellerStage;
use crate::domain::model::StageProbability;
use crate::domain::model::TopicModel;
use crate::domain::scale::Gate;
use crate::domain::stakeholder::BuyingRole;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Conviction;
use crate::domain::topic::Topic;
use crate::model_file::tables::ModelFile;

/// The file of the default model: also the example of what a file holds.
pub const DEFAULT: &str = include_str!("../models/v1.toml");

/// What is wrong with a file, by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Line, from 1, and problem.
    pub faults: Vec<(usize, String)>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (line, problem)) in self.faults.iter().enumerate() {
            if 0 < place {
                f.write_str("\n")?;
            }
            write!(f, "line {line}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

/// The default model.
pub fn default() -> &'static Model {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| read(DEFAULT).expect("a test reads the compiled-in file"));
    &MODEL
}

/// Reads a model.
///
/// # Errors
///
/// [`Unreadable`] with the first fault of form (TOML, a missing, unknown or mistyped key), or else with every fault of
/// meaning ([`Model::faults`]).
pub fn read(text: &str) -> Result<Model, Unreadable> {
    let file: ModelFile = toml::from_str(text).map_err(|error| Unreadable {
        faults: vec![(
            error.span().map_or(1, |span| line_at(text, span.start)),
            error.message().to_owned(),
        )],
    })?;
    let (model, mut faults) = file.into_model();
    faults.extend(model.faults());
    if faults.is_empty() {
        return Ok(model);
    }
    Err(Unreadable {
        faults: faults
            .into_iter()
            .map(|fault| (line_of(text, &fault.path), fault.to_string()))
            .collect(),
    })
}

impl ModelFile {
    /// The model, and what is wrong with the names in the file.
    #[expect(clippy::too_many_lines, reason = "names every number once")]
    fn into_model(self) -> (Model, Vec<Fault>) {
        let mut faults = Vec::new();
        let topics = by_name(
            &mut faults,
            "topics",
            self.topics,
            Topic::ALL.map(Topic::name),
        )
        .map(|entry| {
            entry.map_or(
                TopicModel {
                    weight: 0.0,
                    half_life_days: None,
                },
                |entry| TopicModel {
                    weight: entry.weight,
                    half_life_days: entry.half_life_days,
                },
            )
        });
        let mut standing = self.standing;
        let unknown = standing.remove("UNKNOWN");
        if unknown.is_none() {
            faults.push(missing("standing", "UNKNOWN"));
        }
        let standings = numbers(
            &mut faults,
            "standing",
            standing,
            BuyingRole::ALL.map(BuyingRole::name),
        );
        let convictions = numbers(
            &mut faults,
            "conviction",
            self.conviction,
            Conviction::ALL.map(Conviction::name),
        );
        let caps = numbers(&mut faults, "gates", self.gates, Gate::ALL.map(Gate::name));
        let [_, rungs @ .., _] = BuyingStage::ALL.map(BuyingStage::name);
        let rungs = numbers(&mut faults, "stage_rungs", self.stage_rungs, rungs);
        let seller_stages = seller_stages(&mut faults, self.seller_stages);
        let modifiers = self.modifiers;
        let states = self.states;
        let bands = self.bands;
        let categories = self.forecast_categories;
        let model = Model {
            version: self.version,
            topics,
            convictions,
            verbatim: self.attribution.VERBATIM,
            paraphrased: self.attribution.PARAPHRASED,
            standings,
            standing_unknown: unknown.unwrap_or_default(),
            departed_factor: self.departed_factor,
            undated_go_live_half_life_days: self.undated_go_live_half_life_days,
            deferral_factor: self.deferral_factor,
            consensus_said_share: self.consensus.said_share,
            consensus_standing_min: self.consensus.standing_min,
            misalignment_per_step: modifiers.stage_misalignment_per_step,
            derived_gap_max: modifiers.derived_gap_max,
            slip_factor: modifiers.slip_factor,
            slip_factor_min: modifiers.slip_factor_min,
            slip_days_min: modifiers.slip_days_min,
            overdue_factor: modifiers.overdue_factor,
            overdue_factor_min: modifiers.overdue_factor_min,
            priority_weight: modifiers.priority_weight,
            priority_deferral_weight: modifiers.priority_deferral_weight,
            alternative_weight: modifiers.alternative_weight,
            engagement_weight: modifiers.engagement_weight,
            caps,
            level_unvoiced: self.level_unvoiced,
            bands: [
                bands.EXPLORING,
                bands.CONSIDERING,
                bands.COMMITTED,
                bands.COMPELLED,
            ],
            categories: [categories.PIPELINE, categories.BEST_CASE, categories.COMMIT],
            rungs,
            seller_stages,
            stage_probabilities: stage_probabilities(self.stage_probabilities),
            dark_days: states.dark_days,
            unheard_days: states.unheard_days,
            stalled_days: states.stalled_days,
            stalled_slips: states.stalled_slips,
            slowing_days: states.slowing_days,
            slowing_momentum: states.slowing_momentum,
            momentum_days: self.momentum_days,
            value_taken: self.value_taken,
        };
        (model, faults)
    }
}

/// The entries of a table in the order of `names`; a missing or an unknown one is a fault.
fn by_name<T, const N: usize>(
    faults: &mut Vec<Fault>,
    table: &str,
    mut entries: BTreeMap<String, T>,
    names: [&str; N],
) -> [Option<T>; N] {
    let ordered = names.map(|name| {
        let entry = entries.remove(name);
        if entry.is_none() {
            faults.push(missing(table, name));
        }
        entry
    });
    for name in entries.keys() {
        faults.push(Fault {
            path: format!("{table}.{name}"),
            problem: format!("is not one of {}", names.join(", ")),
        });
    }
    ordered
}

fn numbers<const N: usize>(
    faults: &mut Vec<Fault>,
    table: &str,
    entries: BTreeMap<String, f64>,
    names: [&str; N],
) -> [f64; N] {
    by_name(faults, table, entries, names).map(Option::unwrap_or_default)
}

fn missing(table: &str, name: &str) -> Fault {
    Fault {
        path: format!("{table}.{name}"),
        problem: "is missing".into(),
    }
}

fn seller_stages(faults: &mut Vec<Fault>, entries: BTreeMap<String, i64>) -> Vec<SellerStage> {
    let mut stages = Vec::new();
    for (name, step) in entries {
        let presumes = usize::try_from(step)
            .ok()
            .and_then(|step| BuyingStage::ALL.get(step).copied());
        match presumes {
            Some(presumes) => stages.push(SellerStage { name, presumes }),
            None => faults.push(Fault {
                path: format!("seller_stages.{name:?}"),
                problem: format!("must be a step from 0 to 7, got {step}"),
            }),
        }
    }
    stages
}

/// Those of the file, or of the default model where the file has none.
fn stage_probabilities(entries: Option<BTreeMap<String, f64>>) -> Vec<StageProbability> {
    match entries {
        Some(entries) => entries
            .into_iter()
            .map(|(name, probability)| StageProbability { name, probability })
            .collect(),
        None => default().stage_probabilities.clone(),
    }
}

fn line_at(text: &str, byte: usize) -> usize {
    text.as_bytes()[..byte.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The line of a key such as `topics.PROBLEM.weight`: that of its entry, or else of its table, or else the first.
fn line_of(text: &str, path: &str) -> usize {
    let mut parts = path.splitn(3, '.');
    let head = parts.next().unwrap_or_default();
    let key = parts.next();
    let mut table = "";
    let mut table_line = None;
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']').trim();
            if table == head {
                table_line = Some(place + 1);
            }
        }
        let Some((name, _)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim();
        let is_it = match key {
            None => table.is_empty() && name == head,
            Some(key) => table == head && (name == key || path.ends_with(&format!(".{name}"))),
        };
        if is_it {
            return place + 1;
        }
    }
    table_line.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, line: usize, problem: &str) {
        assert!(DEFAULT.contains(from), "{from}");
        let text = DEFAULT.replacen(from, to, 1);
        let faults = read(&text).unwrap_err().faults;
        assert!(
            faults.iter().any(|(at, told)| {
                let expected = DEFAULT[..DEFAULT.find(from).unwrap()].lines().count() + line;
                *at == expected && told.contains(problem)
            }),
            "{faults:?}"
        );
    }

    #[test]
    fn the_compiled_in_model_reads() {
        let model = default();
        assert_eq!(model.version, "v1");
        assert_eq!(model.faults(), []);
        assert_eq!(
            model.presumes("PROPOSAL / price-quote"),
            Some(BuyingStage::ConsensusCreation)
        );
        assert_eq!(
            model.presumes("Closed-Won"),
            Some(BuyingStage::Implementation)
        );
        assert_eq!(model.presumes("Verbal OK"), None);
    }

    #[test]
    fn each_fault_names_its_line() {
        check(
            "departed_factor = 0.25",
            "departed_factor = 1.5",
            1,
            "from 0 to 1",
        );
        check("OWNED = 0.75", "OWNED = nan", 1, "from 0 to 1");
        check(
            "RISK_ACCEPTED = 15",
            "RISK_ACCEPTED = 150",
            1,
            "from 0 to 100",
        );
        check(
            "PROBLEM_UNVOICED = 25",
            "PROBLEM_UNVOICE = 25",
            1,
            "is not one of",
        );
        check("slip_days_min = 7", "slip_days_min = 0", 1, "from 1 to 365");
        check(
            "\"Prospecting\" = 0",
            "\"Prospecting\" = 8",
            1,
            "from 0 to 7",
        );
        check("dark_days = 30", "dark_days = 0", 1, "from 1 to 3650");
        check(
            "slip_factor = 0.95",
            "slip_factor = \"x\"",
            1,
            "invalid type",
        );
        check(
            "\"Closed Lost\" = 0.0",
            "\"Closed Lost\" = -0.1",
            1,
            "from 0 to 1",
        );
        check("said_share = 0.5", "said_shares = 0.5", 1, "unknown field");
    }

    #[test]
    fn a_file_without_stage_probabilities_has_those_of_the_default_model() {
        let (before, _) = DEFAULT.split_once("[stage_probabilities]").unwrap();
        assert_eq!(read(before).unwrap(), *default());
        let own = format!("{before}[stage_probabilities]\n\"Verbal\" = 0.8\n");
        let model = read(&own).unwrap();
        assert_eq!(model.stage_probability("VERBAL"), Some(0.8));
        assert_eq!(model.stage_probability("Qualification"), None);
    }

    #[test]
    fn weights_must_add_up() {
        let text = DEFAULT.replacen("weight = 12, half", "weight = 13, half", 1);
        let told = read(&text).unwrap_err().to_string();
        assert!(told.contains("add up to 100, got 101"), "{told}");
    }
}
