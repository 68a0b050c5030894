//! Clients that write all at once until they are cut off.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Status;

use crate::client::Client;
use crate::ledger::Entry;
use crate::support::Dice;
use crate::write::DEALS;
use crate::write::What;
use crate::write::Write;
use crate::write::deal_id;

pub const CLIENTS: u64 = 16;

/// Clients at work.
pub struct Load {
    clients: JoinSet<Done>,
    shared: Arc<Shared>,
}

/// What one client did, and the refusal that ended it.
pub struct Done {
    pub entries: Vec<Entry>,
    pub refusal: Status,
    /// Whether the end of the service had been ordered when the refusal came.
    pub in_the_end: bool,
}

struct Shared {
    numbers: AtomicU64,
    sent: Semaphore,
    acknowledged: Semaphore,
    ending: AtomicBool,
}

impl Load {
    /// Sets clients to work; each has a connection of its own. `first` is the first number of a write.
    pub async fn start(url: &str, seed: u64, first: u64) -> Load {
        let shared = Arc::new(Shared {
            numbers: AtomicU64::new(first),
            sent: Semaphore::new(0),
            acknowledged: Semaphore::new(0),
            ending: AtomicBool::new(false),
        });
        let mut connected = Vec::new();
        for _ in 0..CLIENTS {
            connected.push(Client::connect(url).await);
        }
        let mut clients = JoinSet::new();
        for (client, number) in connected.into_iter().zip(0..) {
            let dice = Dice(seed.wrapping_mul(CLIENTS) + number);
            clients.spawn(work(client, dice, Arc::clone(&shared)));
        }
        Load { clients, shared }
    }

    /// Waits until so many writes were sent.
    pub async fn wait_for_sent(&self, count: u32) {
        self.wait(&self.shared.sent, count).await;
    }

    /// Waits until so many writes were acknowledged.
    pub async fn wait_for_acknowledged(&self, count: u32) {
        self.wait(&self.shared.acknowledged, count).await;
    }

    /// To be called just before the service is made to end: until here no call may fail.
    pub fn ending(&self) {
        self.shared.ending.store(true, Ordering::SeqCst);
    }

    /// Waits until all clients were refused. Answers what they did and the first number that is free.
    pub async fn end(mut self) -> (Vec<Done>, u64) {
        let mut all = Vec::new();
        while let Some(done) = self.clients.join_next().await {
            let done = done.unwrap();
            assert!(done.in_the_end, "refused too early: {:?}", done.refusal);
            all.push(done);
        }
        (all, self.shared.numbers.load(Ordering::SeqCst))
    }

    async fn wait(&self, counter: &Semaphore, count: u32) {
        let limit = std::time::Duration::from_secs(60);
        let reached = tokio::time::timeout(limit, counter.acquire_many(count)).await;
        reached.expect("the service is stuck").unwrap().forget();
    }
}

async fn work(client: Client, mut dice: Dice, shared: Arc<Shared>) -> Done {
    let mut entries: Vec<Entry> = Vec::new();
    // Statements of this client that may still be taken back.
    let mut standing: Vec<(String, u64)> = Vec::new();
    loop {
        let number = shared.numbers.fetch_add(1, Ordering::SeqCst);
        let write = next(&mut dice, number, &mut standing);
        shared.sent.add_permits(1);
        let answer = write.send(&client).await;
        let in_the_end = shared.ending.load(Ordering::SeqCst);
        if answer.is_ok() {
            shared.acknowledged.add_permits(1);
            if let What::Statement = write.what {
                standing.push((write.deal.clone(), number));
            }
        }
        let acknowledged = answer.as_ref().ok().map(|answered| answered.revision);
        entries.push(Entry {
            write,
            acknowledged,
        });
        if let Err(refusal) = answer {
            return Done {
                entries,
                refusal,
                in_the_end,
            };
        }
    }
}

fn next(dice: &mut Dice, number: u64, standing: &mut Vec<(String, u64)>) -> Write {
    let deal = deal_id(dice.below(DEALS));
    let (deal, what) = match dice.below(20) {
        0 | 1 => (deal, What::People(2 + dice.below(3))),
        2 => (deal, What::Facts),
        3 if !standing.is_empty() => {
            let place = dice.below(standing.len() as u64) as usize;
            let (deal, statement) = standing.swap_remove(place);
            (deal, What::Retraction(statement))
        }
        _ => (deal, What::Statement),
    };
    Write { number, deal, what }
}
