//! Any value of the domain that can be recorded; for property tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_oneof;
use proptest::sample::select;

use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::facts::Confirmation;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::money::Money;
use crate::domain::stakeholder::Roles;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::CLAIMS_MAX;
use crate::domain::statement::Claim;
use crate::domain::statement::Confidence;
use crate::domain::statement::Quote;
use crate::domain::statement::Speaker;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::text::Line;
use crate::domain::text::Name;
use crate::domain::text::Prose;
use crate::domain::text::Reason;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::wire::listed::Listed;

pub fn event() -> impl Strategy<Value = Event> {
    (1..=u64::MAX, instant(), fact()).prop_map(|(revision, recorded_at, fact)| Event {
        revision,
        recorded_at,
        fact,
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        deal().prop_map(Fact::Deal),
        stakeholder().prop_map(Fact::Stakeholder),
        statement().prop_map(Fact::Statement),
        milestone().prop_map(Fact::Milestone),
        ending().prop_map(Fact::Ending),
        (id(), reason("[a-z]{1,20}"))
            .prop_map(|(statement, reason)| { Fact::Retraction(Retraction { statement, reason }) }),
        confirmation().prop_map(Fact::Confirmation),
    ]
}

fn deal() -> impl Strategy<Value = DealFacts> {
    (
        option::of(name()),
        option::of(name()),
        option::of(name()),
        option::of(money()),
        option::of(name()),
        option::of(date()),
        instant(),
    )
        .prop_map(
            |(name, account, owner, amount, seller_stage, close_date, effective_at)| DealFacts {
                name,
                account,
                owner,
                amount,
                seller_stage,
                close_date,
                effective_at,
            },
        )
}

fn stakeholder() -> impl Strategy<Value = StakeholderFacts> {
    (
        id(),
        option::of(name()),
        option::of(name()),
        option::of(vec(listed(), 0..=10)),
        option::of(listed()),
        instant(),
    )
        .prop_map(
            |(stakeholder, display_name, title, roles, presence, effective_at)| StakeholderFacts {
                stakeholder,
                display_name,
                title,
                roles: roles.map(|roles| roles.into_iter().collect()),
                presence,
                effective_at,
            },
        )
}

fn milestone() -> impl Strategy<Value = MilestoneFacts> {
    (
        id(),
        option::of(name()),
        option::of(id()),
        option::of(date()),
        option::of(instant()),
        instant(),
    )
        .prop_map(
            |(milestone, name, owner, due_date, completed_at, effective_at)| MilestoneFacts {
                milestone,
                name,
                owner,
                due_date,
                completed_at,
                effective_at,
            },
        )
}

fn ending() -> impl Strategy<Value = Ending> {
    (listed(), reason("\\PC{0,40}"), instant()).prop_map(|(outcome, reason, effective_at)| Ending {
        outcome,
        reason,
        effective_at,
    })
}

pub fn statement() -> impl Strategy<Value = Statement> {
    (
        id(),
        instant(),
        "[^\\pC]{1,40}x\r?\n?\t?".prop_map(|text| Quote::new(&text).unwrap()),
        option::of(listed()),
        "[a-z:/.]{0,40}".prop_map(|text| Line::new(&text).unwrap()),
        "[^\\pC]{0,40}".prop_map(|text| Prose::new(&text).unwrap()),
        voice(),
        vec(claim(), 0..=CLAIMS_MAX),
    )
        .prop_map(
            |(id, said_at, quote, channel, source_uri, context, voice, claims)| Statement {
                id,
                said_at,
                quote,
                channel,
                source_uri,
                context,
                voice,
                claims,
            },
        )
}

fn confirmation() -> impl Strategy<Value = Confirmation> {
    let confirmed_by = "[a-zA-Z é株'’]{1,60}".prop_map(|text| Name::new(&text).unwrap());
    (id(), vec(claim(), 0..=CLAIMS_MAX), option::of(confirmed_by)).prop_map(
        |(statement, claims, confirmed_by)| Confirmation::new(statement, claims, confirmed_by),
    )
}

fn voice() -> impl Strategy<Value = Voice> {
    prop_oneof![
        (speaker(), any::<bool>()).prop_map(|(speaker, paraphrased)| Voice::Buyer {
            speaker,
            paraphrased
        }),
        option::of(speaker()).prop_map(|about| Voice::Seller { about }),
    ]
}

/// A speaker cannot carry an empty name or an empty set of roles: they read as unset.
fn speaker() -> impl Strategy<Value = Speaker> {
    let given = |pattern| {
        option::of(Strategy::prop_map(pattern, |text: String| {
            Name::new(&text).unwrap()
        }))
    };
    (
        id(),
        given("[a-zA-Z ]{1,20}"),
        given("[a-zA-Z ]{1,20}"),
        option::of(vec(listed(), 1..=10)),
    )
        .prop_map(|(stakeholder, display_name, title, roles)| Speaker {
            stakeholder,
            display_name,
            title,
            roles: roles.map(|roles| roles.into_iter().collect::<Roles>()),
        })
}

fn claim() -> impl Strategy<Value = Claim> {
    let details = (
        option::of(listed()),
        option::of(money()),
        option::of(date()),
        option::of(listed()),
        option::of(listed()),
    );
    let confidence =
        (f64::MIN_POSITIVE..=1.0).prop_map(|confidence| Confidence::new(confidence).unwrap());
    let basis = "[^\\pC]{0,40}".prop_map(|text| Prose::new(&text).unwrap());
    (
        listed(),
        listed(),
        listed(),
        confidence,
        details,
        listed(),
        basis,
    )
        .prop_map(
            |(topic, stance, conviction, confidence, details, source, basis)| Claim {
                topic,
                stance,
                conviction,
                confidence,
                issue_category: details.0,
                impact: details.1,
                target_date: details.2,
                compelling_event: details.3,
                buying_stage: details.4,
                source,
                basis,
            },
        )
}

fn listed<T: Listed + std::fmt::Debug>() -> impl Strategy<Value = T> {
    select(T::LIST)
}

fn id() -> impl Strategy<Value = Id> {
    "[a-zA-Z0-9éß株._:-]{1,40}".prop_map(|text| Id::new(&text).unwrap())
}

fn name() -> impl Strategy<Value = Name> {
    "[a-zA-Z éß株'’]{0,60}".prop_map(|text| Name::new(&text).unwrap())
}

fn reason(pattern: &'static str) -> impl Strategy<Value = Reason> {
    pattern.prop_map(|text| Reason::new(&text).unwrap_or_else(|_| Reason::new("").unwrap()))
}

fn money() -> impl Strategy<Value = Money> {
    ("[A-Z]{3}", any::<i64>(), 0..=999_999_999).prop_map(
        |(currency, units, nanos): (String, i64, i32)| {
            let nanos = if units < 0 { -nanos } else { nanos };
            Money::new(&currency, units, nanos).unwrap()
        },
    )
}

fn date() -> impl Strategy<Value = Date> {
    instant().prop_map(Instant::date)
}

fn instant() -> impl Strategy<Value = Instant> {
    (0..7_258_118_400_i64, 0..1_000_000_000)
        .prop_map(|(seconds, nanos)| Instant::from_unix(seconds, nanos).unwrap())
}
