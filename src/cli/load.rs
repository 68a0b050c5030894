//! `load`: sends a file of writes to the service.

use std::fs;
use std::io;
use std::io::Read;
use std::time::Instant;

use clap::Args;
use tonic::Code;

use crate::cli::client::ServerArgs;
use crate::cli::failure;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::feed::Story;
use crate::cli::lanes::After;
use crate::cli::lanes::Tally;
use crate::cli::moment;
use crate::cli::progress::Progress;
use crate::cli::view::count;

pub const EXAMPLES: &str = "Examples:
  verbatim load pipeline.ndjson
  verbatim load examples/pipeline.ndjson --shift-to-today
  export-from-crm | verbatim load - --keep-going

A line is the JSON of one write, such as
  {\"upsertDeal\":{\"deal\":{\"dealId\":\"opp-1\",\"account\":\"Acme\"}}}
or upsertStakeholders, upsertMilestones, recordBuyerStatement, recordOutcome,
confirmClaims, retractBuyerStatement. Blank lines and lines that start with # are skipped.
The whole file is checked before anything is sent. Loading it again changes
nothing, since statements carry ids.";

#[derive(Args, Debug)]
pub struct LoadArgs {
    /// A file of JSON lines, or - for standard input
    file: String,
    /// Move all instants and dates by whole days, so that the newest instant falls within the last 24 hours
    #[arg(long)]
    shift_to_today: bool,
    /// Skip lines that are wrong or refused and send the others (default: stop at the first)
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: LoadArgs) -> Result<String, Failure> {
    let story = read(&args.file)?;
    let checked = story.check(args.shift_to_today.then(moment::now));
    for fault in &checked.faults {
        eprintln!("{fault}");
    }
    if checked.lines_bad > 0 && !args.keep_going {
        let text = format!(
            "{} of {} wrong; nothing was sent (--keep-going sends the others)",
            checked.lines_bad,
            count(checked.lines, "line")
        );
        return Err(Failure::new(Exit::Data, text));
    }

    let client = args.server.connect().await?;
    let started = Instant::now();
    let after = if args.keep_going {
        After::GoOn
    } else {
        After::Stop
    };
    let sendable = checked.lines - checked.lines_bad;
    let tally = story
        .send(
            &checked,
            &client,
            after,
            &Progress::new("sending", "line", sendable),
        )
        .await;

    let mut text = told(&tally, "line", sendable, started);
    if checked.days != 0 {
        text.push_str(&format!(
            "; moved by {}",
            count(checked.days.unsigned_abs() as usize, "day")
        ));
    }
    if tally.refused == 0 && checked.lines_bad == 0 {
        return Ok(text + "\n");
    }
    if checked.lines_bad > 0 {
        text.push_str(&format!("; {} wrong", checked.lines_bad));
    }
    Err(Failure::new(exit_of(&tally), text))
}

/// The counts, for people: `243 lines taken, 12 of them there already, in 0.8 s`.
pub fn told(tally: &Tally, unit: &str, sendable: usize, started: Instant) -> String {
    let mut text = format!("{} taken", count(tally.taken, unit));
    if tally.before > 0 {
        text.push_str(&format!(", {} there already", tally.before));
    }
    if tally.refused > 0 {
        text.push_str(&format!(", {} refused", tally.refused));
    }
    let left = sendable - tally.taken - tally.refused;
    if left > 0 {
        text.push_str(&format!(", {left} not sent"));
    }
    text.push_str(&format!(", in {:.1} s", started.elapsed().as_secs_f64()));
    text
}

/// What a tally with refusals ends the process with.
pub fn exit_of(tally: &Tally) -> Exit {
    match tally.fault {
        Some(code @ (Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded)) => {
            failure::exit_of(code)
        }
        Some(_) => Exit::Internal,
        None => Exit::Data,
    }
}

fn read(file: &str) -> Result<Story, Failure> {
    let (name, text) = match file {
        "-" => {
            let mut text = String::new();
            let read = io::stdin().read_to_string(&mut text);
            ("standard input", read.map(|_| text))
        }
        file => (file, fs::read_to_string(file)),
    };
    let text = text
        .map_err(|error| Failure::new(Exit::Usage, format!("{name}: cannot be read: {error}")))?;
    Ok(Story {
        name: name.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_account_for_every_line() {
        let tally = Tally {
            taken: 5,
            before: 2,
            refused: 1,
            fault: None,
        };
        let text = told(&tally, "line", 9, Instant::now());
        assert!(
            text.starts_with("5 lines taken, 2 there already, 1 refused, 3 not sent, in "),
            "{text}"
        );
        assert_eq!(exit_of(&tally), Exit::Data);
        assert_eq!(
            exit_of(&Tally {
                fault: Some(Code::Unavailable),
                ..tally
            }),
            Exit::Unavailable
        );
        assert_eq!(
            exit_of(&Tally {
                fault: Some(Code::ResourceExhausted),
                ..tally
            }),
            Exit::Temporary
        );
        assert_eq!(
            exit_of(&Tally {
                fault: Some(Code::Unimplemented),
                ..tally
            }),
            Exit::Internal
        );
    }
}
