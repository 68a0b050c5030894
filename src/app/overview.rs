//! The open pipeline in few numbers, looked at again and again: for dashboards of those who forecast.
//!
//! Nothing of it names a deal, a person or an account, and there are at most so many numbers, however large the pipeline.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::Error;
use crate::app::pipeline::Pipeline;
use crate::domain::loss::StallCause;
use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::filter::Filter;
use crate::domain::portfolio::filter::Status;
use crate::domain::portfolio::summary::Amounts;
use crate::domain::portfolio::summary::Grouping;
use crate::domain::portfolio::summary::Key;
use crate::domain::portfolio::summary::Summary;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::state::DealState;
use crate::telemetry::metrics::pipeline::Amount;
use crate::telemetry::metrics::pipeline::Forecast;
use crate::telemetry::metrics::pipeline::Group;
use crate::telemetry::metrics::pipeline::Overview;

/// Currencies told of, those of most deals: callers may name any, and each is a series of its own.
const CURRENCIES_MAX: usize = 8;

/// Billionths of a unit.
const NANOS: f64 = 1e9;

const GROUPINGS: [Grouping; 4] = [
    Grouping::Band,
    Grouping::State,
    Grouping::ForecastCategory,
    Grouping::TopCause,
];

type Currency = [u8; 3];

/// What deals have in common, and which.
type GroupName = (&'static str, &'static str);

/// How many deals, and what they are worth.
type GroupSums = (u64, HashMap<Currency, Amounts>);

/// Looks at a tenant's pipeline every so often and tells what it found, for as long as the app lives.
pub async fn keep_up(app: Weak<App>, tenant: &str, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(app) = app.upgrade() else {
            return;
        };
        let told = app.tell_overview(tenant).await;
        if *app.closing().borrow() {
            return;
        }
        if let Err(error) = told {
            tracing::warn!(%error, "the numbers of the pipeline cannot be told");
        }
    }
}

impl App {
    /// Looks at a tenant's pipeline once, and tells what was found.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: it cannot be read. Nothing is told any more, since what was true before may not be.
    pub async fn tell_overview(self: &Arc<Self>, tenant: &str) -> Result<(), Error> {
        let found = self.overview(tenant).await;
        let (found, outcome) = match found {
            Ok(found) => (found, Ok(())),
            Err(error) => (Overview::default(), Err(error)),
        };
        self.telemetry.metrics.pipeline.tell(&found);
        outcome
    }

    async fn overview(self: &Arc<Self>, tenant: &str) -> Result<Overview, Error> {
        let pipeline = Pipeline {
            tenant: tenant.into(),
            filter: Filter {
                status: Some(Status::Open),
                ..Filter::default()
            },
            asked: AsOf::now(self.now()),
        };
        let summed = self.summarize(pipeline, None, GROUPINGS.to_vec()).await?;
        Ok(overview(&summed.summary))
    }
}

fn overview(summary: &Summary) -> Overview {
    let told = told(&summary.whole.amounts);
    // All that there can be, so that a group without deals is a zero and no gap.
    let mut groups: BTreeMap<GroupName, GroupSums> = all_groups()
        .map(|group| (group, Default::default()))
        .collect();
    for (keys, sums) in &summary.groups {
        for group in keys.iter().filter_map(name) {
            let (deals, amounts) = groups.entry(group).or_default();
            *deals += sums.deals;
            for (currency, more) in &sums.amounts {
                amounts.entry(*currency).or_default().merge(*more);
            }
        }
    }
    let groups = groups.into_iter().map(|((by, is), (deals, amounts))| {
        let amounts = told.iter().map(|currency| {
            let amounts = amounts.get(currency).copied().unwrap_or_default();
            Amount {
                currency: text(currency),
                amount: units(amounts.amount),
                expected: units(amounts.expected),
            }
        });
        Group {
            by,
            is,
            deals,
            amounts: amounts.collect(),
        }
    });
    let forecasts = told.iter().map(|currency| {
        let amounts = &summary.whole.amounts[currency];
        Forecast {
            currency: text(currency),
            seller: units(amounts.seller_forecast),
            evidence: units(amounts.evidence_forecast),
        }
    });
    Overview {
        groups: groups.collect(),
        forecasts: forecasts.collect(),
        score_mean: summary.whole.score_mean(),
        score_median: summary.whole.score_median(),
    }
}

/// The currencies of most deals, in order.
fn told(amounts: &BTreeMap<Currency, Amounts>) -> Vec<Currency> {
    let mut currencies: Vec<(u64, Currency)> = amounts
        .iter()
        .map(|(currency, amounts)| (u64::MAX - amounts.deals, *currency))
        .collect();
    currencies.sort_unstable();
    currencies.truncate(CURRENCIES_MAX);
    currencies
        .into_iter()
        .map(|(_, currency)| currency)
        .collect()
}

fn all_groups() -> impl Iterator<Item = GroupName> {
    let bands = Band::ALL.into_iter().map(Key::Band);
    let states = DealState::ALL.into_iter().map(Key::State);
    let categories = ForecastCategory::ALL.into_iter().map(Key::Category);
    let causes = StallCause::ALL
        .into_iter()
        .map(|cause| Key::Cause(Some(cause)));
    let all = bands.chain(states).chain(categories).chain(causes);
    all.filter_map(|key| match key {
        // These are of open deals.
        Key::State(DealState::Closed) | Key::Category(ForecastCategory::Closed) => None,
        key => name(&key),
    })
}

/// How a group is called; none for what is text of the seller's.
fn name(key: &Key) -> Option<GroupName> {
    match key {
        Key::Text(_) => None,
        Key::Band(band) => Some(("band", band.name())),
        Key::State(state) => Some(("state", state.name())),
        Key::Category(category) => Some(("forecast_category", category.name())),
        Key::Cause(cause) => Some(("top_cause", cause.map_or("NONE", StallCause::name))),
    }
}

fn units(nanos: i128) -> f64 {
    nanos as f64 / NANOS
}

fn text(currency: &Currency) -> String {
    String::from_utf8_lossy(currency).into_owned()
}
