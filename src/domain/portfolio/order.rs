//! In which order the rows of a portfolio come, and where in that order a row is.

use crate::domain::portfolio::Need;
use crate::domain::portfolio::Row;
use crate::domain::time::Instant;

/// By what rows are ordered; those of equal value by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub by: By,
    pub direction: Direction,
}

/// A number of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum By {
    Score,
    Lift,
    Momentum,
    /// By currency first, since amounts of different currencies do not compare.
    Amount,
    CloseDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    Descending,
    Ascending,
}

/// The place of a row in an order. Rows without the value come last, whatever the direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub missing: bool,
    pub currency: [u8; 3],
    /// Rises with the order, whatever the direction.
    pub value: i128,
    pub deal: Box<str>,
}

impl By {
    /// All of them, in order.
    pub const ALL: [By; 5] = [By::Score, By::Lift, By::Momentum, By::Amount, By::CloseDate];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            By::Score => "SCORE",
            By::Lift => "LIFT",
            By::Momentum => "MOMENTUM",
            By::Amount => "AMOUNT",
            By::CloseDate => "CLOSE_DATE",
        }
    }

    /// How far deals must be judged to be put in this order.
    pub fn need(self) -> Need {
        match self {
            By::Score | By::Amount | By::CloseDate => Need::Score,
            By::Lift | By::Momentum => Need::Depth,
        }
    }
}

impl Direction {
    /// Both, in order.
    pub const ALL: [Direction; 2] = [Direction::Descending, Direction::Ascending];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Descending => "DESCENDING",
            Direction::Ascending => "ASCENDING",
        }
    }
}

impl Order {
    /// Where a row is, judged as far as [`By::need`] says.
    pub fn place(self, deal: &str, row: &Row) -> Place {
        let depth = row.verdict.depth;
        let mut currency = [0; 3];
        let value = match self.by {
            By::Score => Some(rising(row.verdict.score)),
            By::Lift => depth.map(|depth| rising(depth.lift)),
            By::Momentum => depth.and_then(|depth| depth.momentum).map(rising),
            By::Amount => row.facts.amount.map(|amount| {
                currency.copy_from_slice(amount.currency().as_bytes());
                amount.in_nanos()
            }),
            By::CloseDate => row
                .facts
                .close_date
                .map(|date| i128::from(date.days_since(Instant::MIN.date()))),
        };
        let value = match (value, self.direction) {
            (Some(value), Direction::Descending) => Some(-value),
            (value, _) => value,
        };
        Place {
            missing: value.is_none(),
            currency,
            value: value.unwrap_or_default(),
            deal: deal.into(),
        }
    }
}

/// A whole number that is larger exactly where the number is, so that places compare and travel without loss.
fn rising(number: f64) -> i128 {
    // Two zeros that compare alike are alike.
    let bits = (number + 0.0).to_bits();
    match bits >> 63 {
        0 => i128::from(bits),
        _ => -i128::from(bits & (u64::MAX >> 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_keep_their_order(one in -1e3..1e3_f64, other in -1e3..1e3_f64) {
            prop_assert_eq!(one.partial_cmp(&other), Some(rising(one).cmp(&rising(other))));
        }
    }

    #[test]
    fn both_zeros_are_one() {
        assert_eq!(rising(0.0), rising(-0.0));
        assert!(rising(-f64::MIN_POSITIVE) < rising(0.0));
    }
}
