//! What was said, as far as an export knows: who wrote a note decides what it is worth.
//!
//! An incoming email of a contact is their own words. A note of a call or meeting with a contact is a paraphrase of them.
//! A note about nobody is what the seller believes. What the seller wrote to the buyer is nothing that a buyer said.

use jiff::Timestamp;

use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::book::Verdict;
use crate::cli::import::crm::reading::Dates;
use crate::cli::import::crm::reading::Reading;
use crate::cli::import::crm::salesforce::Contact;
use crate::cli::import::crm::salesforce::Export;
use crate::cli::import::crm::salesforce::Known;
use crate::cli::import::crm::writes;
use crate::conversation::email::own_words;
use crate::wire::pb;

/// Reads tasks, events and emails.
///
/// # Errors
///
/// A table lacks a column that must be there, or contradicts itself as a whole.
pub fn read(export: &Export<'_>, book: &mut Book) -> Result<(), String> {
    export.activities("Task", pb::Channel::Call, book)?;
    export.activities("Event", pb::Channel::Meeting, book)?;
    export.emails(book)
}

impl Export<'_> {
    fn activities(&self, file: &str, channel: pb::Channel, book: &mut Book) -> Result<(), String> {
        let Some(table) = self.table(file) else {
            return Ok(());
        };
        let id = table.needed(&["Id"])?;
        let deal = table.needed(&["WhatId"])?;
        let dates = [
            "CompletedDateTime",
            "StartDateTime",
            "ActivityDateTime",
            "ActivityDate",
            "CreatedDate",
        ]
        .map(|name| Dates::named(table, &[name], self.options));
        let [who, text, kind, deleted] =
            ["WhoId", "Description", "TaskSubtype", "IsDeleted"].map(|name| table.column(&[name]));
        let dates = dates.into_iter().collect::<Result<Vec<Dates>, String>>()?;

        book.read(table, |row| {
            let mut reading = Reading::of(table, row);
            let statement_id = writes::id(reading.needed(id));
            if reading.is_yes(deleted) {
                return Verdict::Skipped("deleted");
            }
            let moments: Vec<Timestamp> = dates
                .iter()
                .filter_map(|dates| reading.moment(*dates))
                .collect();
            if let Some(skipped) = self.unsaid(&reading, deal, text, moments.first()) {
                return reading.end().err().unwrap_or(skipped);
            }
            if matches!(reading.text(kind), "Email" | "ListEmail") {
                return Verdict::Skipped("an email: those are read from EmailMessage");
            }
            let contact = self.contact(reading.text(who));
            let attribution = match contact {
                Some(_) => pb::Attribution::Paraphrased,
                None => pb::Attribution::Inferred,
            };
            let text = reading.text(text);
            let known = self.deal(reading.text(Some(deal)));
            if let Err(wrong) = reading.end() {
                return wrong;
            }
            let (Some(known), Some(said_at)) = (known, moments.first()) else {
                return Verdict::Skipped("without a date");
            };
            let statement = said(known, &statement_id, contact, attribution, channel);
            Verdict::Taken(writes::statements(*said_at, &statement, text))
        });
        Ok(())
    }

    fn emails(&self, book: &mut Book) -> Result<(), String> {
        let Some(table) = self.table("EmailMessage") else {
            return Ok(());
        };
        let id = table.needed(&["Id"])?;
        let deal = table.needed(&["RelatedToId", "ParentId"])?;
        let from = table.needed(&["FromAddress"])?;
        let incoming = table.needed(&["Incoming"])?;
        let sent = Dates::named(table, &["MessageDate", "CreatedDate"], self.options)?;
        let [text, deleted] = ["TextBody", "IsDeleted"].map(|name| table.column(&[name]));

        book.read(table, |row| {
            let mut reading = Reading::of(table, row);
            let statement_id = writes::id(reading.needed(id));
            if reading.is_yes(deleted) {
                return Verdict::Skipped("deleted");
            }
            let is_theirs = reading.is_yes(Some(incoming));
            let sent_at = reading.moment(sent);
            if let Some(skipped) = self.unsaid(&reading, deal, text, sent_at.as_ref()) {
                return reading.end().err().unwrap_or(skipped);
            }
            let address = reading.text(Some(from)).to_lowercase();
            let text = reading.text(text);
            let known = self.deal(reading.text(Some(deal)));
            if let Err(wrong) = reading.end() {
                return wrong;
            }
            if !is_theirs {
                return Verdict::Skipped("written by the seller");
            }
            let sender = self.senders.get(&address);
            let Some(contact) = sender.and_then(|sender| self.contact(sender)) else {
                return Verdict::Skipped("from somebody who is no contact");
            };
            let (Some(known), Some(sent_at)) = (known, sent_at) else {
                return Verdict::Skipped("without a date");
            };
            let verbatim = pb::Attribution::Verbatim;
            let email = pb::Channel::Email;
            let statement = said(known, &statement_id, Some(contact), verbatim, email);
            match own_words(text, &contact.name) {
                words if words.is_empty() => Verdict::Skipped("nothing but quoted history"),
                words => Verdict::Taken(writes::statements(sent_at, &statement, &words)),
            }
        });
        Ok(())
    }

    /// Why a row holds nothing that was said in a deal, if so.
    fn unsaid(
        &self,
        reading: &Reading<'_>,
        deal: usize,
        text: Option<usize>,
        said_at: Option<&Timestamp>,
    ) -> Option<Verdict> {
        if self.deal(reading.text(Some(deal))).is_none() {
            return Some(Verdict::Skipped("of no deal that is taken"));
        }
        if reading.text(text).is_empty() {
            return Some(Verdict::Skipped("without a text"));
        }
        match said_at {
            Some(said_at) if self.options.now < *said_at => Some(Verdict::Skipped("planned only")),
            Some(_) => None,
            None => Some(Verdict::Skipped("without a date")),
        }
    }
}

/// A statement without its words.
fn said(
    known: &Known,
    statement_id: &str,
    contact: Option<&Contact>,
    attribution: pb::Attribution,
    channel: pb::Channel,
) -> pb::BuyerStatement {
    pb::BuyerStatement {
        statement_id: statement_id.to_owned(),
        deal_id: known.id.clone(),
        speaker: contact.map(|contact| pb::Speaker {
            stakeholder_id: contact.stakeholder_id(),
            display_name: writes::name(&contact.name).unwrap_or_default(),
            title: writes::name(&contact.title).unwrap_or_default(),
            roles: Vec::new(),
        }),
        attribution: attribution.into(),
        channel: channel.into(),
        ..pb::BuyerStatement::default()
    }
}
