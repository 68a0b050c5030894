//! Reads settings one after another from flags, variables, file and default, and remembers all that is wrong.
//!
//! A setting is named by its flag without dashes in front (`calls-max`); its TOML key (`calls_max`) and its variable
//! (`VERBATIM_CALLS_MAX`) follow. A fault leaves the default in place and goes on, so that all are told at once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use crate::config::file::TomlFile;
use crate::config::form::DatabaseUrl;
use crate::config::form::is_log_filter;
use crate::config::form::is_origin;
use crate::config::form::log_filters;
use crate::config::form::path;
use crate::config::form::url;
use crate::config::form::without_password;
use crate::config::reading::Reading;
use crate::config::reading::Setting;
use crate::config::reading::key;
use crate::config::reading::quoted;
use crate::config::reading::variable;
use crate::config::settings::StoreKind;

pub struct Reader<'a> {
    flags: &'a BTreeMap<&'static str, Vec<String>>,
    variables: &'a BTreeMap<String, String>,
    file: &'a TomlFile,
    readings: Vec<Reading>,
    faults: Vec<String>,
}

/// What was given, and where.
struct Given {
    values: Vec<String>,
    /// As faults name it.
    place: String,
    /// As `--print-config` names it.
    origin: String,
}

impl<'a> Reader<'a> {
    pub fn new(
        flags: &'a BTreeMap<&'static str, Vec<String>>,
        variables: &'a BTreeMap<String, String>,
        file: &'a TomlFile,
    ) -> Reader<'a> {
        Reader {
            flags,
            variables,
            file,
            readings: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The settings read, in order, and all faults met.
    pub fn finish(self) -> (Vec<Reading>, Vec<String>) {
        (self.readings, self.faults)
    }

    pub fn path(&mut self, flag: &'static str, default: &str, help: &'static str) -> PathBuf {
        let setting = Setting {
            flag,
            value_name: "PATH",
            allowed: "a path".to_owned(),
            help,
        };
        self.one(
            setting,
            PathBuf::from(default),
            quoted(default),
            path,
            |path| quoted(&path.to_string_lossy()),
        )
    }

    pub fn path_or_none(&mut self, flag: &'static str, help: &'static str) -> Option<PathBuf> {
        let setting = Setting {
            flag,
            value_name: "PATH",
            allowed: "a path".to_owned(),
            help,
        };
        self.one_or_none(setting, path, |path| path.to_string_lossy().into_owned())
    }

    pub fn url_or_none(&mut self, flag: &'static str, help: &'static str) -> Option<String> {
        let setting = Setting {
            flag,
            value_name: "URL",
            allowed: "a URL such as http://127.0.0.1:7460".to_owned(),
            help,
        };
        self.one_or_none(setting, url, String::clone)
    }

    pub fn address(&mut self, flag: &'static str, default: &str, help: &'static str) -> SocketAddr {
        let allowed = "an IP ADDRESS:PORT, such as 127.0.0.1:7450 or [::]:7450".to_owned();
        let setting = Setting {
            flag,
            value_name: "ADDR",
            allowed,
            help,
        };
        let parsed = default.parse().expect("defaults are addresses");
        self.one(
            setting,
            parsed,
            quoted(default),
            |text| text.parse().ok(),
            |address| quoted(&address.to_string()),
        )
    }

    pub fn address_or_none(
        &mut self,
        flag: &'static str,
        help: &'static str,
    ) -> Option<SocketAddr> {
        let setting = Setting {
            flag,
            value_name: "ADDR",
            allowed: "an IP ADDRESS:PORT, such as 127.0.0.1:7451 or [::]:7451".to_owned(),
            help,
        };
        self.one_or_none(setting, |text| text.parse().ok(), SocketAddr::to_string)
    }

    /// Where deals are kept: a word, or the URL of a database.
    pub fn store(&mut self, flag: &'static str, help: &'static str) -> StoreKind {
        let setting = Setting {
            flag,
            value_name: "STORE",
            allowed: "embedded, memory or postgres://USER:PASSWORD@HOST/DATABASE".to_owned(),
            help,
        };
        let parse = |text: &str| match text {
            "embedded" => Some(StoreKind::Embedded),
            "memory" => Some(StoreKind::Memory),
            url => DatabaseUrl::read(url).map(StoreKind::Postgres),
        };
        let default = StoreKind::Embedded;
        self.one(
            setting,
            default,
            quoted("embedded"),
            parse,
            |store| match store {
                StoreKind::Embedded => quoted("embedded"),
                StoreKind::Memory => quoted("memory"),
                StoreKind::Postgres(url) => quoted(&url.to_string()),
            },
        )
    }

    /// One of some words; the first is the default.
    pub fn word<T: Copy>(
        &mut self,
        flag: &'static str,
        words: &[(&str, T)],
        help: &'static str,
    ) -> T {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let setting = Setting {
            flag,
            value_name: "WORD",
            allowed: names.join(" or "),
            help,
        };
        let find = |text: &str| words.iter().position(|(name, _)| *name == text);
        let index = self.one(setting, 0, quoted(names[0]), find, |index| {
            quoted(names[*index])
        });
        words[index].1
    }

    pub fn number<T>(
        &mut self,
        flag: &'static str,
        default: T,
        range: RangeInclusive<T>,
        help: &'static str,
    ) -> T
    where
        T: Copy + Display + FromStr + PartialOrd,
    {
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        let setting = Setting {
            flag,
            value_name: "N",
            allowed,
            help,
        };
        let parse = |text: &str| text.parse().ok().filter(|number| range.contains(number));
        self.one(setting, default, default.to_string(), parse, T::to_string)
    }

    pub fn log_level(&mut self, flag: &'static str, default: &str, help: &'static str) -> String {
        let allowed = log_filters();
        let setting = Setting {
            flag,
            value_name: "LEVEL",
            allowed,
            help,
        };
        let parse = |text: &str| is_log_filter(text).then(|| text.to_owned());
        self.one(
            setting,
            default.to_owned(),
            quoted(default),
            parse,
            |level| quoted(level),
        )
    }

    /// A list of origins, empty by default. A variable separates them by commas.
    pub fn origins(&mut self, flag: &'static str, help: &'static str) -> Vec<String> {
        let allowed = "`*` or origins such as https://crm.example.com".to_owned();
        let setting = Setting {
            flag,
            value_name: "ORIGIN",
            allowed,
            help,
        };
        let mut reading = setting.reading(Some("[]".to_owned()), "default".to_owned());
        let mut origins = Vec::new();
        if let Some(given) = self.given(flag) {
            let parts = given.values.iter().flat_map(|value| value.split(','));
            let parts: Vec<String> = parts
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect();
            if parts.iter().all(|part| is_origin(part)) {
                let items: Vec<String> = parts.iter().map(|part| quoted(part)).collect();
                reading.toml = Some(format!("[{}]", items.join(", ")));
                reading.origin = given.origin;
                origins = parts;
            } else {
                self.fault(&given, &setting);
            }
        }
        self.readings.push(reading);
        origins
    }

    fn one_or_none<T>(
        &mut self,
        setting: Setting,
        parse: impl Fn(&str) -> Option<T>,
        to_text: impl Fn(&T) -> String,
    ) -> Option<T> {
        let mut reading = setting.reading(None, "default".to_owned());
        let mut value = None;
        if let Some(given) = self.given(setting.flag) {
            value = given.only().and_then(parse);
            match &value {
                Some(value) => {
                    reading.toml = Some(quoted(&to_text(value)));
                    reading.origin = given.origin;
                }
                None => self.fault(&given, &setting),
            }
        }
        self.readings.push(reading);
        value
    }

    fn one<T>(
        &mut self,
        setting: Setting,
        default: T,
        default_toml: String,
        parse: impl Fn(&str) -> Option<T>,
        to_toml: impl Fn(&T) -> String,
    ) -> T {
        let mut reading = setting.reading(Some(default_toml), "default".to_owned());
        let mut value = default;
        if let Some(given) = self.given(setting.flag) {
            match given.only() {
                Some(text) => match parse(text) {
                    Some(parsed) => {
                        reading.toml = Some(to_toml(&parsed));
                        reading.origin = given.origin;
                        value = parsed;
                    }
                    None => self.fault(&given, &setting),
                },
                None => self
                    .faults
                    .push(format!("{}: must be given once", given.place)),
            }
        }
        self.readings.push(reading);
        value
    }

    fn fault(&mut self, given: &Given, setting: &Setting) {
        // A URL that was misspelt has a password as well.
        let got = without_password(&given.values.join(", "));
        self.faults.push(format!(
            "{}: must be {}, got `{got}`",
            given.place, setting.allowed
        ));
    }

    /// What was given for a setting by the source that wins.
    fn given(&self, flag: &'static str) -> Option<Given> {
        if let Some(values) = self.flags.get(flag) {
            let (place, origin) = (format!("--{flag}"), format!("flag --{flag}"));
            return Some(Given {
                values: values.clone(),
                place,
                origin,
            });
        }
        let variable = variable(flag);
        if let Some(value) = self.variables.get(&variable) {
            return Some(Given {
                values: vec![value.clone()],
                place: variable.clone(),
                origin: variable,
            });
        }
        let key = key(flag);
        let entry = self.file.get(&key)?;
        let origin = self.file.place(entry.line);
        Some(Given {
            values: entry.values.clone(),
            place: format!("{origin}: {key}"),
            origin,
        })
    }
}

impl Given {
    /// The text of a setting that is not a list. None: given more than once.
    fn only(&self) -> Option<&str> {
        match self.values.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}
