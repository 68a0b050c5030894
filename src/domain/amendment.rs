//! What takes a statement back or judges it anew, and so has no moment of its own in a score: the statement is gone, or means
//! something else, from when it was said.

use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::text::Id;
use crate::domain::time::Instant;

/// The statement that a fact takes back or judges anew.
pub fn amended(fact: &Fact) -> Option<&Id> {
    match fact {
        Fact::Retraction(retraction) => Some(&retraction.statement),
        Fact::Confirmation(confirmation) => Some(&confirmation.statement),
        Fact::Deal(_)
        | Fact::Stakeholder(_)
        | Fact::Statement(_)
        | Fact::Milestone(_)
        | Fact::Ending(_) => None,
    }
}

/// The statements that these events take back or judge anew.
pub fn all_amended<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Id> {
    let amended = |event: &'a Event| amended(&event.fact).cloned();
    events.into_iter().filter_map(amended).collect()
}

/// Has a statement that is still to be taken in amended: out it goes, or it comes with the confirmed claims. Answers
/// whether it was among the events; those that `keep` are left as they are.
pub fn amend(
    events: &mut Vec<(Instant, Event)>,
    by: &Fact,
    keep: impl Fn(Instant) -> bool,
) -> bool {
    let Some(id) = amended(by) else {
        return false;
    };
    let is_it = |at: Instant, event: &Event| match &event.fact {
        Fact::Statement(statement) => statement.id == *id && !keep(at),
        _ => false,
    };
    let Some(place) = events.iter().position(|(at, event)| is_it(*at, event)) else {
        return false;
    };
    match (by, &mut events[place].1.fact) {
        (Fact::Confirmation(confirmation), Fact::Statement(statement)) => {
            statement.claims = confirmation.claims().to_vec();
        }
        _ => drop(events.remove(place)),
    }
    true
}
