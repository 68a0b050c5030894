//! The numbers of the open pipeline, for those who forecast: there while somebody keeps them up, and only then.
//!
//! 1. A label is a word of the model or a currency, never a deal, an owner or an account.
//! 2. A series that is no longer true is gone, and not zero.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use prometheus::GaugeVec;

use crate::telemetry::metrics::Families;

/// What a look at the pipeline found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    pub groups: Vec<Group>,
    pub forecasts: Vec<Forecast>,
    pub score_mean: Option<f64>,
    pub score_median: Option<f64>,
}

/// The open deals that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common, such as `band`, and which.
    pub by: &'static str,
    pub is: &'static str,
    pub deals: u64,
    pub amounts: Vec<Amount>,
}

/// What deals are worth, in one currency. Unit: that currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    pub currency: String,
    pub amount: f64,
    /// Amount times score as a percentage.
    pub expected: f64,
}

/// What the seller's stages promise of deals, and what the evidence stands for. Unit: the currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub currency: String,
    pub seller: f64,
    pub evidence: f64,
}

/// The families, and which series they have.
pub struct PipelineMetrics {
    deals: Told,
    amount: Told,
    expected: Told,
    forecast: Told,
    score: Told,
}

/// A family whose series come and go.
struct Told {
    family: GaugeVec,
    there: Mutex<HashSet<Vec<String>>>,
}

impl PipelineMetrics {
    pub(in crate::telemetry) fn new(to: &Families) -> PipelineMetrics {
        let told = |name, help, labels: &[&str]| Told {
            family: to.gauges_of_numbers(name, help, labels),
            there: Mutex::default(),
        };
        PipelineMetrics {
            deals: told(
                "verbatim_pipeline_deals",
                "Open deals, by what they have in common: band, state, forecast category or first cause of standing still.",
                &["by", "is"],
            ),
            amount: told(
                "verbatim_pipeline_amount",
                "What open deals are worth, in units of the currency.",
                &["by", "is", "currency"],
            ),
            expected: told(
                "verbatim_pipeline_expected_amount",
                "What open deals are worth times their scores, in units of the currency.",
                &["by", "is", "currency"],
            ),
            forecast: told(
                "verbatim_pipeline_forecast_amount",
                "What the seller's stages promise of open deals, and what the evidence of the same deals stands for.",
                &["of", "currency"],
            ),
            score: told(
                "verbatim_pipeline_score",
                "Mean and median of the scores of open deals.",
                &["statistic"],
            ),
        }
    }

    /// Tells what was found, and nothing that was found before.
    pub fn tell(&self, found: &Overview) {
        let mut deals = Vec::new();
        let mut amounts = Vec::new();
        let mut expected = Vec::new();
        for group in &found.groups {
            deals.push((vec![group.by, group.is], group.deals as f64));
            for amount in &group.amounts {
                let labels = vec![group.by, group.is, amount.currency.as_str()];
                amounts.push((labels.clone(), amount.amount));
                expected.push((labels, amount.expected));
            }
        }
        let forecasts = found.forecasts.iter().flat_map(|forecast| {
            let currency = forecast.currency.as_str();
            [
                (vec!["seller_stages", currency], forecast.seller),
                (vec!["evidence", currency], forecast.evidence),
            ]
        });
        let score = |name, score: Option<f64>| score.map(|score| (vec![name], score));
        let scores = [
            score("mean", found.score_mean),
            score("median", found.score_median),
        ];
        self.deals.tell(deals);
        self.amount.tell(amounts);
        self.expected.tell(expected);
        self.forecast.tell(forecasts.collect());
        self.score.tell(scores.into_iter().flatten().collect());
    }
}

impl Told {
    fn tell(&self, series: Vec<(Vec<&str>, f64)>) {
        // What is in the set is in the family, or gone from it the next time.
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = HashSet::new();
        for (labels, value) in series {
            self.family.with_label_values(&labels).set(value);
            now.insert(labels.into_iter().map(str::to_owned).collect());
        }
        for gone in there.difference(&now) {
            let labels: Vec<&str> = gone.iter().map(String::as_str).collect();
            // An error means that it is gone already.
            let _ = self.family.remove_label_values(&labels);
        }
        *there = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn group(is: &'static str, deals: u64, currency: &str) -> Group {
        let amount = Amount {
            currency: currency.to_owned(),
            amount: 10.0,
            expected: 2.5,
        };
        Group {
            by: "band",
            is,
            deals,
            amounts: vec![amount],
        }
    }

    #[test]
    fn what_is_no_longer_found_is_no_longer_told() {
        let metrics = Metrics::new();
        assert!(!metrics.scrape().contains("verbatim_pipeline"));
        metrics.pipeline.tell(&Overview {
            groups: vec![group("COMMITTED", 2, "CHF"), group("COMPELLED", 1, "EUR")],
            score_mean: Some(40.0),
            ..Overview::default()
        });
        let text = metrics.scrape();
        for line in [
            "verbatim_pipeline_deals{by=\"band\",is=\"COMMITTED\"} 2\n",
            "verbatim_pipeline_expected_amount{by=\"band\",currency=\"EUR\",is=\"COMPELLED\"} 2.5\n",
            "verbatim_pipeline_score{statistic=\"mean\"} 40\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        metrics.pipeline.tell(&Overview {
            groups: vec![group("COMMITTED", 3, "CHF")],
            ..Overview::default()
        });
        let text = metrics.scrape();
        assert!(text.contains("verbatim_pipeline_deals{by=\"band\",is=\"COMMITTED\"} 3\n"));
        assert!(!text.contains("COMPELLED") && !text.contains("EUR") && !text.contains("mean"));
    }
}
