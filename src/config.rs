//! The settings of the service: what each means, what it may be, and where it came from.
//!
//! A flag wins over the environment (`VERBATIM_…`), which wins over the TOML file, which wins over the default. A
//! setting is one field of [`Settings`] and one line of `Settings::read`: its flag, its variable, its TOML key, its help
//! and its checks all follow from that line.
//!
//! The environment is read in this file and nowhere else.

mod file;
mod form;
mod given;
pub mod otlp;
mod reader;
mod reading;
pub mod sampling;
mod settings;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

pub use crate::config::form::DatabaseUrl;
pub use crate::config::form::is_log_filter;
pub use crate::config::form::log_filters;
pub use crate::config::given::SettingFlags;
pub use crate::config::settings::LogFormat;
pub use crate::config::settings::Settings;
pub use crate::config::settings::StoreKind;

use crate::config::file::TomlFile;
use crate::config::given::unknown_variables;
use crate::config::given::variables;
use crate::config::otlp::Otlp;
use crate::config::reader::Reader;
use crate::config::reading::Reading;
use crate::config::reading::variable;

/// The service that client commands call when nothing else is said.
pub const SERVER_DEFAULT: &str = "http://127.0.0.1:7450";

/// The flag of [`termination_log`].
const TERMINATION_LOG: &str = "termination-log";

/// What all variables of ours begin with.
const PREFIX: &str = "VERBATIM_";

/// The settings, and for each of them where it came from.
#[derive(Debug)]
pub struct Effective {
    pub settings: Settings,
    readings: Vec<Reading>,
}

impl Settings {
    /// Puts the settings together from what is given.
    ///
    /// # Errors
    ///
    /// Every fault at once, each a line naming the flag, the variable or the line of the file and what is allowed.
    pub fn load(
        flags: &SettingFlags,
        environment: &[(OsString, OsString)],
        file: Option<&Path>,
    ) -> Result<Effective, Vec<String>> {
        let mut faults = Vec::new();
        let variables = variables(environment, &mut faults);
        let file = match file
            .map(Path::to_path_buf)
            .or_else(|| variables.get("VERBATIM_CONFIG").map(PathBuf::from))
        {
            Some(path) => TomlFile::read(&path, &mut faults),
            None => TomlFile::default(),
        };

        let mut reader = Reader::new(&flags.by_flag, &variables, &file);
        let settings = Settings::read(&mut reader);
        let (readings, faults_read) = reader.finish();
        faults.extend(faults_read);

        faults.extend(unknown_variables(&variables, &readings));
        faults.extend(file.unknown_keys(&readings));
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Effective { settings, readings })
    }

    /// The settings when nothing is given, with what each may be.
    fn defaults() -> (Settings, Vec<Reading>) {
        let (flags, variables, file) = (BTreeMap::new(), BTreeMap::new(), TomlFile::default());
        let mut reader = Reader::new(&flags, &variables, &file);
        let settings = Settings::read(&mut reader);
        let (readings, _) = reader.finish();
        (settings, readings)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::defaults().0
    }
}

impl Effective {
    /// The settings as a TOML file that would give the same, each line telling where it came from.
    pub fn to_toml(&self) -> String {
        let lines: Vec<String> = self.readings.iter().map(Reading::to_toml).collect();
        let width = lines.iter().map(String::len).max().unwrap_or(0).min(48);
        let mut text = String::new();
        for (line, reading) in lines.iter().zip(&self.readings) {
            text.push_str(&format!("{line:<width$}  # {}\n", reading.origin));
        }
        text
    }
}

/// The variables of this process, for [`Settings::load`].
pub fn environment() -> Vec<(OsString, OsString)> {
    env::vars_os().collect()
}

/// Where to leave a word why the process ended: told also when the settings are at fault.
///
/// The flag, else the variable; a file of settings is not asked, since it may be the fault.
pub fn termination_log(
    flags: &SettingFlags,
    environment: &[(OsString, OsString)],
) -> Option<PathBuf> {
    let flag = flags.by_flag.get(TERMINATION_LOG);
    let flag = flag.and_then(|values| values.last()).map(PathBuf::from);
    flag.or_else(|| {
        let variable = variable(TERMINATION_LOG);
        let found = environment.iter().find(|(name, _)| *name == *variable);
        found.map(|(_, value)| PathBuf::from(value))
    })
}

/// Where the environment of OpenTelemetry asks for telemetry to be sent.
///
/// # Errors
///
/// As of [`Otlp::read`].
pub fn otlp() -> Result<Otlp, Vec<String>> {
    Otlp::read(&|name| env::var(name).ok())
}

/// The binary that runs, for a command that starts it once more.
pub fn program() -> std::io::Result<PathBuf> {
    env::current_exe()
}

/// The service to call: the flag, else `VERBATIM_SERVER`, else [`SERVER_DEFAULT`].
pub fn server_url(flag: Option<&str>) -> String {
    match (flag, env::var("VERBATIM_SERVER")) {
        (Some(url), _) => url.to_owned(),
        (None, Ok(url)) if !url.is_empty() => url,
        (None, _) => SERVER_DEFAULT.to_owned(),
    }
}

/// Whether colours are unwanted, by the convention of no-color.org.
pub fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|value| value == "dumb")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn load(
        flags: &[(&'static str, &str)],
        variables: &[(&str, &str)],
        toml: &str,
    ) -> Result<Effective, Vec<String>> {
        let mut given = SettingFlags::default();
        for (flag, value) in flags {
            given
                .by_flag
                .entry(flag)
                .or_default()
                .push((*value).to_owned());
        }
        let environment: Vec<(OsString, OsString)> = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.toml");
        fs::write(&path, toml).unwrap();
        Settings::load(&given, &environment, Some(&path)).map_err(|faults| {
            let place = format!("{}/", dir.path().display());
            faults
                .iter()
                .map(|fault| fault.replace(&place, ""))
                .collect()
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
        let toml = "deadline_ms = 1_000\ncalls_max = 10\nstreams_max = 5\n";
        let variables = [
            ("VERBATIM_DEADLINE_MS", "2000"),
            ("VERBATIM_CALLS_MAX", "20"),
            ("PATH", "/bin"),
        ];
        let settings = load(&[("deadline-ms", "3000")], &variables, toml)
            .unwrap()
            .settings;
        let expected = Settings {
            deadline_ms: 3_000,
            calls_max: 20,
            streams_max: 5,
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_place() {
        let toml = "deadline_ms = 9\n\nnonsense = 1\nstore = \"paper\"\nlisten = 7\n";
        let variables = [
            ("VERBATIM_CALLS_MAX", "many"),
            ("VERBATIM_CALL_MAX", "1"),
            ("VERBATIM_PORT", "tcp://x"),
        ];
        let flags = [
            ("workers", "0"),
            ("streams-max", "65536"),
            ("log-level", "loud"),
            ("drain-ms", "1"),
            ("drain-ms", "2"),
        ];
        let faults = load(&flags, &variables, toml).unwrap_err();
        let check = |starts: &str, allowed: &str| {
            let hits = faults
                .iter()
                .filter(|fault| fault.starts_with(starts) && fault.contains(allowed))
                .count();
            assert_eq!(hits, 1, "{starts} {allowed}: {faults:#?}");
        };
        check("v.toml:1: deadline_ms:", "10 to 600000");
        check("v.toml:3: nonsense:", "no such setting");
        check("v.toml:4: store:", "embedded, memory or postgres://");
        check("v.toml:5: listen:", "ADDRESS:PORT");
        check("VERBATIM_CALLS_MAX:", "1 to 1000000");
        check("VERBATIM_CALL_MAX:", "no such setting");
        check("--workers:", "1 to 1024");
        check("--streams-max:", "1 to 65535");
        check("--log-level:", "trace");
        check("--drain-ms:", "once");
        assert_eq!(faults.len(), 10, "{faults:#?}");
    }

    #[test]
    fn both_ends_of_a_range_are_allowed() {
        for bytes in ["16384", "67108864"] {
            assert!(load(&[("message-bytes-max", bytes)], &[], "").is_ok());
        }
        for bytes in ["16383", "67108865", "-1", ""] {
            assert!(load(&[("message-bytes-max", bytes)], &[], "").is_err());
        }
    }

    #[test]
    fn a_url_is_that_of_a_service_and_nothing_more() {
        for fits in [
            "http://127.0.0.1:7460",
            "http://reader/",
            "http://[::1]:7460",
        ] {
            let settings = load(&[], &[("VERBATIM_EXTRACTOR", fits)], "")
                .unwrap()
                .settings;
            assert_eq!(settings.extractor.as_deref(), Some(fits));
        }
        for wrong in [
            "",
            "reader:7460",
            "http://",
            "https://reader",
            "http://reader:port",
            "http://reader:",
            "http://reader:65536",
            "http://reader/read",
            "http://reader?x=1",
            "http://me:word@reader",
        ] {
            let faults = load(&[("extractor", wrong)], &[], "").unwrap_err();
            assert!(
                faults[0].starts_with("--extractor: must be a URL"),
                "{faults:?}"
            );
        }
    }

    #[test]
    fn a_list_comes_repeated_or_by_commas_or_as_an_array() {
        let expected = vec![
            "https://a.example".to_owned(),
            "http://b.example:8080".to_owned(),
        ];
        let by_flag = load(
            &[
                ("cors-origins", "https://a.example"),
                ("cors-origins", "http://b.example:8080"),
            ],
            &[],
            "",
        );
        let by_variable = load(
            &[],
            &[(
                "VERBATIM_CORS_ORIGINS",
                "https://a.example,http://b.example:8080",
            )],
            "",
        );
        let by_file = load(
            &[],
            &[],
            "cors_origins = [\"https://a.example\", \"http://b.example:8080\"]",
        );
        for given in [by_flag, by_variable, by_file] {
            assert_eq!(given.unwrap().settings.cors_origins, expected);
        }
        assert!(load(&[("cors-origins", "a.example")], &[], "").is_err());
        assert!(load(&[("cors-origins", "*")], &[], "").is_ok());
    }

    #[test]
    fn what_is_printed_gives_the_same_settings_again() {
        let toml = "cors_origins = [\"*\"]\ndata = 'a \"b\" c'\nmodel = \"m.toml\"\nlog_format = \"json\"\n";
        let first = load(&[("listen", "[::1]:0")], &[("VERBATIM_WORKERS", "3")], toml).unwrap();
        let printed = first.to_toml();
        assert!(
            printed.contains("# flag --listen") && printed.contains("# VERBATIM_WORKERS"),
            "{printed}"
        );
        assert!(
            printed.contains("v.toml:2\n") && printed.contains("# default"),
            "{printed}"
        );
        assert_eq!(load(&[], &[], &printed).unwrap().settings, first.settings);
    }

    #[test]
    fn a_file_that_cannot_be_read_or_parsed_is_a_fault() {
        let missing = Settings::load(
            &SettingFlags::default(),
            &[],
            Some(Path::new("/nonexistent/v.toml")),
        );
        assert!(missing.unwrap_err()[0].starts_with("/nonexistent/v.toml: cannot be read"));
        let faults =
            load(&[("workers", "0")], &[], "workers = 1\nworkers = 2\ndata\n").unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.starts_with("v.toml:2: ")),
            "{faults:#?}"
        );
        assert!(
            faults.iter().any(|fault| fault.starts_with("v.toml:3: ")),
            "{faults:#?}"
        );
        assert!(
            faults.iter().any(|fault| fault.starts_with("--workers: ")),
            "{faults:#?}"
        );
    }
}
