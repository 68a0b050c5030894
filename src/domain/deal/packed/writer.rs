//! Writes the parts of a packed deal.

use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::timeline::Entry;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;

#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn end(self) -> Vec<u8> {
        self.0
    }

    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn number(&mut self, mut number: u64) {
        while 0x7f < number {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// Numbers near zero are short, on either side of it.
    pub fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    pub fn moment(&mut self, at: Instant) {
        let nanos = at.subsecond_nanos();
        self.number(at.unix_seconds().unsigned_abs() << 1 | u64::from(nanos != 0));
        if nanos != 0 {
            self.raw(&nanos.to_le_bytes());
        }
    }

    pub fn date(&mut self, date: Date) {
        let days = date.days_since(Instant::MIN.date());
        self.number(u64::from(days.unsigned_abs()));
    }

    pub fn order(&mut self, order: Order) {
        self.number(order.revision() << 1 | u64::from(order.place() != 0));
        if order.place() != 0 {
            self.byte(order.place());
        }
    }

    /// The number of entries, which are then for the caller to write.
    pub fn entries<'a, T>(&mut self, timeline: &'a Timeline<T>) -> &'a [Entry<T>] {
        let entries = timeline.until(Instant::MAX);
        self.count(entries.len());
        entries
    }

    pub fn timeline<T>(&mut self, timeline: &Timeline<T>, value: fn(&mut Writer, &T)) {
        for entry in self.entries(timeline) {
            self.moment(entry.at);
            self.order(entry.order);
            value(self, &entry.value);
        }
    }

    /// When it began, and nothing else of it.
    pub fn first<T>(&mut self, timeline: &Timeline<T>) {
        let entries = timeline.until(Instant::MAX);
        self.count(entries.len().min(1));
        if let Some(entry) = entries.first() {
            self.moment(entry.at);
            self.order(entry.order);
        }
    }

    /// The place of the statement that a claim is of among those of its speaker, and the claim's place in it.
    pub fn place_of(&mut self, spoke: &Timeline<()>, at: Instant, order: Order) {
        let said = Order::new(order.revision(), 0);
        let place = spoke
            .until(Instant::MAX)
            .binary_search_by_key(&(at, said), |entry| (entry.at, entry.order))
            .expect("a claim comes and goes with its statement");
        self.count(place);
        self.byte(order.place());
    }
}
