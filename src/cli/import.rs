//! `import`: takes in what other systems know.

mod conversation;
mod crm;

use clap::Subcommand;

use crate::cli::failure::Failure;
use crate::cli::import::conversation::EmailArgs;
use crate::cli::import::conversation::TranscriptArgs;
use crate::cli::import::crm::ExportArgs;
use crate::cli::import::crm::MappedArgs;

pub const EXAMPLES: &str = "Examples:
  verbatim import transcript call.vtt --deal opp-1
  verbatim import transcript call.vtt --deal opp-1 --held-at 2026-03-02T09:00:00Z \\
      --buyer \"Ana Ruiz=ana\" --seller \"Lee Fox\"
  verbatim import email reply.eml --deal opp-1 --buyer ana@acme.example=ana
  verbatim import salesforce export/ --currency USD --dry-run
  verbatim import hubspot deals.csv contacts.csv notes.csv";

#[derive(Subcommand, Debug)]
pub enum ImportCommand {
    /// Keep what the buyers said in a call
    #[command(after_help = conversation::TRANSCRIPT_EXAMPLES)]
    Transcript(TranscriptArgs),
    /// Keep what a buyer wrote
    #[command(after_help = conversation::EMAIL_EXAMPLES)]
    Email(EmailArgs),
    /// A data export of Salesforce: a directory of it, or some of its CSV files
    #[command(after_help = crm::SALESFORCE_EXAMPLES)]
    Salesforce(ExportArgs),
    /// CSV exports of HubSpot: deals, contacts, notes
    #[command(after_help = crm::HUBSPOT_EXAMPLES)]
    Hubspot(ExportArgs),
    /// Any other CSV file, by a map of its columns
    #[command(after_help = crm::CSV_EXAMPLES)]
    Csv(MappedArgs),
}

pub async fn run(command: ImportCommand) -> Result<String, Failure> {
    match command {
        ImportCommand::Transcript(args) => conversation::transcript(args).await,
        ImportCommand::Email(args) => conversation::email(args).await,
        ImportCommand::Salesforce(args) => crm::salesforce(args).await,
        ImportCommand::Hubspot(args) => crm::hubspot(args).await,
        ImportCommand::Csv(args) => crm::csv(args).await,
    }
}
