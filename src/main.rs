//! The one binary: its commands are in [`verbatim::cli`].

use std::process::ExitCode;

// Many small pieces are made and dropped with each answer, often on another thread than the one that made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    verbatim::cli::run()
}
