//! What the seller does about each cause, and what they leave alone.

use crate::domain::loss::StallCause;

/// One or two sentences to the seller.
pub fn remedy(cause: StallCause) -> &'static str {
    match cause {
        StallCause::ProblemNotVoiced => {
            "Stop presenting. Ask until they name a problem as their own; what you found out yourself is a question, not an answer."
        }
        StallCause::ConsequenceUnknown => {
            "Do not send a price. Work out with them, in their numbers, what another year as it is would cost."
        }
        StallCause::NoCommitmentToChange => {
            "Do not sell the future harder. Ask what is wrong with staying, and let them argue against themselves."
        }
        StallCause::NoGoLiveTarget => {
            "Ask for the date by which they need results and what fixes it, then plan back from it together."
        }
        StallCause::GoLivePassed => {
            "Ask what the missed date cost. If it cost nothing it was not a reason; find the one that is."
        }
        StallCause::BuyingProcessUnknown => {
            "Write down with them each step until the signature: who, what, by when. Send it back for them to correct."
        }
        StallCause::BuyingGroupNotAligned => {
            "Hear those who have not been heard, one by one, then bring them together on why they must change before you talk about what to buy."
        }
        StallCause::ManagementNotSold => {
            "Give your champion what management needs to hear: the cost of waiting, in one page, in their own numbers."
        }
        StallCause::ValueNotOwned => {
            "Let them do the sums. A value you worked out for them is your value, not theirs."
        }
        StallCause::ChangeFeelsRiskier => {
            "Take the fear seriously: show the first thirty days, name who helps them, and bring somebody who has been through it."
        }
        StallCause::RiskAccepted => {
            "Do not push. Check whether those who carry the risk know it; if they do, agree when to look at it again, and go."
        }
        StallCause::Deprioritized => {
            "Find out what comes first and tie this to it, or set it aside until that is done."
        }
        StallCause::PoliteDeferral => {
            "Thank them and ask what will be different then. Without an answer take the deal out of the forecast."
        }
        StallCause::AttentionDrift => {
            "Go back with their own words and ask whether they still hold. What is said again counts again."
        }
        StallCause::DecisionMakerChanged => {
            "Start again with whoever decides now: their problem, their cost of waiting. What the predecessor said is history."
        }
        StallCause::SponsorLeft => {
            "Find who feels the problem now and let them say it themselves; do not inherit a champion by assumption."
        }
        StallCause::DecisionMakerUnheard => {
            "Ask your champion for the meeting, with a question that only the one who decides can answer. No proposal before it."
        }
        StallCause::StageMisaligned => {
            "Set the CRM back to where the buyer is and do that step with them; a step that is skipped is done later, alone."
        }
        StallCause::CloseDateSlipping => {
            "Drop your date. Take theirs, the day they need results, and plan back from it."
        }
        StallCause::BuyingPlanSlipping => {
            "Go through the plan with its owners, strike what nobody needs, and set the rest anew; do not chase."
        }
        StallCause::AlternativePreferred => {
            "Do not discount. Ask what their choice must solve and whether it does; if it does, wish them well."
        }
        StallCause::BuyerDisengaged => {
            "Stop following up. Ask once, openly, whether it is over, and for whom it is not."
        }
    }
}
