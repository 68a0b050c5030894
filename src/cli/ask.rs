//! `score`, `explain`, `history` and `model`: the commands that only ask.

use clap::Args;
use jiff::Timestamp;
use tonic::Response;

use crate::cli::client::CallArgs;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::view;
use crate::cli::view::Page;
use crate::wire::pb;

pub const SCORE_EXAMPLES: &str = "Examples:
  verbatim score opp-1
  verbatim score opp-1 --as-of 2026-06-30           as it stood when that day ended
  verbatim score opp-1 --as-of -30d --known-at -30d   as it was shown 30 days ago

T is RFC 3339, a date (its end in UTC; today: now), `now`, or so long ago: -30d, -12h, -2w.";

pub const EXPLAIN_EXAMPLES: &str = "Examples:
  verbatim explain opp-1
  verbatim explain opp-1 --plan \"Offer 10 % off until Friday\" --plan \"Call the CFO\"
  verbatim explain opp-1 --all --as-of 2026-06-30

T is RFC 3339, a date (its end in UTC; today: now), `now`, or so long ago: -30d, -12h, -2w.";

pub const HISTORY_EXAMPLES: &str = "Examples:
  verbatim history opp-1
  verbatim history opp-1 --json | jq '.events[].statement.quote'";

pub const MODEL_EXAMPLES: &str = "Examples:
  verbatim model
  verbatim model --json | jq .topics";

/// Which deal, at which moment, known when.
#[derive(Args, Debug)]
pub struct AtArgs {
    /// The deal's id
    deal: String,
    /// Count only what was said or came true by then (default: now; of a closed deal: when it closed)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = looking_back)]
    as_of: Option<Timestamp>,
    /// Count only what the service had been told by then (default: everything)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = looking_back)]
    known_at: Option<Timestamp>,
}

#[derive(Args, Debug)]
pub struct ScoreArgs {
    #[command(flatten)]
    at: AtArgs,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    #[command(flatten)]
    at: AtArgs,
    /// What you mean to do next, in words: told whether it presses the order (repeat for more)
    #[arg(long = "plan", value_name = "NEXT STEP")]
    plans: Vec<String>,
    /// Tell every cause in full
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// The deal's id
    deal: String,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct ModelArgs {
    #[command(flatten)]
    call: CallArgs,
}

pub async fn score(args: ScoreArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let request = pb::ScoreDealRequest {
        deal_id: args.at.deal,
        as_of: args.at.as_of.map(moment::to_proto),
        known_at: args.at.known_at.map(moment::to_proto),
        min_revision: None,
    };
    let answer = client.qualification.score_deal(request).await;
    args.call.show("ScoreDealResponse", answer, |answer| {
        let score = answer.score.clone().unwrap_or_default();
        view::score::score(&Page::of_stdout(), &score)
    })
}

pub async fn explain(args: ExplainArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let request = pb::ExplainStallRequest {
        deal_id: args.at.deal,
        as_of: args.at.as_of.map(moment::to_proto),
        known_at: args.at.known_at.map(moment::to_proto),
        min_revision: None,
        planned_next_steps: args.plans,
    };
    let answer = client.qualification.explain_stall(request).await;
    let in_full = if args.all {
        usize::MAX
    } else {
        view::explain::CAUSES_IN_FULL
    };
    args.call.show("ExplainStallResponse", answer, |answer| {
        let explanation = answer.explanation.clone().unwrap_or_default();
        view::explain::explanation(&Page::of_stdout(), &explanation, in_full)
    })
}

pub async fn history(args: HistoryArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let events = client.history(&args.deal).await;
    let answer = events.map(|events| {
        Response::new(pb::ListDealHistoryResponse {
            events,
            next_page_token: String::new(),
        })
    });
    args.call.show("ListDealHistoryResponse", answer, |answer| {
        view::history::history(&Page::of_stdout(), &answer.events)
    })
}

pub async fn model(args: ModelArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let answer = client.deals.get_model(pb::GetModelRequest {}).await;
    args.call.show("GetModelResponse", answer, |answer| {
        let model = answer.model.clone().unwrap_or_default();
        view::model::model(&Page::of_stdout(), &model)
    })
}

fn looking_back(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::End)
}
