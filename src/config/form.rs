//! What text must look like to be a path, a URL or an origin.

use std::path::PathBuf;

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
