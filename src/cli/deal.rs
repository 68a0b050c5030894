//! `deal …`: the facts around the words.

use clap::Args;
use clap::Subcommand;
use jiff::Timestamp;

use crate::cli::client::CallArgs;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Page;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim deal set opp-1 --amount \"EUR 240000\" --stage \"Needs Analysis\"
  verbatim deal people opp-1 ben --name \"Ben Okafor\" --title CFO --role economic-buyer
  verbatim deal close opp-1 --outcome won --reason \"signed\"

T is RFC 3339, a date (its start in UTC), `now`, or so long ago: -30d, -12h, -2w.
Facts not given stay as they are.";

const SET_EXAMPLES: &str = "Example:
  verbatim deal set opp-1 --owner jana --amount \"EUR 240000\" --close-date 2026-12-18";
const SHOW_EXAMPLES: &str = "Example:
  verbatim deal show opp-1";
const PEOPLE_EXAMPLES: &str = "Examples:
  verbatim deal people opp-1 ben --name \"Ben Okafor\" --title CFO --role economic-buyer
  verbatim deal people opp-1 ana --departed --effective-at -3d";
const MILESTONE_EXAMPLES: &str = "Examples:
  verbatim deal milestone opp-1 legal --name \"Contract checked\" --owner dora --due 2026-11-30
  verbatim deal milestone opp-1 legal --completed now";
const CLOSE_EXAMPLES: &str = "Example:
  verbatim deal close opp-1 --outcome lost-to-no-decision --reason \"went quiet\" --at 2026-10-31";
const RETRACT_EXAMPLES: &str = "Example:
  verbatim deal retract opp-1 s-17 --reason \"it was the consultant who said it\"";

#[derive(Subcommand, Debug)]
pub enum DealCommand {
    /// Set facts that the CRM knows
    #[command(after_help = SET_EXAMPLES)]
    Set(SetArgs),
    /// Show the facts, people and buying plan
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Set facts of a person on the buyer's side
    #[command(after_help = PEOPLE_EXAMPLES)]
    People(PeopleArgs),
    /// Set a step of the buying plan
    #[command(after_help = MILESTONE_EXAMPLES)]
    Milestone(MilestoneArgs),
    /// Tell how the deal ended
    #[command(after_help = CLOSE_EXAMPLES)]
    Close(CloseArgs),
    /// Take a statement back
    #[command(after_help = RETRACT_EXAMPLES)]
    Retract(RetractArgs),
}

#[derive(Args, Debug)]
pub struct SetArgs {
    /// The deal's id
    deal: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    account: Option<String>,
    /// Who sells it
    #[arg(long)]
    owner: Option<String>,
    /// Such as "EUR 40000"
    #[arg(long, value_name = "MONEY", value_parser = money::parse)]
    amount: Option<pb::Money>,
    /// The CRM's own name of the stage
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// The seller's date
    #[arg(long, value_name = "DATE", value_parser = date)]
    close_date: Option<String>,
    /// From when on these facts hold (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = instant)]
    effective_at: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The deal's id
    deal: String,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct PeopleArgs {
    /// The deal's id
    deal: String,
    /// Your id of the person
    person: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    title: Option<String>,
    /// What the person does in the purchase; replaces the roles before (repeat for more)
    #[arg(long = "role", value_name = "ROLE", value_parser = role)]
    roles: Vec<i32>,
    /// Take the roles away
    #[arg(long, conflicts_with = "roles")]
    no_roles: bool,
    /// Left the company, the post or the deal
    #[arg(long)]
    departed: bool,
    /// Is there (again)
    #[arg(long, conflicts_with = "departed")]
    active: bool,
    /// From when on this holds (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = instant)]
    effective_at: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct MilestoneArgs {
    /// The deal's id
    deal: String,
    /// Your id of the step
    milestone: String,
    #[arg(long)]
    name: Option<String>,
    /// The person who does it
    #[arg(long, value_name = "PERSON")]
    owner: Option<String>,
    #[arg(long, value_name = "DATE", value_parser = date)]
    due: Option<String>,
    /// When it was done
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = instant)]
    completed: Option<Timestamp>,
    /// From when on this holds (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = instant)]
    effective_at: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The deal's id
    deal: String,
    /// won, lost-to-competitor, lost-to-no-decision or disqualified
    #[arg(long, value_parser = outcome)]
    outcome: i32,
    /// In your words
    #[arg(long)]
    reason: Option<String>,
    /// When it ended (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = instant)]
    at: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

#[derive(Args, Debug)]
pub struct RetractArgs {
    /// The deal's id
    deal: String,
    /// The statement's id
    statement: String,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn run(command: DealCommand) -> Result<String, Failure> {
    match command {
        DealCommand::Set(args) => set(args).await,
        DealCommand::Show(args) => show(args).await,
        DealCommand::People(args) => people(args).await,
        DealCommand::Milestone(args) => milestone(args).await,
        DealCommand::Close(args) => close(args).await,
        DealCommand::Retract(args) => retract(args).await,
    }
}

async fn set(args: SetArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let deal = pb::Deal {
        deal_id: args.deal,
        name: args.name,
        account: args.account,
        owner: args.owner,
        amount: args.amount,
        seller_stage: args.stage,
        close_date: args.close_date,
        effective_at: args.effective_at.map(moment::to_proto),
    };
    let request = pb::UpsertDealRequest {
        deal: Some(deal),
        expected_revision: None,
    };
    let answer = client.deals.upsert_deal(request).await;
    args.call.show("UpsertDealResponse", answer, |answer| {
        done("Set", answer.revision)
    })
}

async fn show(args: ShowArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let answer = client
        .deals
        .get_deal(pb::GetDealRequest { deal_id: args.deal })
        .await;
    args.call.show("GetDealResponse", answer, |answer| {
        view::deal::deal(&Page::of_stdout(), answer)
    })
}

async fn people(args: PeopleArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let presence = match (args.active, args.departed) {
        (_, true) => pb::Presence::Departed,
        (true, false) => pb::Presence::Active,
        (false, false) => pb::Presence::Unspecified,
    };
    let person = pb::Stakeholder {
        stakeholder_id: args.person,
        display_name: args.name,
        title: args.title,
        roles: args.roles,
        presence: presence as i32,
        effective_at: args.effective_at.map(moment::to_proto),
        no_roles: args.no_roles,
    };
    let request = pb::UpsertStakeholdersRequest {
        deal_id: args.deal,
        stakeholders: vec![person],
        expected_revision: None,
    };
    let answer = client.deals.upsert_stakeholders(request).await;
    args.call
        .show("UpsertStakeholdersResponse", answer, |answer| {
            done("Set", answer.revision)
        })
}

async fn milestone(args: MilestoneArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let milestone = pb::Milestone {
        milestone_id: args.milestone,
        name: args.name,
        owner_stakeholder_id: args.owner,
        due_date: args.due,
        completed_at: args.completed.map(moment::to_proto),
        effective_at: args.effective_at.map(moment::to_proto),
    };
    let request = pb::UpsertMilestonesRequest {
        deal_id: args.deal,
        milestones: vec![milestone],
        expected_revision: None,
    };
    let answer = client.deals.upsert_milestones(request).await;
    args.call
        .show("UpsertMilestonesResponse", answer, |answer| {
            done("Set", answer.revision)
        })
}

async fn close(args: CloseArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let outcome = pb::DealOutcome {
        outcome: args.outcome,
        effective_at: args.at.map(moment::to_proto),
        reason: args.reason.unwrap_or_default(),
    };
    let request = pb::RecordOutcomeRequest {
        deal_id: args.deal,
        outcome: Some(outcome),
        expected_revision: None,
    };
    let answer = client.deals.record_outcome(request).await;
    args.call.show("RecordOutcomeResponse", answer, |answer| {
        done("Closed", answer.revision)
    })
}

async fn retract(args: RetractArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let request = pb::RetractBuyerStatementRequest {
        deal_id: args.deal,
        statement_id: args.statement,
        reason: args.reason,
        expected_revision: None,
    };
    let answer = client.deals.retract_buyer_statement(request).await;
    args.call
        .show("RetractBuyerStatementResponse", answer, |answer| {
            let what = if answer.already_retracted {
                "Taken back before; nothing changed"
            } else {
                "Taken back"
            };
            done(what, answer.revision)
        })
}

fn done(what: &str, revision: u64) -> String {
    format!("{what}. The deal is at revision {revision}.\n")
}

fn instant(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::Start)
}

fn date(text: &str) -> Result<String, String> {
    moment::parse_date(text).map(|date| date.to_string())
}

fn role(text: &str) -> Result<i32, String> {
    schema::number("BuyingRole", text)
}

fn outcome(text: &str) -> Result<i32, String> {
    schema::number("Outcome", text)
}
