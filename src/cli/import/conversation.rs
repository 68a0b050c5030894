//! `import transcript` and `import email`: what buyers said in a whole conversation.

use std::fs;
use std::io;
use std::io::Read;

use clap::Args;
use jiff::Timestamp;

use crate::cli::client::CallArgs;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::schema;
use crate::cli::view;
use crate::cli::view::Page;
use crate::conversation;
use crate::conversation::Conversation;
use crate::conversation::Written;
use crate::conversation::draft::Buyer;
use crate::conversation::draft::Cast;
use crate::domain::statement::Speaker;
use crate::domain::text::Id;
use crate::wire::pb;

pub const TRANSCRIPT_EXAMPLES: &str = "Examples:
  verbatim import transcript call.vtt --deal opp-1
      who speaks in it, to be named
  verbatim import transcript call.vtt --deal opp-1 --held-at 2026-03-02T09:00:00Z \\
      --buyer \"Ana Ruiz=ana\" --buyer \"Ben=ben\" --seller \"Lee Fox\"
  verbatim import transcript gong.json --deal opp-1 --held-at -2d --buyer 8412=ana --seller 2231 --dry-run

Taken are WebVTT, SRT, Gong's JSON, JSON of {speaker, text}, and lines such as
`[00:01:02] Name: …`, `**Name:** …`, `Name: …`, or the name on a line of its own.
Nothing is recorded when a line is not understood or a speaker is not named,
unless --partial is given. Importing a file again changes nothing.

T is RFC 3339, a date (its start in UTC), `now`, or so long ago: -30d, -12h, -2w.";

pub const EMAIL_EXAMPLES: &str = "Examples:
  verbatim import email reply.eml --deal opp-1
      who wrote it, to be named
  verbatim import email reply.eml --deal opp-1 --buyer ana@acme.example=ana

Quoted history, signature and disclaimers are cut. When it was written is in the
file. Importing an email again changes nothing.";

/// Passages that are shown of a file in which nobody speaks.
const REMARKS_SHOWN: usize = 5;

#[derive(Args, Debug)]
pub struct TranscriptArgs {
    /// The transcript, or - for standard input
    file: String,
    /// When the call began; the times in the file count from it
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = held_at)]
    held_at: Option<Timestamp>,
    #[command(flatten)]
    given: GivenArgs,
    /// How it is written (default: recognised): web-vtt, srt, gong, timed-lines, markdown, named-lines,
    /// speaker-lines, json or email
    #[arg(long, value_parser = format)]
    format: Option<i32>,
}

#[derive(Args, Debug)]
pub struct EmailArgs {
    /// The message (.eml), or - for standard input
    file: String,
    /// When it was written (default: its Date)
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = held_at)]
    held_at: Option<Timestamp>,
    #[command(flatten)]
    given: GivenArgs,
}

#[derive(Args, Debug)]
struct GivenArgs {
    /// The deal's id; the first write that names a deal creates it
    #[arg(long, value_name = "ID")]
    deal: String,
    /// A buyer: the name or address in the file, and your id of the person (repeat for more)
    #[arg(long = "buyer", value_name = "NAME=ID", value_parser = buyer)]
    buyers: Vec<(String, String)>,
    /// One of your own side, by the name in the file (repeat for more)
    #[arg(long = "seller", value_name = "NAME")]
    sellers: Vec<String>,
    /// Your id of the conversation (default: derived from what is said)
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Take what is understood and leave the rest
    #[arg(long)]
    partial: bool,
    /// Check and score it, but record nothing
    #[arg(long)]
    dry_run: bool,
    /// Where it can be heard or read
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    #[command(flatten)]
    call: CallArgs,
}

pub async fn transcript(args: TranscriptArgs) -> Result<String, Failure> {
    send(&args.file, args.held_at, args.format, args.given).await
}

pub async fn email(args: EmailArgs) -> Result<String, Failure> {
    let format = pb::TranscriptFormat::Email as i32;
    send(&args.file, args.held_at, Some(format), args.given).await
}

async fn send(
    file: &str,
    held_at: Option<Timestamp>,
    format: Option<i32>,
    given: GivenArgs,
) -> Result<String, Failure> {
    let content = read(file)?;
    look(&content, format, &given)?;
    let request = pb::ImportTranscriptRequest {
        deal_id: given.deal,
        transcript_id: given.id.unwrap_or_default(),
        content,
        format: format.unwrap_or_default(),
        held_at: held_at.map(moment::to_proto),
        buyers: given.buyers.into_iter().map(to_proto).collect(),
        sellers: given.sellers,
        partial: given.partial,
        validate_only: given.dry_run,
        expected_revision: None,
        channel: 0,
        source_uri: given.source.unwrap_or_default(),
    };
    let mut client = given.call.server.connect().await?;
    let answer = client.ingest.import_transcript(request).await;
    let done = if given.dry_run {
        "Checked, not recorded"
    } else {
        "Imported"
    };
    given
        .call
        .show("ImportTranscriptResponse", answer, |answer| {
            view::imported::imported(&Page::of_stdout(), done, answer)
        })
}

fn to_proto((label, stakeholder_id): (String, String)) -> pb::TranscriptBuyer {
    pb::TranscriptBuyer {
        label,
        speaker: Some(pb::Speaker {
            stakeholder_id,
            ..pb::Speaker::default()
        }),
    }
}

/// Looks at the file before it is sent.
///
/// # Errors
///
/// Data when nobody speaks in it; usage, with who speaks and how to name them, when somebody is not named yet.
fn look(content: &[u8], format: Option<i32>, given: &GivenArgs) -> Result<(), Failure> {
    let cast = Cast {
        buyers: given.buyers.iter().filter_map(known).collect(),
        sellers: given.sellers.clone(),
    };
    let place = format.and_then(|number| usize::try_from(number - 1).ok());
    let conversation = conversation::read(Written {
        bytes: content,
        format: place.and_then(|place| conversation::Format::ALL.get(place).copied()),
        labels: &cast.labels(),
    });
    let nobody = given.buyers.is_empty() && given.sellers.is_empty();
    if nobody && conversation.turns.is_empty() {
        return Err(Failure::new(Exit::Data, silent(&conversation)));
    }
    let unknown = cast.unknown(&conversation.turns);
    if nobody || (!unknown.is_empty() && !given.partial) {
        let text = speakers(&conversation, &unknown, &cast);
        return Err(Failure::new(Exit::Usage, text));
    }
    Ok(())
}

/// Why nobody was found to speak.
fn silent(conversation: &Conversation) -> String {
    let mut text = "nobody speaks in it".to_owned();
    let remarks = conversation.not_understood.listed().iter();
    for remark in remarks.take(REMARKS_SHOWN) {
        text.push_str(&format!(
            "\n  line {}: {}: {}",
            remark.line,
            remark.reason,
            view::quote(&remark.excerpt, 60)
        ));
    }
    text
}

fn speakers(conversation: &Conversation, unknown: &[(&str, usize, usize)], cast: &Cast) -> String {
    let mut text = "who of these is a buyer, and who is yours?\n".to_owned();
    for (label, turns) in conversation.speakers() {
        let named = unknown.iter().all(|(unknown, _, _)| *unknown != label);
        let remark = if named { "  (named)" } else { "" };
        let turns = view::count(turns, "turn");
        text.push_str(&format!("  {turns:>10}  {label}{remark}\n"));
    }
    for silent in cast.silent(&conversation.turns) {
        text.push_str(&format!("nobody in it is called {silent:?}\n"));
    }
    let first = unknown.first().map_or("NAME", |(label, _, _)| label);
    text.push_str(&format!(
        "name each with --buyer \"{first}=ID\", ID being your id of the person, or with --seller \"{first}\""
    ));
    if !cast.buyers.is_empty() {
        text.push_str(", or leave the others aside with --partial");
    }
    text
}

fn known((label, id): &(String, String)) -> Option<Buyer> {
    let speaker = Speaker {
        stakeholder: Id::new(id).ok()?,
        display_name: None,
        title: None,
        roles: None,
    };
    Some(Buyer {
        label: label.clone(),
        speaker,
    })
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let bytes = match file {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        _ => fs::read(file),
    };
    bytes.map_err(|error| Failure::new(Exit::Usage, format!("{file}: cannot be read: {error}")))
}

/// Splits at the last `=`: a name may hold one, an id of this service rarely does.
fn buyer(text: &str) -> Result<(String, String), String> {
    let parts = text
        .rsplit_once('=')
        .map(|(name, id)| (name.trim(), id.trim()));
    match parts {
        Some((name, id)) if !name.is_empty() => match Id::new(id) {
            Ok(_) => Ok((name.to_owned(), id.to_owned())),
            Err(why) => Err(format!("the id of `{name}` {why}")),
        },
        _ => Err(format!("`{text}` is not NAME=ID")),
    }
}

fn held_at(text: &str) -> Result<Timestamp, String> {
    moment::parse(text, moment::now(), DateMeans::Start)
}

fn format(text: &str) -> Result<i32, String> {
    schema::number("TranscriptFormat", text)
}
