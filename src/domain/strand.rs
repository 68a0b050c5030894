//! All that one person said, laid out so that a score reads it in one go: strands in order of topic and side.
//!
//! A strand is what a person said on one topic, on one side of it, at one firmness. Most people have few of them, and
//! most have one entry; one vector of them is read where a map of maps would be walked.

use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;
use crate::domain::topic::Conviction;
use crate::domain::topic::Topic;

/// The strands of one person, by topic and side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strands(Vec<Strand>);

/// What a person said on one topic, on one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Strand {
    pub topic: Topic,
    pub side: Side,
    pub said: Timeline<Said>,
}

/// For, by rung; against; or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Supports {
        conviction: Conviction,
        paraphrased: bool,
    },
    Opposes,
    Defers,
}

/// One claim, without its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    pub conviction: Conviction,
    pub paraphrased: bool,
    pub confidence: f64,
    pub target_date: Option<Date>,
}

/// What one person said on one topic.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a>(&'a [Strand]);

impl Strands {
    pub const fn new() -> Strands {
        Strands(Vec::new())
    }

    /// Strands that are in order of topic and side, each once; `None` when they are not.
    pub fn in_order(strands: Vec<Strand>) -> Option<Strands> {
        strands
            .is_sorted_by(|one, next| (one.topic, one.side) < (next.topic, next.side))
            .then_some(Strands(strands))
    }

    /// Puts a claim where it belongs.
    pub fn insert(&mut self, topic: Topic, side: Side, at: Instant, order: Order, said: Said) {
        let found = self
            .0
            .binary_search_by_key(&(topic, side), |strand| (strand.topic, strand.side));
        let place = match found {
            Ok(place) => place,
            Err(place) => {
                let strand = Strand {
                    topic,
                    side,
                    said: Timeline::new(),
                };
                self.0.insert(place, strand);
                place
            }
        };
        self.0[place].said.insert(at, order, said);
    }

    /// Takes out what came from the event of that revision, which is effective at `at`.
    pub fn remove(&mut self, at: Instant, revision: u64) {
        for strand in &mut self.0 {
            strand.said.remove(at, revision);
        }
        self.0.retain(|strand| !strand.said.is_empty());
    }

    /// All of them, in order.
    pub fn as_slice(&self) -> &[Strand] {
        &self.0
    }

    /// What was said topic by topic, in order.
    pub fn tracks(&self) -> impl Iterator<Item = (Topic, Track<'_>)> {
        self.0
            .chunk_by(|one, next| one.topic == next.topic)
            .map(|strands| (strands[0].topic, Track(strands)))
    }
}

impl<'a> Track<'a> {
    /// Strands of one topic, in order of side.
    pub fn of(strands: &'a [Strand]) -> Track<'a> {
        Track(strands)
    }

    /// The supports, by rung.
    pub fn supports(self) -> impl Iterator<Item = (Conviction, &'a Timeline<Said>)> {
        self.0.iter().filter_map(|strand| match strand.side {
            Side::Supports { conviction, .. } => Some((conviction, &strand.said)),
            Side::Opposes | Side::Defers => None,
        })
    }

    pub fn opposes(self) -> Option<&'a Timeline<Said>> {
        self.on(Side::Opposes)
    }

    pub fn defers(self) -> Option<&'a Timeline<Said>> {
        self.on(Side::Defers)
    }

    fn on(self, side: Side) -> Option<&'a Timeline<Said>> {
        // These two come last, if at all.
        self.0
            .iter()
            .rev()
            .take(2)
            .find(|strand| strand.side == side)
            .map(|strand| &strand.said)
    }
}
