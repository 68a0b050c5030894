//! One writer of a deal at a time, so that writers of one deal wait for each other instead of failing each other.
//!
//! Only within this process: between processes the store's expected revision decides.

use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;

use tokio::sync::Mutex;
use tokio::sync::MutexGuard;

use crate::store::DealKey;

/// Deals share a turn when their hashes meet; with this many that is rare, and only costs a wait. The same deals meet in
/// every process, so that a simulation replays.
const TURNS: usize = 4096;

pub struct Turns {
    turns: Vec<Mutex<()>>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Turns {
    pub fn new() -> Turns {
        Turns {
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            hasher: BuildHasherDefault::default(),
        }
    }

    /// Waits for the deal's turn; first come, first served.
    pub async fn take(&self, deal: &DealKey) -> MutexGuard<'_, ()> {
        let turn = self.hasher.hash_one(deal) as usize % TURNS;
        self.turns[turn].lock().await
    }
}
