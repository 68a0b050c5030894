//! What many deals come to: counts, amounts, and how much of the forecast rests on what no buyer said.

use comfy_table::Cell;

use crate::cli::moment;
use crate::cli::money;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::cli::view::right;
use crate::wire::pb;

/// Groups as a table, at one moment or at two, and what the whole comes to.
pub fn grouped(page: &Page, answer: &pb::SummarizePipelineResponse) -> String {
    let sides = [&answer.summary, &answer.compared];
    sides
        .into_iter()
        .flatten()
        .map(|summary| {
            let at = moment::minute(summary.as_of.as_ref());
            page.heading(&format!("As of {at}")) + &groups(page, summary) + &total(page, summary)
        })
        .collect()
}

/// The whole, in a few sentences.
pub fn total(page: &Page, summary: &pb::PipelineSummary) -> String {
    let sums = summary.total.clone().unwrap_or_default();
    if sums.deals == 0 {
        return page.paragraph(1, cell("No deal fits.", Hue::Plain));
    }
    let mut lines = vec![("Deals", cell(counted(&sums), Hue::Plain))];
    if let (Some(mean), Some(median)) = (sums.score_mean, sums.score_median) {
        let told = format!(
            "{} mean {}, median {}",
            view::bar(mean / 100.0, 8),
            view::points(mean),
            view::points(median)
        );
        lines.push(("Score", cell(told, view::hue_of_score(mean))));
    }
    for amounts in &sums.amounts {
        lines.push((&amounts.currency_code, cell(worth(amounts), Hue::Plain)));
        if let Some((told, hue)) = happy_ears(amounts) {
            lines.push(("", cell(told, hue)));
        }
    }
    format!("\n{}", page.lines(1, 6, &lines))
}

fn counted(sums: &pb::PipelineSums) -> String {
    let mut told = view::count(sums.deals as usize, "deal");
    let closed = sums.deals - sums.open;
    let parts = [
        (closed, "closed"),
        (sums.dark, "dark"),
        (sums.stalled, "stalled"),
        (sums.without_amount, "without an amount"),
    ];
    for (count, what) in parts {
        if count != 0 {
            told += &format!(", {count} {what}");
        }
    }
    told
}

fn worth(amounts: &pb::PipelineAmounts) -> String {
    let mut told = format!(
        "{} in {}, of which the evidence stands for {}",
        shown(&amounts.amount),
        view::count(amounts.deals as usize, "deal"),
        shown(&amounts.expected),
    );
    for (money, what) in [(&amounts.dark, "is dark"), (&amounts.stalled, "is stalled")] {
        if !is_nothing(money) {
            told += &format!("; {} {what}", shown(money));
        }
    }
    told
}

/// The happy-ears gap in plain words; `None` where the stages promise nothing and the buyers said nothing.
fn happy_ears(amounts: &pb::PipelineAmounts) -> Option<(String, Hue)> {
    let unknown = match is_nothing(&amounts.stage_unknown) {
        true => String::new(),
        false => format!(
            " {} is in stages that the model does not know.",
            shown(&amounts.stage_unknown)
        ),
    };
    if is_nothing(&amounts.seller_forecast) && is_nothing(&amounts.evidence_forecast) {
        return (!unknown.is_empty()).then(|| (unknown.trim_start().to_owned(), Hue::Faint));
    }
    let gap = amounts.happy_ears_gap.clone().unwrap_or_default();
    let (promised, said) = (
        shown(&amounts.seller_forecast),
        shown(&amounts.evidence_forecast),
    );
    let (told, hue) = match gap.units < 0 || gap.nanos < 0 {
        true => (
            format!("The stages promise {promised}, and what buyers said stands for more: {said}."),
            Hue::Good,
        ),
        false => (
            format!(
                "The stages promise {promised}, what buyers said stands for {said}. Happy ears: {} rests on what no buyer said.",
                whole(&gap)
            ),
            Hue::Fair,
        ),
    };
    Some((told + &unknown, hue))
}

fn groups(page: &Page, summary: &pb::PipelineSummary) -> String {
    let Some(first) = summary.groups.first() else {
        return String::new();
    };
    let mut head: Vec<String> = first
        .keys
        .iter()
        .map(|key| schema::title("PipelineGrouping", key.grouping))
        .collect();
    let figures = ["Deals", "Score", "Amount", "Expected", "Happy ears"];
    head.extend(figures.map(str::to_owned));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = page.table(&head);
    for group in &summary.groups {
        let sums = group.sums.clone().unwrap_or_default();
        let mut cells: Vec<Cell> = group.keys.iter().map(key_cell).collect();
        let mean = sums.score_mean.unwrap_or_default();
        let of_each = |money: fn(&pb::PipelineAmounts) -> &Option<pb::Money>| {
            let lines = sums.amounts.iter().map(|amounts| shown(money(amounts)));
            right(cell(lines.collect::<Vec<String>>().join("\n"), Hue::Plain))
        };
        cells.push(right(cell(sums.deals, Hue::Plain)));
        let bar = format!("{} {:>5}", view::bar(mean / 100.0, 8), view::points(mean));
        cells.push(cell(bar, view::hue_of_score(mean)));
        cells.push(of_each(|amounts| &amounts.amount));
        cells.push(of_each(|amounts| &amounts.expected));
        cells.push(of_each(|amounts| &amounts.happy_ears_gap));
        table.add_row(cells);
    }
    view::unbroken(&mut table, &[first.keys.len() + 1]);
    let left_out = match summary.groups_left_out {
        0 => String::new(),
        left => format!(" and {}\n", view::count(left as usize, "more group")),
    };
    view::finish(&table) + &left_out
}

/// A key as people read it: an enum's value without its prefix.
fn key_cell(key: &pb::PipelineGroupKey) -> Cell {
    let enum_name = match key.grouping() {
        pb::PipelineGrouping::Band => "Band",
        pb::PipelineGrouping::State => "DealState",
        pb::PipelineGrouping::ForecastCategory => "ForecastCategory",
        pb::PipelineGrouping::TopCause => "StallCause",
        pb::PipelineGrouping::Unspecified
        | pb::PipelineGrouping::Owner
        | pb::PipelineGrouping::CloseMonth
        | pb::PipelineGrouping::SellerStage => "",
    };
    let text = match (enum_name, key.value.as_str()) {
        (_, "") => "–".to_owned(),
        ("", text) => text.to_owned(),
        (name, value) => match schema::number(name, value) {
            Ok(number) => schema::title(name, number),
            // A newer service may know more.
            Err(_) => value.to_owned(),
        },
    };
    cell(text, Hue::Plain)
}

fn shown(money: &Option<pb::Money>) -> String {
    money.as_ref().map(whole).unwrap_or_default()
}

/// Without what is below the unit, which no forecast is good for.
fn whole(money: &pb::Money) -> String {
    let up = i64::from(500_000_000 <= money.nanos) - i64::from(money.nanos <= -500_000_000);
    money::show(&pb::Money {
        currency_code: money.currency_code.clone(),
        units: money.units.saturating_add(up),
        nanos: 0,
    })
}

fn is_nothing(money: &Option<pb::Money>) -> bool {
    money
        .as_ref()
        .is_none_or(|money| money.units == 0 && money.nanos == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;
    use crate::cli::view::tests_support::moment;

    fn eur(units: i64) -> Option<pb::Money> {
        Some(pb::Money {
            currency_code: "EUR".to_owned(),
            units,
            nanos: 0,
        })
    }

    fn sums(promised: i64, said: i64) -> pb::PipelineSums {
        pb::PipelineSums {
            deals: 12,
            open: 11,
            dark: 2,
            score_mean: Some(41.0),
            score_median: Some(38.0),
            amounts: vec![pb::PipelineAmounts {
                currency_code: "EUR".to_owned(),
                deals: 12,
                amount: eur(1_200_000),
                expected: eur(said),
                dark: eur(90_000),
                seller_forecast: eur(promised),
                evidence_forecast: eur(said),
                happy_ears_gap: eur(promised - said),
                stage_unknown: eur(7),
                ..pb::PipelineAmounts::default()
            }],
            ..pb::PipelineSums::default()
        }
    }

    fn summary(promised: i64, said: i64) -> pb::PipelineSummary {
        let key = |grouping: pb::PipelineGrouping, value: &str| pb::PipelineGroupKey {
            grouping: grouping as i32,
            value: value.to_owned(),
        };
        pb::PipelineSummary {
            as_of: moment("2026-11-21T12:00:00Z"),
            total: Some(sums(promised, said)),
            groups: vec![pb::PipelineGroup {
                keys: vec![
                    key(pb::PipelineGrouping::Owner, ""),
                    key(pb::PipelineGrouping::Band, "BAND_NOT_BUYING"),
                ],
                sums: Some(sums(promised, said)),
            }],
            groups_left_out: 0,
        }
    }

    /// The words of a view, however they are broken.
    fn told(text: &str) -> String {
        text.split_whitespace().collect::<Vec<&str>>().join(" ")
    }

    #[test]
    fn happy_ears_are_told_in_plain_words() {
        for width in [80, 140] {
            let page = Page {
                width,
                colours: false,
            };
            let text = total(&page, &summary(800_000, 500_000));
            fits(&text, usize::from(width));
            let text = told(&text);
            for part in [
                "12 deals, 1 closed, 2 dark",
                "mean 41.0, median 38.0",
                "EUR 1,200,000 in 12 deals",
                "Happy ears: EUR 300,000 rests on what no buyer said.",
                "EUR 7 is in stages that the model does not know.",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
            let text = told(&total(&page, &summary(500_000, 800_000)));
            assert!(text.contains("stands for more: EUR 800,000"), "{text}");
        }
    }

    #[test]
    fn groups_are_named_as_people_name_them() {
        let page = Page {
            width: 100,
            colours: false,
        };
        let answer = pb::SummarizePipelineResponse {
            summary: Some(summary(2, 1)),
            compared: Some(summary(2, 1)),
            ..pb::SummarizePipelineResponse::default()
        };
        let text = grouped(&page, &answer);
        fits(&text, 100);
        assert_eq!(text.matches("As of").count(), 2);
        assert!(text.contains("Not buying") && text.contains('–'), "{text}");
    }

    #[test]
    fn no_deals_are_told_as_such() {
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = total(&page, &pb::PipelineSummary::default());
        assert_eq!(text, " No deal fits.\n");
    }
}
