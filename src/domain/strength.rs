//! What one claim counts, its speaker's standing aside.

use crate::domain::model::Model;
use crate::domain::strand::Said;
use crate::domain::time::Instant;
use crate::domain::timeline::Entry;
use crate::domain::topic::Topic;

/// A claim and what it is worth, its speaker's standing aside.
#[derive(Clone, Copy)]
pub struct Weighed<'a> {
    pub entry: &'a Entry<Said>,
    /// conviction × attribution × confidence.
    pub worth: f64,
    pub freshness: f64,
}

/// What a claim is worth at a moment.
pub fn weigh<'a>(
    entry: &'a Entry<Said>,
    topic: Topic,
    model: &Model,
    as_of: Instant,
) -> Weighed<'a> {
    Weighed {
        entry,
        worth: worth(&entry.value, model),
        freshness: freshness(entry, topic, model, as_of),
    }
}

/// conviction × attribution × confidence.
pub fn worth(said: &Said, model: &Model) -> f64 {
    let attribution = match said.paraphrased {
        false => model.verbatim,
        true => model.paraphrased,
    };
    model.convictions[said.conviction as usize] * attribution * said.confidence
}

/// What age leaves of a claim, 0 to 1.
pub fn freshness(entry: &Entry<Said>, topic: Topic, model: &Model, as_of: Instant) -> f64 {
    let half_life_days = match (topic, entry.value.target_date) {
        (Topic::GoLive, Some(date)) => return if as_of < date.end() { 1.0 } else { 0.0 },
        (Topic::GoLive, None) => model.undated_go_live_half_life_days,
        _ => match model.topic(topic).half_life_days {
            Some(days) => days,
            None => return 1.0,
        },
    };
    let age_days = as_of.since(entry.at).as_days();
    (-age_days / half_life_days).exp2()
}
