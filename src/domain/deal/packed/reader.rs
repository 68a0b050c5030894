//! Reads the parts of a packed deal; `None` wherever they are not what was written.

use crate::domain::deal::packed::order_of;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;

pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn of(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes not read yet: nothing of which there is more can be there.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn raw(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn text(&mut self) -> Option<&'a str> {
        let bytes = self.count()?;
        str::from_utf8(self.raw(bytes)?).ok()
    }

    pub fn moment(&mut self) -> Option<Instant> {
        let number = self.number()?;
        let nanos = match number & 1 {
            0 => 0,
            _ => i32::from_le_bytes(self.raw(4)?.try_into().ok()?),
        };
        Instant::from_unix(i64::try_from(number >> 1).ok()?, nanos).ok()
    }

    pub fn date(&mut self) -> Option<Date> {
        let days = i32::try_from(self.number()?).ok()?;
        Some(Instant::MIN.plus(Span::days(days)).date())
    }

    pub fn order(&mut self) -> Option<Order> {
        let number = self.number()?;
        let place = match number & 1 {
            0 => 0,
            _ => self.byte()?,
        };
        Some(order_of(number >> 1, place))
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.count()?).copied()
    }

    pub fn timeline<T>(&mut self, value: fn(&mut Reader<'a>) -> Option<T>) -> Option<Timeline<T>> {
        let mut timeline = Timeline::new();
        for _ in 0..self.count()? {
            let at = self.moment()?;
            let order = self.order()?;
            timeline.insert(at, order, value(self)?);
        }
        Some(timeline)
    }

    /// The value of a timeline that is in force.
    pub fn value_at<T>(
        &mut self,
        at: Instant,
        value: fn(&mut Reader<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        let mut in_force = None;
        for _ in 0..self.count()? {
            let from = self.moment()?;
            let _order = self.order()?;
            let value = value(self)?;
            if from <= at {
                in_force = Some(value);
            }
        }
        Some(in_force)
    }

    pub fn first<T>(&mut self, value: T) -> Option<Timeline<T>> {
        let mut timeline = Timeline::new();
        if self.byte()? != 0 {
            let at = self.moment()?;
            timeline.insert(at, self.order()?, value);
        }
        Some(timeline)
    }

    /// When a claim was made, given when its speaker spoke.
    pub fn place_in(&mut self, spoke: &Timeline<()>) -> Option<(Instant, Order)> {
        let entry = spoke.until(Instant::MAX).get(self.count()?)?;
        let place = self.byte()?;
        Some((entry.at, order_of(entry.order.revision(), place)))
    }
}
