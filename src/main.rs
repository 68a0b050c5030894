//! The one binary: its commands are in [`verbatim::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    verbatim::cli::run()
}
