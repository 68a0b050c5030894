//! What a cell of an export says: moments, dates, amounts, yes and no. Never a guess: what may mean two things is refused.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::cli::import::crm::table::Table;
use crate::cli::money;
use crate::wire::pb;

/// Which comes first in `3/4/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DayOrder {
    /// 3 April.
    DayFirst,
    /// March 4.
    MonthFirst,
}

/// A date as a cell has it, perhaps with the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Day(Date),
    Moment(Timestamp),
}

impl When {
    /// The moment; of a day alone its first in UTC.
    pub fn moment(self) -> Option<Timestamp> {
        match self {
            When::Moment(moment) => Some(moment),
            When::Day(date) => midnight(date),
        }
    }

    /// The day, in UTC.
    pub fn date(self) -> Date {
        match self {
            When::Day(date) => date,
            When::Moment(moment) => moment.to_zoned(TimeZone::UTC).date(),
        }
    }
}

/// Reads a date or an instant; without a zone it is in UTC.
///
/// # Errors
///
/// What is allowed.
pub fn when(text: &str, order: Option<DayOrder>) -> Result<When, String> {
    let allowed = || {
        format!(
            "must be a date such as 2026-03-31, or an instant such as 2026-03-31 14:05, got `{text}`"
        )
    };
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let millis = text.parse().map_err(|_| allowed())?;
        return Timestamp::from_millisecond(millis)
            .map(When::Moment)
            .map_err(|_| allowed());
    }
    if let Ok(moment) = text.parse() {
        return Ok(When::Moment(moment));
    }
    // Salesforce writes an offset without a colon.
    if let Ok(moment) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return Ok(When::Moment(moment));
    }
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time.trim())),
        None => (text, None),
    };
    let date = date(day, order)?.ok_or_else(allowed)?;
    let Some(time) = time else {
        return Ok(When::Day(date));
    };
    let time = time_of_day(time).ok_or_else(allowed)?;
    // A date field that is exported as an instant has no time of day.
    if time == Time::midnight() {
        return Ok(When::Day(date));
    }
    let zoned = DateTime::from_parts(date, time).to_zoned(TimeZone::UTC);
    zoned
        .map(|zoned| When::Moment(zoned.timestamp()))
        .map_err(|_| allowed())
}

fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn date(text: &str, order: Option<DayOrder>) -> Result<Option<Date>, String> {
    let Some([first, second, third]) = numbers(text) else {
        return Ok(None);
    };
    let (year, month, day) = match (text.split(['-', '/', '.']).next().map(str::len), order) {
        (Some(4), _) => (first, second, third),
        // With dots the day always comes first.
        _ if text.contains('.') => (third, second, first),
        (_, Some(DayOrder::DayFirst)) => (third, second, first),
        (_, Some(DayOrder::MonthFirst)) => (third, first, second),
        (_, None) => {
            return Err(format!(
                "`{text}` may have the day or the month first: give --dates day-first or month-first"
            ));
        }
    };
    // Two digits are of this century: an export of deals is not older.
    let year = if year < 100 { year + 2000 } else { year };
    let part = |number: i32| i8::try_from(number).ok();
    let (Ok(year), Some(month), Some(day)) = (i16::try_from(year), part(month), part(day)) else {
        return Ok(None);
    };
    Ok(Date::new(year, month, day).ok())
}

fn numbers(text: &str) -> Option<[i32; 3]> {
    let mut numbers = text.split(['-', '/', '.']).map(|part| {
        let digits =
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let three = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(three)
}

fn time_of_day(text: &str) -> Option<Time> {
    ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
        .iter()
        .find_map(|form| Time::strptime(form, text).ok())
}

/// The order of day and month in the dates of a column, as far as its own cells tell.
///
/// # Errors
///
/// Cells that contradict each other.
pub fn day_order(table: &Table, column: Option<usize>) -> Result<Option<DayOrder>, String> {
    let mut found: Option<(DayOrder, u32)> = None;
    for row in &table.rows {
        let day = row
            .cell(column)
            .split(['T', ' '])
            .next()
            .unwrap_or_default();
        if !day.contains('/') && !day.contains('-') {
            continue;
        }
        let order = match numbers(day) {
            Some([first, second, _]) if 12 < first && first <= 31 && second <= 12 => {
                DayOrder::DayFirst
            }
            Some([first, second, _]) if first <= 12 && 12 < second => DayOrder::MonthFirst,
            _ => continue,
        };
        match found {
            Some((before, line)) if before != order => {
                return Err(format!(
                    "{}:{}: {}: the day comes first here and the month in line {line}, or the other way",
                    table.name,
                    row.line,
                    table.title(column.unwrap_or_default())
                ));
            }
            Some(_) => {}
            None => found = Some((order, row.line)),
        }
    }
    Ok(found.map(|(order, _)| order))
}

/// What stands for thousands, millions and more, in lower case: an amount is written out.
const UNITS: [&str; 16] = [
    "k", "m", "mn", "mm", "mil", "mio", "mill", "b", "bn", "bio", "mrd", "t", "tsd", "l", "cr",
    "lac",
];

/// Reads an amount as people and exports write it: `15000`, `$15,000.00`, `15.000,50 €`, `1 234`, `USD 15,000`.
///
/// A code within it goes before `currency`; a sign must not contradict it.
///
/// # Errors
///
/// What is allowed, also where a mark may be of thousands or of decimals.
pub fn amount(text: &str, currency: &str) -> Result<pb::Money, String> {
    let refusal = || format!("must be an amount such as 15000 or 15,000.50, got `{text}`");
    let bare: String = text
        .chars()
        .filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '-' | '\''))
        .collect();
    let word: String = text
        .chars()
        .filter(|letter| letter.is_alphabetic())
        .collect();
    let is_strange = |letter: char| letter.is_ascii_punctuation() && !"$.,-'".contains(letter);
    if bare.is_empty()
        || 3 < word.chars().count()
        || UNITS.contains(&word.to_lowercase().as_str())
        || text.contains(is_strange)
    {
        return Err(refusal());
    }
    let is_code = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let currency = if is_code { &word } else { currency };
    let contradicts = match text.chars().find(|sign| "€£¥$".contains(*sign)) {
        Some('€') => currency != "EUR",
        Some('£') => currency != "GBP",
        Some('¥') => !matches!(currency, "JPY" | "CNY"),
        // Many countries have dollars, and some write their pesos so.
        Some(_) => matches!(currency, "EUR" | "GBP" | "JPY" | "CNY" | "CHF"),
        None => false,
    };
    if contradicts {
        return Err(format!("`{text}` is of another currency than {currency}"));
    }
    let plain = decimal(&bare).ok_or_else(|| {
        format!("`{text}` may mean thousands or decimals: write it without a mark, or with both")
    })?;
    money::parse(&format!("{currency} {plain}")).map_err(|_| refusal())
}

/// With a point for decimals and nothing for thousands; `None` where that cannot be told.
fn decimal(bare: &str) -> Option<String> {
    let bare = bare.replace('\'', "");
    let (points, commas) = (bare.matches('.').count(), bare.matches(',').count());
    let mark = match (bare.rfind('.'), bare.rfind(',')) {
        (None, None) => return Some(bare),
        // The later of both is of decimals.
        (Some(point), Some(comma)) if comma < point => return Some(bare.replace(',', "")),
        (Some(_), Some(_)) => return Some(bare.replace('.', "").replace(',', ".")),
        (Some(mark), None) | (None, Some(mark)) => mark,
    };
    if 1 < points + commas {
        return Some(bare.replace(['.', ','], ""));
    }
    let behind = bare.len() - mark - 1;
    let before = bare[..mark].trim_start_matches('-');
    match behind {
        // `1,234` is thousands in English and `1.234` in German; each is a decimal elsewhere.
        3 if before != "0" && before.len() <= 3 && bare.contains('.') => None,
        3 if before.len() <= 3 => Some(bare.replace(',', "")),
        _ => Some(bare.replace(',', ".")),
    }
}

/// Reads yes and no as exports write them; empty is no.
///
/// # Errors
///
/// What is allowed.
pub fn is_yes(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "y" => Ok(true),
        "" | "0" | "false" | "no" | "n" => Ok(false),
        _ => Err(format!("must be true or false, 1 or 0, got `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, order: Option<DayOrder>) -> String {
        when(text, order).unwrap().date().to_string()
    }

    #[test]
    fn dates_of_many_forms_are_read() {
        for (text, order) in [
            ("2026-03-04", None),
            ("2026/03/04", None),
            ("4.3.2026", None),
            ("2026-03-04 00:00:00", None),
            ("2026-03-04T10:20:30.000+0000", None),
            ("2026-03-04T10:20:30Z", None),
            ("1772582400000", None),
            ("4/3/2026", Some(DayOrder::DayFirst)),
            ("3/4/2026", Some(DayOrder::MonthFirst)),
            ("3/4/26 9:05 PM", Some(DayOrder::MonthFirst)),
        ] {
            assert_eq!(day(text, order), "2026-03-04", "{text}");
        }
    }

    #[test]
    fn a_date_that_may_be_two_is_refused_and_the_way_out_is_named() {
        let told = when("3/4/2026", None).unwrap_err();
        assert!(told.contains("--dates"), "{told}");
        for wrong in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "1/2",
            "1/2/3/4",
            "2026-03-04 25:00",
        ] {
            let wrong = when(wrong, Some(DayOrder::DayFirst));
            assert!(wrong.is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_order_of_a_column_is_told_by_its_own_cells() {
        let order = |cells: &str| {
            let table = Table::read("t.csv".to_owned(), &format!("d\n{cells}")).unwrap();
            day_order(&table, Some(0))
        };
        assert_eq!(order("1/2/2026\n13/2/2026\n"), Ok(Some(DayOrder::DayFirst)));
        assert_eq!(
            order("1/2/2026\n2/13/2026\n"),
            Ok(Some(DayOrder::MonthFirst))
        );
        assert_eq!(order("1/2/2026\n2026-05-13\n"), Ok(None));
        assert!(order("13/2/2026\n2/13/2026\n").is_err());
    }

    #[test]
    fn amounts_of_many_forms_are_read() {
        for (text, shown) in [
            ("15000", "EUR 15,000"),
            ("15000.5", "EUR 15,000.50"),
            ("15.000,50 €", "EUR 15,000.50"),
            ("1 234 567", "EUR 1,234,567"),
            ("1,234", "EUR 1,234"),
            ("1.234.567", "EUR 1,234,567"),
            ("1'234.50", "EUR 1,234.50"),
            ("-20,5", "EUR -20.50"),
            ("EUR 7", "EUR 7"),
            ("7 kr", "EUR 7"),
            ("USD 15,000", "USD 15,000"),
            ("$15,000.00 USD", "USD 15,000"),
        ] {
            assert_eq!(money::show(&amount(text, "EUR").unwrap()), shown, "{text}");
        }
        let dollars = amount("$15,000.00", "CAD").unwrap();
        assert_eq!(money::show(&dollars), "CAD 15,000");
    }

    #[test]
    fn an_amount_that_may_be_two_or_none_is_refused() {
        for text in [
            "1.234",
            "",
            "much",
            "about 5",
            "1.2.3,4,5",
            "15k",
            "1.5M",
            "2 Mio",
            "€3m",
            "(1,500.00)",
            "15%",
            "$15,000",
            "£20",
            "€5 USD",
        ] {
            assert!(amount(text, "EUR").is_err(), "{text}");
        }
    }
}
