//! `import`: takes in what other systems know.

mod conversation;

use clap::Subcommand;

use crate::cli::failure::Failure;
use crate::cli::import::conversation::EmailArgs;
use crate::cli::import::conversation::TranscriptArgs;

pub const EXAMPLES: &str = "Examples:
  verbatim import transcript call.vtt --deal opp-1
  verbatim import transcript call.vtt --deal opp-1 --held-at 2026-03-02T09:00:00Z \\
      --buyer \"Ana Ruiz=ana\" --seller \"Lee Fox\"
  verbatim import email reply.eml --deal opp-1 --buyer ana@acme.example=ana";

#[derive(Subcommand, Debug)]
pub enum ImportCommand {
    /// Keep what the buyers said in a call
    #[command(after_help = conversation::TRANSCRIPT_EXAMPLES)]
    Transcript(TranscriptArgs),
    /// Keep what a buyer wrote
    #[command(after_help = conversation::EMAIL_EXAMPLES)]
    Email(EmailArgs),
}

pub async fn run(command: ImportCommand) -> Result<String, Failure> {
    match command {
        ImportCommand::Transcript(args) => conversation::transcript(args).await,
        ImportCommand::Email(args) => conversation::email(args).await,
    }
}
