//! What a group of appends comes to: the rows to write, and what each append is answered once they are durable.
//!
//! A group is drafted against the heads of its deals. At first these are assumed to be where the appends expect them,
//! which saves asking; the rows then tell whether that was so, since revisions are unique and without gaps: a deal is at
//! `expected` when the event at it is there and the one behind it is not.

use std::collections::HashMap;

use crate::store::DealKey;
use crate::store::EVENTS_MAX;
use crate::store::Error;
use crate::store::Revision;
use crate::store::groups::Entry;
use crate::store::postgres::frames;
use crate::store::postgres::frames::Mark;
use crate::store::postgres::frames::Place;
use crate::store::queue::Append;

/// The highest revision there can be: beyond it a column has no number.
const REVISION_MAX: Revision = i64::MAX as Revision - EVENTS_MAX as Revision;

/// At which revision the deals of a group are.
pub enum Heads {
    /// Where the appends expect them.
    Assumed,
    /// Read from the database.
    Known(HashMap<DealKey, Revision>),
}

/// A group as it is to be written.
#[derive(Default)]
pub struct Draft {
    /// The appends that are taken, in the order in which they came.
    pub entries: Vec<Entry>,
    /// What each append is answered.
    pub outcomes: Vec<Result<Revision, Error>>,
    pub events: Rows,
    /// Deals that get their first event.
    pub begun: Rows,
    /// The events that must be there for the others to go on from.
    pub before: Rows,
}

/// Columns of rows, in the order of their keys: writers that lock in one order never wait for each other in a circle.
#[derive(Default)]
pub struct Rows {
    pub tenants: Vec<Vec<u8>>,
    pub deals: Vec<Vec<u8>>,
    pub revisions: Vec<i64>,
    pub bodies: Vec<Vec<u8>>,
}

impl Draft {
    /// Drafts the group; `None` when an append expects what no deal can be at, so that the heads must be asked for.
    pub fn new(group: &[Append], heads: &Heads, mark: &Mark) -> Option<Draft> {
        let mut draft = Draft::default();
        let mut reached: HashMap<&DealKey, Revision> = HashMap::new();
        let mut events: Vec<(&DealKey, Revision, Vec<u8>)> = Vec::new();
        let mut begun = Vec::new();
        let mut before = Vec::new();
        for append in group {
            let expected = append.expected;
            let actual = match (reached.get(&append.deal), heads) {
                (Some(reached), _) => *reached,
                (None, Heads::Known(heads)) => heads.get(&append.deal).copied().unwrap_or(0),
                (None, Heads::Assumed) if expected <= REVISION_MAX => expected,
                (None, Heads::Assumed) => return None,
            };
            if actual != expected {
                draft
                    .outcomes
                    .push(Err(Error::Conflict { expected, actual }));
                continue;
            }
            if !reached.contains_key(&append.deal) {
                match expected {
                    0 => begun.push(&append.deal),
                    _ => before.push((&append.deal, expected)),
                }
            }
            let mut revision = expected;
            for event in &append.events {
                revision += 1;
                let body = frames::seal(Place::Event(&append.deal, revision), mark, event);
                events.push((&append.deal, revision, body));
            }
            reached.insert(&append.deal, revision);
            draft.entries.push(Entry {
                deal: append.deal.clone(),
                revision,
                events: u32::try_from(append.events.len()).expect("check_append lets 1000 through"),
            });
            draft.outcomes.push(Ok(revision));
        }

        events.sort_unstable_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
        begun.sort_unstable();
        before.sort_unstable();
        for (deal, revision, body) in events {
            draft.events.push(deal, revision);
            draft.events.bodies.push(body);
        }
        begun.into_iter().for_each(|deal| draft.begun.push(deal, 0));
        for (deal, revision) in before {
            draft.before.push(deal, revision);
        }
        Some(draft)
    }
}

impl Rows {
    pub fn push(&mut self, deal: &DealKey, revision: Revision) {
        self.tenants.push(deal.tenant.as_bytes().to_vec());
        self.deals.push(deal.deal.as_bytes().to_vec());
        // `REVISION_MAX` bounds what is drafted.
        self.revisions
            .push(i64::try_from(revision).unwrap_or(i64::MAX));
    }

    pub fn len(&self) -> usize {
        self.deals.len()
    }

    pub fn is_empty(&self) -> bool {
        self.deals.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tracing::Span;

    use super::*;

    fn append(deal: &str, expected: Revision, events: usize) -> Append {
        Append {
            deal: DealKey::new("t", deal),
            expected,
            events: vec![vec![1]; events],
            reply: oneshot::channel().0,
            span: Span::none(),
        }
    }

    fn drafted(group: &[Append], heads: &Heads) -> Draft {
        Draft::new(group, heads, &[7; 16]).unwrap()
    }

    #[test]
    fn rows_come_in_the_order_of_keys_and_entries_as_they_came() {
        let group = [append("b", 0, 2), append("a", 4, 1), append("b", 2, 1)];
        let draft = drafted(&group, &Heads::Assumed);
        assert_eq!(draft.outcomes, [Ok(2), Ok(5), Ok(3)]);
        assert_eq!(draft.events.deals, [b"a", b"b", b"b", b"b"]);
        assert_eq!(draft.events.revisions, [5, 1, 2, 3]);
        assert_eq!(draft.begun.deals, [b"b"]);
        assert_eq!(
            (draft.before.deals, draft.before.revisions),
            (vec![b"a".to_vec()], vec![4])
        );
        let entries: Vec<_> = draft
            .entries
            .iter()
            .map(|entry| &*entry.deal.deal)
            .collect();
        assert_eq!(entries, ["b", "a", "b"]);
    }

    #[test]
    fn who_comes_second_in_a_group_is_told_where_the_first_left_the_deal() {
        let group = [append("a", 0, 2), append("a", 0, 1)];
        let conflict = Err(Error::Conflict {
            expected: 0,
            actual: 2,
        });
        assert_eq!(drafted(&group, &Heads::Assumed).outcomes, [Ok(2), conflict]);
    }

    #[test]
    fn against_known_heads_only_who_expects_them_is_taken() {
        let group = [append("a", 3, 1), append("b", 0, 1), append("a", 5, 1)];
        let heads = Heads::Known(HashMap::from([(DealKey::new("t", "a"), 5)]));
        let draft = drafted(&group, &heads);
        let conflict = Err(Error::Conflict {
            expected: 3,
            actual: 5,
        });
        assert_eq!(draft.outcomes, [conflict, Ok(1), Ok(6)]);
        assert_eq!(draft.entries.len(), 2);
    }

    #[test]
    fn what_no_deal_can_be_at_is_asked_for_and_not_assumed() {
        let most = [append("a", REVISION_MAX, 1)];
        assert!(Draft::new(&most, &Heads::Assumed, &[7; 16]).is_some());
        let more = [append("a", REVISION_MAX + 1, 1)];
        assert!(Draft::new(&more, &Heads::Assumed, &[7; 16]).is_none());
    }
}
