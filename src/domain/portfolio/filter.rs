//! Which deals of a portfolio are meant.

use crate::domain::money::Money;
use crate::domain::portfolio::Facts;
use crate::domain::portfolio::Need;
use crate::domain::portfolio::Verdict;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::state::DealState;
use crate::domain::text::Name;
use crate::domain::time::Date;

/// What a deal must be to be meant: every part that is set, and of a list any one. Empty: every deal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub owners: Vec<Folded>,
    pub accounts: Vec<Folded>,
    pub seller_stages: Vec<Folded>,
    pub bands: Vec<Band>,
    pub states: Vec<DealState>,
    pub categories: Vec<ForecastCategory>,
    /// The first and the last day.
    pub close_from: Option<Date>,
    pub close_to: Option<Date>,
    /// An amount of another currency, or none, is outside.
    pub amount_min: Option<Money>,
    pub amount_max: Option<Money>,
    pub score_min: Option<f64>,
    pub score_max: Option<f64>,
    pub name_contains: Option<Folded>,
    pub status: Option<Status>,
}

/// Text to be compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folded(String);

/// Whether a deal has an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Open,
    Closed,
}

impl Status {
    /// Both, in order.
    pub const ALL: [Status; 2] = [Status::Open, Status::Closed];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Status::Open => "OPEN",
            Status::Closed => "CLOSED",
        }
    }
}

impl Folded {
    pub fn of(text: &str) -> Folded {
        Folded(text.to_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, text: &str) -> bool {
        // Most text is written as it was before, and that is told without making it lower case.
        text == self.0 || text.to_lowercase() == self.0
    }
}

impl Filter {
    /// How far deals must be judged to be told apart.
    pub fn need(&self) -> Need {
        let told_by_depth = |state: &DealState| match state {
            DealState::Closed | DealState::Dark | DealState::Stalled => false,
            DealState::Slowing | DealState::Moving => true,
        };
        match self.states.iter().any(told_by_depth) {
            true => Need::Depth,
            false => Need::Score,
        }
    }

    /// Whether the seller's facts fit. Cheap, so it is asked first.
    pub fn fits_facts(&self, facts: &Facts) -> bool {
        any_of(&self.owners, &facts.owner)
            && any_of(&self.accounts, &facts.account)
            && any_of(&self.seller_stages, &facts.seller_stage)
            && self.fits_close_date(facts.close_date)
            && self.fits_amount(facts.amount)
            && self.name_contains.as_ref().is_none_or(|part| {
                let name = facts.name.as_ref().map_or("", Name::as_str);
                name.to_lowercase().contains(&part.0)
            })
    }

    /// Whether the verdict, gone into as far as [`Filter::need`] says, fits.
    pub fn fits_verdict(&self, verdict: &Verdict) -> bool {
        let status = match verdict.outcome {
            None => Status::Open,
            Some(_) => Status::Closed,
        };
        verdict.begun
            && self.status.is_none_or(|asked| asked == status)
            && self.score_min.is_none_or(|least| least <= verdict.score)
            && self.score_max.is_none_or(|most| verdict.score <= most)
            && (self.bands.is_empty() || self.bands.contains(&verdict.band))
            && (self.categories.is_empty() || self.categories.contains(&verdict.category))
            && (self.states.is_empty()
                || verdict
                    .state()
                    .is_some_and(|state| self.states.contains(&state)))
    }

    fn fits_close_date(&self, close_date: Option<Date>) -> bool {
        if self.close_from.is_none() && self.close_to.is_none() {
            return true;
        }
        close_date.is_some_and(|date| {
            self.close_from.is_none_or(|first| first <= date)
                && self.close_to.is_none_or(|last| date <= last)
        })
    }

    fn fits_amount(&self, amount: Option<Money>) -> bool {
        let Some(bound) = self.amount_min.or(self.amount_max) else {
            return true;
        };
        amount.is_some_and(|amount| {
            amount.currency() == bound.currency()
                && self
                    .amount_min
                    .is_none_or(|least| least.in_nanos() <= amount.in_nanos())
                && self
                    .amount_max
                    .is_none_or(|most| amount.in_nanos() <= most.in_nanos())
        })
    }
}

fn any_of(asked: &[Folded], value: &Option<Name>) -> bool {
    if asked.is_empty() {
        return true;
    }
    // The empty text means none given.
    let value = value.as_ref().map_or("", Name::as_str);
    asked.iter().any(|asked| asked.is(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            name: Some(Name::new("Claims Platform Ärzte").unwrap()),
            owner: Some(Name::new("Robin Clark").unwrap()),
            amount: Some(Money::new("EUR", 40_000, 0).unwrap()),
            close_date: Some(Date::parse("2026-12-18").unwrap()),
            ..Facts::default()
        }
    }

    #[track_caller]
    fn check(filter: Filter, fits: bool) {
        assert_eq!(filter.fits_facts(&facts()), fits, "{filter:?}");
    }

    fn date(text: &str) -> Option<Date> {
        Some(Date::parse(text).unwrap())
    }

    fn eur(units: i64) -> Option<Money> {
        Some(Money::new("EUR", units, 0).unwrap())
    }

    #[test]
    fn text_is_compared_without_regard_to_case() {
        let owners = |owner: &str| Filter {
            owners: vec![Folded::of("somebody"), Folded::of(owner)],
            ..Filter::default()
        };
        check(Filter::default(), true);
        check(owners("ROBIN clark"), true);
        check(owners("Robin"), false);
        let accounts = |account: &str| Filter {
            accounts: vec![Folded::of(account)],
            ..Filter::default()
        };
        check(accounts(""), true);
        check(accounts("Acme"), false);
        let named = |part: &str| Filter {
            name_contains: Some(Folded::of(part)),
            ..Filter::default()
        };
        check(named("PLATFORM ä"), true);
        check(named("platforms"), false);
    }

    #[test]
    fn a_range_takes_both_its_ends_and_nothing_without_a_value() {
        let closes = |from, to| Filter {
            close_from: from,
            close_to: to,
            ..Filter::default()
        };
        check(closes(date("2026-12-18"), date("2026-12-18")), true);
        check(closes(date("2026-12-19"), None), false);
        check(closes(None, date("2026-12-17")), false);
        let worth = |least, most| Filter {
            amount_min: least,
            amount_max: most,
            ..Filter::default()
        };
        check(worth(eur(40_000), eur(40_000)), true);
        check(worth(eur(40_001), None), false);
        check(worth(None, eur(39_999)), false);
        check(
            worth(None, Some(Money::new("USD", 1 << 40, 0).unwrap())),
            false,
        );
        let bare = Facts::default();
        assert!(!worth(None, eur(1)).fits_facts(&bare));
        assert!(!closes(None, date("2199-12-31")).fits_facts(&bare));
    }

    #[test]
    fn only_slowing_and_moving_need_a_deal_gone_into() {
        let need = |state| {
            let filter = Filter {
                states: vec![state],
                ..Filter::default()
            };
            filter.need()
        };
        assert_eq!(need(DealState::Dark), Need::Score);
        assert_eq!(need(DealState::Stalled), Need::Score);
        assert_eq!(need(DealState::Slowing), Need::Depth);
        assert_eq!(need(DealState::Moving), Need::Depth);
    }
}
