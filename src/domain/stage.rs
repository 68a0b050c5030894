//! How far the buyer has come, how far the seller's CRM believes them to be, and what of the plan slipped.

use crate::domain::moment::Moment;
use crate::domain::text::Id;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::timeline::Order;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Topic;

/// The buyer's step and how far the seller's stage is ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyersStep {
    pub stage: BuyingStage,
    pub source: StageSource,
    /// 0 to 7 steps; against a derived step at most what the model lets count.
    pub gap: u8,
}

/// Where the buyer's step comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageSource {
    /// An active person named it.
    Stated,
    /// Nobody did: it was derived from the evidence.
    Derived,
}

impl StageSource {
    /// All of them, in order.
    pub const ALL: [StageSource; 2] = [StageSource::Stated, StageSource::Derived];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            StageSource::Stated => "STATED",
            StageSource::Derived => "DERIVED",
        }
    }
}

/// A close date moved later by so much that it is a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    pub at: Instant,
    pub from: Date,
    pub to: Date,
}

/// A step of the buying plan that is past its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue<'a> {
    pub milestone: &'a Id,
    pub due_date: Date,
}

/// The buyer's step at a moment with these levels of the criteria.
pub fn buyers_step(moment: &Moment, levels: &[f64; Topic::CRITERIA.len()]) -> BuyersStep {
    let (stage, source, gap_max) = match stated(moment) {
        Some(stage) => (stage, StageSource::Stated, u8::MAX),
        None => (
            derived(moment, levels),
            StageSource::Derived,
            moment.model.derived_gap_max,
        ),
    };
    let presumed = moment
        .deal
        .seller_stage
        .value_at(moment.as_of)
        .and_then(|seller_stage| moment.model.presumes(seller_stage.as_str()));
    let gap = presumed.map_or(0, |presumed| presumed.step().saturating_sub(stage.step()));
    BuyersStep {
        stage,
        source,
        gap: gap.min(gap_max),
    }
}

/// The step named by the latest claim of a person who is still there.
fn stated(moment: &Moment) -> Option<BuyingStage> {
    let named = |stage: BuyingStage| -> Option<(Instant, Order)> {
        moment
            .active()
            .filter_map(|(_, present)| present.person.stage(stage)?.at(moment.as_of))
            .map(|entry| (entry.at, entry.order))
            .max()
    };
    BuyingStage::ALL
        .into_iter()
        .filter_map(|stage| Some((named(stage)?, stage)))
        .max()
        .map(|(_, stage)| stage)
}

/// The highest rung that the evidence reaches, each rung below it reached too.
fn derived(moment: &Moment, levels: &[f64; Topic::CRITERIA.len()]) -> BuyingStage {
    let level = |topic: Topic| levels[topic.index()];
    let reached = [
        level(Topic::Problem),
        level(Topic::Consequence).max(level(Topic::StatusQuo)),
        level(Topic::BuyingProcess),
        level(Topic::Value),
        level(Topic::Consensus),
        level(Topic::Management),
    ];
    let rungs = reached
        .iter()
        .zip(&moment.model.rungs)
        .take_while(|(level, least)| least <= level)
        .count();
    BuyingStage::ALL[rungs]
}

/// The slips of the close date up to the moment, oldest first.
pub fn slips(moment: &Moment) -> Vec<Slip> {
    let mut slips = Vec::new();
    let mut before: Option<Date> = None;
    let told = moment.deal.close_date.until(moment.as_of);
    for (place, entry) in told.iter().enumerate() {
        // Of two dates given for one moment only the later recorded was ever in force.
        if told.get(place + 1).is_some_and(|next| next.at == entry.at) {
            continue;
        }
        let to = entry.value;
        if let Some(from) = before
            && moment.model.slip_days_min <= to.days_since(from)
        {
            slips.push(Slip {
                at: entry.at,
                from,
                to,
            });
        }
        before = Some(to);
    }
    slips
}

/// The steps of the buying plan that are past their date and not completed, by id.
pub fn overdue<'a>(moment: &Moment<'a>) -> Vec<Overdue<'a>> {
    let as_of = moment.as_of;
    moment
        .deal
        .milestones()
        .filter_map(|(id, milestone)| {
            let due_date = *milestone.due_date.value_at(as_of)?;
            let done = milestone
                .completed_at
                .value_at(as_of)
                .is_some_and(|completed_at| *completed_at <= as_of);
            (due_date.end() <= as_of && !done).then_some(Overdue {
                milestone: id,
                due_date,
            })
        })
        .collect()
}
