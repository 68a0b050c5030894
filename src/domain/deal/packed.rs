//! A folded deal as one run of bytes: the form in which many are held in memory, and in which one is kept beside its
//! events.
//!
//! What always holds:
//!
//! 1. A deal that is packed and opened again is equal to the one that was packed.
//! 2. The outline, which comes first, is enough for the score, the state and the losses at any moment; what follows it
//!    is needed to write to the deal and to tell whose words are cited.
//! 3. Bytes that are not a packed deal are refused, and never a panic.
//!
//! Form of the outline: the revision; the timelines of the deal's own fields; the first moments of what is not in it;
//! milestones; people. Numbers are varints, seven bits a byte, the low ones first. A moment is its second, with a bit
//! below it that says whether four bytes of nanoseconds follow. A claim names its statement by its place among those of
//! its speaker. About 400 bytes for a deal of twenty statements by four people.

mod judged;
mod reader;
mod rest;
mod writer;

use std::collections::BTreeMap;

use crate::domain::deal::Belief;
use crate::domain::deal::Deal;
use crate::domain::deal::Milestone;
use crate::domain::deal::packed::reader::Reader;
use crate::domain::deal::packed::writer::Writer;
use crate::domain::money::Money;
use crate::domain::person::Person;
use crate::domain::portfolio::Facts;
use crate::domain::stakeholder::BuyingRole;
use crate::domain::stakeholder::Presence;
use crate::domain::stakeholder::Roles;
use crate::domain::strand::Said;
use crate::domain::strand::Side;
use crate::domain::strand::Strand;
use crate::domain::strand::Strands;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Instant;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Conviction;
use crate::domain::topic::Outcome;
use crate::domain::topic::Topic;

/// The whole of a deal.
pub fn pack(deal: &Deal) -> Vec<u8> {
    let outline = pack_outline(deal);
    let mut writer = Writer::default();
    writer.count(outline.len());
    writer.raw(&outline);
    rest::write(&mut writer, deal);
    writer.end()
}

/// What a row of the portfolio needs of a deal.
pub fn pack_outline(deal: &Deal) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(deal.revision);
    writer.timeline(&deal.name, write_name);
    writer.timeline(&deal.account, write_name);
    writer.timeline(&deal.owner, write_name);
    writer.timeline(&deal.seller_stage, write_name);
    writer.timeline(&deal.amount, |writer, amount| write_money(writer, *amount));
    writer.timeline(&deal.close_date, |writer, date| writer.date(*date));
    writer.timeline(&deal.endings, |writer, outcome| {
        writer.number(*outcome as u64);
    });
    writer.first(&deal.facts);
    writer.first(&deal.hypotheses);
    writer.count(deal.milestones.len());
    for (id, milestone) in &deal.milestones {
        writer.text(id.as_str());
        writer.first(&milestone.told);
        writer.timeline(&milestone.due_date, |writer, date| writer.date(*date));
        writer.timeline(&milestone.completed_at, |writer, at| writer.moment(*at));
    }
    writer.count(deal.people.len());
    for person in &deal.people {
        write_person(&mut writer, person);
    }
    writer.end()
}

/// The deal that was packed; `None` when these are not the bytes of one.
pub fn unpack(bytes: &[u8]) -> Option<Deal> {
    let mut reader = Reader::of(bytes);
    let outline_bytes = reader.count()?;
    let mut deal = open(reader.raw(outline_bytes)?, |reader| {
        reader.timeline(read_name)
    })?;
    rest::read(&mut reader, &mut deal)?;
    reader.is_at_end().then_some(deal)
}

/// The outline within a packed deal.
pub fn outline(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::of(bytes);
    let outline_bytes = reader.count()?;
    reader.raw(outline_bytes)
}

/// What the seller gave of a deal by then, from its outline: much less than to open it.
pub fn facts(bytes: &[u8], at: Instant) -> Option<Facts> {
    let mut reader = Reader::of(bytes);
    let _revision = reader.number()?;
    Some(Facts {
        name: reader.value_at(at, read_name)?,
        account: reader.value_at(at, read_name)?,
        owner: reader.value_at(at, read_name)?,
        seller_stage: reader.value_at(at, read_name)?,
        amount: reader.value_at(at, read_money)?,
        close_date: reader.value_at(at, Reader::date)?,
    })
}

/// The deal of an outline: good to be scored and judged, and neither to be written to nor to be cited from. It is
/// without the names that [`facts`] reads: they are half of the work, and nothing is judged by them.
pub fn unpack_outline(bytes: &[u8]) -> Option<Deal> {
    open(bytes, |reader| {
        reader.value_at(Instant::MIN, Reader::text)?;
        Some(Timeline::new())
    })
}

fn open(bytes: &[u8], names: fn(&mut Reader) -> Option<Timeline<Name>>) -> Option<Deal> {
    let mut reader = Reader::of(bytes);
    let mut deal = Deal {
        revision: reader.number()?,
        name: names(&mut reader)?,
        account: names(&mut reader)?,
        owner: names(&mut reader)?,
        seller_stage: reader.timeline(read_name)?,
        amount: reader.timeline(read_money)?,
        close_date: reader.timeline(Reader::date)?,
        endings: reader.timeline(|reader| reader.one_of(&Outcome::ALL))?,
        facts: reader.first(())?,
        hypotheses: reader.first(Belief {
            claim: None,
            about: None,
        })?,
        milestones: BTreeMap::new(),
        ..Deal::default()
    };
    for _ in 0..reader.count()? {
        let id = read_id(&mut reader)?;
        let milestone = Milestone {
            told: reader.first(())?,
            due_date: reader.timeline(Reader::date)?,
            completed_at: reader.timeline(Reader::moment)?,
            ..Milestone::default()
        };
        deal.milestones.insert(id, milestone);
    }
    let people = reader.count()?;
    deal.people.reserve_exact(people.min(bytes.len()));
    for _ in 0..people {
        deal.people.push(read_person(&mut reader)?);
    }
    reader.is_at_end().then_some(deal)
}

fn write_person(writer: &mut Writer, person: &Person) {
    writer.text(person.id.as_str());
    writer.first(&person.told);
    writer.timeline(&person.roles, |writer, roles| {
        let bits = roles.iter().fold(0, |bits, role| bits | 1 << role as u64);
        writer.number(bits);
    });
    writer.timeline(&person.presence, |writer, presence| {
        writer.number(*presence as u64);
    });
    writer.timeline(&person.spoke, |_, ()| {});
    let strands = person.said.as_slice();
    writer.count(strands.len());
    for strand in strands {
        writer.byte(strand.topic as u8);
        writer.byte(code_of(strand.side));
        let said = writer.entries(&strand.said);
        for entry in said {
            writer.place_of(&person.spoke, entry.at, entry.order);
            write_said(writer, &entry.value);
        }
    }
    let Some(stages) = &person.stages else {
        writer.byte(0);
        return;
    };
    writer.byte(1);
    for stage in stages.iter() {
        for entry in writer.entries(stage) {
            writer.place_of(&person.spoke, entry.at, entry.order);
        }
    }
}

fn read_person(reader: &mut Reader) -> Option<Person> {
    let mut person = Person::new(read_id(reader)?);
    person.told = reader.first(())?;
    person.roles = reader.timeline(read_roles)?;
    person.presence = reader.timeline(|reader| reader.one_of(&Presence::ALL))?;
    person.spoke = reader.timeline(|_| Some(()))?;
    let mut strands = Vec::new();
    let count = reader.count()?;
    strands.reserve_exact(count.min(reader.left()));
    for _ in 0..count {
        let topic = reader.one_of(&Topic::ALL)?;
        let side = side_of(reader.byte()?)?;
        let mut said = Timeline::new();
        for _ in 0..reader.count()? {
            let (at, order) = reader.place_in(&person.spoke)?;
            said.insert(at, order, read_said(reader)?);
        }
        strands.push(Strand { topic, side, said });
    }
    person.said = Strands::in_order(strands)?;
    if reader.byte()? == 1 {
        let mut stages: Box<[Timeline<()>; BuyingStage::ALL.len()]> = Box::default();
        for stage in stages.iter_mut() {
            for _ in 0..reader.count()? {
                let (at, order) = reader.place_in(&person.spoke)?;
                stage.insert(at, order, ());
            }
        }
        person.stages = Some(stages);
    }
    Some(person)
}

/// Supports take 0 to 5, by rung.
const OPPOSES: u8 = 6;
const DEFERS: u8 = 7;

fn code_of(side: Side) -> u8 {
    match side {
        Side::Supports {
            conviction,
            paraphrased,
        } => (conviction as u8) << 1 | u8::from(paraphrased),
        Side::Opposes => OPPOSES,
        Side::Defers => DEFERS,
    }
}

fn side_of(code: u8) -> Option<Side> {
    match code {
        OPPOSES => Some(Side::Opposes),
        DEFERS => Some(Side::Defers),
        _ => Some(Side::Supports {
            conviction: *Conviction::ALL.get(usize::from(code >> 1))?,
            paraphrased: code & 1 == 1,
        }),
    }
}

const PARAPHRASED: u8 = 1;
const UNSURE: u8 = 2;
const DATED: u8 = 4;

fn write_said(writer: &mut Writer, said: &Said) {
    let Said {
        conviction,
        paraphrased,
        confidence,
        target_date,
    } = *said;
    let mut code = (conviction as u8) << 3;
    code |= if paraphrased { PARAPHRASED } else { 0 };
    code |= if confidence == 1.0 { 0 } else { UNSURE };
    code |= target_date.map_or(0, |_| DATED);
    writer.byte(code);
    if code & UNSURE != 0 {
        writer.raw(&confidence.to_le_bytes());
    }
    if let Some(date) = target_date {
        writer.date(date);
    }
}

fn read_said(reader: &mut Reader) -> Option<Said> {
    let code = reader.byte()?;
    Some(Said {
        conviction: *Conviction::ALL.get(usize::from(code >> 3))?,
        paraphrased: code & PARAPHRASED != 0,
        confidence: match code & UNSURE {
            0 => 1.0,
            _ => f64::from_le_bytes(reader.raw(8)?.try_into().ok()?),
        },
        target_date: match code & DATED {
            0 => None,
            _ => Some(reader.date()?),
        },
    })
}

fn read_roles(reader: &mut Reader) -> Option<Roles> {
    let bits = reader.number()?;
    let held = BuyingRole::ALL
        .into_iter()
        .filter(|role| bits & 1 << *role as u64 != 0);
    (bits < 1 << BuyingRole::ALL.len()).then(|| held.collect())
}

fn write_money(writer: &mut Writer, amount: Money) {
    writer.raw(amount.currency().as_bytes());
    writer.signed(amount.units());
    writer.signed(i64::from(amount.nanos()));
}

fn read_money(reader: &mut Reader) -> Option<Money> {
    let currency = str::from_utf8(reader.raw(3)?).ok()?;
    let units = reader.signed()?;
    let nanos = i32::try_from(reader.signed()?).ok()?;
    Money::new(currency, units, nanos).ok()
}

fn write_name(writer: &mut Writer, name: &Name) {
    writer.text(name.as_str());
}

fn read_name(reader: &mut Reader) -> Option<Name> {
    Name::new(reader.text()?).ok()
}

fn read_id(reader: &mut Reader) -> Option<Id> {
    Id::new(reader.text()?).ok()
}

fn order_of(revision: u64, place: u8) -> Order {
    Order::new(revision, usize::from(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::wire::arbitrary;
    use proptest::prelude::*;

    fn history() -> impl Strategy<Value = Deal> {
        proptest::collection::vec(arbitrary::event(), 0..30).prop_map(|events| {
            let events: Vec<Event> = events
                .into_iter()
                .zip(1..)
                .map(|(event, revision)| Event { revision, ..event })
                .collect();
            Deal::replay(&events)
        })
    }

    proptest! {
        #[test]
        fn a_deal_packed_and_opened_again_is_that_deal(deal in history()) {
            let packed = pack(&deal);
            let whole = unpack(&packed).unwrap();
            prop_assert_eq!(&whole, &deal);
            let outline = outline(&packed).unwrap();
            prop_assert_eq!(outline, pack_outline(&deal));
            let opened = unpack_outline(outline).unwrap();
            prop_assert_eq!(opened.first_at(), deal.first_at());
            for at in [Instant::MIN, deal.first_at().unwrap_or(Instant::MAX), Instant::MAX] {
                prop_assert_eq!(facts(outline, at), Some(Facts::of(&deal, at)));
            }
        }

        #[test]
        fn broken_bytes_are_refused_or_read_but_never_panic(
            deal in history(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut packed = pack(&deal);
            let at = at.index(packed.len());
            packed[at] = byte;
            let _ = unpack(&packed);
            prop_assert_eq!(unpack(&packed[..at]), None);
            if let Some(outline) = outline(&packed) {
                let _ = unpack_outline(outline);
                let _ = facts(outline, Instant::MAX);
            }
        }
    }
}
