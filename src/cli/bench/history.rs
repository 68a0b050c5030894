//! Whether a long history makes a deal slower to score: deals of several lengths, called in alternating slices.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book::Book;
use crate::cli::bench::callers::Run;
use crate::cli::bench::compare;
use crate::cli::bench::compare::Service;
use crate::cli::bench::fill;
use crate::cli::bench::work::Mix;
use crate::cli::bench::work::Work;
use crate::cli::failure::Failure;

/// Slices of each length, taken in turn.
const SLICES: u32 = 5;

/// What scoring a deal with so many statements gave.
pub struct Length {
    pub statements: usize,
    pub run: Run,
}

/// Fills a service with a deal of each length, and measures scoring them.
pub async fn run(args: &BenchArgs, lengths: &[usize]) -> Result<Vec<Length>, Failure> {
    let service = Service::of(args)?;
    let book = Book::new();
    fill::fill(&service.url, book, lengths.to_vec()).await?;

    let works: Vec<Arc<Work>> = (0..lengths.len())
        .map(|deal| Arc::new(Work::of_deals(Mix::Score, book, deal, 1)))
        .collect();
    let mut measured: Vec<Length> = lengths
        .iter()
        .map(|statements| Length {
            statements: *statements,
            run: Run::new(),
        })
        .collect();
    let process = service.process.as_ref();
    let crowd = args.crowd();
    let warm_up = Duration::from_secs(args.warm_up);
    compare::measured(&service.url, process, crowd, &works[0], warm_up).await?;
    let slice = Duration::from_secs(args.seconds) / SLICES;
    for _ in 0..SLICES {
        for (length, work) in measured.iter_mut().zip(&works) {
            let run = compare::measured(&service.url, process, crowd, work, slice).await?;
            length.run.add(run);
        }
    }
    Ok(measured)
}
