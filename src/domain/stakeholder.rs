//! People on the buyer's side: who they are to the purchase, and whether they are still there.

use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Instant;

/// What a person does in the purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BuyingRole {
    EconomicBuyer,
    DecisionMaker,
    ExecutiveSponsor,
    Champion,
    TechnicalEvaluator,
    Influencer,
    User,
    Procurement,
    Legal,
    Blocker,
}

impl BuyingRole {
    /// All of them, in order.
    pub const ALL: [BuyingRole; 10] = [
        BuyingRole::EconomicBuyer,
        BuyingRole::DecisionMaker,
        BuyingRole::ExecutiveSponsor,
        BuyingRole::Champion,
        BuyingRole::TechnicalEvaluator,
        BuyingRole::Influencer,
        BuyingRole::User,
        BuyingRole::Procurement,
        BuyingRole::Legal,
        BuyingRole::Blocker,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            BuyingRole::EconomicBuyer => "ECONOMIC_BUYER",
            BuyingRole::DecisionMaker => "DECISION_MAKER",
            BuyingRole::ExecutiveSponsor => "EXECUTIVE_SPONSOR",
            BuyingRole::Champion => "CHAMPION",
            BuyingRole::TechnicalEvaluator => "TECHNICAL_EVALUATOR",
            BuyingRole::Influencer => "INFLUENCER",
            BuyingRole::User => "USER",
            BuyingRole::Procurement => "PROCUREMENT",
            BuyingRole::Legal => "LEGAL",
            BuyingRole::Blocker => "BLOCKER",
        }
    }
}

/// Whether a person is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Presence {
    Active,
    Departed,
}

impl Presence {
    /// All of them, in order.
    pub const ALL: [Presence; 2] = [Presence::Active, Presence::Departed];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Presence::Active => "ACTIVE",
            Presence::Departed => "DEPARTED",
        }
    }
}

/// The set of a person's buying roles; empty means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Roles(u16);

impl Roles {
    pub const NONE: Roles = Roles(0);

    pub fn with(self, role: BuyingRole) -> Roles {
        Roles(self.0 | 1 << role as u16)
    }

    pub fn holds(self, role: BuyingRole) -> bool {
        self.0 & 1 << role as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`BuyingRole::ALL`].
    pub fn iter(self) -> impl Iterator<Item = BuyingRole> {
        BuyingRole::ALL
            .into_iter()
            .filter(move |role| self.holds(*role))
    }

    /// The economic buyer or the decision maker: whose no ends a deal and whose silence caps it.
    pub fn decides(self) -> bool {
        self.holds(BuyingRole::EconomicBuyer) || self.holds(BuyingRole::DecisionMaker)
    }
}

impl FromIterator<BuyingRole> for Roles {
    fn from_iter<I: IntoIterator<Item = BuyingRole>>(roles: I) -> Roles {
        roles.into_iter().fold(Roles::NONE, Roles::with)
    }
}

/// Facts of a person that hold from a moment on; an absent one leaves what was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakeholderFacts {
    pub stakeholder: Id,
    pub display_name: Option<Name>,
    pub title: Option<Name>,
    pub roles: Option<Roles>,
    pub presence: Option<Presence>,
    pub effective_at: Instant,
}
