//! Words that do not go together: a change of mind, or two people who disagree.

use crate::domain::evidence;
use crate::domain::evidence::Evidence;
use crate::domain::moment::Lift;
use crate::domain::moment::Moment;
use crate::domain::moment::Position;
use crate::domain::topic::Topic;

/// Two statements on opposite sides of a topic.
#[derive(Clone, Copy, Debug)]
pub struct Contradiction {
    pub topic: Topic,
    pub earlier: Evidence,
    pub later: Evidence,
    pub kind: Kind,
}

/// Whose words contradict whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ChangeOfMind,
    Disagreement,
}

/// Every change of mind that holds, and of each topic the sharpest disagreement between active people.
pub fn find(moment: &Moment) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for topic in Topic::ALL {
        let positions = moment.positions(topic);
        found.extend(
            positions
                .iter()
                .filter_map(|position| change_of_mind(moment, position, topic)),
        );
        found.extend(disagreement(moment, topic));
    }
    found
}

fn change_of_mind(moment: &Moment, position: &Position, topic: Topic) -> Option<Contradiction> {
    let (earlier, later) = match evidence::opposition(moment, position, topic) {
        Some(opposition) => (evidence::lost_support(moment, position, topic)?, opposition),
        None => (
            evidence::past_opposition(moment, position, topic)?,
            evidence::support(moment, position, topic)?,
        ),
    };
    Some(Contradiction {
        topic,
        earlier,
        later,
        kind: Kind::ChangeOfMind,
    })
}

fn disagreement(moment: &Moment, topic: Topic) -> Option<Contradiction> {
    let active = || {
        moment
            .positions(topic)
            .iter()
            .filter(|position| !moment.people[position.person].departed)
    };
    let support = active()
        .filter(|position| 0.0 < moment.support(position, Lift::Nothing))
        .filter_map(|position| evidence::support(moment, position, topic))
        .max_by(|one, other| one.strength.total_cmp(&other.strength))?;
    let opposition = active()
        .filter_map(|position| evidence::opposition(moment, position, topic))
        .max_by(|one, other| one.strength.total_cmp(&other.strength))?;
    let (earlier, later) = match opposition.said_at < support.said_at {
        true => (opposition, support),
        false => (support, opposition),
    };
    Some(Contradiction {
        topic,
        earlier,
        later,
        kind: Kind::Disagreement,
    })
}
