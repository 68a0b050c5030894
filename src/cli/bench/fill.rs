//! Puts the book of deals into a service, through its interface.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use crate::cli::bench::book::Book;
use crate::cli::client::Client;
use crate::cli::failure::Failure;

/// Deals written at the same time.
const LANES: usize = 64;

/// Writes deals of these numbers of statements, each deal's writes in order.
///
/// # Errors
///
/// The first refusal.
pub async fn fill(url: &str, book: Book, lengths: Vec<usize>) -> Result<(), Failure> {
    let client = Client::connect(url).await?;
    eprintln!("filling: {} deals", lengths.len());
    let lengths = Arc::new(lengths);
    let next = Arc::new(AtomicUsize::new(0));
    let mut lanes = JoinSet::new();
    for _ in 0..LANES {
        let mut client = client.clone();
        let (lengths, next) = (Arc::clone(&lengths), Arc::clone(&next));
        lanes.spawn(async move {
            loop {
                let deal = next.fetch_add(1, Ordering::Relaxed);
                let Some(statements) = lengths.get(deal) else {
                    return Ok(());
                };
                for write in book.deal(deal, *statements) {
                    let written = client.write(write).await;
                    written.map_err(|status| Failure::of_status(&status))?;
                }
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.expect("a lane does not panic")?;
    }
    Ok(())
}
