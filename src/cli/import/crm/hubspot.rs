//! Exports of HubSpot: deals with the dates at which they entered each stage, contacts with their buying role, and notes.
//!
//! What a file is shows in its columns, since HubSpot names files by the day.

mod deals;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Options;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::table::Table;
use crate::cli::import::crm::words;
use crate::cli::import::crm::writes;
use crate::wire::pb;

const RECORD_ID: [&str; 3] = ["Record ID", "Record ID - Contact", "Deal ID"];
const DEAL_NAME: [&str; 1] = ["Deal Name"];
const EMAIL: [&str; 1] = ["Email"];
const ASSOCIATED_DEALS: [&str; 4] = [
    "Associated Deal IDs",
    "Associated Deal ID",
    "Associated deals IDs",
    "Deal IDs",
];
const NOTE: [&str; 6] = [
    "Note body",
    "Call notes",
    "Meeting description",
    "Meeting notes",
    "Email body",
    "Body",
];
/// Who a contact is, by the id and by the address.
#[derive(Clone)]
struct Contact {
    id: String,
    name: String,
    title: String,
}

/// Reads exports.
///
/// # Errors
///
/// No file holds deals; a table lacks a column that must be there, or contradicts itself as a whole.
pub fn read(tables: &[Table], options: &Options) -> Result<Book, String> {
    let is_deals = |table: &&Table| table.column(&DEAL_NAME).is_some();
    let is_notes = |table: &&Table| !is_deals(table) && table.column(&NOTE).is_some();
    let is_people =
        |table: &&Table| !is_deals(table) && !is_notes(table) && table.column(&EMAIL).is_some();
    if !tables.iter().any(|table| is_deals(&table)) {
        return Err("none of the files holds deals: there is no column Deal Name".to_owned());
    }

    let mut book = Book::default();
    let mut created: HashMap<String, Timestamp> = HashMap::new();
    for table in tables.iter().filter(is_deals) {
        deals::read(table, options, &mut created, &mut book)?;
    }
    let mut contacts = HashMap::new();
    for table in tables.iter().filter(is_people) {
        people(table, options, &created, &mut contacts, &mut book)?;
    }
    for table in tables.iter().filter(is_notes) {
        notes(table, options, &created, &contacts, &mut book)?;
    }
    for table in tables {
        if !is_deals(&table) && !is_people(&table) && !is_notes(&table) {
            return Err(format!(
                "{}: holds neither deals (Deal Name), contacts (Email) nor notes (Note body)",
                table.name
            ));
        }
    }
    Ok(book)
}

fn people(
    table: &Table,
    options: &Options,
    deals: &HashMap<String, Timestamp>,
    contacts: &mut HashMap<String, Contact>,
    book: &mut Book,
) -> Result<(), String> {
    let id = table.needed(&RECORD_ID)?;
    let of = table.needed(&ASSOCIATED_DEALS)?;
    let created = Dates::named(table, &["Create Date"], options)?;
    let [first, last, title, role, email] = [
        "First Name",
        "Last Name",
        "Job Title",
        "Buying Role",
        "Email",
    ]
    .map(|name| table.column(&[name]));

    book.read(table, |row| {
        let mut reading = Reading::of(table, row);
        let contact = Contact {
            id: writes::id(reading.needed(id)),
            name: format!("{} {}", reading.text(first), reading.text(last)),
            title: reading.text(title).to_owned(),
        };
        let since = reading.moment(created);
        let roles = words::roles(reading.text(role));
        let (of, email) = (reading.text(Some(of)), reading.text(email));
        if let Err(wrong) = reading.end() {
            return wrong;
        }
        contacts.insert(contact.id.clone(), contact.clone());
        contacts.insert(email.to_lowercase(), contact.clone());
        let mut taken = Vec::new();
        for deal_id in listed(of) {
            let Some(created_at) = deals.get(&deal_id) else {
                continue;
            };
            let stakeholder = pb::Stakeholder {
                stakeholder_id: contact.id.clone(),
                display_name: writes::name(&contact.name),
                title: writes::name(&contact.title),
                roles: roles.clone(),
                presence: pb::Presence::Active.into(),
                ..pb::Stakeholder::default()
            };
            let at = since.map_or(*created_at, |since| since.max(*created_at));
            taken.push(writes::stakeholder(at, &deal_id, stakeholder));
        }
        match taken.is_empty() {
            true => Verdict::Skipped("of no deal that is taken"),
            false => Verdict::Taken(taken),
        }
    });
    Ok(())
}

fn notes(
    table: &Table,
    options: &Options,
    deals: &HashMap<String, Timestamp>,
    contacts: &HashMap<String, Contact>,
    book: &mut Book,
) -> Result<(), String> {
    let id = table.needed(&RECORD_ID)?;
    let of = table.needed(&ASSOCIATED_DEALS)?;
    let text = table.needed(&NOTE)?;
    table.needed(&["Activity date", "Create Date"])?;
    let said = Dates::named(table, &["Activity date", "Create Date"], options)?;
    let who = table.column(&[
        "Associated Contact IDs",
        "Associated Contact ID",
        "Contact IDs",
    ]);
    let kind = table.column(&["Activity type", "Type"]);

    book.read(table, |row| {
        let mut reading = Reading::of(table, row);
        let statement_id = writes::id(reading.needed(id));
        let said_at = reading.moment(said);
        let mut people = listed(reading.text(who)).into_iter();
        let speaker = people.find_map(|id| contacts.get(&id));
        let channel = match reading.text(kind).to_ascii_lowercase().as_str() {
            "call" => pb::Channel::Call,
            "meeting" => pb::Channel::Meeting,
            "email" => return Verdict::Skipped("an email: who wrote it is not in the export"),
            _ => pb::Channel::Other,
        };
        let (of, text) = (reading.text(Some(of)), reading.text(Some(text)));
        if let Err(wrong) = reading.end() {
            return wrong;
        }
        let Some(said_at) = said_at else {
            return Verdict::Skipped("without a date");
        };
        if options.now < said_at {
            return Verdict::Skipped("planned only");
        }
        // A note about a contact is a paraphrase of them; one about nobody is what the seller believes.
        let attribution = match speaker {
            Some(_) => pb::Attribution::Paraphrased,
            None => pb::Attribution::Inferred,
        };
        let mut taken = Vec::new();
        for deal_id in listed(of).into_iter().filter(|id| deals.contains_key(id)) {
            let statement = pb::BuyerStatement {
                statement_id: statement_id.clone(),
                deal_id,
                speaker: speaker.map(|contact| pb::Speaker {
                    stakeholder_id: contact.id.clone(),
                    ..pb::Speaker::default()
                }),
                attribution: attribution.into(),
                channel: channel.into(),
                ..pb::BuyerStatement::default()
            };
            taken.extend(writes::statements(said_at, &statement, text));
        }
        match (text.is_empty(), taken.is_empty()) {
            (true, _) => Verdict::Skipped("without a text"),
            (_, true) => Verdict::Skipped("of no deal that is taken"),
            _ => Verdict::Taken(taken),
        }
    });
    Ok(())
}

/// The ids of a cell that lists several.
fn listed(cell: &str) -> Vec<String> {
    cell.split([';', ','])
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(writes::id)
        .collect()
}
