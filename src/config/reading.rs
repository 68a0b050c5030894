//! One setting: what it is called and may be, and what it was found to be.

use clap::Arg;
use clap::ArgAction;

use crate::config::PREFIX;

/// What a setting was found to be.
#[derive(Debug)]
pub struct Reading {
    /// Its flag, without the dashes in front.
    pub flag: &'static str,
    /// Where the value came from, for people.
    pub origin: String,
    /// The value as TOML. None: not set.
    pub toml: Option<String>,
    value_name: &'static str,
    allowed: String,
    help: &'static str,
}

/// What a setting is called and may be.
pub struct Setting {
    pub flag: &'static str,
    pub value_name: &'static str,
    pub allowed: String,
    pub help: &'static str,
}

impl Setting {
    pub fn reading(&self, toml: Option<String>, origin: String) -> Reading {
        let (flag, value_name, help) = (self.flag, self.value_name, self.help);
        Reading {
            flag,
            origin,
            toml,
            value_name,
            allowed: self.allowed.clone(),
            help,
        }
    }
}

impl Reading {
    pub fn key(&self) -> String {
        key(self.flag)
    }

    pub fn variable(&self) -> String {
        variable(self.flag)
    }

    pub fn to_toml(&self) -> String {
        match &self.toml {
            Some(value) => format!("{} = {value}", self.key()),
            None => format!("# {} is not set", self.key()),
        }
    }

    /// The flag that sets it, as clap knows flags. Values stay text here: all faults are told together later.
    pub fn to_flag(&self) -> Arg {
        let default = self.toml.as_deref().unwrap_or("none").trim_matches('"');
        let help = format!(
            "{} [{}; default: {default}; env: {}]",
            self.help,
            self.allowed,
            self.variable()
        );
        Arg::new(self.flag)
            .long(self.flag)
            .value_name(self.value_name)
            .help(help)
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .help_heading("Settings")
    }
}

pub fn key(flag: &str) -> String {
    flag.replace('-', "_")
}

pub fn variable(flag: &str) -> String {
    format!("{PREFIX}{}", key(flag).to_uppercase())
}

pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
