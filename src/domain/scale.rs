//! The closed lists of an answer: what multiplies, what caps, and how a score is named.

/// What multiplies the base, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Modifier {
    StageMisalignment,
    CloseDateSlips,
    PlanSlippage,
    Priority,
    Alternative,
    Engagement,
}

impl Modifier {
    /// All of them, in order.
    pub const ALL: [Modifier; 6] = [
        Modifier::StageMisalignment,
        Modifier::CloseDateSlips,
        Modifier::PlanSlippage,
        Modifier::Priority,
        Modifier::Alternative,
        Modifier::Engagement,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Modifier::StageMisalignment => "STAGE_MISALIGNMENT",
            Modifier::CloseDateSlips => "CLOSE_DATE_SLIPS",
            Modifier::PlanSlippage => "PLAN_SLIPPAGE",
            Modifier::Priority => "PRIORITY",
            Modifier::Alternative => "ALTERNATIVE",
            Modifier::Engagement => "ENGAGEMENT",
        }
    }
}

/// What caps the score; of equal caps the first binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Gate {
    AlternativeChosen,
    RiskAccepted,
    ProblemUnvoiced,
    ConsequenceUnknown,
    NoCommitmentToChange,
    DecisionMakerUnheard,
}

impl Gate {
    /// All of them, in order.
    pub const ALL: [Gate; 6] = [
        Gate::AlternativeChosen,
        Gate::RiskAccepted,
        Gate::ProblemUnvoiced,
        Gate::ConsequenceUnknown,
        Gate::NoCommitmentToChange,
        Gate::DecisionMakerUnheard,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Gate::AlternativeChosen => "ALTERNATIVE_CHOSEN",
            Gate::RiskAccepted => "RISK_ACCEPTED",
            Gate::ProblemUnvoiced => "PROBLEM_UNVOICED",
            Gate::ConsequenceUnknown => "CONSEQUENCE_UNKNOWN",
            Gate::NoCommitmentToChange => "NO_COMMITMENT_TO_CHANGE",
            Gate::DecisionMakerUnheard => "DECISION_MAKER_UNHEARD",
        }
    }
}

/// How qualified a deal is, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Band {
    NotBuying,
    Exploring,
    Considering,
    Committed,
    Compelled,
}

impl Band {
    /// All of them, in order.
    pub const ALL: [Band; 5] = [
        Band::NotBuying,
        Band::Exploring,
        Band::Considering,
        Band::Committed,
        Band::Compelled,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Band::NotBuying => "NOT_BUYING",
            Band::Exploring => "EXPLORING",
            Band::Considering => "CONSIDERING",
            Band::Committed => "COMMITTED",
            Band::Compelled => "COMPELLED",
        }
    }
}

/// The forecast category that the evidence suggests, in Salesforce's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ForecastCategory {
    Omitted,
    Pipeline,
    BestCase,
    Commit,
    Closed,
}

impl ForecastCategory {
    /// All of them, in order.
    pub const ALL: [ForecastCategory; 5] = [
        ForecastCategory::Omitted,
        ForecastCategory::Pipeline,
        ForecastCategory::BestCase,
        ForecastCategory::Commit,
        ForecastCategory::Closed,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            ForecastCategory::Omitted => "OMITTED",
            ForecastCategory::Pipeline => "PIPELINE",
            ForecastCategory::BestCase => "BEST_CASE",
            ForecastCategory::Commit => "COMMIT",
            ForecastCategory::Closed => "CLOSED",
        }
    }
}
