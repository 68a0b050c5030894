//! The pipeline as a whole: rows, items of a stream, sums.

use tonic::Status;
use tonic_types::StatusExt;

use crate::app::Item;
use crate::app::Listed;
use crate::app::PipelineDeal;
use crate::app::Summed;
use crate::app::Told;
use crate::domain::money::Money;
use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::Facts;
use crate::domain::portfolio::Row;
use crate::domain::portfolio::Verdict;
use crate::domain::portfolio::summary::Amounts;
use crate::domain::portfolio::summary::Grouping;
use crate::domain::portfolio::summary::Key;
use crate::domain::portfolio::summary::Summary;
use crate::domain::portfolio::summary::Sums;
use crate::domain::stage::BuyersStep;
use crate::domain::text::Name;
use crate::grpc::answer::score;
use crate::wire::listed::Listed as _;
use crate::wire::listed::number;
use crate::wire::listed::number_or_unset;
use crate::wire::pb;
use crate::wire::pb::score_deals_response::Result as Answer;
use crate::wire::value::encode_moment;
use crate::wire::value::encode_money;

/// The most groups that are told.
const GROUPS_MAX: usize = 1_000;

/// A page, with the token of the next.
pub fn encode_page(
    listed: &Listed,
    asked: AsOf,
    total: Option<u64>,
    next_page_token: String,
    model_version: &str,
) -> pb::ListDealsResponse {
    pb::ListDealsResponse {
        deals: listed.deals.iter().map(encode_deal).collect(),
        next_page_token,
        total: total.map(signed),
        as_of: Some(encode_moment(asked.at())),
        model_version: model_version.into(),
    }
}

/// One deal of a stream; `refused` puts an error into the words of the interface.
pub fn encode_item(item: Item, refused: fn(crate::app::Error) -> Status) -> pb::ScoreDealsResponse {
    let Item { deal, told } = item;
    let result = match told {
        Ok(Told::Row(row)) => Answer::Row(encode_deal(&row)),
        Ok(Told::Full(scored)) => Answer::Score(score::encode(&scored)),
        Err(error) => Answer::Error(encode_error(&refused(error))),
    };
    pb::ScoreDealsResponse {
        deal_id: deal.as_ref().into(),
        result: Some(result),
    }
}

pub fn encode_deal(deal: &PipelineDeal) -> pb::PipelineDeal {
    let PipelineDeal {
        deal,
        revision,
        row: Row { facts, verdict },
    } = deal;
    let Facts {
        name,
        account,
        owner,
        seller_stage,
        amount,
        close_date,
    } = facts;
    let Verdict {
        as_of,
        begun: _,
        score,
        base,
        band,
        category,
        step: BuyersStep {
            stage,
            source,
            gap: _,
        },
        outcome,
        stuck: _,
        depth,
    } = *verdict;
    let top = depth.and_then(|depth| depth.top_cause);
    pb::PipelineDeal {
        deal_id: deal.as_ref().into(),
        name: text(name),
        account: text(account),
        owner: text(owner),
        amount: amount.map(encode_money),
        seller_stage: text(seller_stage),
        close_date: close_date.map(|date| date.to_string()).unwrap_or_default(),
        score,
        base,
        band: number(band),
        forecast_category: number(category),
        state: number_or_unset(verdict.state()),
        momentum: depth.and_then(|depth| depth.momentum),
        top_cause: number_or_unset(top.map(|(cause, _)| cause)),
        top_cause_points: top.map(|(_, points)| points).unwrap_or_default(),
        lift: depth.map(|depth| depth.lift).unwrap_or_default(),
        buyer_stage: number(stage),
        buyer_stage_source: number(source),
        outcome: number_or_unset(outcome),
        revision: *revision,
        as_of: Some(encode_moment(as_of)),
    }
}

pub fn encode_sums(
    summed: &Summed,
    groupings: &[Grouping],
    model_version: &str,
) -> pb::SummarizePipelineResponse {
    let Summed {
        at,
        summary,
        compared,
    } = summed;
    pb::SummarizePipelineResponse {
        summary: Some(encode_summary(*at, summary, groupings)),
        compared: compared
            .as_ref()
            .map(|(at, summary)| encode_summary(*at, summary, groupings)),
        model_version: model_version.into(),
    }
}

fn encode_summary(at: AsOf, summary: &Summary, groupings: &[Grouping]) -> pb::PipelineSummary {
    let Summary { whole, groups } = summary;
    let mut sorted: Vec<(&Vec<Key>, &Sums)> = groups.iter().collect();
    // Those of equal size stay in the order of their keys.
    sorted.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.deals));
    let left_out = sorted.len().saturating_sub(GROUPS_MAX);
    pb::PipelineSummary {
        as_of: Some(encode_moment(at.at())),
        total: Some(encode_group_sums(whole)),
        groups: sorted
            .into_iter()
            .take(GROUPS_MAX)
            .map(|(keys, sums)| pb::PipelineGroup {
                keys: groupings
                    .iter()
                    .zip(keys)
                    .map(|(grouping, key)| pb::PipelineGroupKey {
                        grouping: number(*grouping),
                        value: encode_key(key),
                    })
                    .collect(),
                sums: Some(encode_group_sums(sums)),
            })
            .collect(),
        groups_left_out: left_out as i64,
    }
}

fn encode_key(key: &Key) -> String {
    match key {
        Key::Text(text) => text.to_string(),
        Key::Band(band) => format!("BAND_{}", band.named()),
        Key::State(state) => format!("DEAL_STATE_{}", state.named()),
        Key::Category(category) => format!("FORECAST_CATEGORY_{}", category.named()),
        Key::Cause(Some(cause)) => format!("STALL_CAUSE_{}", cause.named()),
        Key::Cause(None) => String::new(),
    }
}

fn encode_group_sums(sums: &Sums) -> pb::PipelineSums {
    pb::PipelineSums {
        deals: signed(sums.deals),
        open: signed(sums.open),
        stalled: signed(sums.stalled),
        dark: signed(sums.dark),
        without_amount: signed(sums.without_amount),
        stage_unknown: signed(sums.stage_unknown),
        score_mean: sums.score_mean(),
        score_median: sums.score_median(),
        amounts: sums
            .amounts
            .iter()
            .map(|(currency, amounts)| encode_amounts(*currency, amounts))
            .collect(),
    }
}

fn encode_amounts(currency: [u8; 3], amounts: &Amounts) -> pb::PipelineAmounts {
    let Amounts {
        deals,
        amount,
        expected,
        stalled,
        dark,
        seller_forecast,
        evidence_forecast,
        stage_unknown,
    } = *amounts;
    let currency_code = String::from_utf8_lossy(&currency).into_owned();
    let money = |nanos| {
        let money = Money::of_nanos(&currency_code, nanos);
        money.ok().map(encode_money)
    };
    pb::PipelineAmounts {
        deals: signed(deals),
        amount: money(amount),
        expected: money(expected),
        stalled: money(stalled),
        dark: money(dark),
        seller_forecast: money(seller_forecast),
        evidence_forecast: money(evidence_forecast),
        happy_ears_gap: money(amounts.happy_ears_gap()),
        stage_unknown: money(stage_unknown),
        currency_code: currency_code.clone(),
    }
}

fn encode_error(status: &Status) -> pb::DealError {
    let info = status.get_details_error_info();
    pb::DealError {
        code: status.code() as i32,
        reason: info.map(|info| info.reason).unwrap_or_default(),
        message: status.message().into(),
    }
}

fn text(name: &Option<Name>) -> String {
    name.as_ref().map_or("", Name::as_str).into()
}

/// A count; there are never so many deals.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
