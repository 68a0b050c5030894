//! What held when: values in order of effective time, whatever the order in which they arrived.

use std::ops::Range;

use smallvec::SmallVec;

use crate::domain::time::Instant;

/// Where a value stands among others of the same effective time: by revision, then by place within the event.
///
/// The later recorded wins a tie, and of one statement's claims the later listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    revision: u32,
    place: u8,
}

/// Values in order of (effective time, [`Order`]).
///
/// Reading the value at a moment takes time that grows with the logarithm of the length, so that a deal is scored as
/// of any day without a replay; an event that arrives late is put where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline<T>(SmallVec<[Entry<T>; 1]>);

/// One value and when it came to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<T> {
    pub at: Instant,
    pub order: Order,
    pub value: T,
}

impl Order {
    /// The order of the `place`th part of the event of that revision.
    ///
    /// A deal holds fewer events than 2^32 and a statement fewer claims than 2^8 (`deal::EVENTS_MAX`, `CLAIMS_MAX`).
    pub fn new(revision: u64, place: usize) -> Order {
        Order {
            revision: revision as u32,
            place: place as u8,
        }
    }

    /// The revision of the event.
    pub fn revision(self) -> u64 {
        u64::from(self.revision)
    }

    /// The place within the event.
    pub fn place(self) -> u8 {
        self.place
    }
}

impl<T> Timeline<T> {
    pub const fn new() -> Timeline<T> {
        Timeline(SmallVec::new_const())
    }

    /// Puts a value where it belongs.
    pub fn insert(&mut self, at: Instant, order: Order, value: T) {
        let place = self
            .0
            .partition_point(|entry| (entry.at, entry.order) <= (at, order));
        self.0.insert(place, Entry { at, order, value });
    }

    /// Takes out what came from the event of that revision, which is effective at `at`.
    pub fn remove(&mut self, at: Instant, revision: u64) {
        let places = self.places(at, revision);
        self.0.drain(places);
    }

    /// What came from the event of that revision, which is effective at `at`.
    pub fn of(&self, at: Instant, revision: u64) -> &[Entry<T>] {
        &self.0[self.places(at, revision)]
    }

    /// The entry in force at `as_of`: the last at or before it.
    pub fn at(&self, as_of: Instant) -> Option<&Entry<T>> {
        match self.0.last() {
            // Most questions are about now, and need no search.
            Some(last) if last.at <= as_of => Some(last),
            _ => self.until(as_of).last(),
        }
    }

    /// The value in force at `as_of`.
    pub fn value_at(&self, as_of: Instant) -> Option<&T> {
        self.at(as_of).map(|entry| &entry.value)
    }

    /// The entries at or before `as_of`, oldest first.
    pub fn until(&self, as_of: Instant) -> &[Entry<T>] {
        // Most ask for now, when all of it has come to hold: then one look is enough, however long it is.
        match self.0.last() {
            Some(last) if as_of < last.at => {
                &self.0[..self.0.partition_point(|entry| entry.at <= as_of)]
            }
            _ => &self.0,
        }
    }

    /// The earliest moment, if any.
    pub fn first_at(&self) -> Option<Instant> {
        self.0.first().map(|entry| entry.at)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn places(&self, at: Instant, revision: u64) -> Range<usize> {
        let key = |entry: &Entry<T>| (entry.at, entry.order.revision());
        let start = self.0.partition_point(|entry| key(entry) < (at, revision));
        let end = self.0.partition_point(|entry| key(entry) <= (at, revision));
        start..end
    }
}

impl<T: PartialEq> Timeline<T> {
    /// Whether `value` came to hold at exactly `at`.
    pub fn says(&self, at: Instant, value: &T) -> bool {
        self.at(at)
            .is_some_and(|entry| entry.at == at && entry.value == *value)
    }
}

/// Puts a value where it belongs, if there is one: an absent field leaves what was.
pub fn insert_if_set<T: Clone>(
    timeline: &mut Timeline<T>,
    value: &Option<T>,
    at: Instant,
    order: Order,
) {
    if let Some(value) = value {
        timeline.insert(at, order, value.clone());
    }
}

/// Whether a value came to hold at exactly `at`; an absent field says nothing that could differ.
pub fn says_if_set<T: PartialEq>(timeline: &Timeline<T>, value: &Option<T>, at: Instant) -> bool {
    value.as_ref().is_none_or(|value| timeline.says(at, value))
}

impl<T> Default for Timeline<T> {
    fn default() -> Timeline<T> {
        Timeline::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::from_unix(second, 0).unwrap()
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let mut early = Timeline::new();
        early.insert(at(1), Order::new(1, 0), 'a');
        early.insert(at(2), Order::new(2, 0), 'b');
        let mut late = Timeline::new();
        late.insert(at(2), Order::new(2, 0), 'b');
        late.insert(at(1), Order::new(1, 0), 'a');
        assert_eq!(early, late);
        assert_eq!(late.value_at(at(0)), None);
        assert_eq!(late.value_at(at(1)), Some(&'a'));
        assert_eq!(late.value_at(at(9)), Some(&'b'));
    }

    #[test]
    fn what_came_from_an_event_is_found_among_others_of_its_moment() {
        let mut timeline = Timeline::new();
        timeline.insert(at(1), Order::new(2, 0), "of 2");
        timeline.insert(at(1), Order::new(3, 0), "first of 3");
        timeline.insert(at(1), Order::new(3, 1), "second of 3");
        timeline.insert(at(2), Order::new(1, 0), "of 1");
        let of = |at, revision| {
            let entries = timeline.of(at, revision).iter();
            entries.map(|entry| entry.value).collect::<Vec<_>>()
        };
        assert_eq!(of(at(1), 3), ["first of 3", "second of 3"]);
        assert_eq!(of(at(2), 1), ["of 1"]);
        assert!(of(at(1), 1).is_empty() && of(at(2), 3).is_empty());
    }

    #[test]
    fn the_later_recorded_wins_a_tie() {
        let mut timeline = Timeline::new();
        timeline.insert(at(1), Order::new(7, 0), "later");
        timeline.insert(at(1), Order::new(3, 5), "earlier");
        assert_eq!(timeline.value_at(at(1)), Some(&"later"));
        assert!(timeline.says(at(1), &"later"));
        assert!(!timeline.says(at(1), &"earlier"));
        assert!(!timeline.says(at(2), &"later"));
        timeline.remove(at(2), 7);
        assert_eq!(timeline.len(), 2, "nothing of that moment is of 7");
        timeline.remove(at(1), 7);
        assert_eq!(timeline.value_at(at(1)), Some(&"earlier"));
    }
}
