//! The closed lists of the domain: what is said, on which side, how firmly, by whose words.
//!
//! The order of the variants is part of the contract: of topics and steps it is the order of answers, of convictions
//! and steps also the order of size.

/// What a claim is about: nine criteria, then three signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Topic {
    Problem,
    Consequence,
    StatusQuo,
    GoLive,
    BuyingProcess,
    Consensus,
    Management,
    Value,
    ChangeRisk,
    Priority,
    Alternative,
    Engagement,
}

impl Topic {
    /// All of them, in order.
    pub const ALL: [Topic; 12] = [
        Topic::Problem,
        Topic::Consequence,
        Topic::StatusQuo,
        Topic::GoLive,
        Topic::BuyingProcess,
        Topic::Consensus,
        Topic::Management,
        Topic::Value,
        Topic::ChangeRisk,
        Topic::Priority,
        Topic::Alternative,
        Topic::Engagement,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Problem => "PROBLEM",
            Topic::Consequence => "CONSEQUENCE",
            Topic::StatusQuo => "STATUS_QUO",
            Topic::GoLive => "GO_LIVE",
            Topic::BuyingProcess => "BUYING_PROCESS",
            Topic::Consensus => "CONSENSUS",
            Topic::Management => "MANAGEMENT",
            Topic::Value => "VALUE",
            Topic::ChangeRisk => "CHANGE_RISK",
            Topic::Priority => "PRIORITY",
            Topic::Alternative => "ALTERNATIVE",
            Topic::Engagement => "ENGAGEMENT",
        }
    }

    /// The nine that earn points.
    pub const CRITERIA: [Topic; 9] = [
        Topic::Problem,
        Topic::Consequence,
        Topic::StatusQuo,
        Topic::GoLive,
        Topic::BuyingProcess,
        Topic::Consensus,
        Topic::Management,
        Topic::Value,
        Topic::ChangeRisk,
    ];

    /// Its place in [`Topic::ALL`]; for a criterion also in [`Topic::CRITERIA`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Which side of a topic a claim is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stance {
    Supports,
    Opposes,
    Defers,
}

impl Stance {
    /// All of them, in order.
    pub const ALL: [Stance; 3] = [Stance::Supports, Stance::Opposes, Stance::Defers];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Stance::Supports => "SUPPORTS",
            Stance::Opposes => "OPPOSES",
            Stance::Defers => "DEFERS",
        }
    }
}

/// How far the person owns a claim; each is firmer than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Conviction {
    Acknowledged,
    Owned,
    Committed,
}

impl Conviction {
    /// All of them, in order.
    pub const ALL: [Conviction; 3] = [
        Conviction::Acknowledged,
        Conviction::Owned,
        Conviction::Committed,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Conviction::Acknowledged => "ACKNOWLEDGED",
            Conviction::Owned => "OWNED",
            Conviction::Committed => "COMMITTED",
        }
    }
}

/// Whose words a statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Attribution {
    Verbatim,
    Paraphrased,
    Inferred,
}

impl Attribution {
    /// All of them, in order.
    pub const ALL: [Attribution; 3] = [
        Attribution::Verbatim,
        Attribution::Paraphrased,
        Attribution::Inferred,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Attribution::Verbatim => "VERBATIM",
            Attribution::Paraphrased => "PARAPHRASED",
            Attribution::Inferred => "INFERRED",
        }
    }
}

/// Where something was said. Never scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Channel {
    Call,
    Video,
    Meeting,
    Email,
    Chat,
    Document,
    Other,
}

impl Channel {
    /// All of them, in order.
    pub const ALL: [Channel; 7] = [
        Channel::Call,
        Channel::Video,
        Channel::Meeting,
        Channel::Email,
        Channel::Chat,
        Channel::Document,
        Channel::Other,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Call => "CALL",
            Channel::Video => "VIDEO",
            Channel::Meeting => "MEETING",
            Channel::Email => "EMAIL",
            Channel::Chat => "CHAT",
            Channel::Document => "DOCUMENT",
            Channel::Other => "OTHER",
        }
    }
}

/// Where a claim came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ClaimSource {
    Caller,
    Extracted,
    Confirmed,
}

impl ClaimSource {
    /// All of them, in order.
    pub const ALL: [ClaimSource; 3] = [
        ClaimSource::Caller,
        ClaimSource::Extracted,
        ClaimSource::Confirmed,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            ClaimSource::Caller => "CALLER",
            ClaimSource::Extracted => "EXTRACTED",
            ClaimSource::Confirmed => "CONFIRMED",
        }
    }
}

/// What kind of business issue a claim is about. Never scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum IssueCategory {
    RevenueGrowth,
    CostReduction,
    MarginImprovement,
    CustomerAcquisitionRetention,
    EmployeeSatisfactionProductivity,
    MarketChange,
    CompetitivePressure,
    NewMarkets,
    RiskCompliance,
    Other,
}

impl IssueCategory {
    /// All of them, in order.
    pub const ALL: [IssueCategory; 10] = [
        IssueCategory::RevenueGrowth,
        IssueCategory::CostReduction,
        IssueCategory::MarginImprovement,
        IssueCategory::CustomerAcquisitionRetention,
        IssueCategory::EmployeeSatisfactionProductivity,
        IssueCategory::MarketChange,
        IssueCategory::CompetitivePressure,
        IssueCategory::NewMarkets,
        IssueCategory::RiskCompliance,
        IssueCategory::Other,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            IssueCategory::RevenueGrowth => "REVENUE_GROWTH",
            IssueCategory::CostReduction => "COST_REDUCTION",
            IssueCategory::MarginImprovement => "MARGIN_IMPROVEMENT",
            IssueCategory::CustomerAcquisitionRetention => "CUSTOMER_ACQUISITION_RETENTION",
            IssueCategory::EmployeeSatisfactionProductivity => "EMPLOYEE_SATISFACTION_PRODUCTIVITY",
            IssueCategory::MarketChange => "MARKET_CHANGE",
            IssueCategory::CompetitivePressure => "COMPETITIVE_PRESSURE",
            IssueCategory::NewMarkets => "NEW_MARKETS",
            IssueCategory::RiskCompliance => "RISK_COMPLIANCE",
            IssueCategory::Other => "OTHER",
        }
    }
}

/// What fixes the date by which the buyer wants results. Never scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum CompellingEvent {
    LegalCompliance,
    ContractExpiry,
    ProductLaunch,
    FiscalPeriod,
    EndOfLife,
    CompetitiveMove,
    Other,
}

impl CompellingEvent {
    /// All of them, in order.
    pub const ALL: [CompellingEvent; 7] = [
        CompellingEvent::LegalCompliance,
        CompellingEvent::ContractExpiry,
        CompellingEvent::ProductLaunch,
        CompellingEvent::FiscalPeriod,
        CompellingEvent::EndOfLife,
        CompellingEvent::CompetitiveMove,
        CompellingEvent::Other,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            CompellingEvent::LegalCompliance => "LEGAL_COMPLIANCE",
            CompellingEvent::ContractExpiry => "CONTRACT_EXPIRY",
            CompellingEvent::ProductLaunch => "PRODUCT_LAUNCH",
            CompellingEvent::FiscalPeriod => "FISCAL_PERIOD",
            CompellingEvent::EndOfLife => "END_OF_LIFE",
            CompellingEvent::CompetitiveMove => "COMPETITIVE_MOVE",
            CompellingEvent::Other => "OTHER",
        }
    }
}

/// The buyer's own step, from 0 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BuyingStage {
    StatusQuo,
    ProblemIdentification,
    SolutionExploration,
    RequirementsBuilding,
    SupplierSelection,
    ConsensusCreation,
    Approval,
    Implementation,
}

impl BuyingStage {
    /// All of them, in order.
    pub const ALL: [BuyingStage; 8] = [
        BuyingStage::StatusQuo,
        BuyingStage::ProblemIdentification,
        BuyingStage::SolutionExploration,
        BuyingStage::RequirementsBuilding,
        BuyingStage::SupplierSelection,
        BuyingStage::ConsensusCreation,
        BuyingStage::Approval,
        BuyingStage::Implementation,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            BuyingStage::StatusQuo => "STATUS_QUO",
            BuyingStage::ProblemIdentification => "PROBLEM_IDENTIFICATION",
            BuyingStage::SolutionExploration => "SOLUTION_EXPLORATION",
            BuyingStage::RequirementsBuilding => "REQUIREMENTS_BUILDING",
            BuyingStage::SupplierSelection => "SUPPLIER_SELECTION",
            BuyingStage::ConsensusCreation => "CONSENSUS_CREATION",
            BuyingStage::Approval => "APPROVAL",
            BuyingStage::Implementation => "IMPLEMENTATION",
        }
    }

    /// The step's number, 0 to 7.
    pub const fn step(self) -> u8 {
        self as u8
    }
}

/// How a deal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    Won,
    LostToCompetitor,
    LostToNoDecision,
    Disqualified,
}

impl Outcome {
    /// All of them, in order.
    pub const ALL: [Outcome; 4] = [
        Outcome::Won,
        Outcome::LostToCompetitor,
        Outcome::LostToNoDecision,
        Outcome::Disqualified,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Won => "WON",
            Outcome::LostToCompetitor => "LOST_TO_COMPETITOR",
            Outcome::LostToNoDecision => "LOST_TO_NO_DECISION",
            Outcome::Disqualified => "DISQUALIFIED",
        }
    }
}
