//! Moments, dates, money, ids and text: the values that other messages are made of.

use std::fmt;

use prost_types::Timestamp;

use crate::domain::money::Money;
use crate::domain::money::NotMoney;
use crate::domain::stakeholder::BuyingRole;
use crate::domain::stakeholder::Roles;
use crate::domain::text::Id;
use crate::domain::text::Line;
use crate::domain::text::Name;
use crate::domain::text::Prose;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::AHEAD_MAX;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;

/// The most roles of one person in one message.
const ROLES_MAX: usize = 10;

/// A moment, `None` when unset or, with the reason noted, when it may not be.
pub fn moment(
    reading: &mut Reading,
    path: &Path<'_>,
    timestamp: Option<Timestamp>,
) -> Option<Instant> {
    let Timestamp { seconds, nanos } = timestamp?;
    let moment = reading.note(path, Instant::from_unix(seconds, nanos))?;
    if let Origin::Caller { now } = reading.origin()
        && now.plus(AHEAD_MAX) < moment
    {
        reading.refuse(
            path,
            format_args!(
                "must be at most 5 minutes ahead of the service's clock, {now}, got {moment}"
            ),
        );
        return None;
    }
    Some(moment)
}

/// A moment that a caller may leave to the service's clock.
pub fn moment_or_now(
    reading: &mut Reading,
    path: &Path<'_>,
    timestamp: Option<Timestamp>,
) -> Option<Instant> {
    if timestamp.is_some() {
        return moment(reading, path, timestamp);
    }
    match reading.origin() {
        Origin::Caller { now } => Some(now),
        Origin::Store => {
            reading.refuse(path, "must be set");
            None
        }
    }
}

pub fn encode_moment(moment: Instant) -> Timestamp {
    Timestamp {
        seconds: moment.unix_seconds(),
        nanos: moment.subsecond_nanos(),
    }
}

/// A date, `None` when empty or, with the reason noted, when it is not one.
pub fn date_or_empty(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    date(reading, path, text)
}

pub fn date(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Date> {
    let read = Date::parse(text).map_err(|error| format!("{error}, got {}", Told(text)));
    reading.note(path, read)
}

pub fn id(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Id> {
    reading.note(path, Id::new(text))
}

/// A name that may be empty.
pub fn name(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Name> {
    reading.note(path, Name::new(text))
}

/// A name, `None` when empty.
pub fn name_or_empty(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Name> {
    if text.is_empty() {
        return None;
    }
    name(reading, path, text)
}

pub fn line<const MAX: usize>(
    reading: &mut Reading,
    path: &Path<'_>,
    text: &str,
) -> Option<Line<MAX>> {
    reading.note(path, Line::new(text))
}

pub fn prose<const MAX: usize>(
    reading: &mut Reading,
    path: &Path<'_>,
    text: &str,
) -> Option<Prose<MAX>> {
    reading.note(path, Prose::new(text))
}

/// Text that must say something.
pub fn spoken<const MAX: usize>(
    reading: &mut Reading,
    path: &Path<'_>,
    text: &str,
) -> Option<Prose<MAX>> {
    reading.note(path, Prose::not_empty(text))
}

/// An amount, `None` when unset or, with the reason noted, when it is not one.
pub fn money(reading: &mut Reading, path: &Path<'_>, money: Option<pb::Money>) -> Option<Money> {
    let pb::Money {
        currency_code,
        units,
        nanos,
    } = money?;
    Money::new(&currency_code, units, nanos)
        .map_err(|error| {
            let part = match error {
                NotMoney::Currency => "currency_code",
                NotMoney::Nanos | NotMoney::Signs => "nanos",
            };
            reading.refuse(&path.field(part), error);
        })
        .ok()
}

pub fn encode_money(money: Money) -> pb::Money {
    pb::Money {
        currency_code: money.currency().into(),
        units: money.units(),
        nanos: money.nanos(),
    }
}

/// The roles given, `None` when none are.
pub fn roles(reading: &mut Reading, path: &Path<'_>, numbers: &[i32]) -> Option<Roles> {
    if numbers.is_empty() {
        return None;
    }
    if ROLES_MAX < numbers.len() {
        reading.refuse(
            path,
            format_args!("must be at most {ROLES_MAX}, got {}", numbers.len()),
        );
        return None;
    }
    let mut roles = Roles::NONE;
    for (place, number) in numbers.iter().enumerate() {
        let role: Option<BuyingRole> = listed::required(reading, &path.index(place), *number);
        if let Some(role) = role {
            roles = roles.with(role);
        }
    }
    Some(roles)
}

pub fn encode_roles(roles: Roles) -> Vec<i32> {
    roles.iter().map(listed::number).collect()
}

/// A caller's text as it is told back: quoted, escaped, and cut to what fits a sentence.
struct Told<'a>(&'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARACTERS_MAX: usize = 32;
        match self.0.char_indices().nth(CHARACTERS_MAX) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    #[track_caller]
    fn check_ahead(ahead_nanos: i32, fits: bool) {
        let now = Instant::from_unix(1_000, 0).unwrap();
        let mut reading = Reading::of(Origin::Caller { now });
        let timestamp = encode_moment(now.plus(Span::minutes(5)));
        let timestamp = Timestamp {
            nanos: timestamp.nanos + ahead_nanos,
            ..timestamp
        };
        let read = moment(&mut reading, &Path::ROOT, Some(timestamp));
        assert_eq!(read.is_some(), fits);
        assert_eq!(reading.end(Some(())).is_ok(), fits);
    }

    #[test]
    fn a_caller_may_be_five_minutes_ahead_and_not_a_nanosecond_more() {
        check_ahead(0, true);
        check_ahead(1, false);
    }

    #[test]
    fn a_wrong_date_is_told_back_short_and_escaped() {
        let mut reading = Reading::of(Origin::Store);
        let text = format!("\u{7}{}", "x".repeat(1_000));
        assert!(date(&mut reading, &Path::ROOT, &text).is_none());
        let told = reading.end(Some(())).unwrap_err().to_string();
        assert!(told.ends_with("xxx\"…"), "{told}");
        assert!(told.contains("\"\\u{7}x"), "{told}");
        assert!(told.len() < 130, "{told}");
    }

    #[track_caller]
    fn check_money(currency_code: &str, units: i64, nanos: i32, field: &str) {
        let mut reading = Reading::of(Origin::Store);
        let given = pb::Money {
            currency_code: currency_code.into(),
            units,
            nanos,
        };
        assert!(money(&mut reading, &Path::ROOT.field("amount"), Some(given)).is_none());
        let told = reading.end(Some(())).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{field} must ")), "{told}");
    }

    #[test]
    fn the_part_of_an_amount_that_is_wrong_is_named() {
        check_money("euro", 1, 0, "amount.currency_code");
        check_money("EUR", 1, 1_000_000_000, "amount.nanos");
        check_money("EUR", 1, -1, "amount.nanos");
    }
}
