//! Planned next steps that press the order instead of the reason to change.
//!
//! Found by words that stand close together, in English. A step that forswears a tactic ("no discount that ends on
//! Friday") is not flagged.

mod signs;

use crate::domain::loss::StallCause;
use crate::domain::phrase;
use crate::domain::tactic::signs::SIGNS;
use crate::domain::tactic::signs::Sign;

/// A way of pressing the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tactic {
    ExpiringOffer,
    LimitedQuantity,
    PriceIncreaseThreat,
    FootInTheDoor,
    WalkAwayBluff,
}

/// A warning about one planned next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The step's place in the list that was given.
    pub planned: usize,
    pub tactic: Tactic,
    /// The words that gave it away.
    pub basis: String,
    /// What was missed earlier and makes it tempting.
    pub missed_earlier: String,
    pub missed_cause: Option<StallCause>,
    pub instead: String,
}

/// Within so many words the groups of a sign must stand.
const SPAN_WORDS_MAX: usize = 10;
/// A negation so many words before a sign takes it back.
const NEGATION_WORDS_MAX: usize = 3;

const NEGATIONS: &[&str] = &[
    "no", "not", "never", "without", "don't", "dont", "avoid", "instead", "stop", "drop", "nothing",
];

impl Tactic {
    /// All of them, in order.
    pub const ALL: [Tactic; 5] = [
        Tactic::ExpiringOffer,
        Tactic::LimitedQuantity,
        Tactic::PriceIncreaseThreat,
        Tactic::FootInTheDoor,
        Tactic::WalkAwayBluff,
    ];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Tactic::ExpiringOffer => "EXPIRING_OFFER",
            Tactic::LimitedQuantity => "LIMITED_QUANTITY",
            Tactic::PriceIncreaseThreat => "PRICE_INCREASE_THREAT",
            Tactic::FootInTheDoor => "FOOT_IN_THE_DOOR",
            Tactic::WalkAwayBluff => "WALK_AWAY_BLUFF",
        }
    }

    /// What to do instead.
    fn instead(self) -> &'static str {
        match self {
            Tactic::ExpiringOffer => {
                "Take the end date off the offer and ask for the date by which they need results; that one holds them."
            }
            Tactic::LimitedQuantity => {
                "Ask what happens on their side if it starts a quarter later; if nothing does, scarcity of yours will not help."
            }
            Tactic::PriceIncreaseThreat => {
                "Work out with them what waiting costs per month; if your increase is more than that, they are right to wait."
            }
            Tactic::FootInTheDoor => {
                "Do not shrink the order. Ask which problem is big enough that they must solve it, and agree what a trial has to prove and who decides after it."
            }
            Tactic::WalkAwayBluff => {
                "Only walk away if you mean it. Otherwise ask openly whether it is over, and what would have to be true for it not to be."
            }
        }
    }
}

/// Warns of the planned steps that press the order. `top_cause` is what costs the deal most.
pub fn warnings(planned: &[String], top_cause: Option<StallCause>) -> Vec<Warning> {
    planned
        .iter()
        .enumerate()
        .filter_map(|(place, step)| {
            let (tactic, basis) = recognise(step)?;
            let missed_earlier = match top_cause {
                Some(cause) => format!(
                    "It is tempting because {}; pressing the order does not mend that.",
                    phrase::in_short(cause)
                ),
                None => "Nothing is missing: there is no reason to press.".into(),
            };
            Some(Warning {
                planned: place,
                tactic,
                basis,
                missed_earlier,
                missed_cause: top_cause,
                instead: tactic.instead().into(),
            })
        })
        .collect()
}

/// The first tactic whose sign the step bears, with the words of it.
pub fn recognise(step: &str) -> Option<(Tactic, String)> {
    let words = words(step);
    SIGNS.iter().find_map(|(tactic, sign)| {
        let (start, end) = found(&words, sign)?;
        let basis: Vec<&str> = words[start..=end].iter().map(|word| word.0).collect();
        Some((*tactic, basis.join(" ")))
    })
}

/// The words as written and in lower case without punctuation.
fn words(step: &str) -> Vec<(&str, String)> {
    step.split_whitespace()
        .map(|written| {
            let bare = written
                .trim_matches(|character: char| !character.is_alphanumeric() && character != '%')
                .replace('’', "'")
                .to_lowercase();
            // "10%" reads as a percentage whatever its figure.
            let bare = if bare.ends_with('%') {
                "%".into()
            } else {
                bare
            };
            (written, bare)
        })
        .filter(|(_, bare)| !bare.is_empty())
        .collect()
}

/// The shortest run of words that holds one of each group and is not taken back.
fn found(words: &[(&str, String)], sign: Sign) -> Option<(usize, usize)> {
    let holds = |window: &[(&str, String)]| {
        sign.iter()
            .all(|group| window.iter().any(|(_, bare)| belongs(bare, group)))
    };
    (sign.len()..=SPAN_WORDS_MAX)
        .flat_map(|length| {
            (0..(words.len() + 1).saturating_sub(length)).map(move |start| (start, start + length))
        })
        .find(|(start, end)| {
            let before = &words[start.saturating_sub(NEGATION_WORDS_MAX)..*end];
            let negated = before
                .iter()
                .any(|(_, bare)| NEGATIONS.contains(&bare.as_str()));
            !negated && holds(&words[*start..*end])
        })
        .map(|(start, end)| (start, end - 1))
}

fn belongs(word: &str, group: &[&str]) -> bool {
    group.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(step: &str, tactic: Option<Tactic>) {
        assert_eq!(recognise(step).map(|found| found.0), tactic, "{step}");
    }

    #[test]
    fn a_step_that_presses_the_order_is_recognised() {
        check(
            "Offer 10% discount if they sign by Friday",
            Some(Tactic::ExpiringOffer),
        );
        check(
            "Tell them the quote expires end of month",
            Some(Tactic::ExpiringOffer),
        );
        check(
            "Remind them our price is only valid until the end of the quarter.",
            Some(Tactic::ExpiringOffer),
        );
        check(
            "Mention that only two onboarding slots are left",
            Some(Tactic::LimitedQuantity),
        );
        check("Say seats are filling up", Some(Tactic::LimitedQuantity));
        check(
            "Warn that prices go up in January",
            Some(Tactic::PriceIncreaseThreat),
        );
        check(
            "Announce the 8% price increase",
            Some(Tactic::PriceIncreaseThreat),
        );
        check(
            "Get them to start small with one team",
            Some(Tactic::FootInTheDoor),
        );
        check(
            "Propose a small starter package to get our foot in the door",
            Some(Tactic::FootInTheDoor),
        );
        check("Send the break-up email", Some(Tactic::WalkAwayBluff));
        check(
            "Tell them we will close the file next week",
            Some(Tactic::WalkAwayBluff),
        );
    }

    #[test]
    fn a_step_that_asks_for_a_reason_is_left_alone() {
        check("Ask Hanna what another year as it is would cost", None);
        check("Meet the CFO on Friday to hear her view", None);
        check("Send the security questionnaire back by Thursday", None);
        check("Do not offer a discount that ends on Friday", None);
        check("Work out the cost of waiting with the plant manager", None);
        check("", None);
        check("价格 будет", None);
    }

    #[test]
    fn the_words_that_gave_it_away_are_told() {
        let (_, basis) = recognise("Please tell them the quote expires soon").unwrap();
        assert_eq!(basis, "quote expires");
    }
}
