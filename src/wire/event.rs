//! An entry of a deal's history, in and out. The store keeps exactly the bytes of `pb::DealEvent`.
//!
//! The id of the deal is the key under which the entry is kept and is not repeated in it; an answer to a caller has it.

use prost::Message;

use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::wire::confirmation;
use crate::wire::facts;
use crate::wire::pb;
use crate::wire::pb::deal_event;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::statement;
use crate::wire::value;

/// The bytes to keep.
pub fn encode(event: &Event) -> Vec<u8> {
    message(event, "").encode_to_vec()
}

/// Reads bytes that were kept.
///
/// # Errors
///
/// A sentence for the log: what is wrong with them.
pub fn decode(bytes: &[u8]) -> Result<Event, String> {
    from_message(pb::DealEvent::decode(bytes).map_err(|error| error.to_string())?)
}

/// Takes apart a message that was kept.
///
/// # Errors
///
/// A sentence for the log: what is wrong with it.
pub fn from_message(message: pb::DealEvent) -> Result<Event, String> {
    let mut reading = Reading::of(Origin::Store);
    let event = read(&mut reading, &Path::ROOT, message);
    reading
        .end(event)
        .map_err(|violations| violations.to_string())
}

/// The entry as a caller reads it.
pub fn message(event: &Event, deal_id: &str) -> pb::DealEvent {
    let Event {
        revision,
        recorded_at,
        fact,
    } = event;
    let fact = match fact {
        Fact::Deal(facts) => deal_event::Event::Deal(facts::encode_deal(facts, deal_id)),
        Fact::Stakeholder(facts) => {
            deal_event::Event::Stakeholder(facts::encode_stakeholder(facts))
        }
        Fact::Statement(statement) => {
            deal_event::Event::Statement(statement::encode(statement, deal_id))
        }
        Fact::Milestone(facts) => deal_event::Event::Milestone(facts::encode_milestone(facts)),
        Fact::Ending(ending) => deal_event::Event::Outcome(facts::encode_ending(ending)),
        Fact::Retraction(retraction) => {
            deal_event::Event::Retraction(facts::encode_retraction(retraction))
        }
        Fact::Confirmation(confirmation) => {
            deal_event::Event::Confirmation(confirmation::encode(confirmation))
        }
    };
    pb::DealEvent {
        revision: *revision,
        recorded_at: Some(value::encode_moment(*recorded_at)),
        effective_at: Some(value::encode_moment(event.effective_at())),
        event: Some(fact),
    }
}

fn read(reading: &mut Reading, path: &Path<'_>, message: pb::DealEvent) -> Option<Event> {
    let pb::DealEvent {
        revision,
        recorded_at,
        effective_at,
        event,
    } = message;
    if revision == 0 {
        reading.refuse(&path.field("revision"), "must be set");
    }
    let recorded_at = value::moment_or_now(reading, &path.field("recorded_at"), recorded_at);
    let effective_at = value::moment_or_now(reading, &path.field("effective_at"), effective_at);
    let event = Event {
        revision,
        recorded_at: recorded_at?,
        fact: fact(reading, path, event)?,
    };
    // It follows from the rest, so a difference means broken bytes.
    if Some(event.effective_at()) != effective_at {
        reading.refuse(&path.field("effective_at"), "must be that of the event");
    }
    Some(event)
}

fn fact(reading: &mut Reading, path: &Path<'_>, event: Option<deal_event::Event>) -> Option<Fact> {
    match event {
        Some(deal_event::Event::Deal(deal)) => {
            facts::decode_deal(reading, &path.field("deal"), deal).map(Fact::Deal)
        }
        Some(deal_event::Event::Stakeholder(stakeholder)) => {
            facts::decode_stakeholder(reading, &path.field("stakeholder"), stakeholder)
                .map(Fact::Stakeholder)
        }
        Some(deal_event::Event::Statement(statement)) => {
            statement::decode(reading, &path.field("statement"), statement).map(Fact::Statement)
        }
        Some(deal_event::Event::Milestone(milestone)) => {
            facts::decode_milestone(reading, &path.field("milestone"), milestone)
                .map(Fact::Milestone)
        }
        Some(deal_event::Event::Outcome(outcome)) => {
            facts::decode_ending(reading, &path.field("outcome"), outcome).map(Fact::Ending)
        }
        Some(deal_event::Event::Retraction(retraction)) => {
            facts::decode_retraction(reading, &path.field("retraction"), retraction)
                .map(Fact::Retraction)
        }
        Some(deal_event::Event::Confirmation(confirmation)) => {
            confirmation::decode(reading, &path.field("confirmation"), confirmation)
                .map(Fact::Confirmation)
        }
        None => {
            reading.refuse(path, "must hold one event");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::arbitrary;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_kept(event in arbitrary::event()) {
            prop_assert_eq!(decode(&encode(&event)), Ok(event));
        }

        #[test]
        fn broken_bytes_are_refused_or_read_but_never_panic(
            event in arbitrary::event(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encode(&event);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes);
            let _ = decode(&bytes[..at]);
        }
    }

    /// A statement as it was kept before claims were read and confirmed, byte for byte.
    const KEPT_BEFORE: &str = "0801120608c1d490cd061a0608c0d490cd0632360a0273311a050a03616e61220608c0d490cd062a0c4974\
        20636f7374732075732e3001521108021001180221000000000000f03f5001";

    #[test]
    fn what_was_kept_before_is_read_and_would_be_kept_the_same() {
        let digits = KEPT_BEFORE.as_bytes().chunks(2);
        let bytes: Vec<u8> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let event = decode(&bytes).unwrap();
        let Fact::Statement(statement) = &event.fact else {
            panic!("{event:?}");
        };
        assert_eq!(statement.quote.as_str(), "It costs us.");
        assert_eq!(statement.claims[0].topic.name(), "CONSEQUENCE");
        assert_eq!(encode(&event), bytes);
    }

    #[test]
    fn an_entry_without_a_fact_or_with_another_moment_is_refused() {
        assert!(decode(&[]).unwrap_err().contains("revision must be set"));
        let event = Event {
            revision: 1,
            recorded_at: crate::domain::time::Instant::MIN,
            fact: Fact::Retraction(crate::domain::facts::Retraction {
                statement: crate::domain::text::Id::new("s1").unwrap(),
                reason: crate::domain::text::Reason::new("misheard").unwrap(),
            }),
        };
        let mut kept = message(&event, "");
        kept.effective_at = Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 0,
        });
        let refused = decode(&kept.encode_to_vec()).unwrap_err();
        assert_eq!(refused, "effective_at must be that of the event");
    }
}
