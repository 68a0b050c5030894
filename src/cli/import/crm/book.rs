//! What an import makes of its tables: writes in the order of what they tell, and an account of every row.
//!
//! Every row is taken, skipped for a reason, or wrong at a named column; there is no fourth way.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use jiff::Timestamp;

use crate::cli::import::crm::merge;
use crate::cli::import::crm::merge::Subject;
use crate::cli::import::crm::merge::subject;
use crate::cli::import::crm::table::Row;
use crate::cli::import::crm::table::Table;
use crate::cli::ndjson;
use crate::cli::view::count;
use crate::wire::pb::write::Write;

/// Faults told of one file; the rest is counted.
const FAULTS_TOLD_MAX: usize = 50;

/// A write, and the row it comes from.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it tells was so from then on.
    pub at: Timestamp,
    pub write: Write,
    pub place: Place,
}

/// A row of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: u16,
    pub line: u32,
}

/// What becomes of a row.
#[derive(Debug)]
pub enum Verdict {
    /// What it tells; empty where another row told it already.
    Taken(Vec<(Timestamp, Write)>),
    /// Why it is left out.
    Skipped(&'static str),
    /// `COLUMN: what is allowed`, each.
    Wrong(Vec<String>),
}

/// All that is to be sent, and what became of the rows.
#[derive(Debug, Default)]
pub struct Book {
    entries: Vec<Entry>,
    files: Vec<File>,
}

/// Why words are left out that the service would refuse.
const LATE: &str = "said after the deal was closed";

/// What became of the rows of one file.
#[derive(Debug)]
pub struct File {
    name: String,
    rows: usize,
    taken: usize,
    skipped: BTreeMap<&'static str, usize>,
    /// Statements of rows that are taken for something else that they tell.
    late: usize,
    faults: Vec<String>,
    wrong: usize,
}

impl Book {
    /// Takes in the rows of a table, each judged by itself.
    pub fn read(&mut self, table: &Table, mut judge: impl FnMut(&Row) -> Verdict) {
        let file = u16::try_from(self.files.len()).expect("fewer files than a command line holds");
        let mut account = File {
            name: table.name.clone(),
            rows: table.rows.len() + table.faults.len(),
            taken: 0,
            skipped: BTreeMap::new(),
            late: 0,
            faults: table.faults.clone(),
            wrong: table.faults.len(),
        };
        for row in &table.rows {
            match judge(row) {
                Verdict::Taken(writes) => {
                    account.taken += 1;
                    let line = row.line;
                    let place = Place { file, line };
                    let entries = writes.into_iter();
                    self.entries
                        .extend(entries.map(|(at, write)| Entry { at, write, place }));
                }
                Verdict::Skipped(why) => *account.skipped.entry(why).or_default() += 1,
                Verdict::Wrong(faults) => {
                    account.wrong += 1;
                    let at = |fault| format!("{}:{}: {fault}", table.name, row.line);
                    account.faults.extend(faults.into_iter().map(at));
                }
            }
        }
        self.files.push(account);
    }

    /// The writes by the time of what they tell, so that a history reads as it went.
    ///
    /// What rows tell of one deal or person for one moment is one write, in which the later row holds: several would each
    /// be recorded anew by every import.
    pub fn entries(&mut self) -> &[Entry] {
        self.leave_out_what_is_late();
        self.entries.sort_by_key(|entry| (entry.at, entry.place));
        let mut merged: Vec<Entry> = Vec::with_capacity(self.entries.len());
        let mut placed: HashMap<Subject, usize> = HashMap::new();
        for entry in self.entries.drain(..) {
            if merged.last().is_some_and(|last| last.at != entry.at) {
                placed.clear();
            }
            let Some(subject) = subject(&entry.write) else {
                merged.push(entry);
                continue;
            };
            match placed.entry(subject) {
                MapEntry::Occupied(place) => {
                    merge::into(&mut merged[*place.get()].write, entry.write);
                }
                MapEntry::Vacant(place) => {
                    place.insert(merged.len());
                    merged.push(entry);
                }
            }
        }
        self.entries = merged;
        &self.entries
    }

    /// Words said after their deal was closed are refused by the service, and would hold up all that comes after them.
    fn leave_out_what_is_late(&mut self) {
        let mut closed: HashMap<String, Timestamp> = HashMap::new();
        for entry in &self.entries {
            if let Write::RecordOutcome(_) = &entry.write {
                let deal = ndjson::deal_id(&entry.write).to_owned();
                let at = closed.entry(deal).or_insert(entry.at);
                *at = entry.at.max(*at);
            }
        }
        let is_late = |entry: &Entry| {
            let closed = closed.get(ndjson::deal_id(&entry.write));
            matches!(entry.write, Write::RecordBuyerStatement(_))
                && closed.is_some_and(|closed| *closed < entry.at)
        };
        let (late, kept): (Vec<Entry>, Vec<Entry>) = self.entries.drain(..).partition(is_late);
        self.entries = kept;
        let told: BTreeSet<Place> = self.entries.iter().map(|entry| entry.place).collect();
        let late: BTreeSet<Place> = late.iter().map(|entry| entry.place).collect();
        for place in late {
            let file = &mut self.files[usize::from(place.file)];
            if told.contains(&place) {
                file.late += 1;
            } else {
                file.taken -= 1;
                *file.skipped.entry(LATE).or_default() += 1;
            }
        }
    }

    /// Rows that are wrong.
    pub fn wrong(&self) -> usize {
        self.files.iter().map(|file| file.wrong).sum()
    }

    /// What is wrong, as `FILE:LINE: COLUMN: what is allowed`.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        self.files.iter().flat_map(|file| {
            let told = file.faults.iter().take(FAULTS_TOLD_MAX).cloned();
            let more = file.faults.len().saturating_sub(FAULTS_TOLD_MAX);
            let rest = (more > 0).then(|| format!("{}: and {more} more", file.name));
            told.chain(rest)
        })
    }

    /// The names of the files, in the order of [`Place::file`].
    pub fn files(&self) -> Vec<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// What became of the rows and what is to be sent, for people.
    pub fn told(&mut self) -> String {
        self.entries();
        let mut text = String::new();
        for file in &self.files {
            text.push_str(&file.told());
        }
        let mut deals: Vec<&str> = self
            .entries
            .iter()
            .map(|entry| ndjson::deal_id(&entry.write))
            .collect();
        deals.sort_unstable();
        deals.dedup();
        let is_statement = |entry: &&Entry| matches!(entry.write, Write::RecordBuyerStatement(_));
        let statements = self.entries.iter().filter(is_statement).count();
        text.push_str(&format!(
            "{} of {}, {} among them\n",
            count(self.entries.len(), "write"),
            count(deals.len(), "deal"),
            count(statements, "statement"),
        ));
        text
    }
}

impl File {
    fn told(&self) -> String {
        let mut text = format!(
            "{}: {}, {} taken",
            self.name,
            count(self.rows, "row"),
            self.taken
        );
        for (why, rows) in &self.skipped {
            text.push_str(&format!(", {rows} skipped ({why})"));
        }
        if self.late > 0 {
            let statements = count(self.late, "statement");
            text.push_str(&format!(", {statements} left out ({LATE})"));
        }
        if self.wrong > 0 {
            text.push_str(&format!(", {} wrong", self.wrong));
        }
        text + "\n"
    }
}

/// Rows by an id of theirs, where an id may come only once.
#[derive(Debug, Default)]
pub struct Ids(HashMap<String, usize>);

impl Ids {
    /// Whether the id of a row is a new one.
    ///
    /// # Errors
    ///
    /// [`Verdict::Skipped`] for a row that says again what another said; [`Verdict::Wrong`] for one that says something
    /// else.
    pub fn take(
        &mut self,
        table: &Table,
        row: &Row,
        id: &str,
        column: &str,
    ) -> Result<(), Verdict> {
        let place = table
            .rows
            .binary_search_by_key(&row.line, |row| row.line)
            .expect("the row is one of the table's");
        let Some(before) = self.0.insert(id.to_owned(), place) else {
            return Ok(());
        };
        self.0.insert(id.to_owned(), before);
        let twin = &table.rows[before];
        if twin.is_twin_of(row) {
            return Err(Verdict::Skipped("there twice"));
        }
        let line = twin.line;
        let fault =
            format!("{column}: `{id}` is there already, in line {line}, and says something else");
        Err(Verdict::Wrong(vec![fault]))
    }
}
