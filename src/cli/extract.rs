//! `extract`: what the service reads from a quote, without recording it.

use clap::Args;
use comfy_table::Cell;
use jiff::Timestamp;

use crate::cli::client::CallArgs;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim extract \"Every month on the old system costs us 40k, and the auditors come in March.\"
  verbatim extract \"Within three months.\" --context \"By when do you need it?\" --said-on 2026-05-12
  verbatim extract \"We went with somebody else.\" --json | jq '.claims[].topic'

Nothing is recorded. Percentages are how sure the reader is; `evaluate` tells how often it is right.";

#[derive(Args, Debug)]
pub struct ExtractArgs {
    /// The buyer's words
    quote: String,
    /// The seller's words just before
    #[arg(long, value_name = "WORDS")]
    context: Option<String>,
    /// When it was said, for what "next fall" means: as T in `record` (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = said_on)]
    said_on: Option<Timestamp>,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn run(args: ExtractArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let request = pb::ExtractClaimsRequest {
        quote: args.quote,
        context: args.context.unwrap_or_default(),
        said_at: args.said_on.map(moment::to_proto),
    };
    let answer = client.qualification.extract_claims(request).await;
    args.call.show("ExtractClaimsResponse", answer, |answer| {
        extracted(&Page::of_stdout(), answer)
    })
}

fn extracted(page: &Page, answer: &pb::ExtractClaimsResponse) -> String {
    let lines = [
        ("Claims", Cell::new(told(&answer.claims, &answer.language))),
        (
            "Read",
            cell(reader(answer.reader(), &answer.language), Hue::Faint),
        ),
    ];
    format!("\n{}", page.lines(1, 10, &lines))
}

/// The claims, a line each, or why there are none.
pub fn told(claims: &[pb::Claim], language: &str) -> String {
    let claims: Vec<String> = claims.iter().map(view::history::claim).collect();
    match (claims.is_empty(), language) {
        (false, _) => claims.join("\n"),
        (true, "unsupported") => "none: the quote is in a language that is not read".to_owned(),
        (true, _) => "none: it moves no score".to_owned(),
    }
}

/// `by the service, as en`.
pub fn reader(reader: pb::QuoteReader, language: &str) -> String {
    let by = match reader {
        pb::QuoteReader::Unspecified => return String::new(),
        pb::QuoteReader::Local => "by the service",
        pb::QuoteReader::External => "by the extractor it was given",
    };
    match language {
        "" | "unsupported" => by.to_owned(),
        language => format!("{by}, as {language}"),
    }
}

fn said_on(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::Start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    #[track_caller]
    fn check(answer: &pb::ExtractClaimsResponse, expected: &[&str]) {
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = extracted(&page, answer);
        for expected in expected {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 80);
    }

    #[test]
    fn each_claim_tells_its_words_and_how_sure_it_is() {
        let claim = pb::Claim {
            topic: pb::Topic::Consequence as i32,
            stance: pb::Stance::Supports as i32,
            conviction: pb::Conviction::Owned as i32,
            confidence: Some(0.824),
            source: pb::ClaimSource::Extracted as i32,
            basis: "costs us 40k".to_owned(),
            ..pb::Claim::default()
        };
        let mut answer = pb::ExtractClaimsResponse {
            claims: vec![claim],
            language: "en".to_owned(),
            reader: pb::QuoteReader::Local as i32,
        };
        check(
            &answer,
            &[
                "consequence supports owned",
                "“costs us 40k”",
                "82 %",
                "by the service, as en",
            ],
        );
        answer.claims.clear();
        check(&answer, &["none: it moves no score"]);
        answer.language = "unsupported".to_owned();
        check(&answer, &["in a language that is not read"]);
    }
}
