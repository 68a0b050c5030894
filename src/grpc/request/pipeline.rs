//! Requests of the pipeline as a whole, from the wire to what the app is asked: every violation at once.

use prost::Message;
use prost_types::Timestamp;

use crate::app::Listing;
use crate::app::Pipeline;
use crate::app::Selection;
use crate::app::View;
use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::filter::Filter;
use crate::domain::portfolio::filter::Folded;
use crate::domain::portfolio::order::By;
use crate::domain::portfolio::order::Direction;
use crate::domain::portfolio::order::Order;
use crate::domain::portfolio::summary::Grouping;
use crate::domain::time::Instant;
use crate::grpc::request::TENANT;
use crate::wire::listed;
use crate::wire::listed::Listed;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::value;

/// The most entries of a list in a filter.
const LIST_MAX: usize = 100;

/// The most deals named in one request.
const DEALS_MAX: usize = 10_000;

/// The most groupings at once.
const GROUPINGS_MAX: usize = 2;

const PAGE_SIZE_MAX: i32 = 1_000;
const PAGE_SIZE_DEFAULT: usize = 50;

/// A page, and what a token must be of.
#[derive(Debug)]
pub struct PageOfDeals {
    pub listing: Listing,
    pub with_total: bool,
    pub page_token: String,
    /// The request without what may differ from page to page.
    pub query: Vec<u8>,
}

/// A stream of scores.
#[derive(Debug)]
pub struct Scoring {
    pub tenant: &'static str,
    pub selection: Selection,
    pub asked: AsOf,
    pub view: View,
}

/// Sums.
#[derive(Debug)]
pub struct Summing {
    pub pipeline: Pipeline,
    pub groupings: Vec<Grouping>,
    pub compared_with: Option<AsOf>,
}

pub fn list(mut request: pb::ListDealsRequest, now: Instant) -> Result<PageOfDeals, Violations> {
    let page_token = std::mem::take(&mut request.page_token);
    let page_size = std::mem::take(&mut request.page_size);
    let with_total = std::mem::take(&mut request.with_total);
    let query = request.encode_to_vec();
    let pb::ListDealsRequest {
        filter,
        as_of,
        order,
        direction,
        page_size: _,
        page_token: _,
        with_total: _,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let root = Path::ROOT;
    let filter = read_filter(&mut reading, filter);
    let asked = read_as_of(&mut reading, &root.field("as_of"), as_of, now);
    let by = listed::optional(&mut reading, &root.field("order"), order);
    let direction = listed::optional(&mut reading, &root.field("direction"), direction);
    let page_size = match page_size {
        0 => PAGE_SIZE_DEFAULT,
        1..=PAGE_SIZE_MAX => page_size.unsigned_abs() as usize,
        _ => {
            let allowed = format!("must be from 0 to {PAGE_SIZE_MAX}, got {page_size}");
            reading.refuse(&root.field("page_size"), allowed);
            PAGE_SIZE_DEFAULT
        }
    };
    reading.end(Some(PageOfDeals {
        listing: Listing {
            pipeline: Pipeline {
                tenant: TENANT.into(),
                filter,
                asked,
            },
            order: Order {
                by: by.unwrap_or(By::Score),
                direction: direction.unwrap_or(Direction::Descending),
            },
            page_size,
            after: None,
        },
        with_total,
        page_token,
        query,
    }))
}

pub fn score(request: pb::ScoreDealsRequest, now: Instant) -> Result<Scoring, Violations> {
    let pb::ScoreDealsRequest {
        deal_ids,
        filter,
        as_of,
        view,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let root = Path::ROOT;
    let asked = read_as_of(&mut reading, &root.field("as_of"), as_of, now);
    let named = !deal_ids.is_empty();
    if named && filter.is_some() {
        let path = root.field("filter");
        reading.refuse(&path, "must not be set together with deal_ids");
    }
    let selection = match named {
        true => Selection::Named(read_ids(&mut reading, deal_ids)),
        false => Selection::Fitting(Box::new(read_filter(&mut reading, filter))),
    };
    let view = match pb::PipelineView::try_from(view) {
        Ok(pb::PipelineView::Unspecified | pb::PipelineView::Row) => View::Row,
        Ok(pb::PipelineView::Full) => View::Full,
        Err(_) => {
            let allowed = format!("must be one of ROW, FULL, got {view}");
            reading.refuse(&root.field("view"), allowed);
            View::Row
        }
    };
    reading.end(Some(Scoring {
        tenant: TENANT,
        selection,
        asked,
        view,
    }))
}

pub fn summarize(
    request: pb::SummarizePipelineRequest,
    now: Instant,
) -> Result<Summing, Violations> {
    let pb::SummarizePipelineRequest {
        filter,
        as_of,
        group_by,
        compared_with,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let root = Path::ROOT;
    let filter = read_filter(&mut reading, filter);
    let asked = read_as_of(&mut reading, &root.field("as_of"), as_of, now);
    let path = root.field("compared_with");
    let compared_with = value::moment(&mut reading, &path, compared_with).map(AsOf::At);
    let path = root.field("group_by");
    let groupings: Vec<Grouping> = read_list(&mut reading, &path, &group_by, GROUPINGS_MAX);
    if let [one, other] = groupings[..]
        && one == other
    {
        reading.refuse(&path.index(1), "must not come twice in one request");
    }
    reading.end(Some(Summing {
        pipeline: Pipeline {
            tenant: TENANT.into(),
            filter,
            asked,
        },
        groupings,
        compared_with,
    }))
}

fn read_as_of(
    reading: &mut Reading,
    path: &Path<'_>,
    as_of: Option<Timestamp>,
    now: Instant,
) -> AsOf {
    match value::moment(reading, path, as_of) {
        Some(moment) => AsOf::At(moment),
        None => AsOf::now(now),
    }
}

fn read_filter(reading: &mut Reading, filter: Option<pb::PipelineFilter>) -> Filter {
    let Some(filter) = filter else {
        return Filter::default();
    };
    let pb::PipelineFilter {
        owners,
        accounts,
        seller_stages,
        bands,
        states,
        forecast_categories,
        close_date_from,
        close_date_to,
        amount_min,
        amount_max,
        score_min,
        score_max,
        name_contains,
        status,
    } = filter;
    let root = Path::ROOT;
    let path = root.field("filter");
    let filter = Filter {
        owners: read_texts(reading, &path.field("owners"), &owners),
        accounts: read_texts(reading, &path.field("accounts"), &accounts),
        seller_stages: read_texts(reading, &path.field("seller_stages"), &seller_stages),
        bands: read_list(reading, &path.field("bands"), &bands, LIST_MAX),
        states: read_list(reading, &path.field("states"), &states, LIST_MAX),
        categories: read_list(
            reading,
            &path.field("forecast_categories"),
            &forecast_categories,
            LIST_MAX,
        ),
        close_from: value::date_or_empty(reading, &path.field("close_date_from"), &close_date_from),
        close_to: value::date_or_empty(reading, &path.field("close_date_to"), &close_date_to),
        amount_min: value::money(reading, &path.field("amount_min"), amount_min),
        amount_max: value::money(reading, &path.field("amount_max"), amount_max),
        score_min: read_score(reading, &path.field("score_min"), score_min),
        score_max: read_score(reading, &path.field("score_max"), score_max),
        name_contains: value::name_or_empty(reading, &path.field("name_contains"), &name_contains)
            .map(|part| Folded::of(part.as_str())),
        status: listed::optional(reading, &path.field("status"), status),
    };
    check_ranges(reading, &path, &filter);
    filter
}

/// Refuses ranges in which nothing can be.
fn check_ranges(reading: &mut Reading, path: &Path<'_>, filter: &Filter) {
    if let (Some(first), Some(last)) = (filter.close_from, filter.close_to)
        && last < first
    {
        let path = path.field("close_date_to");
        reading.refuse(&path, "must not be before close_date_from");
    }
    if let (Some(least), Some(most)) = (filter.score_min, filter.score_max)
        && most < least
    {
        let path = path.field("score_max");
        reading.refuse(&path, "must not be below score_min");
    }
    if let (Some(least), Some(most)) = (filter.amount_min, filter.amount_max) {
        let path = path.field("amount_max");
        if least.currency() != most.currency() {
            reading.refuse(&path, "must be of the currency of amount_min");
        } else if most.in_nanos() < least.in_nanos() {
            reading.refuse(&path, "must not be below amount_min");
        }
    }
}

fn read_score(reading: &mut Reading, path: &Path<'_>, score: Option<f64>) -> Option<f64> {
    let score = score?;
    if !(0.0..=100.0).contains(&score) {
        reading.refuse(path, format_args!("must be from 0 to 100, got {score}"));
    }
    Some(score)
}

fn read_texts(reading: &mut Reading, path: &Path<'_>, texts: &[String]) -> Vec<Folded> {
    if !are_within(reading, path, texts.len(), LIST_MAX) {
        return Vec::new();
    }
    texts
        .iter()
        .enumerate()
        .filter_map(|(place, text)| value::name(reading, &path.index(place), text))
        .map(|text| Folded::of(text.as_str()))
        .collect()
}

fn read_list<T: Listed>(
    reading: &mut Reading,
    path: &Path<'_>,
    numbers: &[i32],
    count_max: usize,
) -> Vec<T> {
    if !are_within(reading, path, numbers.len(), count_max) {
        return Vec::new();
    }
    numbers
        .iter()
        .enumerate()
        .filter_map(|(place, number)| listed::required(reading, &path.index(place), *number))
        .collect()
}

fn read_ids(reading: &mut Reading, ids: Vec<String>) -> Vec<Box<str>> {
    let root = Path::ROOT;
    let path = root.field("deal_ids");
    if !are_within(reading, &path, ids.len(), DEALS_MAX) {
        return Vec::new();
    }
    ids.into_iter()
        .enumerate()
        .filter_map(|(place, id)| {
            value::id(reading, &path.index(place), &id)?;
            Some(id.into())
        })
        .collect()
}

fn are_within(reading: &mut Reading, path: &Path<'_>, count: usize, count_max: usize) -> bool {
    if count_max < count {
        reading.refuse(
            path,
            format_args!("must be at most {count_max}, got {count}"),
        );
        return false;
    }
    true
}
