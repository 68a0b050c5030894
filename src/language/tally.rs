//! How well claims read from quotes agree with the claims that people wrote down.
//!
//! A claim is matched by one with its topic and stance. No files here; whoever has them counts them in.

use std::collections::BTreeMap;

use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// What is compared of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marked {
    pub topic: Topic,
    pub stance: Stance,
    pub conviction: Conviction,
    /// 1 for a claim that people wrote down.
    pub confidence: f64,
}

/// Claims of one kind: rightly found, wrongly found, not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub right: u32,
    pub wrong: u32,
    pub missed: u32,
}

/// Claims of about one confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    pub claims: u32,
    pub right: u32,
    pub confidence_sum: f64,
}

/// How many bins of confidence there are: tenths.
pub const BINS: usize = 10;

/// The agreement over many quotes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub quotes: u32,
    pub kinds: BTreeMap<(Topic, Stance), Count>,
    /// Quotes in which people found nothing, and those of them that were left alone.
    pub silent: u32,
    pub left_alone: u32,
    /// Matched claims with the same conviction.
    pub conviction_right: u32,
    pub bins: [Bin; BINS],
}

impl Count {
    /// Of the claims found, the share that was right; 1 when none was found.
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    /// Of the claims made, the share that was found; 1 when none was made.
    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

impl Tally {
    /// Counts one quote in.
    pub fn count(&mut self, expected: &[Marked], found: &[Marked]) {
        self.quotes += 1;
        if expected.is_empty() {
            self.silent += 1;
            self.left_alone += u32::from(found.is_empty());
        }
        let same =
            |one: &Marked, other: &Marked| (one.topic, one.stance) == (other.topic, other.stance);
        for claim in found {
            let kind = self.kinds.entry((claim.topic, claim.stance)).or_default();
            let bin = (claim.confidence * BINS as f64) as usize;
            let bin = &mut self.bins[bin.min(BINS - 1)];
            bin.claims += 1;
            bin.confidence_sum += claim.confidence;
            if let Some(twin) = expected.iter().find(|twin| same(twin, claim)) {
                kind.right += 1;
                bin.right += 1;
                self.conviction_right += u32::from(twin.conviction == claim.conviction);
            } else {
                kind.wrong += 1;
            }
        }
        for claim in expected {
            if !found.iter().any(|twin| same(twin, claim)) {
                let kind = self.kinds.entry((claim.topic, claim.stance)).or_default();
                kind.missed += 1;
            }
        }
    }

    /// All kinds together: its `f1` is the micro-F1.
    pub fn all(&self) -> Count {
        let mut all = Count::default();
        for kind in self.kinds.values() {
            all.right += kind.right;
            all.wrong += kind.wrong;
            all.missed += kind.missed;
        }
        all
    }

    /// Of the quotes without a claim, the share without a finding.
    pub fn left_alone_share(&self) -> f64 {
        share(self.left_alone, self.silent)
    }

    /// Of the matched claims, the share with the same conviction.
    pub fn conviction_share(&self) -> f64 {
        share(self.conviction_right, self.all().right)
    }
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 {
        return 1.0;
    }
    f64::from(part) / f64::from(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(topic: Topic, conviction: Conviction, confidence: f64) -> Marked {
        Marked {
            topic,
            stance: Stance::Supports,
            conviction,
            confidence,
        }
    }

    #[test]
    fn agreement_is_counted_by_topic_and_stance() {
        let problem = claim(Topic::Problem, Conviction::Owned, 1.0);
        let weaker = claim(Topic::Problem, Conviction::Acknowledged, 0.75);
        let value = claim(Topic::Value, Conviction::Owned, 0.3);
        let mut tally = Tally::default();
        tally.count(&[problem], &[weaker, value]);
        tally.count(&[value], &[]);
        tally.count(&[], &[]);
        tally.count(&[], &[value]);

        assert_eq!(
            tally.all(),
            Count {
                right: 1,
                wrong: 2,
                missed: 1
            }
        );
        assert_eq!(tally.all().f1(), 0.4);
        assert_eq!(tally.left_alone_share(), 0.5);
        assert_eq!(tally.conviction_share(), 0.0);
        assert_eq!((tally.bins[3].claims, tally.bins[7].right), (2, 1));
    }

    #[test]
    fn nothing_to_find_and_nothing_found_is_right() {
        let tally = Tally::default();
        assert_eq!((tally.all().f1(), tally.left_alone_share()), (1.0, 1.0));
    }
}
