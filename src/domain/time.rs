//! Moments and dates, within the range that a history may speak of.
//!
//! Both are small and `Copy`, because a folded deal holds one for each claim.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// A moment in UTC, to the nanosecond.
///
/// Range: 1970-01-01T00:00:00Z up to but not including 2200-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

/// A span between two moments. Unit: nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(i64);

/// A day of the calendar. It lasts until its end in UTC.
///
/// Range: 1970-01-01 to 2199-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i32);

/// A moment or date outside the range, or not one at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfRange {
    #[error("must be from 1970-01-01T00:00:00Z to before 2200-01-01T00:00:00Z")]
    Instant,
    #[error("must be a date YYYY-MM-DD from 1970-01-01 to 2199-12-31")]
    Date,
}

impl Instant {
    /// The first moment there is.
    pub const MIN: Instant = Instant(0);

    /// The last moment there is.
    pub const MAX: Instant = Instant(Instant::END - 1);

    /// The first moment past the range: 84,006 days after 1970-01-01.
    const END: i64 = Date::DAYS as i64 * NANOS_PER_DAY;

    /// The moment `seconds` and `nanos` after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// [`OutOfRange::Instant`] outside the range, or with `nanos` outside 0 to 999,999,999.
    pub fn from_unix(seconds: i64, nanos: i32) -> Result<Instant, OutOfRange> {
        if !(0..NANOS_PER_SECOND).contains(&i64::from(nanos)) {
            return Err(OutOfRange::Instant);
        }
        seconds
            .checked_mul(NANOS_PER_SECOND)
            .and_then(|whole| whole.checked_add(i64::from(nanos)))
            .filter(|total| (0..Instant::END).contains(total))
            .map(Instant)
            .ok_or(OutOfRange::Instant)
    }

    /// Reads RFC 3339, such as `2026-03-02T09:00:00+01:00`.
    ///
    /// # Errors
    ///
    /// [`OutOfRange::Instant`] when it is not such a moment, or outside the range.
    pub fn parse(text: &str) -> Result<Instant, OutOfRange> {
        let moment: Timestamp = text.parse().map_err(|_| OutOfRange::Instant)?;
        Instant::from_unix(moment.as_second(), moment.subsec_nanosecond())
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0 / NANOS_PER_SECOND
    }

    /// Nanoseconds past [`Instant::unix_seconds`], 0 to 999,999,999.
    pub fn subsecond_nanos(self) -> i32 {
        (self.0 % NANOS_PER_SECOND) as i32
    }

    /// The moment `span` later, held within the range.
    pub fn plus(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0).clamp(0, Instant::END - 1))
    }

    /// The moment `span` earlier, or `None` before the range.
    pub fn minus(self, span: Span) -> Option<Instant> {
        self.0
            .checked_sub(span.0)
            .filter(|nanos| (0..Instant::END).contains(nanos))
            .map(Instant)
    }

    /// The span since `earlier`; negative when `earlier` is later.
    pub fn since(self, earlier: Instant) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The last moment before this one; the first moment there is has none but itself.
    pub fn just_before(self) -> Instant {
        Instant((self.0 - 1).max(0))
    }

    /// The day it falls on, in UTC.
    pub fn date(self) -> Date {
        Date((self.0 / NANOS_PER_DAY) as i32)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| fmt::Error)?;
        timestamp.fmt(f)
    }
}

impl Span {
    /// So many whole days of 24 hours; held within the range of a span.
    pub const fn days(days: i32) -> Span {
        Span((days as i64).saturating_mul(NANOS_PER_DAY))
    }

    /// So many days of 24 hours, to the nanosecond; held within the range of a span.
    pub fn days_f64(days: f64) -> Span {
        Span((days * NANOS_PER_DAY as f64) as i64)
    }

    /// So many whole minutes.
    pub const fn minutes(minutes: i32) -> Span {
        Span(minutes as i64 * 60 * NANOS_PER_SECOND)
    }

    /// Unit: nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// So many nanoseconds.
    pub const fn nanos(nanos: i64) -> Span {
        Span(nanos)
    }

    /// So many milliseconds; held within the range of a span.
    pub const fn milliseconds(milliseconds: i64) -> Span {
        Span(milliseconds.saturating_mul(1_000_000))
    }

    /// What is left without `other`; held within the range of a span.
    pub const fn minus(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// Unit: days of 24 hours.
    pub fn as_days(self) -> f64 {
        self.0 as f64 / NANOS_PER_DAY as f64
    }
}

impl Date {
    /// Days from 1970-01-01 to 2200-01-01.
    const DAYS: i32 = 84_006;

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`OutOfRange::Date`] when it is not such a date, or outside the range.
    pub fn parse(text: &str) -> Result<Date, OutOfRange> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(OutOfRange::Date);
        }
        let date: civil::Date = text.parse().map_err(|_| OutOfRange::Date)?;
        let epoch = civil::Date::constant(1970, 1, 1);
        let days = date
            .since((jiff::Unit::Day, epoch))
            .map_err(|_| OutOfRange::Date)?
            .get_days();
        Some(Date(days))
            .filter(|date| (0..Date::DAYS).contains(&date.0))
            .ok_or(OutOfRange::Date)
    }

    /// Its first moment: midnight in UTC.
    pub fn start(self) -> Instant {
        Instant(i64::from(self.0) * NANOS_PER_DAY)
    }

    /// The day after, held within the range.
    pub fn next(self) -> Date {
        Date((self.0 + 1).min(Date::DAYS - 1))
    }

    /// Its last moment is just before this one.
    pub fn end(self) -> Instant {
        Instant((i64::from(self.0) + 1) * NANOS_PER_DAY)
    }

    /// The day so many days later, or `None` outside the range.
    pub fn plus_days(self, days: i32) -> Option<Date> {
        self.0
            .checked_add(days)
            .filter(|days| (0..Date::DAYS).contains(days))
            .map(Date)
    }

    /// Whole days since the last Monday; 0 on a Monday.
    pub fn days_since_monday(self) -> i32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3) % 7
    }

    /// Whole days from `earlier` to this day; negative when `earlier` is later.
    pub fn days_since(self, earlier: Date) -> i32 {
        self.0 - earlier.0
    }

    fn civil(self) -> civil::Date {
        let epoch = civil::Date::constant(1970, 1, 1);
        epoch.saturating_add(jiff::Span::new().days(self.0))
    }

    /// As people write it in a sentence: `3 March 2026`.
    pub fn spoken(self) -> impl fmt::Display {
        self.civil().strftime("%-d %B %Y")
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.civil().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_date(text: &str, days: Option<i32>) {
        assert_eq!(Date::parse(text).ok(), days.map(Date), "{text}");
        if days.is_some() {
            assert_eq!(
                Date::parse(text).map(|date| date.to_string()),
                Ok(text.into())
            );
        }
    }

    #[test]
    fn a_date_is_ten_characters_of_a_real_day_in_range() {
        check_date("1970-01-01", Some(0));
        check_date("1969-12-31", None);
        check_date("2024-02-29", Some(19_782));
        check_date("2023-02-29", None);
        check_date("2199-12-31", Some(84_005));
        check_date("2200-01-01", None);
        check_date("2026-3-1", None);
        check_date("20260301", None);
        check_date("2026-03-01T00:00:00Z", None);
        check_date("", None);
        check_date("२०२६-०३-०१", None);
    }

    #[test]
    fn an_instant_is_within_the_range_to_the_nanosecond() {
        assert!(Instant::from_unix(-1, 0).is_err());
        assert!(Instant::from_unix(0, 0).is_ok());
        assert!(Instant::from_unix(0, -1).is_err());
        assert!(Instant::from_unix(0, 1_000_000_000).is_err());
        assert!(Instant::from_unix(7_258_118_399, 999_999_999).is_ok());
        assert!(Instant::from_unix(7_258_118_400, 0).is_err());
        assert!(Instant::from_unix(i64::MAX, 0).is_err());
        assert!(Instant::from_unix(i64::MIN, 0).is_err());
    }

    #[test]
    fn an_instant_is_read_with_its_offset() {
        let noon = Instant::from_unix(1_772_366_400, 0);
        assert_eq!(Instant::parse("2026-03-01T12:00:00Z"), noon);
        assert_eq!(Instant::parse("2026-03-01T13:00:00+01:00"), noon);
        for wrong in [
            "",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "1969-12-31T23:59:59Z",
            "soon",
        ] {
            assert!(Instant::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        let day = Date::parse("2024-02-29").unwrap();
        assert_eq!(day.end().to_string(), "2024-03-01T00:00:00Z");
        assert_eq!(day.end().date().days_since(day), 1);
        assert_eq!(day.next().start(), day.end());
        assert_eq!(day.end().just_before().date(), day);
        assert_eq!(Instant::MIN.just_before(), Instant::MIN);
        assert_eq!(day.spoken().to_string(), "29 February 2024");
        assert_eq!(day.days_since_monday(), 3);
        assert_eq!(day.plus_days(4).map(Date::days_since_monday), Some(0));
        assert_eq!(Date(0).plus_days(-1), None);
        assert_eq!(Date(Date::DAYS - 1).plus_days(1), None);
    }

    #[test]
    fn spans_are_exact_and_instants_stay_in_range() {
        let now = Instant::from_unix(1_000_000, 5).unwrap();
        assert_eq!(now.plus(Span::days(14)).minus(Span::days(14)), Some(now));
        assert_eq!(now.minus(Span::days(14)), None);
        assert_eq!(now.plus(Span::days(14)).since(now).as_days(), 14.0);
        assert!(now.plus(Span::days(i32::MAX)).date() <= Date(Date::DAYS - 1));
    }
}
