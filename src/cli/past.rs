//! `trend` and `compare`: the score over time, and why two moments differ.

use clap::Args;
use jiff::Timestamp;

use crate::cli::client::CallArgs;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::view;
use crate::cli::view::Page;
use crate::wire::pb;

pub const TREND_EXAMPLES: &str = "Examples:
  verbatim trend opp-1                       week by week since the deal began
  verbatim trend opp-1 --changes             each change, with what made it
  verbatim trend opp-1 --daily --from -30d --as-shown   as dashboards showed it then

T is RFC 3339, a date, `now`, or so long ago: -30d, -12h, -2w. A week ends on Sunday, a day at midnight, both in UTC.";

pub const COMPARE_EXAMPLES: &str = "Examples:
  verbatim compare opp-1 --from -30d
  verbatim compare opp-1 --from 2026-06-30 --to 2026-09-30   as it stood when those days ended
  verbatim compare opp-1 --from -30d --as-shown    with what was told since of the time before

T is RFC 3339, a date (its end in UTC; today: now), `now`, or so long ago: -30d, -12h, -2w.";

#[derive(Args, Debug)]
pub struct TrendArgs {
    /// The deal's id
    deal: String,
    /// A point a day
    #[arg(long, group = "step")]
    daily: bool,
    /// A point a week (the default)
    #[arg(long, group = "step")]
    weekly: bool,
    /// A point for each change of the score, with what made it
    #[arg(long, group = "step")]
    changes: bool,
    /// From when on (default: when the deal began)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = beginning)]
    from: Option<Timestamp>,
    /// Until when (default: now; of a closed deal: when it closed)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = ending)]
    to: Option<Timestamp>,
    /// Count at each point only what the service had been told by then
    #[arg(long)]
    as_shown: bool,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The deal's id
    deal: String,
    /// The one moment
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = ending)]
    from: Timestamp,
    /// The other moment (default: now; of a closed deal: when it closed)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = ending)]
    to: Option<Timestamp>,
    /// Count at each moment only what the service had been told by then
    #[arg(long)]
    as_shown: bool,
    /// Tell every change, however small
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn trend(args: TrendArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let step = match (args.daily, args.changes) {
        (true, _) => pb::TrendStep::Daily,
        (_, true) => pb::TrendStep::AtEachChange,
        _ => pb::TrendStep::Weekly,
    };
    let knowledge = match args.as_shown {
        true => pb::Knowledge::Then,
        false => pb::Knowledge::Now,
    };
    let request = pb::GetScoreHistoryRequest {
        deal_id: args.deal,
        from: args.from.map(moment::to_proto),
        to: args.to.map(moment::to_proto),
        step: step as i32,
        knowledge: knowledge as i32,
        min_revision: None,
    };
    let answer = client.forecast.get_score_history(request).await;
    args.call.show("GetScoreHistoryResponse", answer, |answer| {
        view::trend::trend(&Page::of_stdout(), answer, step)
    })
}

pub async fn compare(args: CompareArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let seen = |as_of: Timestamp| {
        let as_of = Some(moment::to_proto(as_of));
        let known_at = as_of.filter(|_| args.as_shown);
        pb::Seen { as_of, known_at }
    };
    let to = match (args.to, args.as_shown) {
        (None, true) => end(&mut client, &args.deal).await,
        (to, _) => to,
    };
    let request = pb::CompareScoresRequest {
        deal_id: args.deal,
        from: Some(seen(args.from)),
        to: to.map(seen),
        min_revision: None,
    };
    let rows_max = match args.all {
        true => usize::MAX,
        false => view::comparison::ROWS_MAX,
    };
    let answer = client.forecast.compare_scores(request).await;
    args.call.show("CompareScoresResponse", answer, |answer| {
        view::comparison::comparison(&Page::of_stdout(), answer, rows_max)
    })
}

/// When the deal was closed; `None` while it is open, and for one that is not there.
async fn end(client: &mut Client, deal: &str) -> Option<Timestamp> {
    let request = pb::GetDealRequest {
        deal_id: deal.to_owned(),
    };
    let answer = client.deals.get_deal(request).await.ok()?.into_inner();
    moment::from_proto(answer.outcome?.effective_at.as_ref())
}

fn beginning(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::Start)
}

fn ending(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::End)
}
