//! Any other table: which column says what is told by `--map FIELD=COLUMN,…`.
//!
//! A row may tell of a deal, of a person in it and of what that person said, all at once.

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Amounts;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Options;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::table::Table;
use crate::cli::import::crm::words;
use crate::cli::import::crm::writes;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// What a column may say.
pub const FIELDS: [&str; 20] = [
    "deal_id",
    "name",
    "account",
    "owner",
    "amount",
    "currency",
    "seller_stage",
    "close_date",
    "effective_at",
    "outcome",
    "closed_at",
    "reason",
    "stakeholder_id",
    "display_name",
    "title",
    "roles",
    "statement_id",
    "quote",
    "said_at",
    "attribution",
];

/// Which column of a table says what.
struct Map<'a> {
    table: &'a Table,
    columns: [Option<usize>; FIELDS.len()],
}

/// The columns that are read by more than their text.
struct Columns {
    amounts: Amounts,
    close_date: Dates,
    effective_at: Dates,
    closed_at: Dates,
    said_at: Dates,
}

/// Reads tables by a map; `effective_at` is for rows that do not say from when on they hold.
///
/// # Errors
///
/// The map names a field or a column that does not exist; a table contradicts itself as a whole.
pub fn read(
    tables: &[Table],
    map: &[String],
    effective_at: Option<Timestamp>,
    options: &Options,
) -> Result<Book, String> {
    let mut book = Book::default();
    for table in tables {
        let map = Map::of(table, map)?;
        let columns = map.columns(options)?;
        book.read(table, |row| {
            let mut reading = Reading::of(table, row);
            let writes = map.writes(&mut reading, &columns, effective_at, options);
            match reading.end() {
                Ok(()) if writes.is_empty() => Verdict::Skipped("says nothing"),
                Ok(()) => Verdict::Taken(writes),
                Err(wrong) => wrong,
            }
        });
    }
    Ok(book)
}

impl<'a> Map<'a> {
    fn of(table: &'a Table, pairs: &[String]) -> Result<Map<'a>, String> {
        let mut columns = [None; FIELDS.len()];
        for pair in pairs {
            let (field, column) = pair
                .split_once('=')
                .ok_or_else(|| format!("--map must be FIELD=COLUMN, got `{pair}`"))?;
            let place = FIELDS
                .iter()
                .position(|known| *known == field.trim())
                .ok_or_else(|| {
                    let known = FIELDS.join(", ");
                    format!("--map: there is no field `{field}`; there are {known}")
                })?;
            columns[place] = Some(table.needed(&[column.trim()])?);
        }
        let map = Map { table, columns };
        match map.column("deal_id") {
            Some(_) => Ok(map),
            None => Err("--map must say which column is the deal_id".to_owned()),
        }
    }

    fn column(&self, field: &str) -> Option<usize> {
        let place = FIELDS.iter().position(|known| *known == field)?;
        self.columns[place]
    }

    fn columns(&self, options: &Options) -> Result<Columns, String> {
        let dates = |field| Dates::of(self.table, self.column(field), options);
        let (amount, currency) = (self.column("amount"), self.column("currency"));
        Ok(Columns {
            amounts: Amounts::of(self.table, amount, currency, options)?,
            close_date: dates("close_date")?,
            effective_at: dates("effective_at")?,
            closed_at: dates("closed_at")?,
            said_at: dates("said_at")?,
        })
    }

    fn writes(
        &self,
        reading: &mut Reading<'_>,
        columns: &Columns,
        effective_at: Option<Timestamp>,
        options: &Options,
    ) -> Vec<(Timestamp, Write)> {
        let Some(deal_column) = self.column("deal_id") else {
            return Vec::new();
        };
        let deal_id = writes::id(reading.needed(deal_column));
        let Some(at) = reading.moment(columns.effective_at).or(effective_at) else {
            let why =
                "from when on this holds is not said: map effective_at, or give --effective-at";
            reading.fault(self.column("effective_at"), why);
            return Vec::new();
        };
        let text = |reading: &Reading<'_>, field| writes::name(reading.text(self.column(field)));
        let closes = reading.when(columns.close_date);
        let facts = pb::Deal {
            deal_id: deal_id.clone(),
            name: text(reading, "name"),
            account: text(reading, "account"),
            owner: text(reading, "owner"),
            amount: reading.amount(&columns.amounts),
            seller_stage: text(reading, "seller_stage"),
            close_date: closes.map(|when| when.date().to_string()),
            effective_at: None,
        };
        let mut writes = vec![writes::deal(at, facts)];

        let person = writes::id(reading.text(self.column("stakeholder_id")));
        if !person.is_empty() {
            let stakeholder = pb::Stakeholder {
                stakeholder_id: person.clone(),
                display_name: text(reading, "display_name"),
                title: text(reading, "title"),
                roles: words::roles(reading.text(self.column("roles"))),
                ..pb::Stakeholder::default()
            };
            writes.push(writes::stakeholder(at, &deal_id, stakeholder));
        }
        let closed_at = reading
            .moment(columns.closed_at)
            .or_else(|| closes.and_then(|when| when.moment()));
        if let Some(outcome) = self.outcome(reading, options) {
            let reason = reading.text(self.column("reason"));
            writes.push(writes::outcome(
                closed_at.unwrap_or(at),
                &deal_id,
                outcome,
                reason,
            ));
        }
        writes.extend(self.said(reading, columns, &deal_id, &person));
        writes
    }

    fn outcome(&self, reading: &mut Reading<'_>, options: &Options) -> Option<pb::Outcome> {
        let column = self.column("outcome");
        let ended = reading.text(column).to_lowercase();
        // Before `won`: a deal may be lost to somebody who won it.
        if ended.contains("lost") {
            let reason = words::lost_to(reading.text(self.column("reason")));
            let lost_to = reason.or_else(|| words::lost_to(&ended));
            return Some(lost_to.unwrap_or(options.lost_to));
        }
        if ended.contains("won") {
            return Some(pb::Outcome::Won);
        }
        // The column may hold stages: what names no end is one.
        let outcome = words::end(&ended);
        if outcome.is_none() && words::is_vague_end(&ended) {
            let why = format!("must say won, lost, no decision or disqualified, got `{ended}`");
            reading.fault(column, &why);
        }
        outcome
    }

    fn said(
        &self,
        reading: &mut Reading<'_>,
        columns: &Columns,
        deal_id: &str,
        person: &str,
    ) -> Vec<(Timestamp, Write)> {
        let quote = reading.text(self.column("quote"));
        if quote.is_empty() {
            return Vec::new();
        }
        let statement_id = writes::id(reading.text(self.column("statement_id")));
        if statement_id.is_empty() {
            let why = "must be set where a quote is, so that importing again changes nothing";
            reading.fault(self.column("statement_id"), why);
        }
        let attribution = self.column("attribution");
        let attribution = match reading.text(attribution).to_lowercase().as_str() {
            "verbatim" => pb::Attribution::Verbatim,
            "paraphrased" => pb::Attribution::Paraphrased,
            "inferred" => pb::Attribution::Inferred,
            // Notes are somebody's own words for what was said.
            "" if !person.is_empty() => pb::Attribution::Paraphrased,
            "" => pb::Attribution::Inferred,
            other => {
                let why = format!("must be verbatim, paraphrased or inferred, got `{other}`");
                reading.fault(attribution, &why);
                return Vec::new();
            }
        };
        let Some(said_at) = reading.moment(columns.said_at) else {
            reading.fault(self.column("said_at"), "must be set where a quote is");
            return Vec::new();
        };
        let statement = pb::BuyerStatement {
            statement_id,
            deal_id: deal_id.to_owned(),
            speaker: (!person.is_empty()).then(|| pb::Speaker {
                stakeholder_id: person.to_owned(),
                ..pb::Speaker::default()
            }),
            attribution: attribution.into(),
            ..pb::BuyerStatement::default()
        };
        writes::statements(said_at, &statement, quote)
    }
}
