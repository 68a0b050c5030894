//! The numbers as OpenMetrics 1.0, which differs from the older text in few places, and alone has exemplars.

use std::collections::HashMap;

use crate::telemetry::metrics::exemplars::Exemplar;

/// The media type.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const NAME: &str = "application/openmetrics-text";

/// What the older text is called, most narrowly first.
const OLDER: [&str; 3] = ["text/plain", "text/*", "*/*"];

/// Whether who accepts this wants OpenMetrics rather than the older text.
pub fn is_preferred(accept: &str) -> bool {
    let weight = |wanted: &[&str]| {
        accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next()?;
                let quality = parts.find_map(|part| part.strip_prefix("q="));
                let quality = quality.map_or(Ok(1.0), str::parse::<f64>).ok()?;
                wanted.contains(&name).then_some(quality)
            })
            .fold(0.0, f64::max)
    };
    let open = weight(&[NAME]);
    0.0 < open && weight(&OLDER) <= open
}

/// Turns the older text into OpenMetrics, with the exemplars of `histogram`, each by the labels of its bucket.
pub fn of_text(older: &str, histogram: &str, exemplars: &HashMap<String, Exemplar>) -> String {
    let bucket = format!("{histogram}_bucket{{");
    let mut text = String::with_capacity(older.len());
    for line in older.lines() {
        let mut parts = line.splitn(4, ' ');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            // A family of counters is named without the end that its samples have.
            (Some("#"), Some(what), Some(name), Some(rest)) => {
                let family = name.strip_suffix("_total").unwrap_or(name);
                text.push_str(&format!("# {what} {family} {}", rest.replace('"', "\\\"")));
            }
            _ => text.push_str(line),
        }
        let labels = line
            .strip_prefix(&bucket)
            .and_then(|rest| rest.split_once('}'));
        if let Some(exemplar) = labels.and_then(|(labels, _)| exemplars.get(labels)) {
            exemplar.write(&mut text);
        }
        text.push('\n');
    }
    text.push_str("# EOF\n");
    text
}
