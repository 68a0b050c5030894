//! The numbers of the open pipeline as a dashboard has them: those of the summary, and nobody's name.

use std::sync::Arc;

use verbatim::app::Pipeline;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::DealFacts;
use verbatim::domain::money::Money;
use verbatim::domain::portfolio::AsOf;
use verbatim::domain::portfolio::filter::Filter;
use verbatim::domain::portfolio::filter::Status;
use verbatim::domain::scale::Band;
use verbatim::domain::text::Name;
use verbatim::store::memory::Memory;

use crate::histories::end;
use crate::pipeline::TENANT;
use crate::pipeline::app_on;
use crate::pipeline::run;
use crate::pipeline::write;

/// What a deal is worth, told now.
fn worth(units: i64, currency: &str) -> Vec<Fact> {
    let name = |text: &str| Some(Name::new(text).unwrap());
    vec![Fact::Deal(DealFacts {
        name: name("Zebra"),
        account: name("Zebra"),
        owner: name("Zebra"),
        amount: Some(Money::new(currency, units, 0).unwrap()),
        seller_stage: None,
        close_date: None,
        effective_at: end(),
    })]
}

/// The value of a series, if it is told.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map(|rest| rest.trim().parse().unwrap())
}

#[test]
fn a_dashboard_has_the_sums_of_the_open_pipeline_by_words_of_the_model() {
    run(async {
        let app = app_on(Arc::new(Memory::new()), end());
        for (deal, units, currency) in [("a", 100, "CHF"), ("b", 20, "CHF"), ("c", 7, "EUR")] {
            write(&app, deal, worth(units, currency)).await;
        }
        app.tell_overview(TENANT).await.unwrap();

        let text = app.telemetry().metrics.scrape();
        let told: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("verbatim_pipeline"))
            .collect();
        let band = |name: &str| {
            value(
                &text,
                &format!("verbatim_pipeline_deals{{by=\"band\",is=\"{name}\"}}"),
            )
        };
        let bands: Vec<f64> = Band::ALL
            .iter()
            .map(|of| band(of.name()).unwrap())
            .collect();
        assert_eq!(bands.iter().sum::<f64>(), 3.0, "{told:#?}");
        let chf = value(
            &text,
            "verbatim_pipeline_amount{by=\"band\",currency=\"CHF\",is=\"NOT_BUYING\"}",
        );
        assert_eq!(chf, Some(120.0), "{told:#?}");
        let filter = Filter {
            status: Some(Status::Open),
            ..Filter::default()
        };
        let pipeline = Pipeline {
            tenant: TENANT.into(),
            filter,
            asked: AsOf::now(end()),
        };
        let summed = app.summarize(pipeline, None, Vec::new()).await.unwrap();
        let mean = value(&text, "verbatim_pipeline_score{statistic=\"mean\"}");
        assert_eq!(mean, summed.summary.whole.score_mean());
        assert!(!text.contains("Zebra"), "{told:#?}");
        // As many as there are words and currencies, however many deals.
        assert!(told.len() < 200, "{}", told.len());
    });
}

#[test]
fn of_more_currencies_than_there_is_room_for_those_of_most_deals_are_told() {
    run(async {
        let app = app_on(Arc::new(Memory::new()), end());
        let codes = [
            "AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH", "III",
        ];
        for (number, currency) in codes.iter().enumerate() {
            write(&app, &format!("one-{number}"), worth(1, currency)).await;
        }
        write(&app, "two", worth(1, "III")).await;
        app.tell_overview(TENANT).await.unwrap();

        let text = app.telemetry().metrics.scrape();
        let is_told = |currency: &str| text.contains(&format!("currency=\"{currency}\""));
        assert!(is_told("III") && is_told("GGG"));
        assert!(
            !is_told("HHH"),
            "of as few deals as others, and the last of them"
        );
    });
}
