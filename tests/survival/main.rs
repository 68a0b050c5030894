//! What is promised of acknowledged writes when a fault comes: a kill, a stop, damage, a full disk, a failed sync.
//!
//! The whole service, asked through its own door: as a child process where the process must die, in this process where
//! the disk must obey the test.
//!
//! `VERBATIM_KILL_ROUNDS=500` makes the killing longer. What needs more than Rust (strace, a file system of its own) is
//! in `observe_sync.py`, `full_disk.sh` and `failing_disk.py` beside this file.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod checker;
mod client;
mod cluster;
mod crowd;
mod damage;
mod database;
mod disk;
mod explained;
mod follower;
mod full;
mod hang;
mod judge;
mod kill;
mod ledger;
mod load;
mod process;
mod rebuilt;
mod recorder;
mod replicas;
mod simulation;
mod stop;
#[path = "../it/support.rs"]
#[expect(dead_code, reason = "shared with tests/it, which uses the rest")]
mod support;
mod write;
