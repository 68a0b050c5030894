//! A deal as it stood at one moment: who was there, and where each of them stood on each topic.
//!
//! Levels are worked out from here, plain or with impairments lifted one after another, so that the score and the
//! ledger of losses come from the same numbers.

use std::cell::OnceCell;
use std::ops::Range;

use crate::domain::deal::Deal;
use crate::domain::model::Model;
use crate::domain::person::Person;
use crate::domain::stakeholder::Presence;
use crate::domain::stakeholder::Roles;
use crate::domain::strand::Said;
use crate::domain::strand::Strand;
use crate::domain::strand::Track;
use crate::domain::strength::Weighed;
use crate::domain::strength::freshness;
use crate::domain::strength::weigh;
use crate::domain::strength::worth;
use crate::domain::time::Instant;
use crate::domain::timeline::Entry;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// A deal at a moment.
pub struct Moment<'a> {
    pub deal: &'a Deal,
    pub model: &'a Model,
    pub as_of: Instant,
    /// Those known at the moment, by id.
    pub people: Vec<Present<'a>>,
    positions: Vec<Position<'a>>,
    supports: Vec<Support<'a>>,
    by_topic: [Range<usize>; Topic::ALL.len()],
}

/// A person as they were at the moment.
pub struct Present<'a> {
    pub person: &'a Person,
    pub roles: Roles,
    pub departed: bool,
    /// As if they had not departed.
    standing: f64,
}

/// Where one person stands on one topic.
pub struct Position<'a> {
    /// Their place in [`Moment::people`].
    pub person: usize,
    topic: Topic,
    pub track: Track<'a>,
    /// The latest opposition, with its freshness, unless they supported the topic since.
    pub opposition: Option<Weighed<'a>>,
    /// The latest deferral.
    pub deferral: Option<&'a Entry<Said>>,
    /// The strongest support that counts, before a deferral halves it: asked for often, so worked out once.
    best_support: Option<(f64, Weighed<'a>)>,
    /// That deferral is later than their latest support that is not void.
    deferred: bool,
    /// That deferral is later than their latest support, void or not.
    deferred_if_unopposed: bool,
    /// Theirs in [`Moment::supports`].
    supports: Range<usize>,
}

/// The latest support of one rung.
struct Support<'a> {
    entry: &'a Entry<Said>,
    worth: f64,
    /// They opposed the topic then or since.
    void: bool,
    /// Worked out when it is asked for: a weaker rung is often beaten by a firmer one however fresh it is.
    freshness: OnceCell<f64>,
}

/// Which impairments are lifted: each on top of those before it, except that the two kinds of people who departed are
/// also brought back each alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lift {
    Nothing,
    Opposition,
    Deferral,
    Age,
    /// And economic buyers and decision makers are back.
    Deciders,
    /// And all others are back, but not those.
    Others,
    Departure,
}

/// What people's strengths come to on one topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    pub support: f64,
    pub opposition: f64,
    pub level: f64,
}

impl<'a> Moment<'a> {
    pub fn of(deal: &'a Deal, model: &'a Model, as_of: Instant) -> Moment<'a> {
        let people: Vec<Present> = deal
            .people()
            .iter()
            .filter(|person| person.is_known_at(as_of))
            .map(|person| Present::of(person, model, as_of))
            .collect();
        let strands = people
            .iter()
            .map(|present| present.person.said.as_slice().len());
        let supports_max: usize = strands.sum();
        let positions_max = supports_max.min(people.len() * Topic::ALL.len());
        let mut moment = Moment {
            deal,
            model,
            as_of,
            people,
            positions: Vec::with_capacity(positions_max),
            supports: Vec::with_capacity(supports_max),
            by_topic: [const { 0..0 }; Topic::ALL.len()],
        };
        // What everybody said is in order of topic, so that it is passed over once.
        let mut rest: Vec<&[Strand]> = moment
            .people
            .iter()
            .map(|present| present.person.said.as_slice())
            .collect();
        for topic in Topic::ALL {
            let start = moment.positions.len();
            for (place, rest) in rest.iter_mut().enumerate() {
                let on_topic = rest.iter().take_while(|strand| strand.topic == topic);
                let (track, behind) = rest.split_at(on_topic.count());
                *rest = behind;
                if !track.is_empty() {
                    moment.take_position(place, topic, Track::of(track));
                }
            }
            moment.by_topic[topic.index()] = start..moment.positions.len();
        }
        moment
    }

    /// Those who have a position on the topic.
    pub fn positions(&self, topic: Topic) -> &[Position<'a>] {
        &self.positions[self.by_topic[topic.index()].clone()]
    }

    /// The person's weight: standing, with what is left of it after a departure that is not lifted.
    pub fn standing(&self, person: usize, lift: Lift) -> f64 {
        let present = &self.people[person];
        let back = match lift {
            Lift::Departure => true,
            Lift::Deciders => present.roles.decides(),
            Lift::Others => !present.roles.decides(),
            Lift::Nothing | Lift::Opposition | Lift::Deferral | Lift::Age => false,
        };
        if present.departed && !back {
            return present.standing * self.model.departed_factor;
        }
        present.standing
    }

    /// How strongly one person supports the topic, 0 to 1.
    pub fn support(&self, position: &Position, lift: Lift) -> f64 {
        let Some((strength, _)) = self.best_support(position, lift) else {
            return 0.0;
        };
        let deferred = match lift {
            Lift::Nothing => position.deferred,
            Lift::Opposition => position.deferred_if_unopposed,
            _ => false,
        };
        if deferred {
            return strength * self.model.deferral_factor;
        }
        strength
    }

    /// The strongest support that counts, before a deferral halves it.
    pub fn best_support(&self, position: &Position<'a>, lift: Lift) -> Option<(f64, Weighed<'a>)> {
        if lift == Lift::Nothing {
            return position.best_support;
        }
        let standing = self.standing(position.person, lift);
        self.strongest(position.supports.clone(), position.topic, standing, lift)
    }

    /// How strongly one person opposes the topic, 0 to 1.
    pub fn opposition(&self, position: &Position) -> f64 {
        position.opposition.map_or(0.0, |claim| {
            claim.worth * claim.freshness * self.standing(position.person, Lift::Nothing)
        })
    }

    /// What a claim is worth at the moment.
    pub fn weighed(&self, entry: &'a Entry<Said>, topic: Topic) -> Weighed<'a> {
        weigh(entry, topic, self.model, self.as_of)
    }

    /// Whether a support of that person counts, however weakly.
    pub fn is_supported(&self, position: &Position) -> bool {
        self.supports[position.supports.clone()]
            .iter()
            .any(|support| !support.void)
    }

    /// What people together come to on a topic.
    pub fn weigh(&self, topic: Topic, lift: Lift) -> Weight {
        let positions = self.positions(topic).iter();
        let support = together(positions.map(|each| self.support(each, lift)));
        let opposition = match lift {
            Lift::Nothing => self.opposing(topic),
            _ => 0.0,
        };
        let said = match topic {
            Topic::Consensus => {
                let share = self.model.consensus_said_share;
                share * support + (1.0 - share) * self.coverage(lift)
            }
            _ => support,
        };
        Weight {
            support,
            opposition,
            level: said * (1.0 - opposition),
        }
    }

    /// How strongly people together oppose a topic.
    pub fn opposing(&self, topic: Topic) -> f64 {
        let positions = self.positions(topic).iter();
        together(positions.map(|each| self.opposition(each)))
    }

    /// How strongly people say "later" on a topic: those whose latest claim on it is that.
    pub fn deferral(&self, topic: Topic) -> f64 {
        let kept: f64 = self
            .positions(topic)
            .iter()
            .filter_map(|position| Some((position, position.deferral?)))
            .filter(|(position, _)| self.latest_stance(position) == Some(Stance::Defers))
            .map(|(position, entry)| {
                let claim = self.weighed(entry, topic);
                let standing = self.standing(position.person, Lift::Nothing);
                let strength = claim.worth * claim.freshness * standing;
                1.0 - self.model.priority_deferral_weight * strength
            })
            .product();
        1.0 - kept
    }

    /// On which side the person's latest claim on the topic is.
    pub fn latest_stance(&self, position: &Position) -> Option<Stance> {
        let track = position.track;
        let supports = track
            .supports()
            .filter_map(|(_, rung)| rung.at(self.as_of))
            .map(|entry| (entry, Stance::Supports));
        let opposes = track.opposes().and_then(|said| said.at(self.as_of));
        let defers = track.defers().and_then(|said| said.at(self.as_of));
        supports
            .chain(opposes.map(|entry| (entry, Stance::Opposes)))
            .chain(defers.map(|entry| (entry, Stance::Defers)))
            .max_by_key(|(entry, _)| (entry.at, entry.order))
            .map(|(_, stance)| stance)
    }

    /// The active people.
    pub fn active(&self) -> impl Iterator<Item = (usize, &Present<'a>)> {
        self.people
            .iter()
            .enumerate()
            .filter(|(_, present)| !present.departed)
    }

    /// Whether an active economic buyer or decision maker fits.
    pub fn any_decider(&self, fits: impl Fn(usize, &Present) -> bool) -> bool {
        self.active()
            .any(|(place, present)| present.roles.decides() && fits(place, present))
    }

    /// How much of the active group was heard on why they must change, 0 to 1.
    fn coverage(&self, lift: Lift) -> f64 {
        // Both ranges are by person, so a person's support on either is found without a search.
        let mut heard = vec![0.0_f64; self.people.len()];
        for topic in [Topic::StatusQuo, Topic::Consequence] {
            for position in self.positions(topic) {
                let best = &mut heard[position.person];
                *best = best.max(self.support(position, lift));
            }
        }
        let heard: f64 = self.active().map(|(place, _)| heard[place]).sum();
        let standing: f64 = self.active().map(|(_, present)| present.standing).sum();
        heard / standing.max(self.model.consensus_standing_min)
    }

    /// The strongest of one person's supports, with what it comes to; of equal ones the weaker rung.
    fn strongest(
        &self,
        supports: Range<usize>,
        topic: Topic,
        standing: f64,
        lift: Lift,
    ) -> Option<(f64, Weighed<'a>)> {
        let mut best: Option<(f64, Weighed<'a>)> = None;
        // The firmest rungs come last.
        for support in self.supports[supports].iter().rev() {
            let at_most = support.worth * standing;
            let beaten = best.is_some_and(|(strength, _)| at_most < strength);
            if beaten || (support.void && lift < Lift::Opposition) {
                continue;
            }
            let freshness = *support
                .freshness
                .get_or_init(|| freshness(support.entry, topic, self.model, self.as_of));
            let counted = match lift {
                Lift::Nothing | Lift::Opposition | Lift::Deferral => freshness,
                Lift::Age | Lift::Deciders | Lift::Others | Lift::Departure => 1.0,
            };
            let strength = support.worth * counted * standing;
            if best.is_none_or(|(so_far, _)| so_far <= strength) {
                let claim = Weighed {
                    entry: support.entry,
                    worth: support.worth,
                    freshness,
                };
                best = Some((strength, claim));
            }
        }
        best
    }

    fn take_position(&mut self, place: usize, topic: Topic, track: Track<'a>) {
        let as_of = self.as_of;
        let model = self.model;
        let opposes = track.opposes().and_then(|said| said.at(as_of));
        let deferral = track.defers().and_then(|said| said.at(as_of));
        let start = self.supports.len();
        let mut latest = None;
        let mut latest_live = None;
        for entry in track.supports().filter_map(|(_, rung)| rung.at(as_of)) {
            let void = opposes.is_some_and(|opposes| entry.at <= opposes.at);
            latest = latest.max(Some(entry.at));
            if !void {
                latest_live = latest_live.max(Some(entry.at));
            }
            self.supports.push(Support {
                entry,
                worth: worth(&entry.value, model),
                void,
                freshness: OnceCell::new(),
            });
        }
        if latest.is_none() && opposes.is_none() && deferral.is_none() {
            return;
        }
        let standing = self.standing(place, Lift::Nothing);
        let supports = start..self.supports.len();
        let later_than = |support: Option<Instant>| {
            deferral.is_some_and(|deferral| support.is_some_and(|support| support < deferral.at))
        };
        self.positions.push(Position {
            person: place,
            topic,
            track,
            opposition: opposes
                .filter(|_| latest_live.is_none())
                .map(|entry| weigh(entry, topic, model, as_of)),
            deferral,
            best_support: self.strongest(supports.clone(), topic, standing, Lift::Nothing),
            deferred: later_than(latest_live),
            deferred_if_unopposed: later_than(latest),
            supports,
        });
    }
}

impl<'a> Present<'a> {
    fn of(person: &'a Person, model: &Model, as_of: Instant) -> Present<'a> {
        let roles = person.roles.value_at(as_of).copied().unwrap_or(Roles::NONE);
        Present {
            person,
            roles,
            departed: person.presence.value_at(as_of) == Some(&Presence::Departed),
            standing: model.standing(roles),
        }
    }

    /// Whether they spoke at or before `as_of`.
    pub fn is_heard_at(&self, as_of: Instant) -> bool {
        self.person.spoke.at(as_of).is_some()
    }
}

/// What several strengths come to: 1 less the product of what each leaves.
fn together(strengths: impl Iterator<Item = f64>) -> f64 {
    1.0 - strengths.map(|strength| 1.0 - strength).product::<f64>()
}
