//! Days counted ahead from the one when it was said: `by Friday`, `next week`, `within three months`, `a year from now`.

use crate::domain::time::Date;
use crate::domain::time::Span;
use crate::language::details::date::Day;
use crate::language::details::date::carried;

const COUNTS: [(&str, i32); 22] = [
    ("a", 1),
    ("an", 1),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("eighteen", 18),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("sixty", 60),
    ("ninety", 90),
    ("couple", 2),
];

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// `by Friday`, `next Monday`, `this week`, `next week`. A week ends on Sunday.
pub fn week(words: &[&str], at: usize, said_on: Date) -> Option<Date> {
    // 5 January 1970 was a Monday.
    let monday = Date::parse("1970-01-05").ok()?;
    let today = said_on.days_since(monday).rem_euclid(7);
    let near = &words[at.saturating_sub(2)..at];
    let next = near.contains(&"next");
    let ahead = if let Some(day) = WEEKDAYS.iter().position(|name| *name == words[at]) {
        let day = day as i32;
        if next {
            7 - today + day
        } else {
            (day - today - 1).rem_euclid(7) + 1
        }
    } else if words[at] == "week" && next {
        13 - today
    } else if words[at] == "week" && near.contains(&"this") {
        6 - today
    } else {
        return None;
    };
    Some(days_on(said_on, ahead))
}

/// `within three months`, `in 6 weeks`, `in the next couple of weeks`.
pub fn within(words: &[&str], at: usize, said_on: Date) -> Option<Date> {
    if !matches!(words[at], "within" | "in") {
        return None;
    }
    let passed = ["the", "next", "about", "around", "roughly", "another", "a"];
    let mut from = at + 1;
    // An article counts one unless a count follows it.
    while words.get(from).is_some_and(|word| passed.contains(word))
        && words
            .get(from + 1)
            .is_some_and(|next| count(next).is_some() || passed.contains(next))
    {
        from += 1;
    }
    span_on(words, from, said_on)
}

/// `six weeks from now`, `a year from today`.
pub fn from_now(words: &[&str], at: usize, said_on: Date) -> Option<Date> {
    let after = [words.get(at + 2)?, words.get(at + 3)?];
    let meant = matches!(after, [&"from", &("now" | "today")]);
    if !meant {
        return None;
    }
    span_on(words, at, said_on)
}

fn count(word: &str) -> Option<i32> {
    COUNTS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, count)| *count)
        .or_else(|| word.parse().ok())
        .filter(|count| (1..=400).contains(count))
}

/// A count and its unit, counted from a day.
fn span_on(words: &[&str], at: usize, said_on: Date) -> Option<Date> {
    let count = count(words.get(at)?)?;
    let of = words.get(at + 1) == Some(&"of");
    match words.get(at + 1 + usize::from(of))?.trim_end_matches('s') {
        "day" => Some(days_on(said_on, count)),
        "week" => Some(days_on(said_on, count * 7)),
        "month" => months_on(said_on, count as u32),
        "year" => months_on(said_on, count as u32 * 12),
        _ => None,
    }
}

fn days_on(said_on: Date, days: i32) -> Date {
    // The end of a day is the first moment of the next.
    let end = said_on.end();
    end.plus(Span::days(days - 1)).date()
}

fn months_on(said_on: Date, months: u32) -> Option<Date> {
    let today = Day::parse(&said_on.to_string())?;
    let (year, month) = carried(today.year, today.month + months);
    let day = Day {
        year,
        month,
        day: today.day,
    };
    // 31 January and a month is the last day of February.
    day.date().or_else(|| Day::last_of(year, month))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::details::date;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        // A Tuesday.
        let said_on = Date::parse("2026-05-12").unwrap();
        let read = date::latest(text, said_on).map(|date| date.to_string());
        assert_eq!(read.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn weeks_and_their_days_are_read() {
        check("by Friday", "2026-05-15");
        check("on Tuesday", "2026-05-19");
        check("next Monday", "2026-05-18");
        check("this week", "2026-05-17");
        check("next week", "2026-05-24");
    }

    #[test]
    fn spans_are_counted_from_the_day() {
        check("within three months", "2026-08-12");
        check("in 6 weeks", "2026-06-23");
        check("in three weeks", "2026-06-02");
        check("within the next 60 days", "2026-07-11");
        check("in a couple of weeks", "2026-05-26");
        check("in a month", "2026-06-12");
        check("six weeks from now", "2026-06-23");
        check("a year from today", "2027-05-12");
    }
}
