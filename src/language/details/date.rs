//! Dates by which something is wanted, counted from the day they were said: `by the end of Q2`, `next fall`,
//! `before March`, `within three months`.
//!
//! A span stands for its last day: "in June" is 30 June, "early June" the 10th, "mid-June" the 20th. A month or season without
//! a year is the next one that is not over. "Before" a span is the day before its first.

use crate::domain::time::Date;
use crate::language::details::ahead;

const MONTHS: [(&str, u32); 24] = [
    ("january", 1),
    ("jan", 1),
    ("february", 2),
    ("feb", 2),
    ("march", 3),
    ("mar", 3),
    ("april", 4),
    ("apr", 4),
    ("may", 5),
    ("june", 6),
    ("jun", 6),
    ("july", 7),
    ("jul", 7),
    ("august", 8),
    ("aug", 8),
    ("september", 9),
    ("sep", 9),
    ("sept", 9),
    ("october", 10),
    ("oct", 10),
    ("november", 11),
    ("nov", 11),
    ("december", 12),
    ("dec", 12),
];

/// The first and the last month of each; winter ends in the year after the one it begins in.
const SEASONS: [(&str, u32, u32); 12] = [
    ("q1", 1, 3),
    ("q2", 4, 6),
    ("q3", 7, 9),
    ("q4", 10, 12),
    ("h1", 1, 6),
    ("h2", 7, 12),
    ("spring", 3, 5),
    ("summer", 6, 8),
    ("fall", 9, 11),
    ("autumn", 9, 11),
    ("christmas", 12, 12),
    ("winter", 12, 14),
];

/// A day as people count: year, month, day of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: i32,
    pub month: u32,
    pub day: u32,
}

/// The first date that a text names, counted from the day it was said.
pub fn latest(text: &str, said_on: Date) -> Option<Date> {
    let today = Day::parse(&said_on.to_string())?;
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        // `mid-June` is two words, `2026-06-30` is one.
        .flat_map(|word| {
            let hyphen = if whole(word).is_some() { '\0' } else { '-' };
            word.split(hyphen)
        })
        .filter(|word| !word.is_empty())
        .collect();
    (0..words.len())
        .find_map(|at| {
            whole(words[at])
                .or_else(|| month(&words, at, today))
                .or_else(|| season(&words, at, today))
                .or_else(|| year_end(&words, at, today))
                .or_else(|| ahead::week(&words, at, said_on))
                .or_else(|| ahead::within(&words, at, said_on))
                .or_else(|| ahead::from_now(&words, at, said_on))
        })
        .filter(|date| said_on <= *date)
}

impl Day {
    /// From `2026-06-30`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        Some(Day {
            year: parts.next()?.parse().ok()?,
            month: parts.next()?.parse().ok()?,
            day: parts.next()?.parse().ok()?,
        })
    }

    /// None for a day that is in no calendar.
    pub fn date(self) -> Option<Date> {
        Date::parse(&format!(
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        ))
        .ok()
    }

    /// The last day of a month; months past the twelfth are of the years after.
    pub fn last_of(year: i32, month: u32) -> Option<Date> {
        let (year, month) = carried(year, month);
        (28..=31)
            .rev()
            .find_map(|day| Day { year, month, day }.date())
    }

    /// The day before the first of a month.
    fn before(year: i32, month: u32) -> Option<Date> {
        if month <= 1 {
            return Day::last_of(year - 1, 12);
        }
        Day::last_of(year, month - 1)
    }
}

/// Months past the twelfth are of the years after.
pub fn carried(year: i32, month: u32) -> (i32, u32) {
    (
        year + (month.saturating_sub(1) / 12) as i32,
        (month.max(1) - 1) % 12 + 1,
    )
}

/// `2026-06-30`.
fn whole(word: &str) -> Option<Date> {
    Date::parse(word).ok()
}

fn is_before(words: &[&str], at: usize) -> bool {
    let from = at.saturating_sub(3);
    let near = &words[from..at];
    let ends = near.contains(&"end") || near.contains(&"after");
    !ends && near.contains(&"before")
}

fn year_near(words: &[&str], at: usize) -> Option<i32> {
    let to = (at + 4).min(words.len());
    words[at..to]
        .iter()
        .filter(|word| word.len() == 4)
        .find_map(|word| word.parse().ok().filter(|year| (2000..2200).contains(year)))
}

/// `March`, `March 31`, `the 31st of March`, `March 2027`.
fn month(words: &[&str], at: usize, today: Day) -> Option<Date> {
    let (name, month) = *MONTHS.iter().find(|(name, _)| *name == words[at])?;
    let after = words.get(at + 1).and_then(|word| day_of_month(word));
    let before = || {
        let near = at.saturating_sub(2)..at;
        words[near].iter().rev().find_map(|word| day_of_month(word))
    };
    let day = after.or_else(before);
    // `may` and `march` are verbs as well.
    let placed = at.checked_sub(1).is_some_and(|before| {
        [
            "the", "in", "by", "of", "before", "until", "this", "next", "till", "mid", "early",
            "late", "end",
        ]
        .contains(&words[before])
    });
    if matches!(name, "may" | "mar" | "march") && day.is_none() && !placed {
        return None;
    }
    let year = year_near(words, at).unwrap_or(match day {
        Some(day) if (month, day) < (today.month, today.day) => today.year + 1,
        None if month < today.month => today.year + 1,
        _ => today.year,
    });
    match day.or_else(|| third(words, at)) {
        Some(day) => Day { year, month, day }.date(),
        None if is_before(words, at) => Day::before(year, month),
        None => Day::last_of(year, month),
    }
}

/// The last day of the third of a month that is meant by `early` or `mid`.
fn third(words: &[&str], at: usize) -> Option<u32> {
    let from = at.saturating_sub(2);
    words[from..at].iter().find_map(|word| match *word {
        "early" | "beginning" | "start" => Some(10),
        "mid" | "middle" => Some(20),
        _ => None,
    })
}

fn day_of_month(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    let fits = matches!(suffix, "" | "st" | "nd" | "rd" | "th");
    digits
        .parse()
        .ok()
        .filter(|day| fits && (1..=31).contains(day))
}

/// `Q2`, `next fall`, `summer 2027`.
fn season(words: &[&str], at: usize, today: Day) -> Option<Date> {
    let (name, first, last) = *SEASONS.iter().find(|(name, _, _)| *name == words[at])?;
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    // "fall" alone may be a verb.
    if name == "fall"
        && !["the", "this", "next", "in", "by", "before", "early", "late"].contains(&before)
    {
        return None;
    }
    let next = if last < today.month {
        today.year + 1
    } else {
        today.year
    };
    // "Next fall", said in spring, is this year's; said in fall, next year's.
    let begun = first <= today.month && today.month <= last;
    let year = year_near(words, at).unwrap_or(if before == "next" && begun {
        next + 1
    } else {
        next
    });
    if is_before(words, at) {
        return Day::before(year, first);
    }
    if name == "christmas" {
        return Day {
            year,
            month: 12,
            day: 25,
        }
        .date();
    }
    Day::last_of(year, last)
}

/// `end of the year`, `this quarter`, `next month`, `next year`.
fn year_end(words: &[&str], at: usize, today: Day) -> Option<Date> {
    let from = at.saturating_sub(3);
    let near = &words[from..at];
    let has = |word: &str| near.contains(&word);
    if near
        .last()
        .is_some_and(|word| ["a", "per", "last"].contains(word))
    {
        return None;
    }
    let ends = words.get(at + 1) == Some(&"end");
    let placed = has("end") || has("this") || has("next") || ends;
    if !placed {
        return None;
    }
    let later = i32::from(has("next"));
    let quarter = (today.month - 1) / 3 * 3 + 3;
    match words[at] {
        "year" => Day::last_of(today.year + later, 12),
        "quarter" => Day::last_of(today.year, quarter + 3 * later as u32),
        "month" => Day::last_of(today.year, today.month + later as u32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let said_on = Date::parse("2026-05-12").unwrap();
        let read = latest(text, said_on).map(|date| date.to_string());
        assert_eq!(read.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn dates_count_from_the_day_they_were_said() {
        check("live by the end of Q2", "2026-06-30");
        check("before the March audit", "2027-02-28");
        check("next fall", "2026-11-30");
        check("by October 1st", "2026-10-01");
        check("on the 3rd of April", "2027-04-03");
        check("by 2026-09-15", "2026-09-15");
        check("by the end of the year", "2026-12-31");
        check("before the end of the quarter", "2026-06-30");
        check("by year-end", "2026-12-31");
        check("next quarter", "2026-09-30");
        check("next year", "2027-12-31");
        check("before summer", "2026-05-31");
        check("this winter", "2027-02-28");
        check("by Christmas", "2026-12-25");
        check("in March 2028", "2028-03-31");
        check("May 31", "2026-05-31");
    }

    #[test]
    fn parts_of_months_are_read() {
        check("by mid-November", "2026-11-20");
        check("in early June", "2026-06-10");
        check("at the beginning of July", "2026-07-10");
    }

    #[test]
    fn what_is_no_date_is_none() {
        check("we may change that", "");
        check("things fall apart", "");
        check("40 hours a month", "");
        check("soon", "");
        check("by February 31", "");
        check("since 2019-01-01", "");
        check("in 99999999999 days", "");
        check("", "");
    }
}
