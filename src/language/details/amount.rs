//! Amounts of money as people say them: `$40k`, `€1.2 million`, `40,000 pounds`, `USD 5m`.
//!
//! An amount without a currency is not read, and none is converted.

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
    for (at, part) in parts.iter().enumerate() {
        let Some(number) = number(part) else { continue };
        let before = at.checked_sub(1).and_then(|before| currency(parts[before]));
        let mut next = at + 1;
        let mut value = number;
        while let Some(times) = parts.get(next).and_then(|word| times(word)) {
            value *= times;
            next += 1;
        }
        let after = || parts.get(next).and_then(|word| currency(word));
        if let Some(currency) = before.or_else(after) {
            return money(currency, value);
        }
    }
    None
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
    }
}
