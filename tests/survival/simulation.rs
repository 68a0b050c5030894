//! The service, its store, its clock, its callers and all faults on one thread, in a time of their own, from one seed.
//!
//! A seed chooses what is asked, how long everything takes, which faults come and when the service dies; nothing else
//! does, so a seed that fails fails again. The seed is printed with the fault. `VERBATIM_SIMULATION_SEED=17` begins there,
//! `VERBATIM_SIMULATION_ROUNDS=1000` runs as many seeds.
//!
//! What is simulated is all between a call and the store. The threads of the embedded store are not: they are tested by
//! `explained`, `kill` and `disk`, on real ones.

mod controls;
mod life;
mod shaky;

use std::env;
use std::sync::Arc;

use verbatim::clock::Clock;
use verbatim::clock::ManualClock;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::store::memory::Memory;

use crate::checker::Fault;
use crate::client::AS_OF_SECONDS;
use crate::crowd::Crowd;
use crate::follower::Follower;
use crate::judge::Figures;
use crate::simulation::life::End;
use crate::simulation::shaky::Broken;
use crate::support::Dice;
use crate::write::deal_id;

/// Seeds when `VERBATIM_SIMULATION_ROUNDS` does not say.
const ROUNDS: u64 = 25;

const DEALS: u64 = 3;

/// A sweep of the feed looks back seven days: the clock stays within them, or a watcher is rightly told less later.
const DAYS_MAX: i32 = 5;

/// All that outlives a life of the service.
pub struct World {
    pub crowd: Arc<Crowd>,
    pub followers: Vec<Arc<Follower>>,
    pub clock: Arc<ManualClock>,
    /// What is on the disk.
    pub disk: Arc<Memory>,
    pub dice: Dice,
    pub broken: Broken,
    /// Bytes for folded deals: all of them stay in memory, or none does.
    pub deals_bytes_max: u64,
}

/// What a run gave.
pub struct Run {
    pub judged: Result<Figures, Fault>,
    pub trace: Vec<String>,
}

impl World {
    fn of(seed: u64, broken: Broken) -> World {
        let mut dice = Dice(seed);
        let crowd = Crowd::on(DEALS);
        let start = Instant::from_unix(AS_OF_SECONDS, 0).unwrap();
        let clock = ManualClock::at(start.plus(Span::minutes(dice.below(3 * 1_440) as i32)));
        let forgets = broken == Broken::ResumesTooEarly;
        let follower = |who, deals: &[String], from_beginning| {
            let follower = Follower::new(&crowd, who, deals, from_beginning);
            Arc::new(if forgets {
                follower.forgetful()
            } else {
                follower
            })
        };
        World {
            followers: vec![
                follower("a watcher of all", &[], true),
                follower("a watcher from now on", &[], false),
                follower("a watcher of one", &[deal_id(1)], true),
            ],
            crowd,
            clock: Arc::new(clock),
            disk: Arc::default(),
            deals_bytes_max: match dice.below(2) {
                0 => 0,
                _ => 1 << 30,
            },
            dice,
            broken,
        }
    }

    /// Whether the clock may go on.
    pub fn has_days_left(&self) -> bool {
        let end = Instant::from_unix(AS_OF_SECONDS, 0).unwrap();
        self.clock.now() < end.plus(Span::days(DAYS_MAX))
    }
}

/// Lives through several lives of a service, and judges what was seen.
pub fn simulate(seed: u64, broken: Broken) -> Run {
    let mut world = World::of(seed, broken);
    if let Broken::ReadsAreOld | Broken::FoldsOutOfOrder = broken {
        // What is in memory is neither.
        world.deals_bytes_max = 0;
    }
    let lives = 2 + world.dice.below(3);
    for _ in 0..lives {
        let end = match world.dice.below(3) {
            0 => End::Stopped,
            _ => End::Killed,
        };
        life::live(&mut world, end);
    }
    let judged = life::judged(&world);
    Run {
        judged,
        trace: world.crowd.recorder.trace(),
    }
}

#[test]
fn whatever_a_seed_brings_is_explained_by_one_order() {
    let number = |name, otherwise| env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let first: u64 = number("VERBATIM_SIMULATION_SEED", 1);
    let rounds: u64 = number("VERBATIM_SIMULATION_ROUNDS", ROUNDS);
    let mut sums = Figures::default();
    for seed in first..first + rounds {
        let run = simulate(seed, Broken::Nothing);
        match run.judged {
            Ok(figures) => sums.add(figures),
            Err(fault) => panic!("seed {seed}: {fault}\n{}", run.trace.join("\n")),
        }
    }
    println!("{rounds} seeds from {first}: all explained by one order: {sums:?}");
    assert!(rounds < 10 || 0 < sums.scores.min(sums.told));
}

#[test]
fn a_seed_lives_through_the_same_again() {
    for seed in 1..3 {
        let (one, again) = (
            simulate(seed, Broken::Nothing),
            simulate(seed, Broken::Nothing),
        );
        assert!(100 < one.trace.len(), "{:?}", one.trace);
        for (line, other) in one.trace.iter().zip(&again.trace) {
            assert_eq!(line, other, "seed {seed}");
        }
        assert_eq!(one.trace.len(), again.trace.len(), "seed {seed}");
    }
    assert_ne!(
        simulate(1, Broken::Nothing).trace,
        simulate(2, Broken::Nothing).trace
    );
}
