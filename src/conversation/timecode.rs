//! Times beside words: `00:01:02.500`, `1:02`, `[01:02 - 01:09]`, seconds, milliseconds, instants.

use crate::conversation::At;
use crate::conversation::Turn;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::time::Span;

/// A first turn later than this is told by the clock on the wall, since no recording begins so late.
const FIRST_MAX: Span = Span::minutes(60);

/// Whole numbers beyond this are milliseconds: four hours of seconds.
const SECONDS_MAX: f64 = 14_400.0;

/// The most hours that a time may have.
const HOURS_MAX: u64 = 99;

/// A time as JSON has it, whose unit is told by all of them together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    At(At),
    /// Seconds or milliseconds.
    Number(f64),
    Milliseconds(f64),
}

/// Reads `hh:mm:ss`, `mm:ss` or `h:mm:ss`, each with a fraction after `.` or `,`.
pub fn parse(text: &str) -> Option<Span> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<u64> = whole
        .split(':')
        .map(|part| {
            let fits =
                (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| part.parse().ok()).flatten()
        })
        .collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => (0, minutes, seconds),
        [hours, minutes, seconds] if minutes < 60 => (hours, minutes, seconds),
        _ => return None,
    };
    if 60 <= seconds || HOURS_MAX < hours {
        return None;
    }
    let milliseconds = match fraction {
        None => 0,
        Some(digits) if digits.is_empty() || 9 < digits.len() => return None,
        Some(digits) if !digits.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some(digits) => format!("{digits:0<3}")[..3].parse().ok()?,
    };
    let total = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds;
    Some(Span::milliseconds(i64::try_from(total).ok()?))
}

/// Reads a time at the beginning of a line, in brackets or not, alone or as a range; answers the rest of the line.
pub fn leading(line: &str) -> Option<(Span, &str)> {
    let line = without_date(line);
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some(inner) = line.strip_prefix(open) {
            let (inner, rest) = inner.split_once(close)?;
            return Some((bracketed(inner)?, rest.trim_start()));
        }
    }
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let span = parse(word)?;
    let rest = rest.trim_start();
    // A range: `00:01 - 00:05 Ana`, `00:01 --> 00:05 Ana`.
    for dash in ["-->", "-", "–"] {
        if let Some(behind) = rest.strip_prefix(dash) {
            return match leading(behind.trim_start()) {
                Some((_, rest)) => Some((span, rest)),
                None => Some((span, behind.trim_start())),
            };
        }
    }
    Some((span, rest))
}

/// Reads a time that is alone on its line.
pub fn alone(line: &str) -> Option<Span> {
    match leading(line.trim()) {
        Some((at, "")) => Some(at),
        _ => None,
    }
}

/// Reads a time at the end of a text, in brackets or not; answers what is before it.
pub fn trailing(text: &str) -> Option<(&str, Span)> {
    let text = text.trim_end();
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some(inner) = text.strip_suffix(close) {
            let (before, inner) = inner.rsplit_once(open)?;
            return Some((before.trim_end(), bracketed(inner)?));
        }
    }
    let (text, afternoon) = match trailing_half(text) {
        Some((text, afternoon)) => (text, Some(afternoon)),
        None => (text, None),
    };
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (before, word) = text.split_at_checked(start)?;
    let span = match afternoon {
        None => parse(word)?,
        Some(afternoon) => of_day(word, afternoon)?,
    };
    Some((
        before
            .trim_end()
            .trim_end_matches([',', '-', '–', '·', '|'])
            .trim_end(),
        span,
    ))
}

/// A time in two parts on the clock of twelve hours.
fn of_day(word: &str, afternoon: bool) -> Option<Span> {
    let (hours, minutes) = word.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(1..=12).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    Some(Span::minutes(
        (hours % 12 + if afternoon { 12 } else { 0 }) * 60 + minutes,
    ))
}

fn bracketed(inner: &str) -> Option<Span> {
    let inner = without_date(inner.trim());
    let (start, afternoon) = match trailing_half(inner) {
        Some((start, afternoon)) => (start, Some(afternoon)),
        None => (inner, None),
    };
    let first = start
        .split(['-', '–', ' ', '>'])
        .find(|part| !part.is_empty())?;
    match afternoon {
        None => parse(first),
        Some(afternoon) => of_day(first, afternoon),
    }
}

/// Without `2026-03-01 ` or `2026-03-01T`: which day it was is for the caller to say, with its time zone.
fn without_date(text: &str) -> &str {
    match text.split_at_checked(10) {
        Some((date, rest)) if rest.starts_with(['T', ' ', ',']) && Date::parse(date).is_ok() => {
            rest[1..].trim_start()
        }
        _ => text,
    }
}

/// What is before ` AM` or ` PM`, and which of them it is.
fn trailing_half(text: &str) -> Option<(&str, bool)> {
    let (before, end) = text.split_at_checked(text.len().checked_sub(3)?)?;
    match end {
        _ if end.eq_ignore_ascii_case(" am") => Some((before, false)),
        _ if end.eq_ignore_ascii_case(" pm") => Some((before, true)),
        _ => None,
    }
}

/// A time of JSON text: `00:01:02`, a number of seconds, or an instant.
pub fn of_text(text: &str) -> Option<Told> {
    let text = text.trim();
    if let Some(span) = parse(text) {
        return Some(Told::At(At::Offset(span)));
    }
    if let Ok(number) = text.trim_end_matches('s').parse::<f64>() {
        return number.is_finite().then_some(Told::Number(number));
    }
    let moment = Instant::parse(text).ok()?;
    Some(Told::At(At::Moment(moment)))
}

/// The times of one file: its numbers are milliseconds when they are whole and too many for seconds.
pub fn settle(told: &[Option<Told>]) -> Vec<Option<At>> {
    let numbers = || {
        told.iter().filter_map(|told| match told {
            Some(Told::Number(number)) => Some(*number),
            _ => None,
        })
    };
    let whole = numbers().all(|number| number.fract() == 0.0);
    let in_milliseconds = whole && numbers().any(|number| SECONDS_MAX < number);
    let of = |milliseconds: f64| {
        let fits = (0.0..HOURS_MAX as f64 * 3_600_000.0).contains(&milliseconds);
        fits.then(|| At::Offset(Span::milliseconds(milliseconds as i64)))
    };
    let one = |told: &Told| match told {
        Told::At(at) => Some(*at),
        Told::Milliseconds(number) => of(*number),
        Told::Number(number) if in_milliseconds => of(*number),
        Told::Number(number) => of(*number * 1_000.0),
    };
    told.iter()
        .map(|told| told.as_ref().and_then(one))
        .collect()
}

/// Turns times of the day into times since the first turn.
pub fn count_from_the_first(turns: &mut [Turn]) {
    let offsets = turns.iter().filter_map(|turn| match turn.at {
        Some(At::Offset(offset)) => Some(offset),
        _ => None,
    });
    let Some(first) = offsets.min() else { return };
    if first <= FIRST_MAX {
        return;
    }
    for turn in turns {
        if let Some(At::Offset(offset)) = &mut turn.at {
            *offset = offset.minus(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, milliseconds: Option<i64>) {
        assert_eq!(parse(text), milliseconds.map(Span::milliseconds), "{text}");
    }

    #[test]
    fn a_time_has_minutes_and_seconds_at_least() {
        check("00:01:02", Some(62_000));
        check("1:02", Some(62_000));
        check("75:02", Some(4_502_000));
        check("01:02:03.5", Some(3_723_500));
        check("00:00:03,250", Some(3_250));
        check("00:00:03.123456", Some(3_123));
        for wrong in [
            "",
            "12",
            "1:60",
            "1:75:00",
            "1:2:3:4",
            "100:00:00",
            "a:bc",
            "-1:02",
            "1:02.",
            "1:٠٢",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_time_stands_before_or_behind_a_name() {
        let span = Span::milliseconds(62_000);
        for line in [
            "[00:01:02] Ana",
            "(1:02) Ana",
            "1:02 Ana",
            "[01:02 - 01:09] Ana",
            "1:02 - 1:09 Ana",
            "1:02 – Ana",
            "[00:01:02 --> 00:01:09] Ana",
            "[2026-03-01 00:01:02] Ana",
            "2026-03-01T00:01:02 Ana",
        ] {
            assert_eq!(leading(line), Some((span, "Ana")), "{line}");
        }
        for text in [
            "Ana [00:01:02]",
            "Ana (1:02)",
            "Ana  1:02",
            "Ana, 1:02",
            "Ana · 01:02",
        ] {
            assert_eq!(trailing(text), Some(("Ana", span)), "{text}");
        }
        assert_eq!(
            trailing("Ana 1:02 PM"),
            Some(("Ana", Span::minutes(13 * 60 + 2)))
        );
        assert_eq!(trailing("Ana 12:02 am"), Some(("Ana", Span::minutes(2))));
        for wrong in ["Ana", "[inaudible] Ana", "(Ana)", "", "é"] {
            assert_eq!(leading(wrong), None, "{wrong}");
            assert_eq!(trailing(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_seconds_unless_they_are_too_many() {
        let offset = |milliseconds| Some(At::Offset(Span::milliseconds(milliseconds)));
        let check = |numbers: [f64; 2], expected: [i64; 2]| {
            let told = numbers.map(|number| Some(Told::Number(number)));
            assert_eq!(settle(&told), expected.map(offset), "{numbers:?}");
        };
        check([1.0, 300.0], [1_000, 300_000]);
        check([1.5, 300.25], [1_500, 300_250]);
        check([250.0, 26_950.0], [250, 26_950]);
        assert_eq!(settle(&[Some(Told::Number(-1.0)), None]), [None, None]);
        assert_eq!(settle(&[Some(Told::Number(f64::MAX))]), [None]);
    }
}
