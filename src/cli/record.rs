//! `record`: keeps what a buyer said.

use clap::Args;
use comfy_table::Cell;
use jiff::Timestamp;

use crate::cli::claim;
use crate::cli::client::CallArgs;
use crate::cli::extract;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim record opp-1 --by ana --role champion --attribution verbatim \\
      --quote \"We cannot go through another audit like that\" \\
      --claim status-quo:supports:committed
  verbatim record opp-1 --by ben --attribution paraphrased --said-at -2d \\
      --quote \"Live by December, or it costs us forty thousand\" \\
      --claim go-live,target=2026-12-01 --claim \"consequence,impact=EUR 40000\"
  verbatim record opp-1 --by ana --attribution verbatim --quote \"We have no budget for this\"
  verbatim record opp-1 --attribution inferred --quote \"Their board is worried\" \\
      --claim management --dry-run

CLAIM is topic[:stance[:conviction]] and KEY=VALUE parts after commas:
  target=DATE  impact=\"EUR N\"  issue=…  event=…  stage=…  confidence=0..1
Without --claim the service reads the claims from the quote itself, and tells how sure it is of each; a less certain one
counts less. `verbatim extract` shows them beforehand, `verbatim confirm` corrects them.

T is RFC 3339, a date (its start in UTC), `now`, or so long ago: -30d, -12h, -2w.";

#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The deal's id; the first write that names a deal creates it
    deal: String,
    /// Who said it: your id of the person (needed unless inferred)
    #[arg(long, value_name = "PERSON")]
    by: Option<String>,
    /// The person's name, from then on
    #[arg(long, requires = "by")]
    name: Option<String>,
    /// The person's title, from then on
    #[arg(long, requires = "by")]
    title: Option<String>,
    /// The person's role, from then on (repeat for more)
    #[arg(long = "role", value_name = "ROLE", requires = "by", value_parser = role)]
    roles: Vec<i32>,
    /// The words
    #[arg(long)]
    quote: String,
    /// Whose words: verbatim, paraphrased (by notes) or inferred (your own belief)
    #[arg(long, value_name = "WHOSE", value_parser = attribution)]
    attribution: i32,
    /// When it was said (default: now)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = said_at)]
    said_at: Option<Timestamp>,
    /// What it asserts (repeat for more; default: the service reads it from the quote)
    #[arg(long = "claim", value_name = "CLAIM", value_parser = claim::parse)]
    claims: Vec<pb::Claim>,
    /// Where: call, video, meeting, email, chat, document or other
    #[arg(long, value_parser = channel)]
    channel: Option<i32>,
    /// Where it can be heard or read
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// The seller's words just before: they help to read the quote
    #[arg(long, value_name = "WORDS")]
    context: Option<String>,
    /// Your id of the statement: the same again changes nothing (default: the service makes one)
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Check and score it, but record nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn run(args: RecordArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let speaker = args.by.map(|stakeholder_id| pb::Speaker {
        stakeholder_id,
        display_name: args.name.unwrap_or_default(),
        title: args.title.unwrap_or_default(),
        roles: args.roles,
    });
    let statement = pb::BuyerStatement {
        statement_id: args.id.unwrap_or_default(),
        deal_id: args.deal,
        speaker,
        said_at: args.said_at.map(moment::to_proto),
        quote: args.quote,
        attribution: args.attribution,
        channel: args.channel.unwrap_or_default(),
        source_uri: args.source.unwrap_or_default(),
        context: args.context.unwrap_or_default(),
        claims: args.claims,
    };
    let request = pb::RecordBuyerStatementRequest {
        statement: Some(statement),
        expected_revision: None,
        validate_only: args.dry_run,
    };
    let answer = client.qualification.record_buyer_statement(request).await;
    let done = if args.dry_run {
        "Checked, not recorded"
    } else {
        "Recorded"
    };
    args.call
        .show("RecordBuyerStatementResponse", answer, |answer| {
            recorded(&Page::of_stdout(), done, answer)
        })
}

/// What was kept and what it did to the score.
fn recorded(page: &Page, done: &str, answer: &pb::RecordBuyerStatementResponse) -> String {
    let statement = answer.statement.clone().unwrap_or_default();
    let score = answer.score.clone().unwrap_or_default();
    let done = if answer.already_recorded {
        "Recorded before; nothing changed"
    } else {
        done
    };

    let claims = extract::told(&statement.claims, &answer.language);
    let reader = extract::reader(answer.reader(), &answer.language);
    let shift = view::score::shift(answer.score_before, &score);
    let mut lines = vec![
        ("Statement", Cell::new(&statement.statement_id)),
        ("Quote", Cell::new(view::quote(&statement.quote, 240))),
        ("Claims", Cell::new(claims)),
        ("Read", cell(reader, Hue::Faint)),
        ("Score", cell(shift, view::hue_of_score(score.score))),
        ("Revision", cell(answer.revision, Hue::Faint)),
    ];
    lines.retain(|(_, value)| !value.content().is_empty());
    format!(
        "\n {}\n\n{}",
        page.paint(done, Hue::Strong),
        page.lines(1, 10, &lines)
    )
}

fn said_at(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::Start)
}

fn role(text: &str) -> Result<i32, String> {
    schema::number("BuyingRole", text)
}

fn attribution(text: &str) -> Result<i32, String> {
    schema::number("Attribution", text)
}

fn channel(text: &str) -> Result<i32, String> {
    schema::number("Channel", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    #[test]
    fn what_was_recorded_tells_the_shift_of_the_score() {
        let mut answer = pb::RecordBuyerStatementResponse {
            statement: Some(pb::BuyerStatement {
                statement_id: "s1".to_owned(),
                quote: "We cannot go on".to_owned(),
                claims: vec![
                    claim::parse("status-quo:supports:committed").unwrap(),
                    claim::parse("problem").unwrap(),
                ],
                ..pb::BuyerStatement::default()
            }),
            already_recorded: false,
            score: Some(pb::DealScore {
                score: 47.3,
                band: pb::Band::Considering as i32,
                ..pb::DealScore::default()
            }),
            score_before: Some(41.0),
            revision: 15,
            ..pb::RecordBuyerStatementResponse::default()
        };
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = recorded(&page, "Recorded", &answer);
        for expected in [
            "Recorded\n",
            "s1",
            "status quo supports committed",
            "41.0 → 47.3  Considering  +6.3",
            "15",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        assert!(!text.contains("Read"), "nobody read it:\n{text}");
        fits(&text, 80);

        answer.language = "en".to_owned();
        answer.reader = pb::QuoteReader::External as i32;
        let text = recorded(&page, "Recorded", &answer);
        assert!(
            text.contains("by the extractor it was given, as en"),
            "{text}"
        );

        answer.already_recorded = true;
        answer.score_before = None;
        assert!(recorded(&page, "Recorded", &answer).contains("nothing changed"));
    }
}
