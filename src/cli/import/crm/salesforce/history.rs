//! What the seller changed, and when: stage, close date and amount, each from the moment it was set.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Amounts;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::salesforce::Export;
use crate::cli::import::crm::salesforce::Known;
use crate::cli::import::crm::writes;
use crate::wire::pb;

/// Reads both forms of the history of deals.
///
/// # Errors
///
/// A table lacks a column that must be there, or contradicts itself as a whole.
pub fn read(export: &Export<'_>, book: &mut Book) -> Result<(), String> {
    export.history(book)?;
    export.field_history(book)
}

impl Export<'_> {
    fn history(&self, book: &mut Book) -> Result<(), String> {
        let Some(table) = self.table("OpportunityHistory") else {
            return Ok(());
        };
        let deal = table.needed(&["OpportunityId"])?;
        table.needed(&["CreatedDate"])?;
        let created = Dates::named(table, &["CreatedDate"], self.options)?;
        let close_date = Dates::named(table, &["CloseDate"], self.options)?;
        let currency = table.column(&["CurrencyIsoCode"]);
        let amounts = Amounts::of(table, table.column(&["Amount"]), currency, self.options)?;
        let [stage, deleted] = ["StageName", "IsDeleted"].map(|name| table.column(&[name]));

        book.read(table, |row| {
            self.judge(table, row, deal, deleted, |reading, known| {
                let at = reading.moment(created);
                if at.is_none() {
                    reading.fault(table.column(&["CreatedDate"]), "must be set");
                }
                let facts = pb::Deal {
                    deal_id: known.id.clone(),
                    amount: reading.amount(&amounts),
                    seller_stage: writes::name(reading.text(stage)),
                    close_date: reading.date(close_date),
                    ..pb::Deal::default()
                };
                at.map(|at| writes::deal(at, facts)).into_iter().collect()
            })
        });
        Ok(())
    }

    fn field_history(&self, book: &mut Book) -> Result<(), String> {
        let Some(table) = self.table("OpportunityFieldHistory") else {
            return Ok(());
        };
        let deal = table.needed(&["OpportunityId"])?;
        let field = table.needed(&["Field"])?;
        table.needed(&["CreatedDate"])?;
        let created = Dates::named(table, &["CreatedDate"], self.options)?;
        let [old, new] = ["OldValue", "NewValue"].map(|name| table.column(&[name]));
        let close_dates = [
            Dates::of(table, old, self.options)?,
            Dates::of(table, new, self.options)?,
        ];
        let deleted = table.column(&["IsDeleted"]);
        // Of each field of a deal the first change tells also what it was before.
        let mut first: HashMap<(String, String), Timestamp> = HashMap::new();
        for row in &table.rows {
            if let Some(at) = Reading::of(table, row).moment(created) {
                let changed = (
                    row.cell(Some(deal)).to_owned(),
                    row.cell(Some(field)).to_owned(),
                );
                let earliest = first.entry(changed).or_insert(at);
                *earliest = at.min(*earliest);
            }
        }

        book.read(table, |row| {
            let name = row.cell(Some(field));
            if !matches!(name, "StageName" | "CloseDate" | "Amount") {
                return Verdict::Skipped("of another field");
            }
            self.judge(table, row, deal, deleted, |reading, known| {
                let Some(at) = reading.moment(created) else {
                    reading.fault(table.column(&["CreatedDate"]), "must be set");
                    return Vec::new();
                };
                let mut writes = Vec::new();
                let changed = (row.cell(Some(deal)).to_owned(), name.to_owned());
                let founds = first.get(&changed) == Some(&at) && known.created_at < at;
                if founds && let Some(was) = self.field(reading, known, name, (old, close_dates[0]))
                {
                    writes.push(writes::deal(known.created_at, was));
                }
                if let Some(is) = self.field(reading, known, name, (new, close_dates[1])) {
                    writes.push(writes::deal(at, is));
                }
                writes
            })
        });
        Ok(())
    }

    /// The one fact of a field that was changed.
    fn field(
        &self,
        reading: &mut Reading<'_>,
        known: &Known,
        name: &str,
        (value, dates): (Option<usize>, Dates),
    ) -> Option<pb::Deal> {
        if reading.text(value).is_empty() {
            return None;
        }
        let mut facts = pb::Deal {
            deal_id: known.id.clone(),
            ..pb::Deal::default()
        };
        match name {
            "StageName" => facts.seller_stage = writes::name(reading.text(value)),
            "CloseDate" => facts.close_date = reading.date(dates),
            _ => facts.amount = reading.amount(&Amounts::in_one(value, self.options)),
        }
        Some(facts)
    }
}
