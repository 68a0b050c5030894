//! The TOML file of settings, each entry with its line.
//!
//! Only form is judged here: what a setting may be is for the reader to say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::reading::Reading;

#[derive(Debug, Default)]
pub struct TomlFile {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
pub struct Entry {
    /// From 1.
    pub line: usize,
    /// One for a scalar, any number for an array.
    pub values: Vec<String>,
}

impl TomlFile {
    /// What can be read of the file; what cannot is added to `faults`.
    pub fn read(path: &Path, faults: &mut Vec<String>) -> TomlFile {
        let mut file = TomlFile {
            path: path.to_owned(),
            entries: BTreeMap::new(),
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                faults.push(format!("{}: cannot be read: {error}", path.display()));
                return file;
            }
        };

        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            let line = error.span().map_or(1, |span| line_at(&text, span.start));
            faults.push(format!("{}: {}", file.place(line), error.message()));
        }
        for (key, value) in table.get_ref() {
            let line = line_at(&text, key.span().start);
            match values(value.get_ref()) {
                Some(values) => {
                    file.entries
                        .insert(key.get_ref().to_string(), Entry { line, values });
                }
                None => faults.push(format!(
                    "{}: {}: must be a text, a number or a list of them",
                    file.place(line),
                    key.get_ref()
                )),
            }
        }
        file
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// `FILE:LINE`.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// A fault for each key that is no setting.
    pub fn unknown_keys(&self, readings: &[Reading]) -> Vec<String> {
        let keys: Vec<String> = readings.iter().map(Reading::key).collect();
        let unknown = self.entries.iter().filter(|(key, _)| !keys.contains(key));
        unknown
            .map(|(key, entry)| {
                format!(
                    "{}: {key}: no such setting; there are {}",
                    self.place(entry.line),
                    keys.join(", ")
                )
            })
            .collect()
    }
}

/// The values of an entry as text. None: a table, which no setting is.
fn values(value: &DeValue) -> Option<Vec<String>> {
    if let DeValue::Array(items) = value {
        return items.iter().map(|item| scalar(item.get_ref())).collect();
    }
    Some(vec![scalar(value)?])
}

fn scalar(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        // What does not fit an i64 fits no setting either: its digits will be refused with the range.
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Some(parsed.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()))
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Datetime(moment) => Some(moment.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}
