//! What text must look like to be a path, a URL, an origin or a filter of the log.

use std::path::PathBuf;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
        !target.trim().is_empty() && LEVELS.contains(&level.trim())
    })
}

/// What a filter of the log may be, for people.
pub fn log_filters() -> String {
    format!("one of {}, or such as info,sled=warn", LEVELS.join(", "))
}
