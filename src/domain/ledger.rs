//! The points of a score line by line: nine criteria, six modifiers, the cap.
//!
//! Law: the lines add up to the score, to within 1e-9. So do those of a difference of two scores to the difference.

use std::ops::Add;
use std::ops::Neg;
use std::ops::Sub;

use crate::domain::loss::ROUNDING;
use crate::domain::model::Model;
use crate::domain::scale::Modifier;
use crate::domain::score::Tally;
use crate::domain::topic::Topic;

/// A score, or a difference of two, by line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The score itself, or the difference of the two: what the lines add up to.
    pub total: f64,
    /// In the order of [`Topic::CRITERIA`].
    pub criteria: [f64; Topic::CRITERIA.len()],
    /// In the order of [`Modifier::ALL`].
    pub modifiers: [f64; Modifier::ALL.len()],
    pub cap: f64,
}

impl Ledger {
    pub const NOTHING: Ledger = Ledger {
        total: 0.0,
        criteria: [0.0; Topic::CRITERIA.len()],
        modifiers: [0.0; Modifier::ALL.len()],
        cap: 0.0,
    };

    /// The lines of a score.
    pub fn of(tally: &Tally, model: &Model) -> Ledger {
        let mut running = tally.base;
        Ledger {
            total: tally.score,
            criteria: Topic::CRITERIA
                .map(|topic| model.topic(topic).weight * tally.weights[topic.index()].level),
            modifiers: tally.factors.map(|factor| {
                let before = running;
                running *= factor;
                running - before
            }),
            cap: tally.score - running,
        }
    }

    /// The sum of the lines of the criteria.
    pub fn base(&self) -> f64 {
        self.criteria.iter().sum()
    }

    /// The sum of all lines.
    pub fn sum(&self) -> f64 {
        self.base() + self.modifiers.iter().sum::<f64>() + self.cap
    }

    /// Whether no line is more than rounding.
    pub fn is_rounding(&self) -> bool {
        let Ledger {
            total,
            criteria,
            modifiers,
            cap,
        } = self;
        criteria
            .iter()
            .chain(modifiers)
            .chain([total, cap])
            .all(|points| points.abs() <= ROUNDING)
    }

    fn with(self, other: Ledger, combine: fn(f64, f64) -> f64) -> Ledger {
        let mut combined = self;
        combined.total = combine(self.total, other.total);
        combined.cap = combine(self.cap, other.cap);
        for (line, other) in combined.criteria.iter_mut().zip(other.criteria) {
            *line = combine(*line, other);
        }
        for (line, other) in combined.modifiers.iter_mut().zip(other.modifiers) {
            *line = combine(*line, other);
        }
        combined
    }
}

impl Add for Ledger {
    type Output = Ledger;

    fn add(self, other: Ledger) -> Ledger {
        self.with(other, |one, other| one + other)
    }
}

impl Sub for Ledger {
    type Output = Ledger;

    fn sub(self, other: Ledger) -> Ledger {
        self.with(other, |one, other| one - other)
    }
}

impl Neg for Ledger {
    type Output = Ledger;

    fn neg(self) -> Ledger {
        Ledger::NOTHING - self
    }
}
