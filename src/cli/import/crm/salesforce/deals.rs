//! The deals themselves: what they are since they were created, what holds now, and how they ended.

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Ids;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Amounts;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::salesforce::Export;
use crate::cli::import::crm::table::Row;
use crate::cli::import::crm::table::Table;
use crate::cli::import::crm::words;
use crate::cli::import::crm::writes;
use crate::wire::pb;

/// Columns in which companies keep why a deal was lost.
const LOST_REASONS: [&str; 6] = [
    "Loss_Reason__c",
    "Lost_Reason__c",
    "Closed_Lost_Reason__c",
    "Reason_Lost__c",
    "Reason_for_Loss__c",
    "LossReason",
];

/// The columns of a deal.
struct Columns {
    id: usize,
    name: Option<usize>,
    account: Option<usize>,
    owner: Option<usize>,
    stage: Option<usize>,
    deleted: Option<usize>,
    closed: Option<usize>,
    won: Option<usize>,
    reason: Option<usize>,
    amounts: Amounts,
    close_date: Dates,
    created: Dates,
    modified: Dates,
    staged: Dates,
}

/// A deal's row, read.
struct Told<'a> {
    /// What it is since it was created.
    founding: pb::Deal,
    /// What the seller may have changed since.
    current: pb::Deal,
    created_at: Option<Timestamp>,
    modified_at: Option<Timestamp>,
    staged_at: Option<Timestamp>,
    is_closed: bool,
    is_won: bool,
    reason: &'a str,
}

/// Reads the table of deals.
///
/// # Errors
///
/// It lacks a column that must be there, or contradicts itself as a whole.
pub fn read(export: &Export<'_>, table: &Table, book: &mut Book) -> Result<(), String> {
    let columns = Columns::of(export, table)?;
    let mut ids = Ids::default();
    book.read(table, |row| {
        let mut reading = Reading::of(table, row);
        if reading.is_yes(columns.deleted) {
            return Verdict::Skipped("deleted");
        }
        let told = columns.told(export, &mut reading);
        if told.created_at.is_none() {
            reading.fault(table.column(&["CreatedDate"]), "must be set");
        }
        if let Err(wrong) = reading.end() {
            return wrong;
        }
        export.deal_row(table, row, &mut ids, told)
    });
    Ok(())
}

impl Columns {
    fn of(export: &Export<'_>, table: &Table) -> Result<Columns, String> {
        let options = export.options;
        let column = |name| table.column(&[name]);
        let currency = column("CurrencyIsoCode");
        Ok(Columns {
            id: table.needed(&["Id"])?,
            name: column("Name"),
            account: column("AccountId"),
            owner: column("OwnerId"),
            stage: column("StageName"),
            deleted: column("IsDeleted"),
            closed: column("IsClosed"),
            won: column("IsWon"),
            reason: table.column(&LOST_REASONS),
            amounts: Amounts::of(table, column("Amount"), currency, options)?,
            close_date: Dates::named(table, &["CloseDate"], options)?,
            created: Dates::named(table, &["CreatedDate"], options)?,
            modified: Dates::named(table, &["LastModifiedDate", "SystemModstamp"], options)?,
            staged: Dates::named(table, &["LastStageChangeDate"], options)?,
        })
    }

    fn told<'a>(&self, export: &Export<'_>, reading: &mut Reading<'a>) -> Told<'a> {
        let deal_id = writes::id(reading.needed(self.id));
        Told {
            founding: pb::Deal {
                deal_id: deal_id.clone(),
                name: writes::name(reading.text(self.name)),
                account: export.named(reading.text(self.account)),
                owner: export.named(reading.text(self.owner)),
                ..pb::Deal::default()
            },
            current: pb::Deal {
                deal_id,
                amount: reading.amount(&self.amounts),
                seller_stage: writes::name(reading.text(self.stage)),
                close_date: reading.date(self.close_date),
                ..pb::Deal::default()
            },
            created_at: reading.moment(self.created),
            modified_at: reading.moment(self.modified),
            staged_at: reading.moment(self.staged),
            is_closed: reading.is_yes(self.closed),
            is_won: reading.is_yes(self.won),
            reason: reading.text(self.reason),
        }
    }
}

impl Export<'_> {
    fn deal_row(&self, table: &Table, row: &Row, ids: &mut Ids, told: Told<'_>) -> Verdict {
        let Some(created_at) = told.created_at else {
            return Verdict::Skipped("without a creation date");
        };
        let deal_id = told.founding.deal_id.clone();
        if let Err(verdict) = ids.take(table, row, &deal_id, "Id") {
            return verdict;
        }

        let stages = self.deal(&deal_id).map_or(&[][..], |known| &known.stages);
        // What holds now came with the last change that is known.
        let current_at = match stages.last() {
            Some((last, _)) => told.modified_at.unwrap_or(created_at).max(*last),
            None => told.staged_at.unwrap_or(created_at),
        };
        let mut taken = vec![
            writes::deal(created_at, told.founding),
            writes::deal(current_at.max(created_at), told.current),
        ];
        if told.is_closed {
            let closed_at = told.staged_at.or_else(|| set_last(stages));
            let outcome = match told.is_won {
                true => pb::Outcome::Won,
                false => words::lost_to(told.reason).unwrap_or(self.options.lost_to),
            };
            let closed_at = closed_at.unwrap_or(current_at);
            taken.push(writes::outcome(closed_at, &deal_id, outcome, told.reason));
        }
        Verdict::Taken(taken)
    }
}

/// When the last stage was set.
fn set_last(stages: &[(Timestamp, String)]) -> Option<Timestamp> {
    let (_, last) = stages.last()?;
    let same = stages.iter().rev().take_while(|(_, stage)| stage == last);
    same.last().map(|(at, _)| *at)
}
