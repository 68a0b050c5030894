//! One stakeholder as folded from a history: who they are over time, and all they said, topic by topic.
//!
//! Nothing here is judged: which of it counts at a moment is for `moment` to say.

use crate::domain::stakeholder::Presence;
use crate::domain::stakeholder::Roles;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Claim;
use crate::domain::statement::Speaker;
use crate::domain::statement::Statement;
use crate::domain::strand::Said;
use crate::domain::strand::Side;
use crate::domain::strand::Strands;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Instant;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;
use crate::domain::timeline::insert_if_set;
use crate::domain::timeline::says_if_set;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// A stakeholder and what they said.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    pub id: Id,
    pub display_name: Timeline<Name>,
    pub title: Timeline<Name>,
    pub roles: Timeline<Roles>,
    pub presence: Timeline<Presence>,
    /// The moments for which somebody told of them.
    pub told: Timeline<()>,
    /// The moments at which they spoke.
    pub spoke: Timeline<()>,
    pub said: Strands,
    /// Unset until they name one.
    pub stages: Option<Box<[Timeline<()>; BuyingStage::ALL.len()]>>,
}

impl Person {
    pub fn new(id: Id) -> Person {
        Person {
            id,
            display_name: Timeline::new(),
            title: Timeline::new(),
            roles: Timeline::new(),
            presence: Timeline::new(),
            told: Timeline::new(),
            spoke: Timeline::new(),
            said: Strands::new(),
            stages: None,
        }
    }

    /// Takes in what somebody told of them.
    pub fn told(&mut self, facts: &StakeholderFacts, order: Order) {
        let at = facts.effective_at;
        self.told.insert(at, order, ());
        self.describe(&facts.display_name, &facts.title, facts.roles, at, order);
        insert_if_set(&mut self.presence, &facts.presence, at, order);
    }

    /// Takes in what they said.
    pub fn speaks(
        &mut self,
        statement: &Statement,
        speaker: &Speaker,
        paraphrased: bool,
        revision: u64,
    ) {
        let at = statement.said_at;
        let order = Order::new(revision, 0);
        self.spoke.insert(at, order, ());
        self.describe(
            &speaker.display_name,
            &speaker.title,
            speaker.roles,
            at,
            order,
        );
        self.claims(&statement.claims, paraphrased, at, revision);
    }

    /// Takes in the claims of the statement of that revision.
    pub fn claims(&mut self, claims: &[Claim], paraphrased: bool, at: Instant, revision: u64) {
        for (place, claim) in claims.iter().enumerate() {
            self.claimed(claim, paraphrased, at, Order::new(revision, place));
        }
    }

    /// Takes out the claims of the statement of that revision, said at `at`; that it was said stays.
    pub fn unclaimed(&mut self, at: Instant, revision: u64) {
        self.said.remove(at, revision);
        for stage in self.stages.iter_mut().flat_map(|stages| stages.iter_mut()) {
            stage.remove(at, revision);
        }
    }

    /// Takes out all that came from the statement of that revision, said at `at`.
    pub fn unsaid(&mut self, at: Instant, revision: u64) {
        self.spoke.remove(at, revision);
        self.display_name.remove(at, revision);
        self.title.remove(at, revision);
        self.roles.remove(at, revision);
        self.unclaimed(at, revision);
    }

    /// Whether exactly these facts were told for exactly that moment.
    pub fn says(&self, facts: &StakeholderFacts) -> bool {
        let at = facts.effective_at;
        self.told.says(at, &())
            && says_if_set(&self.display_name, &facts.display_name, at)
            && says_if_set(&self.title, &facts.title, at)
            && says_if_set(&self.roles, &facts.roles, at)
            && says_if_set(&self.presence, &facts.presence, at)
    }

    /// Whether there is nothing left that tells of them.
    pub fn is_unknown(&self) -> bool {
        self.told.is_empty() && self.spoke.is_empty()
    }

    /// Whether somebody told of them, or they spoke, at or before `as_of`.
    pub fn is_known_at(&self, as_of: Instant) -> bool {
        self.first_at().is_some_and(|first| first <= as_of)
    }

    /// The earliest moment for which there is something of them.
    pub fn first_at(&self) -> Option<Instant> {
        let told = self.told.first_at();
        let spoke = self.spoke.first_at();
        told.into_iter().chain(spoke).min()
    }

    /// The moments at which they named `stage` as the buyer's step.
    pub fn stage(&self, stage: BuyingStage) -> Option<&Timeline<()>> {
        self.stages.as_deref().map(|stages| &stages[stage as usize])
    }

    fn describe(
        &mut self,
        display_name: &Option<Name>,
        title: &Option<Name>,
        roles: Option<Roles>,
        at: Instant,
        order: Order,
    ) {
        insert_if_set(&mut self.display_name, display_name, at, order);
        insert_if_set(&mut self.title, title, at, order);
        insert_if_set(&mut self.roles, &roles, at, order);
    }

    fn claimed(&mut self, claim: &Claim, paraphrased: bool, at: Instant, order: Order) {
        let said = Said {
            conviction: claim.conviction,
            paraphrased,
            confidence: claim.confidence.get(),
            target_date: claim.target_date,
        };
        let (side, said) = match claim.stance {
            Stance::Supports => {
                let said = held_to_its_date(said, claim.topic);
                let side = Side::Supports {
                    conviction: said.conviction,
                    paraphrased,
                };
                (side, said)
            }
            Stance::Opposes => (Side::Opposes, said),
            Stance::Defers => (Side::Defers, said),
        };
        self.said.insert(claim.topic, side, at, order, said);
        if let Some(stage) = claim.buying_stage {
            self.stages.get_or_insert_default()[stage as usize].insert(at, order, ());
        }
    }
}

/// A wish for results without a date is a nod at most.
fn held_to_its_date(said: Said, topic: Topic) -> Said {
    if topic == Topic::GoLive && said.target_date.is_none() {
        return Said {
            conviction: Conviction::Acknowledged,
            ..said
        };
    }
    said
}
