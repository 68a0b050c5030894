//! Random histories: a few people, every kind of event, 200 days, no two events of one moment.

use proptest::prelude::*;
use verbatim::domain::event::Event;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::DealFacts;
use verbatim::domain::facts::Ending;
use verbatim::domain::facts::MilestoneFacts;
use verbatim::domain::stakeholder::BuyingRole;
use verbatim::domain::stakeholder::Presence;
use verbatim::domain::stakeholder::Roles;
use verbatim::domain::stakeholder::StakeholderFacts;
use verbatim::domain::statement::Claim;
use verbatim::domain::statement::Confidence;
use verbatim::domain::statement::Quote;
use verbatim::domain::statement::Speaker;
use verbatim::domain::statement::Statement;
use verbatim::domain::statement::Voice;
use verbatim::domain::text::Id;
use verbatim::domain::text::Line;
use verbatim::domain::text::Name;
use verbatim::domain::text::Prose;
use verbatim::domain::text::Reason;
use verbatim::domain::time::Date;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::domain::topic::BuyingStage;
use verbatim::domain::topic::ClaimSource;
use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Outcome;
use verbatim::domain::topic::Stance;
use verbatim::domain::topic::Topic;

/// 2026-03-01T00:00:00Z.
const START_SECONDS: i64 = 1_772_323_200;
const DAYS: i64 = 200;

/// No history says anything later than this.
pub fn end() -> Instant {
    at(DAYS * 24, 999)
}

const SELLER_STAGES: [&str; 5] = [
    "Prospecting",
    "needs analysis",
    "Proposal/Price Quote",
    "contract sent",
    "no such stage",
];

/// The moment so many hours after the start; `place` keeps two events of one hour apart.
fn at(hours: i64, place: usize) -> Instant {
    Instant::from_unix(START_SECONDS + hours * 3_600, place as i32).unwrap()
}

/// Any moment of a history or after it.
pub fn moment() -> impl Strategy<Value = Instant> {
    (0..DAYS * 24 + 2_000).prop_map(|hours| at(hours, 999_999))
}

/// The facts of a history, in no order.
pub fn history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(((0..DAYS * 24), fact()), 0..40).prop_map(|facts| {
        facts
            .into_iter()
            .enumerate()
            .map(|(place, (hours, fact))| dated(fact, at(hours, place), place))
            .collect()
    })
}

/// The facts as a service records them in this order.
pub fn recorded(facts: Vec<Fact>) -> Vec<Event> {
    facts
        .into_iter()
        .zip(1..)
        .map(|(fact, revision)| Event {
            revision,
            recorded_at: at(DAYS * 24, revision as usize),
            fact,
        })
        .collect()
}

fn dated(fact: Fact, at: Instant, place: usize) -> Fact {
    match fact {
        Fact::Deal(facts) => Fact::Deal(DealFacts {
            effective_at: at,
            ..facts
        }),
        Fact::Stakeholder(facts) => Fact::Stakeholder(StakeholderFacts {
            effective_at: at,
            ..facts
        }),
        Fact::Statement(statement) => Fact::Statement(Statement {
            id: Id::new(&format!("s{place}")).unwrap(),
            said_at: at,
            ..statement
        }),
        Fact::Milestone(facts) => Fact::Milestone(MilestoneFacts {
            effective_at: at,
            ..facts
        }),
        Fact::Ending(ending) => Fact::Ending(Ending {
            effective_at: at,
            ..ending
        }),
        Fact::Retraction(_) | Fact::Confirmation(_) => fact,
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        14 => statement().prop_map(Fact::Statement),
        3 => stakeholder().prop_map(Fact::Stakeholder),
        2 => deal().prop_map(Fact::Deal),
        1 => milestone().prop_map(Fact::Milestone),
        1 => prop::sample::select(&Outcome::ALL[..]).prop_map(|outcome| {
            Fact::Ending(Ending { outcome, reason: Reason::new("").unwrap(), effective_at: Instant::MIN })
        }),
    ]
}

fn statement() -> impl Strategy<Value = Statement> {
    let speaker =
        (person(), prop::option::weighted(0.2, roles_held())).prop_map(|(stakeholder, roles)| {
            Speaker {
                stakeholder,
                display_name: None,
                title: None,
                roles,
            }
        });
    let voice = (speaker, 0..10_u8).prop_map(|(speaker, kind)| match kind {
        0 => Voice::Seller { about: None },
        1 => Voice::Seller {
            about: Some(speaker),
        },
        2 | 3 => Voice::Buyer {
            speaker,
            paraphrased: true,
        },
        _ => Voice::Buyer {
            speaker,
            paraphrased: false,
        },
    });
    (voice, prop::collection::vec(claim(), 0..4)).prop_map(|(voice, claims)| Statement {
        id: Id::new("dated later").unwrap(),
        said_at: Instant::MIN,
        quote: Quote::new("words").unwrap(),
        channel: None,
        source_uri: Line::new("").unwrap(),
        context: Prose::new("").unwrap(),
        voice,
        claims,
    })
}

/// What a person might judge a statement to claim.
pub fn judgement() -> impl Strategy<Value = Vec<Claim>> {
    prop::collection::vec(claim(), 0..4)
}

fn claim() -> impl Strategy<Value = Claim> {
    (
        prop::sample::select(&Topic::ALL[..]),
        prop_oneof![6 => Just(Stance::Supports), 2 => Just(Stance::Opposes), 1 => Just(Stance::Defers)],
        prop::sample::select(&Conviction::ALL[..]),
        prop_oneof![3 => Just(1.0), 1 => 0.01..1.0],
        prop::option::weighted(0.4, date()),
        prop::option::weighted(0.1, prop::sample::select(&BuyingStage::ALL[..])),
    )
        .prop_map(
            |(topic, stance, conviction, confidence, target_date, buying_stage)| Claim {
                topic,
                stance,
                conviction,
                confidence: Confidence::new(confidence).unwrap(),
                issue_category: None,
                impact: None,
                target_date,
                compelling_event: None,
                buying_stage,
                source: ClaimSource::Caller,
                basis: Prose::new("").unwrap(),
            },
        )
}

fn stakeholder() -> impl Strategy<Value = StakeholderFacts> {
    (
        person(),
        prop::option::of(roles()),
        prop::option::of(prop::sample::select(&Presence::ALL[..])),
    )
        .prop_map(|(stakeholder, roles, presence)| StakeholderFacts {
            stakeholder,
            display_name: None,
            title: None,
            roles,
            presence,
            effective_at: Instant::MIN,
        })
}

fn deal() -> impl Strategy<Value = DealFacts> {
    (
        prop::option::of(prop::sample::select(&SELLER_STAGES[..]).prop_map(str::to_owned)),
        prop::option::of(date()),
    )
        .prop_map(|(seller_stage, close_date)| DealFacts {
            name: None,
            account: None,
            owner: None,
            amount: None,
            seller_stage: seller_stage.map(|stage| Name::new(&stage).unwrap()),
            close_date,
            effective_at: Instant::MIN,
        })
}

fn milestone() -> impl Strategy<Value = MilestoneFacts> {
    let done = (0..DAYS * 24).prop_map(|hours| at(hours, 0));
    (0..3_u8, prop::option::of(date()), prop::option::of(done)).prop_map(
        |(id, due_date, completed_at)| MilestoneFacts {
            milestone: Id::new(&format!("m{id}")).unwrap(),
            name: None,
            owner: None,
            due_date,
            completed_at,
            effective_at: Instant::MIN,
        },
    )
}

fn person() -> impl Strategy<Value = Id> {
    (0..5_u8).prop_map(|id| Id::new(&format!("p{id}")).unwrap())
}

/// A speaker's roles are told by naming some.
fn roles_held() -> impl Strategy<Value = Roles> {
    roles().prop_filter("somebody without a role names none", |roles| {
        !roles.is_empty()
    })
}

fn roles() -> impl Strategy<Value = Roles> {
    prop::collection::vec(prop::sample::select(&BuyingRole::ALL[..]), 0..3)
        .prop_map(Roles::from_iter)
}

fn date() -> impl Strategy<Value = Date> {
    (-20..DAYS + 120).prop_map(|day| {
        let date = at(0, 0).plus(Span::days(day as i32)).date();
        Date::parse(&date.to_string()).unwrap()
    })
}

/// When a fact came true.
pub fn effective_at(fact: &Fact) -> Instant {
    Event {
        revision: 1,
        recorded_at: Instant::MIN,
        fact: fact.clone(),
    }
    .effective_at()
}
