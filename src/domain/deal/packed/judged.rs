//! The confirmed claims of statements in a packed deal: by them a confirmation that comes again is known.

use crate::domain::deal::packed::read_id;
use crate::domain::deal::packed::read_money;
use crate::domain::deal::packed::read_name;
use crate::domain::deal::packed::reader::Reader;
use crate::domain::deal::packed::write_money;
use crate::domain::deal::packed::write_name;
use crate::domain::deal::packed::writer::Writer;
use crate::domain::facts::Confirmation;
use crate::domain::statement::Claim;
use crate::domain::statement::Confidence;
use crate::domain::text::Prose;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::CompellingEvent;
use crate::domain::topic::Conviction;
use crate::domain::topic::IssueCategory;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

pub fn write(writer: &mut Writer, confirmation: &Confirmation) {
    let Confirmation {
        statement,
        confirmed_by,
        ..
    } = confirmation;
    writer.text(statement.as_str());
    option(writer, confirmed_by.as_ref(), write_name);
    writer.count(confirmation.claims().len());
    for claim in confirmation.claims() {
        write_claim(writer, claim);
    }
}

pub fn read(reader: &mut Reader) -> Option<Confirmation> {
    let statement = read_id(reader)?;
    let confirmed_by = read_option(reader, read_name)?;
    let claims = (0..reader.count()?)
        .map(|_| read_claim(reader))
        .collect::<Option<Vec<_>>>()?;
    Some(Confirmation::new(statement, claims, confirmed_by))
}

fn write_claim(writer: &mut Writer, claim: &Claim) {
    let Claim {
        topic,
        stance,
        conviction,
        // What a person confirms is full, theirs, and rests on their word.
        confidence: _,
        source: _,
        basis: _,
        issue_category,
        impact,
        target_date,
        compelling_event,
        buying_stage,
    } = claim;
    writer.byte(*topic as u8);
    writer.byte(*stance as u8);
    writer.byte(*conviction as u8);
    option(writer, issue_category.as_ref(), |writer, it| {
        writer.byte(*it as u8)
    });
    option(writer, impact.as_ref(), |writer, it| {
        write_money(writer, *it)
    });
    option(writer, target_date.as_ref(), |writer, it| writer.date(*it));
    option(writer, compelling_event.as_ref(), |writer, it| {
        writer.byte(*it as u8)
    });
    option(writer, buying_stage.as_ref(), |writer, it| {
        writer.byte(*it as u8)
    });
}

fn read_claim(reader: &mut Reader) -> Option<Claim> {
    Some(Claim {
        topic: reader.one_of(&Topic::ALL)?,
        stance: reader.one_of(&Stance::ALL)?,
        conviction: reader.one_of(&Conviction::ALL)?,
        confidence: Confidence::FULL,
        issue_category: read_option(reader, |reader| reader.one_of(&IssueCategory::ALL))?,
        impact: read_option(reader, read_money)?,
        target_date: read_option(reader, Reader::date)?,
        compelling_event: read_option(reader, |reader| reader.one_of(&CompellingEvent::ALL))?,
        buying_stage: read_option(reader, |reader| reader.one_of(&BuyingStage::ALL))?,
        source: ClaimSource::Confirmed,
        basis: Prose::default(),
    })
}

fn option<T>(writer: &mut Writer, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
    writer.byte(u8::from(value.is_some()));
    if let Some(value) = value {
        write(writer, value);
    }
}

fn read_option<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match reader.byte()? {
        0 => Some(None),
        _ => read(reader).map(Some),
    }
}
