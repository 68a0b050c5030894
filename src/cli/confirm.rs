//! `confirm`: a person's judgement in place of the claims of a kept statement.

use clap::Args;
use comfy_table::Cell;

use crate::cli::claim;
use crate::cli::client::CallArgs;
use crate::cli::extract;
use crate::cli::failure::Failure;
use crate::cli::view;
use crate::cli::view::Hue;
use crate::cli::view::Page;
use crate::cli::view::cell;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim history opp-1                                   shows statements, their claims and their ids
  verbatim confirm opp-1 call-17-3 --claim consequence --claim status-quo:supports:committed --by eve
  verbatim confirm opp-1 call-17-4 --reject                it claims nothing

Give all that the statement claims: the claims it had are replaced, as of the day it was said. CLAIM is written as for
`verbatim record`; what a person confirms is certain.";

#[derive(Args, Debug)]
pub struct ConfirmArgs {
    /// The deal's id
    deal: String,
    /// The statement's id
    statement: String,
    /// What it claims (repeat for more)
    #[arg(
        long = "claim",
        value_name = "CLAIM",
        value_parser = claim::parse,
        required_unless_present = "reject",
        conflicts_with = "reject"
    )]
    claims: Vec<pb::Claim>,
    /// It claims nothing
    #[arg(long)]
    reject: bool,
    /// Who says so
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn run(args: ConfirmArgs) -> Result<String, Failure> {
    let mut client = args.call.server.connect().await?;
    let request = pb::ConfirmClaimsRequest {
        deal_id: args.deal,
        statement_id: args.statement,
        claims: args.claims,
        confirmed_by: args.by.unwrap_or_default(),
        expected_revision: None,
    };
    let answer = client.qualification.confirm_claims(request).await;
    args.call.show("ConfirmClaimsResponse", answer, |answer| {
        confirmed(&Page::of_stdout(), answer)
    })
}

/// What the statement claims now and what that did to the score.
fn confirmed(page: &Page, answer: &pb::ConfirmClaimsResponse) -> String {
    let statement = answer.statement.clone().unwrap_or_default();
    let score = answer.score.clone().unwrap_or_default();
    let done = match (answer.already_confirmed, statement.claims.is_empty()) {
        (true, _) => "Confirmed before; nothing changed",
        (false, true) => "Rejected",
        (false, false) => "Confirmed",
    };
    let claims = extract::told(&statement.claims, "");
    let shift = view::score::shift(answer.score_before, &score);
    let lines = [
        ("Statement", Cell::new(&statement.statement_id)),
        ("Quote", Cell::new(view::quote(&statement.quote, 240))),
        ("Claims", Cell::new(claims)),
        ("Score", cell(shift, view::hue_of_score(score.score))),
        ("Revision", cell(answer.revision, Hue::Faint)),
    ];
    format!(
        "\n {}\n\n{}",
        page.paint(done, Hue::Strong),
        page.lines(1, 10, &lines)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::tests_support::fits;

    #[test]
    fn what_was_confirmed_tells_the_shift_of_the_score() {
        let mut answer = pb::ConfirmClaimsResponse {
            statement: Some(pb::BuyerStatement {
                statement_id: "s1".to_owned(),
                quote: "We cannot go on".to_owned(),
                claims: vec![claim::parse("status-quo:supports:committed").unwrap()],
                ..pb::BuyerStatement::default()
            }),
            already_confirmed: false,
            score: Some(pb::DealScore {
                score: 47.3,
                band: pb::Band::Considering as i32,
                ..pb::DealScore::default()
            }),
            score_before: Some(41.0),
            revision: 15,
        };
        let page = Page {
            width: 80,
            colours: false,
        };
        let text = confirmed(&page, &answer);
        for expected in [
            "Confirmed\n",
            "status quo supports committed",
            "41.0 → 47.3  Considering  +6.3",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        fits(&text, 80);

        answer.already_confirmed = true;
        answer.score_before = None;
        assert!(confirmed(&page, &answer).contains("nothing changed"));
        answer.already_confirmed = false;
        answer.statement = Some(pb::BuyerStatement::default());
        assert!(confirmed(&page, &answer).contains("Rejected\n"));
    }
}
