//! A row while it is read: each cell by its column, and all that is wrong with it at once.

use jiff::Timestamp;

use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::cell;
use crate::cli::import::crm::cell::DayOrder;
use crate::cli::import::crm::cell::When;
use crate::cli::import::crm::table::Row;
use crate::cli::import::crm::table::Table;
use crate::wire::pb;

/// What the command line says about all files of an import.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of amounts whose row names none.
    pub currency: Option<String>,
    /// The order of day and month where the cells of a column do not tell.
    pub dates: Option<DayOrder>,
    /// What a lost deal was lost to when the export does not say.
    pub lost_to: pb::Outcome,
    pub now: Timestamp,
}

/// A column of dates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dates {
    column: Option<usize>,
    order: Option<DayOrder>,
}

/// A column of amounts, and what they are in.
#[derive(Clone, Debug, Default)]
pub struct Amounts {
    column: Option<usize>,
    currency_column: Option<usize>,
    currency: Option<String>,
}

/// One row.
pub struct Reading<'a> {
    table: &'a Table,
    row: &'a Row,
    faults: Vec<String>,
}

impl Dates {
    /// # Errors
    ///
    /// The cells of the column contradict each other.
    pub fn of(table: &Table, column: Option<usize>, options: &Options) -> Result<Dates, String> {
        let told = cell::day_order(table, column)?;
        Ok(Dates {
            column,
            order: told.or(options.dates),
        })
    }

    /// As [`Dates::of`], by the names of the column.
    ///
    /// # Errors
    ///
    /// The cells of the column contradict each other.
    pub fn named(table: &Table, names: &[&str], options: &Options) -> Result<Dates, String> {
        Dates::of(table, table.column(names), options)
    }
}

impl Amounts {
    /// # Errors
    ///
    /// There are amounts, and neither a column of currencies nor `--currency`.
    pub fn of(
        table: &Table,
        column: Option<usize>,
        currency_column: Option<usize>,
        options: &Options,
    ) -> Result<Amounts, String> {
        let mut rows = table.rows.iter();
        let filled = rows.find(|row| !row.cell(column).is_empty());
        if let (Some(row), Some(column), None, None) =
            (filled, column, currency_column, &options.currency)
        {
            return Err(format!(
                "{}:{}: {}: amounts have no currency here: give one, such as --currency EUR",
                table.name,
                row.line,
                table.title(column)
            ));
        }
        Ok(Amounts {
            column,
            currency_column,
            currency: options.currency.clone(),
        })
    }
}

impl Amounts {
    /// Of a column that holds amounts in some of its rows only.
    pub fn in_one(column: Option<usize>, options: &Options) -> Amounts {
        Amounts {
            column,
            currency_column: None,
            currency: options.currency.clone(),
        }
    }
}

impl<'a> Reading<'a> {
    pub fn of(table: &'a Table, row: &'a Row) -> Reading<'a> {
        Reading {
            table,
            row,
            faults: Vec::new(),
        }
    }

    pub fn text(&self, column: Option<usize>) -> &'a str {
        self.row.cell(column)
    }

    /// A cell that must be filled.
    pub fn needed(&mut self, column: usize) -> &'a str {
        let text = self.row.cell(Some(column));
        if text.is_empty() {
            self.fault(Some(column), "must be set");
        }
        text
    }

    /// `None` where the cell is empty, or wrong, which is remembered.
    pub fn when(&mut self, dates: Dates) -> Option<When> {
        let text = self.row.cell(dates.column);
        if text.is_empty() {
            return None;
        }
        cell::when(text, dates.order)
            .map_err(|why| self.fault(dates.column, &why))
            .ok()
    }

    /// As [`Reading::when`], as a moment.
    pub fn moment(&mut self, dates: Dates) -> Option<Timestamp> {
        self.when(dates)?.moment()
    }

    /// As [`Reading::when`], as `YYYY-MM-DD`.
    pub fn date(&mut self, dates: Dates) -> Option<String> {
        Some(self.when(dates)?.date().to_string())
    }

    pub fn amount(&mut self, amounts: &Amounts) -> Option<pb::Money> {
        let text = self.row.cell(amounts.column);
        if text.is_empty() {
            return None;
        }
        let named = self.row.cell(amounts.currency_column).to_ascii_uppercase();
        let currency = match (named.as_str(), &amounts.currency) {
            ("", Some(currency)) => currency.clone(),
            _ => named,
        };
        if currency.len() != 3 {
            let column = amounts.currency_column.or(amounts.column);
            self.fault(column, "must be a currency of three letters, such as EUR");
            return None;
        }
        cell::amount(text, &currency)
            .map_err(|why| self.fault(amounts.column, &why))
            .ok()
    }

    pub fn is_yes(&mut self, column: Option<usize>) -> bool {
        cell::is_yes(self.row.cell(column)).unwrap_or_else(|why| {
            self.fault(column, &why);
            false
        })
    }

    pub fn fault(&mut self, column: Option<usize>, why: &str) {
        let title = column.map_or("row", |column| self.table.title(column));
        self.faults.push(format!("{title}: {why}"));
    }

    /// What is wrong, if anything is.
    ///
    /// # Errors
    ///
    /// [`Verdict::Wrong`] with everything that is.
    pub fn end(self) -> Result<(), Verdict> {
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(Verdict::Wrong(self.faults)),
        }
    }
}
