//! What text must look like to be a path, an origin or a filter of the log.

use std::path::PathBuf;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Any path but an empty one.
pub fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
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
