//! A portfolio summed up, as a whole and in groups.
//!
//! What always holds:
//!
//! 1. Amounts of different currencies are never added.
//! 2. The sums do not depend on the order in which rows are taken in: they are whole billionths of a unit, and a mean
//!    is taken over scores in order of size.
//! 3. What groups add up to is the whole.

use std::collections::BTreeMap;

use crate::domain::loss::StallCause;
use crate::domain::model::Model;
use crate::domain::money::Money;
use crate::domain::portfolio::Need;
use crate::domain::portfolio::Row;
use crate::domain::portfolio::forecast::share_of;
use crate::domain::portfolio::forecast::share_of_score;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::state::DealState;
use crate::domain::text::Name;

/// By what deals are put in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Grouping {
    Owner,
    CloseMonth,
    SellerStage,
    Band,
    State,
    ForecastCategory,
    TopCause,
}

/// What the deals of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An owner, a stage, or a month `YYYY-MM`; empty when the deal has none.
    Text(Box<str>),
    Band(Band),
    State(DealState),
    Category(ForecastCategory),
    /// `None`: no points are lost.
    Cause(Option<StallCause>),
}

/// A portfolio summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub whole: Sums,
    pub groups: BTreeMap<Vec<Key>, Sums>,
}

/// The sums over some deals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    pub deals: u64,
    pub open: u64,
    pub stalled: u64,
    pub dark: u64,
    /// Open deals whose seller's stage the model gives no probability.
    pub stage_unknown: u64,
    /// Deals without an amount: they count, and add nothing to the amounts.
    pub without_amount: u64,
    scores: Vec<f64>,
    pub amounts: BTreeMap<[u8; 3], Amounts>,
}

/// The amounts of one currency. Unit: billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub deals: u64,
    pub amount: i128,
    /// Of the open deals: amount times score as a percentage.
    pub expected: i128,
    pub stalled: i128,
    pub dark: i128,
    /// Of the open deals in stages that the model knows: what the seller's stages promise.
    pub seller_forecast: i128,
    /// Of the same deals: what the evidence stands for.
    pub evidence_forecast: i128,
    /// Of the open deals in other stages.
    pub stage_unknown: i128,
}

impl Grouping {
    /// All of them, in order.
    pub const ALL: [Grouping; 7] = [
        Grouping::Owner,
        Grouping::CloseMonth,
        Grouping::SellerStage,
        Grouping::Band,
        Grouping::State,
        Grouping::ForecastCategory,
        Grouping::TopCause,
    ];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Grouping::Owner => "OWNER",
            Grouping::CloseMonth => "CLOSE_MONTH",
            Grouping::SellerStage => "SELLER_STAGE",
            Grouping::Band => "BAND",
            Grouping::State => "STATE",
            Grouping::ForecastCategory => "FORECAST_CATEGORY",
            Grouping::TopCause => "TOP_CAUSE",
        }
    }

    /// How far deals must be judged to be put in these groups.
    pub fn need(self) -> Need {
        match self {
            Grouping::State | Grouping::TopCause => Need::Depth,
            _ => Need::Score,
        }
    }

    fn key(self, row: &Row) -> Key {
        let text = |name: &Option<Name>| Key::Text(name.as_ref().map_or("", Name::as_str).into());
        let verdict = &row.verdict;
        match self {
            Grouping::Owner => text(&row.facts.owner),
            Grouping::SellerStage => text(&row.facts.seller_stage),
            Grouping::CloseMonth => {
                let date = row.facts.close_date.map(|date| date.to_string());
                // A date is written `YYYY-MM-DD`.
                Key::Text(date.as_deref().map_or("", |date| &date[..7]).into())
            }
            Grouping::Band => Key::Band(verdict.band),
            Grouping::ForecastCategory => Key::Category(verdict.category),
            Grouping::State => Key::State(verdict.state().unwrap_or(DealState::Moving)),
            Grouping::TopCause => {
                let top = verdict.depth.and_then(|depth| depth.top_cause);
                Key::Cause(top.map(|(cause, _)| cause))
            }
        }
    }
}

impl Summary {
    /// Takes in a row, judged as far as the groupings say.
    pub fn take(&mut self, row: &Row, model: &Model, groupings: &[Grouping]) {
        self.whole.take(row, model);
        if groupings.is_empty() {
            return;
        }
        let keys = groupings.iter().map(|grouping| grouping.key(row)).collect();
        self.groups.entry(keys).or_default().take(row, model);
    }

    /// Takes in what was summed up elsewhere.
    pub fn merge(&mut self, other: Summary) {
        self.whole.merge(other.whole);
        for (keys, sums) in other.groups {
            self.groups.entry(keys).or_default().merge(sums);
        }
    }

    /// Puts scores in order; before this, means are not exact to the last bit.
    pub fn end(mut self) -> Summary {
        self.whole.scores.sort_unstable_by(f64::total_cmp);
        for sums in self.groups.values_mut() {
            sums.scores.sort_unstable_by(f64::total_cmp);
        }
        self
    }
}

impl Sums {
    /// `None` over no deals.
    pub fn score_mean(&self) -> Option<f64> {
        let sum: f64 = self.scores.iter().sum();
        (!self.scores.is_empty()).then(|| sum / self.scores.len() as f64)
    }

    /// The middle score, or the mean of the two in the middle; `None` over no deals.
    pub fn score_median(&self) -> Option<f64> {
        let above = self.scores.len() / 2;
        let upper = *self.scores.get(above)?;
        if self.scores.len() % 2 == 1 {
            return Some(upper);
        }
        Some((self.scores[above - 1] + upper) / 2.0)
    }

    fn take(&mut self, row: &Row, model: &Model) {
        let verdict = &row.verdict;
        let open = verdict.outcome.is_none();
        let stalled = verdict.stuck == Some(DealState::Stalled);
        let dark = verdict.stuck == Some(DealState::Dark);
        let stage = row.facts.seller_stage.as_ref().map_or("", Name::as_str);
        let promised = model.stage_probability(stage);
        self.deals += 1;
        self.open += u64::from(open);
        self.stalled += u64::from(stalled);
        self.dark += u64::from(dark);
        self.stage_unknown += u64::from(open && promised.is_none());
        self.scores.push(verdict.score);
        let Some(amount) = row.facts.amount else {
            self.without_amount += 1;
            return;
        };
        let nanos = amount.in_nanos();
        let amounts = self.amounts.entry(currency_of(amount)).or_default();
        amounts.deals += 1;
        amounts.amount += nanos;
        if stalled {
            amounts.stalled += nanos;
        }
        if dark {
            amounts.dark += nanos;
        }
        if !open {
            return;
        }
        let expected = share_of(amount, share_of_score(verdict.score));
        amounts.expected += expected;
        match promised {
            Some(probability) => {
                amounts.seller_forecast += share_of(amount, probability);
                amounts.evidence_forecast += expected;
            }
            None => amounts.stage_unknown += nanos,
        }
    }

    fn merge(&mut self, other: Sums) {
        let Sums {
            deals,
            open,
            stalled,
            dark,
            stage_unknown,
            without_amount,
            scores,
            amounts,
        } = other;
        self.deals += deals;
        self.open += open;
        self.stalled += stalled;
        self.dark += dark;
        self.stage_unknown += stage_unknown;
        self.without_amount += without_amount;
        self.scores.extend(scores);
        for (currency, more) in amounts {
            self.amounts.entry(currency).or_default().merge(more);
        }
    }
}

impl Amounts {
    /// By how much the seller's stages promise more than the buyers said; negative when they promise less.
    pub fn happy_ears_gap(&self) -> i128 {
        self.seller_forecast - self.evidence_forecast
    }

    /// Adds what other deals are worth in the same currency.
    pub fn merge(&mut self, more: Amounts) {
        let Amounts {
            deals,
            amount,
            expected,
            stalled,
            dark,
            seller_forecast,
            evidence_forecast,
            stage_unknown,
        } = more;
        self.deals += deals;
        self.amount += amount;
        self.expected += expected;
        self.stalled += stalled;
        self.dark += dark;
        self.seller_forecast += seller_forecast;
        self.evidence_forecast += evidence_forecast;
        self.stage_unknown += stage_unknown;
    }
}

fn currency_of(amount: Money) -> [u8; 3] {
    let mut currency = [0; 3];
    currency.copy_from_slice(amount.currency().as_bytes());
    currency
}
