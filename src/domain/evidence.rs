//! The statements behind a number, each with what it counts and why.

use crate::domain::moment::Lift;
use crate::domain::moment::Moment;
use crate::domain::moment::Position;
use crate::domain::strength::Weighed;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::domain::topic::Attribution;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// A claim that counts, or counted; its words are in the statement of that revision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The revision of the statement.
    pub statement: u64,
    /// The speaker's place among the people of the moment.
    pub person: usize,
    pub said_at: Instant,
    pub topic: Topic,
    pub stance: Stance,
    pub conviction: Conviction,
    pub attribution: Attribution,
    /// conviction × attribution × standing × freshness × confidence; a deferral is not in it.
    pub strength: f64,
    pub freshness: f64,
    pub standing: f64,
}

/// What the seller believes; its words are in the statement of that revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    pub statement: u64,
    pub said_at: Instant,
    pub topic: Topic,
    pub stance: Stance,
    pub about: Option<Id>,
}

/// What counts on a topic: each person's best support and their opposition, the strongest first.
pub fn counting(moment: &Moment, topic: Topic) -> Vec<Evidence> {
    let positions = moment.positions(topic);
    let mut counting = Vec::with_capacity(2 * positions.len());
    for position in positions {
        counting.extend(support(moment, position, topic));
        counting.extend(opposition(moment, position, topic));
    }
    counting.sort_by(|one, other| other.strength.total_cmp(&one.strength));
    counting
}

/// The person's best support that counts.
pub fn support(moment: &Moment, position: &Position, topic: Topic) -> Option<Evidence> {
    let (_, claim) = moment.best_support(position, Lift::Nothing)?;
    Some(evidence(moment, position, topic, Stance::Supports, claim))
}

/// The person's best support as if nobody had opposed it, however old.
pub fn lost_support(moment: &Moment, position: &Position, topic: Topic) -> Option<Evidence> {
    let (_, claim) = moment.best_support(position, Lift::Age)?;
    Some(evidence(moment, position, topic, Stance::Supports, claim))
}

/// The person's opposition, unless void.
pub fn opposition(moment: &Moment, position: &Position, topic: Topic) -> Option<Evidence> {
    let claim = position.opposition?;
    Some(evidence(moment, position, topic, Stance::Opposes, claim))
}

/// The opposition that the person gave up by supporting the topic since.
pub fn past_opposition(moment: &Moment, position: &Position, topic: Topic) -> Option<Evidence> {
    if position.opposition.is_some() {
        return None;
    }
    let entry = position.track.opposes()?.at(moment.as_of)?;
    let claim = moment.weighed(entry, topic);
    Some(evidence(moment, position, topic, Stance::Opposes, claim))
}

/// What the seller believes and no buyer supports, oldest first: it counts nothing.
pub fn hypotheses(moment: &Moment) -> Vec<Hypothesis> {
    let believed = moment.deal.hypotheses.until(moment.as_of);
    if believed.is_empty() {
        return Vec::new();
    }
    let supported = Topic::ALL.map(|topic| {
        moment
            .positions(topic)
            .iter()
            .any(|position| moment.is_supported(position))
    });
    believed
        .iter()
        .filter_map(|entry| {
            let (topic, stance) = entry.value.claim?;
            (!supported[topic.index()]).then(|| Hypothesis {
                statement: entry.order.revision(),
                said_at: entry.at,
                topic,
                stance,
                about: entry.value.about.clone(),
            })
        })
        .collect()
}

/// The person's latest deferral.
pub fn deferral(moment: &Moment, position: &Position, topic: Topic) -> Option<Evidence> {
    let claim = moment.weighed(position.deferral?, topic);
    Some(evidence(moment, position, topic, Stance::Defers, claim))
}

fn evidence(
    moment: &Moment,
    position: &Position,
    topic: Topic,
    stance: Stance,
    claim: Weighed,
) -> Evidence {
    let said = &claim.entry.value;
    let standing = moment.standing(position.person, Lift::Nothing);
    Evidence {
        statement: claim.entry.order.revision(),
        person: position.person,
        said_at: claim.entry.at,
        topic,
        stance,
        conviction: said.conviction,
        attribution: match said.paraphrased {
            false => Attribution::Verbatim,
            true => Attribution::Paraphrased,
        },
        strength: claim.worth * claim.freshness * standing,
        freshness: claim.freshness,
        standing,
    }
}
