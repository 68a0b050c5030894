//! Why points are lost: the closed list of causes.

/// Why points are lost; of equal losses the first ranks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum StallCause {
    ProblemNotVoiced,
    ConsequenceUnknown,
    NoCommitmentToChange,
    NoGoLiveTarget,
    GoLivePassed,
    BuyingProcessUnknown,
    BuyingGroupNotAligned,
    ManagementNotSold,
    ValueNotOwned,
    ChangeFeelsRiskier,
    RiskAccepted,
    Deprioritized,
    PoliteDeferral,
    AttentionDrift,
    DecisionMakerChanged,
    SponsorLeft,
    DecisionMakerUnheard,
    StageMisaligned,
    CloseDateSlipping,
    BuyingPlanSlipping,
    AlternativePreferred,
    BuyerDisengaged,
}

impl StallCause {
    /// All of them, in order.
    pub const ALL: [StallCause; 22] = [
        StallCause::ProblemNotVoiced,
        StallCause::ConsequenceUnknown,
        StallCause::NoCommitmentToChange,
        StallCause::NoGoLiveTarget,
        StallCause::GoLivePassed,
        StallCause::BuyingProcessUnknown,
        StallCause::BuyingGroupNotAligned,
        StallCause::ManagementNotSold,
        StallCause::ValueNotOwned,
        StallCause::ChangeFeelsRiskier,
        StallCause::RiskAccepted,
        StallCause::Deprioritized,
        StallCause::PoliteDeferral,
        StallCause::AttentionDrift,
        StallCause::DecisionMakerChanged,
        StallCause::SponsorLeft,
        StallCause::DecisionMakerUnheard,
        StallCause::StageMisaligned,
        StallCause::CloseDateSlipping,
        StallCause::BuyingPlanSlipping,
        StallCause::AlternativePreferred,
        StallCause::BuyerDisengaged,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            StallCause::ProblemNotVoiced => "PROBLEM_NOT_VOICED",
            StallCause::ConsequenceUnknown => "CONSEQUENCE_UNKNOWN",
            StallCause::NoCommitmentToChange => "NO_COMMITMENT_TO_CHANGE",
            StallCause::NoGoLiveTarget => "NO_GO_LIVE_TARGET",
            StallCause::GoLivePassed => "GO_LIVE_PASSED",
            StallCause::BuyingProcessUnknown => "BUYING_PROCESS_UNKNOWN",
            StallCause::BuyingGroupNotAligned => "BUYING_GROUP_NOT_ALIGNED",
            StallCause::ManagementNotSold => "MANAGEMENT_NOT_SOLD",
            StallCause::ValueNotOwned => "VALUE_NOT_OWNED",
            StallCause::ChangeFeelsRiskier => "CHANGE_FEELS_RISKIER",
            StallCause::RiskAccepted => "RISK_ACCEPTED",
            StallCause::Deprioritized => "DEPRIORITIZED",
            StallCause::PoliteDeferral => "POLITE_DEFERRAL",
            StallCause::AttentionDrift => "ATTENTION_DRIFT",
            StallCause::DecisionMakerChanged => "DECISION_MAKER_CHANGED",
            StallCause::SponsorLeft => "SPONSOR_LEFT",
            StallCause::DecisionMakerUnheard => "DECISION_MAKER_UNHEARD",
            StallCause::StageMisaligned => "STAGE_MISALIGNED",
            StallCause::CloseDateSlipping => "CLOSE_DATE_SLIPPING",
            StallCause::BuyingPlanSlipping => "BUYING_PLAN_SLIPPING",
            StallCause::AlternativePreferred => "ALTERNATIVE_PREFERRED",
            StallCause::BuyerDisengaged => "BUYER_DISENGAGED",
        }
    }
}
