//! The closed lists of the domain and their numbers on the wire.
//!
//! A list on the wire is the domain's list in the same order, behind a zero that means unset: the tests hold every name
//! of `proto/` to it, in both directions.

mod answers;
mod pipeline;

use crate::domain::stakeholder::BuyingRole;
use crate::domain::stakeholder::Presence;
use crate::domain::topic::Attribution;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Channel;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::CompellingEvent;
use crate::domain::topic::Conviction;
use crate::domain::topic::IssueCategory;
use crate::domain::topic::Outcome;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;

/// A closed list of the domain.
pub trait Listed: Copy + 'static {
    const LIST: &'static [Self];

    /// Its name, without the type's prefix.
    fn named(self) -> &'static str;

    /// Its place in [`Listed::LIST`].
    fn place(self) -> usize;
}

/// The number on the wire.
pub fn number<T: Listed>(value: T) -> i32 {
    value.place() as i32 + 1
}

/// The number on the wire, 0 for none.
pub fn number_or_unset<T: Listed>(value: Option<T>) -> i32 {
    value.map_or(0, number)
}

/// The value of a number, `None` when unset or, with the reason noted, when there is no such number.
pub fn optional<T: Listed>(reading: &mut Reading, path: &Path<'_>, number: i32) -> Option<T> {
    if number == 0 {
        return None;
    }
    let value = usize::try_from(number)
        .ok()
        .and_then(|number| T::LIST.get(number - 1))
        .copied();
    if value.is_none() {
        reading.refuse(path, format_args!("must be {}, got {number}", told::<T>()));
    }
    value
}

/// The value of a number that must be set.
pub fn required<T: Listed>(reading: &mut Reading, path: &Path<'_>, number: i32) -> Option<T> {
    if number == 0 {
        reading.refuse(path, format_args!("must be set to {}", told::<T>()));
    }
    optional(reading, path, number)
}

fn told<T: Listed>() -> String {
    let names: Vec<&str> = T::LIST.iter().map(|value| value.named()).collect();
    format!("one of {}", names.join(", "))
}

impl Listed for Topic {
    const LIST: &'static [Topic] = &Topic::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Stance {
    const LIST: &'static [Stance] = &Stance::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Conviction {
    const LIST: &'static [Conviction] = &Conviction::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Attribution {
    const LIST: &'static [Attribution] = &Attribution::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Channel {
    const LIST: &'static [Channel] = &Channel::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for ClaimSource {
    const LIST: &'static [ClaimSource] = &ClaimSource::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for IssueCategory {
    const LIST: &'static [IssueCategory] = &IssueCategory::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for CompellingEvent {
    const LIST: &'static [CompellingEvent] = &CompellingEvent::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for BuyingStage {
    const LIST: &'static [BuyingStage] = &BuyingStage::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Outcome {
    const LIST: &'static [Outcome] = &Outcome::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for BuyingRole {
    const LIST: &'static [BuyingRole] = &BuyingRole::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Presence {
    const LIST: &'static [Presence] = &Presence::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::loss::Impairment;
    use crate::domain::loss::StallCause;
    use crate::domain::scale::Band;
    use crate::domain::scale::ForecastCategory;
    use crate::domain::scale::Gate;
    use crate::domain::scale::Modifier;
    use crate::domain::stage::StageSource;
    use crate::domain::state::DealState;
    use crate::domain::tactic::Tactic;
    use crate::domain::trend::Knowledge;
    use crate::domain::trend::TrendStep;
    use crate::domain::walk::ChangeKind;
    use crate::wire::pb;
    use crate::wire::reading::Origin;

    #[track_caller]
    fn check<T: Listed>(prefix: &str, number_of: fn(&str) -> Option<i32>) {
        for value in T::LIST {
            let name = format!("{prefix}_{}", value.named());
            assert_eq!(number_of(&name), Some(number(*value)), "{name}");
        }
        assert_eq!(number_of(&format!("{prefix}_UNSPECIFIED")), Some(0));
        let past = T::LIST.len() as i32 + 1;
        for wrong in [past, -1, i32::MIN, i32::MAX] {
            let mut reading = Reading::of(Origin::Store);
            assert!(optional::<T>(&mut reading, &Path::ROOT, wrong).is_none());
            assert!(reading.end(Some(())).is_err(), "{prefix} {wrong}");
        }
    }

    #[test]
    fn every_list_is_that_of_proto_in_the_same_order() {
        check::<Topic>("TOPIC", |name| Some(pb::Topic::from_str_name(name)? as i32));
        check::<Stance>("STANCE", |name| {
            Some(pb::Stance::from_str_name(name)? as i32)
        });
        check::<Conviction>("CONVICTION", |name| {
            Some(pb::Conviction::from_str_name(name)? as i32)
        });
        check::<Attribution>("ATTRIBUTION", |name| {
            Some(pb::Attribution::from_str_name(name)? as i32)
        });
        check::<Channel>("CHANNEL", |name| {
            Some(pb::Channel::from_str_name(name)? as i32)
        });
        check::<ClaimSource>("CLAIM_SOURCE", |name| {
            Some(pb::ClaimSource::from_str_name(name)? as i32)
        });
        check::<IssueCategory>("ISSUE_CATEGORY", |name| {
            Some(pb::IssueCategory::from_str_name(name)? as i32)
        });
        check::<CompellingEvent>("COMPELLING_EVENT", |name| {
            Some(pb::CompellingEvent::from_str_name(name)? as i32)
        });
        check::<BuyingStage>("BUYING_STAGE", |name| {
            Some(pb::BuyingStage::from_str_name(name)? as i32)
        });
        check::<Outcome>("OUTCOME", |name| {
            Some(pb::Outcome::from_str_name(name)? as i32)
        });
        check::<BuyingRole>("BUYING_ROLE", |name| {
            Some(pb::BuyingRole::from_str_name(name)? as i32)
        });
        check::<Presence>("PRESENCE", |name| {
            Some(pb::Presence::from_str_name(name)? as i32)
        });
    }

    #[test]
    fn every_list_of_answers_is_that_of_proto_in_the_same_order() {
        check::<Impairment>("IMPAIRMENT", |name| {
            Some(pb::Impairment::from_str_name(name)? as i32)
        });
        check::<StallCause>("STALL_CAUSE", |name| {
            Some(pb::StallCause::from_str_name(name)? as i32)
        });
        check::<Band>("BAND", |name| Some(pb::Band::from_str_name(name)? as i32));
        check::<ForecastCategory>("FORECAST_CATEGORY", |name| {
            Some(pb::ForecastCategory::from_str_name(name)? as i32)
        });
        check::<Gate>("GATE", |name| Some(pb::Gate::from_str_name(name)? as i32));
        check::<Modifier>("MODIFIER", |name| {
            Some(pb::Modifier::from_str_name(name)? as i32)
        });
        check::<StageSource>("STAGE_SOURCE", |name| {
            Some(pb::StageSource::from_str_name(name)? as i32)
        });
        check::<DealState>("DEAL_STATE", |name| {
            Some(pb::DealState::from_str_name(name)? as i32)
        });
        check::<Tactic>("TACTIC", |name| {
            Some(pb::Tactic::from_str_name(name)? as i32)
        });
        check::<TrendStep>("TREND_STEP", |name| {
            Some(pb::TrendStep::from_str_name(name)? as i32)
        });
        check::<Knowledge>("KNOWLEDGE", |name| {
            Some(pb::Knowledge::from_str_name(name)? as i32)
        });
        check::<ChangeKind>("CHANGE_KIND", |name| {
            Some(pb::ChangeKind::from_str_name(name)? as i32)
        });
    }
}
