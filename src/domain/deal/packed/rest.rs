//! What follows the outline of a packed deal: ids and names, and the moments that no score asks for.

use crate::domain::deal::Belief;
use crate::domain::deal::Deal;
use crate::domain::deal::Kept;
use crate::domain::deal::packed::judged;
use crate::domain::deal::packed::read_id;
use crate::domain::deal::packed::read_name;
use crate::domain::deal::packed::reader::Reader;
use crate::domain::deal::packed::write_name;
use crate::domain::deal::packed::writer::Writer;
use crate::domain::text::Id;
use crate::domain::topic::Attribution;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

pub fn write(writer: &mut Writer, deal: &Deal) {
    writer.byte(u8::from(deal.recorded_at.is_some()));
    if let Some(recorded_at) = deal.recorded_at {
        writer.moment(recorded_at);
    }
    writer.timeline(&deal.facts, |_, ()| {});
    writer.timeline(&deal.hypotheses, write_belief);
    for milestone in deal.milestones.values() {
        writer.timeline(&milestone.told, |_, ()| {});
        writer.timeline(&milestone.name, write_name);
        writer.timeline(&milestone.owner, write_id);
    }
    for person in &deal.people {
        writer.timeline(&person.told, |_, ()| {});
        writer.timeline(&person.display_name, write_name);
        writer.timeline(&person.title, write_name);
    }
    writer.count(deal.statements.len());
    for (id, kept) in &deal.statements {
        let Kept {
            revision,
            retracted,
            said_at,
            attribution,
        } = *kept;
        writer.text(id.as_str());
        writer.number(revision << 1 | u64::from(retracted));
        writer.moment(said_at);
        writer.byte(attribution as u8);
    }
    writer.count(deal.confirmations.len());
    for confirmation in deal.confirmations.values() {
        judged::write(writer, confirmation);
    }
}

/// Puts what follows the outline to the deal of the outline.
pub fn read(reader: &mut Reader, deal: &mut Deal) -> Option<()> {
    deal.recorded_at = match reader.byte()? {
        0 => None,
        _ => Some(reader.moment()?),
    };
    deal.facts = reader.timeline(|_| Some(()))?;
    deal.hypotheses = reader.timeline(read_belief)?;
    for milestone in deal.milestones.values_mut() {
        milestone.told = reader.timeline(|_| Some(()))?;
        milestone.name = reader.timeline(read_name)?;
        milestone.owner = reader.timeline(read_id)?;
    }
    for person in &mut deal.people {
        person.told = reader.timeline(|_| Some(()))?;
        person.display_name = reader.timeline(read_name)?;
        person.title = reader.timeline(read_name)?;
    }
    for _ in 0..reader.count()? {
        let id = read_id(reader)?;
        let number = reader.number()?;
        let kept = Kept {
            revision: number >> 1,
            retracted: number & 1 == 1,
            said_at: reader.moment()?,
            attribution: reader.one_of(&Attribution::ALL)?,
        };
        deal.statements.insert(id, kept);
    }
    for _ in 0..reader.count()? {
        let confirmation = judged::read(reader)?;
        let statement = confirmation.statement.clone();
        deal.confirmations.insert(statement, confirmation);
    }
    Some(())
}

fn write_id(writer: &mut Writer, id: &Id) {
    writer.text(id.as_str());
}

fn write_belief(writer: &mut Writer, belief: &Belief) {
    let Belief { claim, about } = belief;
    match claim {
        None => writer.byte(0),
        Some((topic, stance)) => {
            writer.byte(1 + *topic as u8);
            writer.byte(*stance as u8);
        }
    }
    writer.text(about.as_ref().map_or("", Id::as_str));
}

fn read_belief(reader: &mut Reader) -> Option<Belief> {
    let claim = match reader.byte()? {
        0 => None,
        number => {
            let topic = *Topic::ALL.get(usize::from(number - 1))?;
            Some((topic, reader.one_of(&Stance::ALL)?))
        }
    };
    let about = match reader.text()? {
        "" => None,
        id => Some(Id::new(id).ok()?),
    };
    Some(Belief { claim, about })
}
