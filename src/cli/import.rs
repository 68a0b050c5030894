//! `import`: takes in what other systems know.

mod crm;

use clap::Subcommand;

use crate::cli::failure::Failure;
use crate::cli::import::crm::ExportArgs;
use crate::cli::import::crm::MappedArgs;

pub const EXAMPLES: &str = "Examples:
  verbatim import salesforce export/ --currency USD --dry-run";

#[derive(Subcommand, Debug)]
pub enum ImportCommand {
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
        ImportCommand::Salesforce(args) => crm::salesforce(args).await,
        ImportCommand::Hubspot(args) => crm::hubspot(args).await,
        ImportCommand::Csv(args) => crm::csv(args).await,
    }
}
