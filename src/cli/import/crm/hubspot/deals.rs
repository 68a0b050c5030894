//! The deals themselves, with the stages that they came into.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Ids;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::cell::When;
use crate::cli::import::crm::hubspot::RECORD_ID;
use crate::cli::import::crm::reading::Amounts;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Options;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::table::Table;
use crate::cli::import::crm::words;
use crate::cli::import::crm::writes;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// Columns with when a deal came into a stage: `Date entered "Proposal (Sales Pipeline)"`.
const ENTERED: &str = "date entered ";

/// The columns of a deal.
struct Columns {
    id: usize,
    name: Option<usize>,
    account: Option<usize>,
    owner: Option<usize>,
    stage: Option<usize>,
    reason: Option<usize>,
    is_won: Option<usize>,
    is_lost: Option<usize>,
    amounts: Amounts,
    created: Dates,
    close_date: Dates,
    modified: Dates,
    /// When it came into a stage, by the stage's name.
    entered: Vec<(String, Dates)>,
}

/// A deal's row, read.
struct Told<'a> {
    facts: pb::Deal,
    created_at: Option<Timestamp>,
    modified_at: Option<Timestamp>,
    closes: Option<When>,
    /// Oldest first.
    stages: Vec<(Timestamp, &'a str)>,
    stage: &'a str,
    reason: &'a str,
    won: bool,
    lost: bool,
}

/// Reads a table of deals; `known` learns them with the moment each was created.
///
/// # Errors
///
/// It lacks a column that must be there, or contradicts itself as a whole.
pub fn read(
    table: &Table,
    options: &Options,
    known: &mut HashMap<String, Timestamp>,
    book: &mut Book,
) -> Result<(), String> {
    table.needed(&["Create Date"])?;
    let columns = Columns::of(table, options)?;
    let mut ids = Ids::default();
    book.read(table, |row| {
        let mut reading = Reading::of(table, row);
        let told = columns.told(&mut reading);
        if told.created_at.is_none() {
            reading.fault(table.column(&["Create Date"]), "must be set");
        }
        if let Err(wrong) = reading.end() {
            return wrong;
        }
        let Some(created_at) = told.created_at else {
            return Verdict::Skipped("without a creation date");
        };
        let deal_id = &told.facts.deal_id;
        if let Err(verdict) = ids.take(table, row, deal_id, table.title(columns.id)) {
            return verdict;
        }
        known.insert(deal_id.clone(), created_at);
        Verdict::Taken(told.writes(created_at, options))
    });
    Ok(())
}

impl Columns {
    fn of(table: &Table, options: &Options) -> Result<Columns, String> {
        let column = |name| table.column(&[name]);
        Ok(Columns {
            id: table.needed(&RECORD_ID)?,
            name: column("Deal Name"),
            account: table.column(&[
                "Associated Company",
                "Associated Company (Primary)",
                "Primary Associated Company",
                "Company Name",
            ]),
            owner: column("Deal owner"),
            stage: column("Deal Stage"),
            reason: column("Closed Lost Reason"),
            is_won: column("Is Closed Won"),
            is_lost: column("Is Closed Lost"),
            amounts: Amounts::of(table, column("Amount"), column("Currency"), options)?,
            created: Dates::named(table, &["Create Date"], options)?,
            close_date: Dates::named(table, &["Close Date"], options)?,
            modified: Dates::named(table, &["Last Modified Date"], options)?,
            entered: entered(table, options)?,
        })
    }

    fn told<'a>(&'a self, reading: &mut Reading<'a>) -> Told<'a> {
        let closes = reading.when(self.close_date);
        let mut stages: Vec<(Timestamp, &str)> = Vec::new();
        for (title, dates) in &self.entered {
            stages.extend(reading.moment(*dates).map(|at| (at, title.as_str())));
        }
        stages.sort();
        let stage = reading.text(self.stage);
        let says = |word: &str| stage.to_lowercase().replace(' ', "").contains(word);
        Told {
            facts: pb::Deal {
                deal_id: writes::id(reading.needed(self.id)),
                name: writes::name(reading.text(self.name)),
                account: writes::name(reading.text(self.account)),
                owner: writes::name(reading.text(self.owner)),
                amount: reading.amount(&self.amounts),
                close_date: closes.map(|when| when.date().to_string()),
                ..pb::Deal::default()
            },
            created_at: reading.moment(self.created),
            modified_at: reading.moment(self.modified),
            closes,
            stages,
            stage,
            reason: reading.text(self.reason),
            won: reading.is_yes(self.is_won) || says("closedwon"),
            lost: reading.is_yes(self.is_lost) || says("closedlost"),
        }
    }
}

impl Told<'_> {
    fn writes(self, created_at: Timestamp, options: &Options) -> Vec<(Timestamp, Write)> {
        let deal_id = self.facts.deal_id.clone();
        let staged = |at, stage: &str| {
            let facts = pb::Deal {
                deal_id: deal_id.clone(),
                seller_stage: writes::name(stage),
                ..pb::Deal::default()
            };
            writes::deal(at, facts)
        };
        let mut taken = vec![writes::deal(created_at, self.facts)];
        taken.extend(self.stages.iter().map(|(at, stage)| staged(*at, stage)));
        let last = self.stages.last();
        let is_new = last.is_none_or(|(_, last)| !last.eq_ignore_ascii_case(self.stage));
        if !self.stage.is_empty() && is_new {
            let at = last.map(|(at, _)| *at).or(self.modified_at);
            taken.push(staged(at.unwrap_or(created_at), self.stage));
        }
        if self.won || self.lost {
            let closed_at = self.closes.and_then(When::moment);
            let changed_at = last.map(|(at, _)| *at).or(self.modified_at);
            let closed_at = closed_at.or(changed_at).unwrap_or(created_at);
            let outcome = match self.won {
                true => pb::Outcome::Won,
                false => words::lost_to(self.reason).unwrap_or(options.lost_to),
            };
            taken.push(writes::outcome(closed_at, &deal_id, outcome, self.reason));
        }
        taken
    }
}

/// The columns that tell when a deal came into a stage, by the stage's name.
fn entered(table: &Table, options: &Options) -> Result<Vec<(String, Dates)>, String> {
    let mut found = Vec::new();
    for (column, title) in table.header() {
        let head = title.get(..ENTERED.len()).unwrap_or_default();
        if !head.eq_ignore_ascii_case(ENTERED) {
            continue;
        }
        let stage = title[ENTERED.len()..].trim_matches(['"', '\'', ' ']);
        // The pipeline's name follows in brackets.
        let stage = stage.split(" (").next().unwrap_or(stage).to_owned();
        found.push((stage, Dates::of(table, Some(column), options)?));
    }
    Ok(found)
}
