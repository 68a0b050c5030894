//! Instants and dates: as people write them, as they read them, and as the interface has them.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::clock::SystemClock;

/// Nanoseconds of a second.
const NANOS: i128 = 1_000_000_000;

/// What a date without a time of day means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateMeans {
    /// The first moment of that day in UTC: for what was said or came true.
    Start,
    /// The last moment of that day in UTC, or now while the day lasts: for looking back.
    End,
}

/// What may be written for an instant, for help texts and refusals.
pub const ALLOWED: &str =
    "RFC 3339 (2026-03-02T09:00:00Z), a date, `now`, or so long ago: -30d, -12h, -2w";

pub fn now() -> Timestamp {
    let now = SystemClock.now();
    Timestamp::new(now.unix_seconds(), now.subsecond_nanos())
        .expect("the clock keeps to 1970 to 2200")
}

/// Reads an instant: RFC 3339, a date, `now`, or so long ago (`-30d`; `w`, `d`, `h`, `m`).
///
/// # Errors
///
/// A sentence naming what is allowed.
pub fn parse(text: &str, now: Timestamp, date_means: DateMeans) -> Result<Timestamp, String> {
    let refusal = || format!("`{text}` is not {ALLOWED}");
    if text == "now" {
        return Ok(now);
    }
    if let Some(span) = text.strip_prefix('-') {
        let span = parse_span(span).ok_or_else(refusal)?;
        return now.checked_sub(span).map_err(|_| refusal());
    }
    if let Ok(date) = parse_date(text) {
        let day = date.to_zoned(TimeZone::UTC).map_err(|_| refusal())?;
        return match date_means {
            DateMeans::Start => Ok(day.timestamp()),
            DateMeans::End => {
                let next = date
                    .tomorrow()
                    .and_then(|next| next.to_zoned(TimeZone::UTC));
                let next = next.map_err(|_| refusal())?.timestamp();
                let end = next - SignedDuration::from_nanos(1);
                let today = day.timestamp() <= now && now <= end;
                Ok(if today { now } else { end })
            }
        };
    }
    text.parse().map_err(|_| refusal())
}

/// Reads `YYYY-MM-DD` and nothing else.
pub fn parse_date(text: &str) -> Result<Date, String> {
    let refusal = || format!("`{text}` is not a date such as 2026-12-01");
    if text.len() != 10 {
        return Err(refusal());
    }
    Date::strptime("%Y-%m-%d", text).map_err(|_| refusal())
}

fn parse_span(text: &str) -> Option<SignedDuration> {
    let unit_at = text
        .len()
        .checked_sub(1)
        .filter(|at| text.is_char_boundary(*at))?;
    let (count, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "w" => 7 * 86_400,
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => return None,
    };
    let count: u32 = count.parse().ok()?;
    Some(SignedDuration::from_secs(i64::from(count) * seconds))
}

pub fn to_proto(moment: Timestamp) -> prost_types::Timestamp {
    // Nanoseconds count upwards from the second on the wire, also before 1970.
    let nanos = moment.as_nanosecond();
    let seconds = i64::try_from(nanos.div_euclid(NANOS)).expect("jiff's range fits");
    let nanos = i32::try_from(nanos.rem_euclid(NANOS)).expect("less than a second");
    prost_types::Timestamp { seconds, nanos }
}

/// None where it is unset or beyond what can be told.
pub fn from_proto(moment: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let moment = moment?;
    Timestamp::new(moment.seconds, moment.nanos).ok()
}

/// `2026-03-02`; a dash where there is none.
pub fn day(moment: Option<&prost_types::Timestamp>) -> String {
    shown(moment, "%Y-%m-%d")
}

/// `2026-03-02 09:00 UTC`; a dash where there is none.
pub fn minute(moment: Option<&prost_types::Timestamp>) -> String {
    shown(moment, "%Y-%m-%d %H:%M UTC")
}

fn shown(moment: Option<&prost_types::Timestamp>, format: &str) -> String {
    match from_proto(moment) {
        Some(moment) => moment.strftime(format).to_string(),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, date_means: DateMeans, expected: &str) {
        let now: Timestamp = "2026-11-21T12:00:00.5Z".parse().unwrap();
        let found = parse(text, now, date_means).map(|moment| moment.to_string());
        assert_eq!(
            found.unwrap_or_else(|_| "refused".to_owned()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn an_instant_is_written_in_five_ways() {
        check(
            "2026-03-02T09:00:00Z",
            DateMeans::End,
            "2026-03-02T09:00:00Z",
        );
        check(
            "2026-03-02T09:00:00.25+02:00",
            DateMeans::End,
            "2026-03-02T07:00:00.25Z",
        );
        check("now", DateMeans::End, "2026-11-21T12:00:00.5Z");
        check("-30d", DateMeans::End, "2026-10-22T12:00:00.5Z");
        check("-2w", DateMeans::Start, "2026-11-07T12:00:00.5Z");
        check("-12h", DateMeans::End, "2026-11-21T00:00:00.5Z");
    }

    #[test]
    fn a_date_is_its_end_looking_back_and_its_start_otherwise() {
        check(
            "2024-02-29",
            DateMeans::End,
            "2024-02-29T23:59:59.999999999Z",
        );
        check("2024-02-29", DateMeans::Start, "2024-02-29T00:00:00Z");
        check(
            "2026-11-20",
            DateMeans::End,
            "2026-11-20T23:59:59.999999999Z",
        );
        // The end of today lies ahead, and nothing has been said there.
        check("2026-11-21", DateMeans::End, "2026-11-21T12:00:00.5Z");
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "-",
            "-d",
            "-3x",
            "-3é",
            "yesterday",
            "2026-02-29",
            "2026-3-2",
            "2026-03-02T09:00:00",
        ] {
            check(text, DateMeans::End, "refused");
        }
        check("-4294967295w", DateMeans::End, "refused");
    }

    #[test]
    fn instants_keep_their_nanoseconds_on_the_wire() {
        for text in [
            "1969-12-31T23:59:59.25Z",
            "2026-01-01T00:00:00.000000001Z",
            "1970-01-01T00:00:00Z",
        ] {
            let moment: Timestamp = text.parse().unwrap();
            let wire = to_proto(moment);
            assert!((0..1_000_000_000).contains(&wire.nanos));
            assert_eq!(from_proto(Some(&wire)), Some(moment));
        }
        assert_eq!(
            from_proto(Some(&prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: 0
            })),
            None
        );
    }
}
