//! A data export of Salesforce: deals with the history of their stages and dates, people with their roles, and notes.
//!
//! | file | becomes |
//! | --- | --- |
//! | `Opportunity` | the deal, from its creation on; an outcome when it is closed |
//! | `OpportunityHistory`, `OpportunityFieldHistory` | stage, close date and amount, each from the moment it was set |
//! | `OpportunityContactRole`, with `Contact` | people and their roles |
//! | `Task`, `Event`, `EmailMessage` | statements (`salesforce/notes.rs`) |
//! | `Account`, `User` | names for their ids |

mod deals;
mod history;
mod notes;

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Options;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::table::Row;
use crate::cli::import::crm::table::Table;
use crate::cli::import::crm::words;
use crate::cli::import::crm::writes;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// The files that are read; others of an export are left alone.
pub const FILES: [&str; 10] = [
    "Opportunity",
    "OpportunityHistory",
    "OpportunityFieldHistory",
    "OpportunityContactRole",
    "Contact",
    "Account",
    "User",
    "Task",
    "Event",
    "EmailMessage",
];

/// An id has 15 letters that tell, and sometimes 3 that only check them.
const ID_LETTERS: usize = 15;

/// What is known of deals and people before their rows are judged.
struct Export<'a> {
    tables: &'a [Table],
    options: &'a Options,
    deals: HashMap<String, Known>,
    contacts: HashMap<String, Contact>,
    /// By the address they write from; of several the first in the file.
    senders: HashMap<String, String>,
    names: HashMap<String, String>,
}

/// A deal, as its own row and its history know it.
struct Known {
    id: String,
    created_at: Timestamp,
    /// Stages with the moment each was set, oldest first.
    stages: Vec<(Timestamp, String)>,
}

/// A role, and since when it is held where that is said.
type HeldSince<'a> = (Option<Timestamp>, &'a str);

/// A person.
struct Contact {
    id: String,
    name: String,
    title: String,
}

/// Reads an export.
///
/// # Errors
///
/// A table lacks a column that must be there, or contradicts itself as a whole.
pub fn read(tables: &[Table], options: &Options) -> Result<Book, String> {
    let mut export = Export {
        tables,
        options,
        deals: HashMap::new(),
        contacts: HashMap::new(),
        senders: HashMap::new(),
        names: HashMap::new(),
    };
    for file in FILES {
        if 1 < tables.iter().filter(|table| is(table, file)).count() {
            return Err(format!(
                "there is more than one {file}.csv among the files: put their rows into one"
            ));
        }
    }
    let Some(opportunities) = export.table("Opportunity") else {
        return Err("there is no Opportunity.csv among the files".to_owned());
    };
    export.learn_names();
    export.learn_contacts()?;
    export.learn_deals(opportunities)?;
    export.learn_stages()?;

    let mut book = Book::default();
    // What a deal's own row says holds now, and so comes after its history.
    history::read(&export, &mut book)?;
    deals::read(&export, opportunities, &mut book)?;
    export.roles(&mut book)?;
    notes::read(&export, &mut book)?;
    Ok(book)
}

/// Whether it is the file of that name; case does not count.
fn is(table: &Table, name: &str) -> bool {
    let stem = Path::new(&table.name).file_stem();
    stem.is_some_and(|stem| stem.eq_ignore_ascii_case(name))
}

impl<'a> Export<'a> {
    fn table(&self, name: &str) -> Option<&'a Table> {
        self.tables.iter().find(|table| is(table, name))
    }

    fn deal(&self, id: &str) -> Option<&Known> {
        self.deals.get(key(id))
    }

    fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.get(key(id))
    }

    fn learn_names(&mut self) {
        for name in ["Account", "User"] {
            let Some(table) = self.table(name) else {
                continue;
            };
            let (id, name) = (table.column(&["Id"]), table.column(&["Name"]));
            let (first, last) = (table.column(&["FirstName"]), table.column(&["LastName"]));
            for row in &table.rows {
                let named = match row.cell(name) {
                    "" => format!("{} {}", row.cell(first), row.cell(last)),
                    name => name.to_owned(),
                };
                self.names
                    .insert(key(row.cell(id)).to_owned(), named.trim().to_owned());
            }
        }
    }

    fn learn_contacts(&mut self) -> Result<(), String> {
        let Some(table) = self.table("Contact") else {
            return Ok(());
        };
        let id = table.needed(&["Id"])?;
        let [name, first, last, title, email] =
            ["Name", "FirstName", "LastName", "Title", "Email"].map(|name| table.column(&[name]));
        for row in &table.rows {
            let named = match row.cell(name) {
                "" => format!("{} {}", row.cell(first), row.cell(last)),
                name => name.to_owned(),
            };
            let contact = Contact {
                id: row.cell(Some(id)).to_owned(),
                name: named,
                title: row.cell(title).to_owned(),
            };
            let email = row.cell(email).to_lowercase();
            if !email.is_empty() {
                let sender = self.senders.entry(email);
                sender.or_insert_with(|| contact.id.clone());
            }
            self.contacts.insert(key(&contact.id).to_owned(), contact);
        }
        Ok(())
    }

    fn learn_deals(&mut self, table: &Table) -> Result<(), String> {
        let id = table.needed(&["Id"])?;
        table.needed(&["CreatedDate"])?;
        let created = Dates::named(table, &["CreatedDate"], self.options)?;
        let deleted = table.column(&["IsDeleted"]);
        for row in &table.rows {
            let mut reading = Reading::of(table, row);
            // A row that is wrong is told when it is judged.
            let (Some(created_at), false) = (reading.moment(created), reading.is_yes(deleted))
            else {
                continue;
            };
            let id = row.cell(Some(id));
            let known = Known {
                id: writes::id(id),
                created_at,
                stages: Vec::new(),
            };
            self.deals.insert(key(id).to_owned(), known);
        }
        Ok(())
    }

    fn learn_stages(&mut self) -> Result<(), String> {
        let Some(table) = self.table("OpportunityHistory") else {
            return Ok(());
        };
        let deal = table.needed(&["OpportunityId"])?;
        let stage = table.column(&["StageName"]);
        let created = Dates::named(table, &["CreatedDate"], self.options)?;
        for row in &table.rows {
            let moment = Reading::of(table, row).moment(created);
            let known = self.deals.get_mut(key(row.cell(Some(deal))));
            if let (Some(moment), Some(known)) = (moment, known) {
                known.stages.push((moment, row.cell(stage).to_owned()));
            }
        }
        for known in self.deals.values_mut() {
            known.stages.sort();
        }
        Ok(())
    }

    fn roles(&self, book: &mut Book) -> Result<(), String> {
        let Some(table) = self.table("OpportunityContactRole") else {
            return Ok(());
        };
        let deal = table.needed(&["OpportunityId"])?;
        let contact = table.needed(&["ContactId"])?;
        let created = Dates::named(table, &["CreatedDate"], self.options)?;
        let [role, deleted] = ["Role", "IsDeleted"].map(|name| table.column(&[name]));
        // Each row of a person adds a role to those of the rows before.
        let mut held: HashMap<(&str, &str), Vec<HeldSince>> = HashMap::new();
        for row in &table.rows {
            let mut reading = Reading::of(table, row);
            let at = reading.moment(created);
            if reading.is_yes(deleted) {
                continue;
            }
            let whose = (row.cell(Some(deal)), row.cell(Some(contact)));
            held.entry(whose).or_default().push((at, row.cell(role)));
        }

        book.read(table, |row| {
            self.judge(table, row, deal, deleted, |reading, known| {
                let id = reading.needed(contact);
                let person = self.contact(id);
                let since = reading.moment(created);
                let all = held.get(&(row.cell(Some(deal)), id));
                let until_then = all.into_iter().flatten().filter(|(at, _)| *at <= since);
                let named: Vec<&str> = until_then.map(|(_, role)| *role).collect();
                let stakeholder = pb::Stakeholder {
                    stakeholder_id: person.map_or_else(|| writes::id(id), Contact::stakeholder_id),
                    display_name: person.and_then(|person| writes::name(&person.name)),
                    title: person.and_then(|person| writes::name(&person.title)),
                    roles: words::roles(&named.join(";")),
                    presence: pb::Presence::Active.into(),
                    ..pb::Stakeholder::default()
                };
                let at = since.unwrap_or(known.created_at);
                vec![writes::stakeholder(at, &known.id, stakeholder)]
            })
        });
        Ok(())
    }

    /// Judges a row that belongs to a deal.
    fn judge(
        &self,
        table: &Table,
        row: &Row,
        deal: usize,
        deleted: Option<usize>,
        make: impl FnOnce(&mut Reading<'_>, &Known) -> Vec<(Timestamp, Write)>,
    ) -> Verdict {
        let mut reading = Reading::of(table, row);
        if reading.is_yes(deleted) {
            return Verdict::Skipped("deleted");
        }
        let Some(known) = self.deal(reading.needed(deal)) else {
            return match reading.end() {
                Ok(()) => Verdict::Skipped("of a deal that is not taken"),
                Err(wrong) => wrong,
            };
        };
        let writes = make(&mut reading, known);
        match reading.end() {
            Ok(()) => Verdict::Taken(writes),
            Err(wrong) => wrong,
        }
    }

    /// The name for an id; the id itself where there is none.
    fn named(&self, id: &str) -> Option<String> {
        match self.names.get(key(id)) {
            Some(name) => writes::name(name),
            None => writes::name(id),
        }
    }
}

impl Contact {
    fn stakeholder_id(&self) -> String {
        writes::id(&self.id)
    }
}

/// The letters of an id that tell.
fn key(id: &str) -> &str {
    id.get(..ID_LETTERS).unwrap_or(id)
}
