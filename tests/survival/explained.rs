//! Whatever fault comes while many write, look and watch at once, all that they were answered is explained by one order.
//!
//! `VERBATIM_HISTORY_ROUNDS=200` makes it longer.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use verbatim::grpc::limits::Limits;
use verbatim::grpc::serve::Server;
use verbatim::store::embedded::Disk;

use crate::client::Client;
use crate::crowd::Caller;
use crate::crowd::Crowd;
use crate::disk::serve_within;
use crate::follower::Follower;
use crate::judge::Figures;
use crate::judge::judge;
use crate::process::Service;
use crate::rebuilt::serve;
use crate::recorder::Ended;
use crate::support::Dice;
use crate::support::StagedDisk;
use crate::write::deal_id;

/// Rounds when `VERBATIM_HISTORY_ROUNDS` does not say.
const ROUNDS: u64 = 12;

/// Rounds that are judged together: the checker reads whole histories.
const ROUNDS_A_RUN: u64 = 12;

const CALLERS: u64 = 8;
const DEALS: u64 = 3;

/// A test that waits longer for the service than this has failed.
const STUCK: Duration = Duration::from_secs(180);

/// Callers and watchers who outlive the service.
struct Scene {
    crowd: Arc<Crowd>,
    callers: Vec<Caller>,
    followers: Vec<Arc<Follower>>,
}

/// All of them at work.
struct Running {
    crowd: Arc<Crowd>,
    callers: JoinSet<Caller>,
    followers: Vec<Arc<Follower>>,
    following: JoinSet<()>,
}

impl Scene {
    fn set(seed: u64) -> Scene {
        let crowd = Crowd::on(DEALS);
        let dice = |number| Dice(seed.wrapping_mul(1_000) + number);
        let callers = (0..CALLERS).map(|number| Caller {
            crowd: Arc::clone(&crowd),
            dice: dice(number),
        });
        let follower = |who, deals: &[String], from_beginning| {
            Arc::new(Follower::new(&crowd, who, deals, from_beginning))
        };
        Scene {
            callers: callers.collect(),
            followers: vec![
                follower("a watcher of all", &[], true),
                follower("a watcher from now on", &[], false),
                follower("a watcher of two", &[deal_id(0), deal_id(1)], true),
            ],
            crowd,
        }
    }

    async fn begin(self, url: &str) -> Running {
        let mut running = Running {
            crowd: self.crowd,
            callers: JoinSet::new(),
            followers: self.followers,
            following: JoinSet::new(),
        };
        for follower in &running.followers {
            let (follower, client) = (Arc::clone(follower), Client::connect(url).await);
            running
                .following
                .spawn(async move { follower.follow(&client).await });
        }
        running.go_on(self.callers, url).await;
        running
    }

    async fn judged(self, client: &Client) -> Figures {
        let judged = judge(&self.crowd, client, &self.followers, None);
        let judged = tokio::time::timeout(STUCK, judged).await;
        judged
            .expect("a watcher is stuck")
            .unwrap_or_else(|fault| panic!("{fault}"))
    }
}

impl Running {
    /// Sets callers to work.
    async fn go_on(&mut self, callers: Vec<Caller>, url: &str) {
        self.crowd.set_over(false);
        for caller in callers {
            self.callers.spawn(caller.work(Client::connect(url).await));
        }
    }

    /// Waits until enough writes have ended, counted from now.
    async fn wait(&self, is_enough: impl Fn(Ended) -> bool) {
        let enough = self.crowd.recorder.wait(is_enough);
        tokio::time::timeout(STUCK, enough)
            .await
            .expect("the service is stuck");
    }

    /// Waits until all callers rest.
    async fn rest(&mut self) -> Vec<Caller> {
        self.crowd.set_over(true);
        let mut callers = Vec::new();
        while let Some(caller) = self.callers.join_next().await {
            callers.push(caller.unwrap());
        }
        callers
    }

    /// Waits until the streams have ended with the service.
    async fn end(mut self, callers: Vec<Caller>) -> Scene {
        while let Some(ended) = self.following.join_next().await {
            ended.unwrap();
        }
        Scene {
            crowd: self.crowd,
            callers,
            followers: self.followers,
        }
    }
}

/// Runs of rounds until there were as many as wanted. Prints what was judged.
async fn repeat(what: &str, one: impl AsyncFn(&Path, u64, u64) -> Figures) {
    let wanted = env::var("VERBATIM_HISTORY_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut sums = Figures::default();
    let mut left = wanted;
    while 0 < left {
        let rounds = left.min(ROUNDS_A_RUN);
        let home = tempfile::tempdir().unwrap();
        let figures = one(home.path(), left, rounds).await;
        sums.add(figures);
        left -= rounds;
    }
    println!("{wanted} {what}: all explained by one order: {sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_around_kills_is_explained_by_one_order() {
    repeat("kills", async |data, seed, rounds| {
        let mut scene = Scene::set(seed);
        let mut dice = Dice(seed);
        for _ in 0..rounds {
            let service = Service::start(data);
            let mut running = scene.begin(&service.url).await;
            running.wait(acknowledged(&mut dice)).await;
            service.kill();
            let callers = running.rest().await;
            scene = running.end(callers).await;
        }
        let (server, client) = serve(data).await.unwrap();
        let figures = scene.judged(&client).await;
        server.stop().await;
        figures
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_around_failed_syncs_is_explained_by_one_order() {
    repeat("failed syncs", async |data, seed, rounds| {
        let mut scene = Scene::set(seed);
        let mut dice = Dice(seed);
        for _ in 0..rounds {
            let disk = StagedDisk::new();
            let mut server = serve_limited(data, &disk, Limits::default().deadline).await;
            let mut running = scene.begin(&url_of(&server)).await;
            running.wait(acknowledged(&mut dice)).await;
            disk.fail_sync(1);
            server.ended().await;
            // Reads go on, and so do watchers, while writes are refused.
            let callers = running.rest().await;
            server.stop().await;
            scene = running.end(callers).await;
        }
        let (server, client) = serve(data).await.unwrap();
        let figures = scene.judged(&client).await;
        server.stop().await;
        figures
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_around_a_disk_that_hangs_is_explained_by_one_order() {
    repeat("hangs", async |data, seed, rounds| {
        let mut scene = Scene::set(seed);
        let mut dice = Dice(seed);
        let disk = StagedDisk::new();
        // Shorter than a hang: callers give up, and what they sent is done later all the same.
        let server = serve_limited(data, &disk, Duration::from_millis(250)).await;
        let url = url_of(&server);
        let mut running = scene.begin(&url).await;
        for _ in 0..rounds {
            running.wait(acknowledged(&mut dice)).await;
            let shut = disk.shut();
            running
                .wait(|ended| CALLERS as usize <= ended.unknown)
                .await;
            let callers = running.rest().await;
            drop(shut);
            running.go_on(callers, &url).await;
        }
        let callers = running.rest().await;
        server.stop().await;
        scene = running.end(callers).await;
        let (server, client) = serve(data).await.unwrap();
        let figures = scene.judged(&client).await;
        server.stop().await;
        figures
    })
    .await;
}

/// Enough for a round, a number that the dice choose.
fn acknowledged(dice: &mut Dice) -> impl Fn(Ended) -> bool + use<> {
    let wanted = 20 + dice.below(150) as usize;
    move |ended| wanted <= ended.acknowledged
}

async fn serve_limited(data: &Path, disk: &Arc<StagedDisk>, deadline: Duration) -> Server {
    let limits = Limits {
        deadline,
        ..Limits::default()
    };
    let disk = Arc::clone(disk) as Arc<dyn Disk>;
    let (server, _client) = serve_within(data, disk, &limits).await;
    server
}

fn url_of(server: &Server) -> String {
    format!("http://{}", server.local_addr())
}
