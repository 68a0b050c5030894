//! Events without their words, for the projection of a deal: what a score needs and nothing else.

use prost::Message;

use crate::domain::event::Event;
use crate::wire::event;
use crate::wire::pb;
use crate::wire::pb::deal_event;

/// Stands for the words that a digest does not keep, as a statement does not read without any.
const NO_WORDS: &str = "…";

/// Writes an event without its words behind `bytes`.
pub fn encode(event: &Event, bytes: &mut Vec<u8>) {
    let mut message = event::message(event, "");
    if let Some(deal_event::Event::Statement(statement)) = &mut message.event {
        statement.quote.clear();
        statement.context.clear();
        statement.source_uri.clear();
        for claim in &mut statement.claims {
            claim.basis.clear();
        }
    }
    message
        .encode_length_delimited(bytes)
        .expect("a vector grows as it is written to");
}

/// Reads events that were written one behind the other.
///
/// # Errors
///
/// A sentence for the log: what is wrong with them.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let mut message = pb::DealEvent::decode_length_delimited(&mut bytes)
            .map_err(|error| error.to_string())?;
        if let Some(deal_event::Event::Statement(statement)) = &mut message.event {
            statement.quote = NO_WORDS.into();
        }
        events.push(event::from_message(message)?);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deal::Deal;
    use crate::wire::arbitrary;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_deal_folded_from_digests_is_the_deal_folded_from_events(
            facts in proptest::collection::vec(arbitrary::event(), 0..20),
        ) {
            let events: Vec<Event> = facts
                .into_iter()
                .zip(1..)
                .map(|(event, revision)| Event { revision, ..event })
                .collect();
            let mut bytes = Vec::new();
            for event in &events {
                encode(event, &mut bytes);
            }
            let digests = decode(&bytes).unwrap();
            prop_assert_eq!(Deal::replay(&digests), Deal::replay(&events));
        }
    }
}
