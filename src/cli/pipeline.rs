//! `pipeline`: all deals side by side, and what they come to.

use clap::Args;
use jiff::Timestamp;
use tonic::Response;
use tonic::Status;

use crate::cli::client::CallArgs;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Page;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim pipeline                                   the open deals, the best first
  verbatim pipeline --owner \"Ana Ruiz\" --order lift     where the most is to be gained
  verbatim pipeline --state dark,stalled --amount-min \"EUR 50000\"
  verbatim pipeline --group-by owner,close-month      sums, and whose forecast rests on happy ears
  verbatim pipeline --group-by band --compare -4w     the same four weeks ago

T is RFC 3339, a date (its end in UTC; today: now), `now`, or so long ago: -30d, -12h, -2w.";

/// The most that the service gives at a time.
const PAGE_MAX: usize = 1_000;

#[derive(Args, Debug)]
pub struct PipelineArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// See the pipeline as it was by then (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = looking_back)]
    as_of: Option<Timestamp>,
    /// score, lift, momentum, amount or close-date (default: score)
    #[arg(long, value_name = "ORDER", value_parser = order)]
    order: Option<i32>,
    /// The lowest first
    #[arg(long)]
    ascending: bool,
    /// Deals to show, at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Sums by one or two of owner, close-month, seller-stage, band, state, forecast-category, top-cause
    #[arg(long, value_name = "GROUPING", value_delimiter = ',', value_parser = grouping)]
    group_by: Vec<i32>,
    /// With --group-by: the sums of this moment as well
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = looking_back, requires = "group_by")]
    compare: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

/// Which deals. Of a list any one will do; several filters must all fit.
#[derive(Args, Debug)]
struct FilterArgs {
    /// Whose deals (repeat for more)
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// A stage of the CRM
    #[arg(long, value_name = "STAGE")]
    stage: Vec<String>,
    /// not-buying, exploring, considering, committed, compelled
    #[arg(long, value_name = "BAND", value_delimiter = ',', value_parser = band)]
    band: Vec<i32>,
    /// dark, stalled, slowing, moving, closed
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<i32>,
    /// omitted, pipeline, best-case, commit, closed
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',', value_parser = category)]
    category: Vec<i32>,
    /// The first close date
    #[arg(long, value_name = "DATE")]
    closes_from: Option<String>,
    /// The last close date
    #[arg(long, value_name = "DATE")]
    closes_to: Option<String>,
    /// The least amount, such as `EUR 50000`
    #[arg(long, value_name = "MONEY", value_parser = money::parse)]
    amount_min: Option<pb::Money>,
    #[arg(long, value_name = "MONEY", value_parser = money::parse)]
    amount_max: Option<pb::Money>,
    #[arg(long, value_name = "POINTS")]
    score_min: Option<f64>,
    #[arg(long, value_name = "POINTS")]
    score_max: Option<f64>,
    /// A part of the deal's name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Closed deals in place of open ones
    #[arg(long, conflicts_with = "all")]
    closed: bool,
    /// Open and closed deals
    #[arg(long)]
    all: bool,
}

pub async fn run(args: PipelineArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let as_of = args.as_of.map(moment::to_proto);
    let filter = args.filter.message();
    let summing = pb::SummarizePipelineRequest {
        filter: Some(filter.clone()),
        as_of,
        group_by: args.group_by.clone(),
        compared_with: args.compare.map(moment::to_proto),
    };
    let page = Page::of_stdout();
    if !args.group_by.is_empty() {
        let answer = client.forecast.summarize_pipeline(summing).await;
        return args.call.show("SummarizePipelineResponse", answer, |sums| {
            view::sums::grouped(&page, sums)
        });
    }

    let listing = pb::ListDealsRequest {
        filter: Some(filter),
        as_of,
        order: args.order.unwrap_or_default(),
        direction: match args.ascending {
            true => pb::SortDirection::Ascending as i32,
            false => pb::SortDirection::Unspecified as i32,
        },
        with_total: true,
        ..pb::ListDealsRequest::default()
    };
    let listed = list(&mut client, listing, args.limit as usize).await;
    if args.call.json {
        let listed = listed.map(Response::new);
        return args
            .call
            .show("ListDealsResponse", listed, |_| String::new());
    }
    let listed = listed.map_err(|status| args.call.refusal(&status))?;
    let sums = client.forecast.summarize_pipeline(summing).await;
    args.call.show("SummarizePipelineResponse", sums, |sums| {
        let table = match listed.deals.is_empty() {
            true => String::new(),
            false => view::pipeline::pipeline(&page, &listed.deals),
        };
        let left = listed.total() - listed.deals.len() as i64;
        let more = match left {
            0 => String::new(),
            left => format!(
                " and {} (--limit shows more)\n",
                view::count(left as usize, "more deal")
            ),
        };
        let summary = sums.summary.clone().unwrap_or_default();
        table + &more + &view::sums::total(&page, &summary)
    })
}

/// So many deals, page by page.
async fn list(
    client: &mut Client,
    mut request: pb::ListDealsRequest,
    limit: usize,
) -> Result<pb::ListDealsResponse, Status> {
    let mut listed = pb::ListDealsResponse::default();
    loop {
        let wanted = limit - listed.deals.len();
        request.page_size = wanted.min(PAGE_MAX) as i32;
        let mut page = client
            .forecast
            .list_deals(request.clone())
            .await?
            .into_inner();
        listed.deals.append(&mut page.deals);
        request.page_token.clone_from(&page.next_page_token);
        let deals = std::mem::take(&mut listed.deals);
        listed = pb::ListDealsResponse { deals, ..page };
        if limit <= listed.deals.len() || request.page_token.is_empty() {
            return Ok(listed);
        }
    }
}

impl FilterArgs {
    fn message(&self) -> pb::PipelineFilter {
        let status = match (self.all, self.closed) {
            (true, _) => pb::DealStatus::Unspecified,
            (false, true) => pb::DealStatus::Closed,
            (false, false) => pb::DealStatus::Open,
        };
        pb::PipelineFilter {
            owners: self.owner.clone(),
            accounts: self.account.clone(),
            seller_stages: self.stage.clone(),
            bands: self.band.clone(),
            states: self.state.clone(),
            forecast_categories: self.category.clone(),
            close_date_from: self.closes_from.clone().unwrap_or_default(),
            close_date_to: self.closes_to.clone().unwrap_or_default(),
            amount_min: self.amount_min.clone(),
            amount_max: self.amount_max.clone(),
            score_min: self.score_min,
            score_max: self.score_max,
            name_contains: self.name.clone().unwrap_or_default(),
            status: status as i32,
        }
    }
}

fn order(word: &str) -> Result<i32, String> {
    schema::number("PipelineOrder", word)
}

fn grouping(word: &str) -> Result<i32, String> {
    schema::number("PipelineGrouping", word)
}

fn band(word: &str) -> Result<i32, String> {
    schema::number("Band", word)
}

fn state(word: &str) -> Result<i32, String> {
    schema::number("DealState", word)
}

fn category(word: &str) -> Result<i32, String> {
    schema::number("ForecastCategory", word)
}

fn looking_back(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::End)
}
