//! Amounts of money as people say them: `$40k`, `€1.2 million`, `40,000 pounds`, `half a million dollars`.
//!
//! An amount without a currency is not read, and none is converted. Of a range the lower end counts.

use crate::domain::money::Money;

/// What a thousand is written like, and so on.
const TIMES: [(&str, f64); 12] = [
    ("thousand", 1e3),
    ("k", 1e3),
    ("grand", 1e3),
    ("million", 1e6),
    ("millions", 1e6),
    ("mil", 1e6),
    ("mn", 1e6),
    ("mm", 1e6),
    ("m", 1e6),
    ("billion", 1e9),
    ("bn", 1e9),
    ("b", 1e9),
];

/// Numbers in words.
const SPELLED: [(&str, f64); 32] = [
    ("half", 0.5),
    ("a", 1.0),
    ("an", 1.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("dozen", 12.0),
];

const CURRENCIES: [(&str, &str); 26] = [
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("₹", "INR"),
    ("usd", "USD"),
    ("dollar", "USD"),
    ("dollars", "USD"),
    ("bucks", "USD"),
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("gbp", "GBP"),
    ("pound", "GBP"),
    ("pounds", "GBP"),
    ("quid", "GBP"),
    ("chf", "CHF"),
    ("francs", "CHF"),
    ("yen", "JPY"),
    ("jpy", "JPY"),
    ("cad", "CAD"),
    ("aud", "AUD"),
    ("inr", "INR"),
    ("rupees", "INR"),
    ("sek", "SEK"),
    ("pln", "PLN"),
];

/// The first amount with a currency in a text.
pub fn first(text: &str) -> Option<Money> {
    let parts = parts(text);
    let mut at = 0;
    while at < parts.len() {
        let Some((value, next)) = scaled(&parts, at) else {
            at += 1;
            continue;
        };
        let (value, next) = range_from(&parts, at, value, next);
        let before = at.checked_sub(1).and_then(|before| currency(parts[before]));
        let after = || {
            let of = parts.get(next) == Some(&"of");
            parts
                .get(next + usize::from(of))
                .and_then(|word| currency(word))
        };
        if let Some(currency) = before.or_else(after) {
            return money(currency, value);
        }
        at = next;
    }
    None
}

/// A number with its thousands, and where it ends.
fn scaled(parts: &[&str], at: usize) -> Option<(f64, usize)> {
    let (mut value, mut next) = match number(parts[at]) {
        Some(value) => (value, at + 1),
        None => spelled(parts, at)?,
    };
    while let Some(times) = parts.get(next).and_then(|word| times(word)) {
        value *= times;
        next += 1;
    }
    Some((value, next))
}

/// The lower end of `40-50k` and `two to three million`, and where the upper one ends.
fn range_from(parts: &[&str], at: usize, value: f64, next: usize) -> (f64, usize) {
    let joins = matches!(parts.get(next), Some(&("-" | "–" | "to" | "or")));
    let upper = parts.get(next + 1).filter(|_| joins);
    let signed = upper.is_some_and(|word| word.chars().count() == 1 && currency(word).is_some());
    let start = next + 1 + usize::from(signed);
    if upper.is_none() || parts.len() <= start {
        return (value, next);
    }
    let Some((_, end)) = scaled(parts, start) else {
        return (value, next);
    };
    let has_own = times(parts[next - 1]).is_some() && at + 1 < next;
    let shared = times(parts[end - 1]).filter(|_| !has_own);
    (value * shared.unwrap_or(1.0), end)
}

/// `two hundred and fifty`, `half a`, `a quarter of a`; not a lone `a`.
fn spelled(parts: &[&str], at: usize) -> Option<(f64, usize)> {
    let word = |at: usize| parts.get(at).map(|part| part.to_ascii_lowercase());
    let value_of = |at: usize| {
        let word = word(at)?;
        let found = SPELLED.iter().find(|(name, _)| *name == word)?;
        Some(found.1)
    };
    let is_article = |at: usize| matches!(word(at).as_deref(), Some("a" | "an"));
    if is_article(at) && word(at + 1).as_deref() == Some("quarter") {
        let next = at + 2 + usize::from(word(at + 2).as_deref() == Some("of"));
        return is_article(next).then_some((0.25, next + 1));
    }
    let mut value = value_of(at)?;
    let mut next = at + 1;
    if value == 0.5 {
        return is_article(next).then_some((0.5, next + 1));
    }
    loop {
        let joined = matches!(word(next).as_deref(), Some("-" | "and"));
        let from = next + usize::from(joined);
        match value_of(from) {
            Some(100.0) => value *= 100.0,
            Some(more) if 1.0 <= more && more < value && !is_article(from) => value += more,
            _ => break,
        }
        next = from + 1;
    }
    Some((value, next))
}

/// Beyond 15 digits a double no longer holds every unit.
const VALUE_MAX: f64 = 1e15;

fn money(currency: &str, value: f64) -> Option<Money> {
    if VALUE_MAX < value {
        return None;
    }
    let units = value.trunc();
    // To the cent: a longer fraction is one of the multiplication.
    let cents = ((value - units) * 100.0).round();
    Money::new(currency, units as i64, cents as i32 * 10_000_000).ok()
}

/// Words, numbers and signs, each by itself: `$40k` is `$`, `40`, `k`.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if kind(before, c, &text[at + c.len_utf8()..]) {
            parts.push(text[start..at].trim());
            start = at;
        }
        before = c;
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether a new part begins between two characters.
fn kind(before: char, c: char, after: &str) -> bool {
    let in_number = before.is_ascii_digit()
        && matches!(c, ',' | '.')
        && after.starts_with(|next: char| next.is_ascii_digit());
    let goes_on = (before.is_ascii_digit() && c.is_ascii_digit())
        || (matches!(before, ',' | '.') && c.is_ascii_digit())
        || (before.is_alphabetic() && c.is_alphabetic())
        || in_number;
    !goes_on
}

fn number(part: &str) -> Option<f64> {
    if !part.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // `1,200` and `1.200.000` are grouped; `1.2` is not.
    let grouped = |sign: char| {
        let mut groups = part.split(sign).skip(1).peekable();
        groups.peek().is_some() && groups.all(|group| group.len() == 3)
    };
    let plain = if grouped(',') || (part.contains(',') && part.contains('.')) {
        part.replace(',', "")
    } else if grouped('.') && 1 < part.matches('.').count() {
        part.replace('.', "")
    } else {
        part.replace(',', ".")
    };
    plain.parse().ok()
}

fn times(word: &str) -> Option<f64> {
    let lower = word.to_ascii_lowercase();
    TIMES
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, times)| *times)
}

fn currency(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    CURRENCIES
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = first(text).map(|money| money.to_string());
        assert_eq!(read.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn amounts_are_read_as_people_say_them() {
        check("it costs us $40k a month", "USD 40,000");
        check("about €1.2 million", "EUR 1,200,000");
        check("40,000 pounds every time", "GBP 40,000");
        check("USD 5m", "USD 5,000,000");
        check("forty thousand", "");
        check("some $200K in overtime, $300K in fees", "USD 200,000");
        check("£12.50 a seat", "GBP 12.50");
        check("we have 40 people and 3 sites", "");
        check("two hundred grand", "");
        check("$99999999999999999999", "");
        check("€ 3,5 million", "EUR 3,500,000");
        check("1.234.567 euros", "EUR 1,234,567");
        check("about 40k dollars a month", "USD 40,000");
        check("€1.2m", "EUR 1,200,000");
    }

    #[test]
    fn amounts_are_read_in_words() {
        check("half a million dollars", "USD 500,000");
        check("a quarter of a million euros", "EUR 250,000");
        check("a million pounds a year", "GBP 1,000,000");
        check("two hundred and fifty thousand dollars", "USD 250,000");
        check("a hundred thousand euros", "EUR 100,000");
        check("Twenty-five thousand francs", "CHF 25,000");
        check("a million of dollars", "USD 1,000,000");
        check("a dollar short", "USD 1");
        check("a quarter of our people", "");
        check("half a", "");
    }

    #[test]
    fn of_a_range_the_lower_end_counts() {
        check("$40-50k a year", "USD 40,000");
        check("two to three million dollars", "USD 2,000,000");
        check("somewhere between €80k to €90k", "EUR 80,000");
        check("$2 to", "USD 2");
    }
}
