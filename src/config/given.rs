//! What was given on the command line and in the environment, before any of it is judged.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::FromArgMatches;

use crate::config::PREFIX;
use crate::config::Settings;
use crate::config::reading::Reading;

/// What was given on the command line, by flag. Not checked yet: all faults are told together.
#[derive(Clone, Debug, Default)]
pub struct SettingFlags {
    pub(in crate::config) by_flag: BTreeMap<&'static str, Vec<String>>,
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let (_, readings) = Settings::defaults();
        readings
            .into_iter()
            .fold(command, |command, reading| command.arg(reading.to_flag()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingFlags::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SettingFlags, clap::Error> {
        let (_, readings) = Settings::defaults();
        let mut flags = BTreeMap::new();
        for reading in readings {
            if let Some(values) = matches.get_many::<String>(reading.flag) {
                flags.insert(reading.flag, values.cloned().collect());
            }
        }
        Ok(SettingFlags { by_flag: flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = SettingFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Ours among the variables of the process.
pub fn variables(
    environment: &[(OsString, OsString)],
    faults: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (name, value) in environment {
        // A name that is not text cannot be one of ours.
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        match value.to_str() {
            Some(value) => {
                variables.insert(name.to_owned(), value.to_owned());
            }
            None => faults.push(format!("{name}: must be UTF-8 text")),
        }
    }
    variables
}

/// A misspelt variable would otherwise be a setting silently not made.
pub fn unknown_variables(
    variables: &BTreeMap<String, String>,
    readings: &[Reading],
) -> Vec<String> {
    let mut faults = Vec::new();
    for name in variables.keys() {
        let known = name == "VERBATIM_CONFIG"
            || name == "VERBATIM_SERVER"
            || readings.iter().any(|reading| reading.variable() == *name);
        // Kubernetes sets these in every pod beside a Service called `verbatim`.
        let of_kubernetes =
            name.starts_with("VERBATIM_SERVICE_") || name.starts_with("VERBATIM_PORT");
        if !known && !of_kubernetes {
            let allowed: Vec<String> = readings.iter().map(Reading::variable).collect();
            faults.push(format!(
                "{name}: no such setting; there are {}",
                allowed.join(", ")
            ));
        }
    }
    faults
}
