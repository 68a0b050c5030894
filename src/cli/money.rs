//! Money as people write and read it.

use crate::wire::pb;

/// Digits after the point that the interface keeps.
const DECIMALS_MAX: usize = 9;

/// Reads `EUR 40000`, `40000 EUR` or `EUR 40000.50`; thousands may be set apart by `_` or `,`.
///
/// # Errors
///
/// A sentence naming what is allowed.
pub fn parse(text: &str) -> Result<pb::Money, String> {
    let refusal =
        || format!("`{text}` is not a currency and an amount such as EUR 40000 or EUR 1250.50");
    let (first, second) = text.trim().split_once(' ').ok_or_else(refusal)?;
    let is_currency =
        |part: &str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    let (currency, amount) = match (is_currency(first), is_currency(second.trim())) {
        (true, false) => (first, second.trim()),
        (false, true) => (second.trim(), first),
        _ => return Err(refusal()),
    };

    let amount = amount.replace([',', '_'], "");
    let (whole, decimals) = amount.split_once('.').unwrap_or((&amount, "0"));
    let negative = whole.starts_with('-');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.trim_start_matches('-')) || !digits(decimals) || decimals.len() > DECIMALS_MAX
    {
        return Err(refusal());
    }
    let units = whole.parse().map_err(|_| refusal())?;
    let nanos: i32 = format!("{decimals:0<DECIMALS_MAX$}")
        .parse()
        .map_err(|_| refusal())?;
    let nanos = if negative { -nanos } else { nanos };
    Ok(pb::Money {
        currency_code: currency.to_owned(),
        units,
        nanos,
    })
}

/// `EUR 40,000` or `EUR 1,250.50`.
pub fn show(money: &pb::Money) -> String {
    let digits = money.units.unsigned_abs().to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    let sign = if money.units < 0 || money.nanos < 0 {
        "-"
    } else {
        ""
    };
    let decimals = format!("{:09}", money.nanos.unsigned_abs());
    let decimals = match decimals.trim_end_matches('0') {
        "" => String::new(),
        some => format!(".{some:0<2}"),
    };
    format!("{} {sign}{whole}{decimals}", money.currency_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_shown() {
        for (text, shown) in [
            ("EUR 40000", "EUR 40,000"),
            ("40_000 EUR", "EUR 40,000"),
            ("USD 1,250.5", "USD 1,250.50"),
            ("EUR -0.000000001", "EUR -0.000000001"),
            ("EUR 999", "EUR 999"),
            ("CHF 1234567", "CHF 1,234,567"),
        ] {
            assert_eq!(show(&parse(text).unwrap()), shown);
        }
    }

    #[test]
    fn what_is_no_money_is_refused() {
        for text in [
            "",
            "40000",
            "EUR",
            "eur 4",
            "EUR x",
            "EUR 1.",
            "EUR .5",
            "EUR 1.0000000001",
            "EUR --1",
            "EUR USD",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
