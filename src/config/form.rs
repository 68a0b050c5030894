//! What text must look like to be a path, a URL, an origin or a filter of the log.

use std::fmt;
use std::path::PathBuf;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The URL of a database. What is in it is for the store to read; here it only matters that its password is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// `None`: the text is no such URL.
    pub fn read(text: &str) -> Option<DatabaseUrl> {
        let is_one = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        is_one.then(|| DatabaseUrl(text.to_owned()))
    }

    /// The whole of it, with the password, to connect with.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_password(&self.0))
    }
}

/// The text with `***` for what may be a password in it, and without what may hold one behind a `?`.
pub fn without_password(text: &str) -> String {
    let (text, _) = text.split_once('?').unwrap_or((text, ""));
    // The last one: an `@` in a password that was not encoded must not let its end through.
    let Some((who, place)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let scheme_end = who.rfind("//").map_or(0, |at| at + 2);
    match who[scheme_end..].split_once(':') {
        Some((user, _)) => format!("{}{user}:***@{place}", &who[..scheme_end]),
        None => text.to_owned(),
    }
}

/// Any path but an empty one.
pub fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// Scheme, host and port of a service; nothing else of a URL would be used.
pub fn url(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok()?;
    let authority = url.authority()?;
    // Also none with a name and a password in front of the host.
    let port = authority.as_str().strip_prefix(authority.host())?;
    let fits = url.scheme_str() == Some("http")
        && !authority.host().is_empty()
        && (port.is_empty() || authority.port_u16().is_some())
        && url.path_and_query().is_none_or(|rest| rest == "/");
    fits.then(|| text.to_owned())
}

/// `*`, or scheme and host without a path.
pub fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '*']))
}

/// A level, or levels by module.
pub fn is_log_filter(text: &str) -> bool {
    text.split(',').all(|part| {
        let (target, level) = part.split_once('=').unwrap_or(("all", part));
        is_module(target.trim()) && LEVELS.contains(&level.trim())
    })
}

/// Whether a text may be the path of a module; spans and fields have marks of their own, and are no matter of the log.
fn is_module(text: &str) -> bool {
    let is_of_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-');
    !text.is_empty() && text.bytes().all(is_of_path)
}

/// What a filter of the log may be, for people.
pub fn log_filters() -> String {
    format!("one of {}, or such as info,sled=warn", LEVELS.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SettingFlags;
    use crate::config::Settings;

    #[test]
    fn a_filter_of_the_log_is_levels_of_modules_and_nothing_more() {
        for filter in ["off", "info,sled=warn", "verbatim::grpc=debug, info"] {
            assert!(is_log_filter(filter), "{filter}");
        }
        for filter in [
            "",
            "loud",
            "info,",
            "=info",
            "info,[span]=debug",
            "a{b}=info",
            "é=info",
        ] {
            assert!(!is_log_filter(filter), "{filter}");
        }
    }

    #[test]
    fn the_password_of_a_database_is_shown_nowhere() {
        let load = |url: &str| {
            let given = ("VERBATIM_STORE".into(), url.into());
            Settings::load(&SettingFlags::default(), &[given], None)
        };
        let effective = load("postgres://me:se@cret@h:5432/deals?password=secret").unwrap();
        let shown = effective.to_toml();
        assert!(shown.contains("postgres://me:***@h:5432/deals"), "{shown}");
        let debugged = format!("{:?}", effective.settings);
        let faults = load("postgres//me:secret@h/deals").unwrap_err().join("");
        for text in [shown, debugged, faults] {
            assert!(!text.contains("cret"), "{text}");
        }
    }

    #[test]
    fn text_is_shown_without_what_may_be_a_password() {
        for (text, expected) in [
            (
                "postgres://u:secret@h:1/d?options=x",
                "postgres://u:***@h:1/d",
            ),
            ("postgres://u:se@cret@h/d", "postgres://u:***@h/d"),
            ("postgresql://h/d", "postgresql://h/d"),
            ("postgres://u@h1:1,h2:2/d", "postgres://u@h1:1,h2:2/d"),
            ("u:secret@h", "u:***@h"),
            ("1, 2", "1, 2"),
        ] {
            assert_eq!(without_password(text), expected);
        }
    }
}
