//! Two replicas over one PostgreSQL, while many write, look and watch at both at once: one of them is killed, the database
//! is restarted, paused, cuts connections off, or is replaced by its standby, and all that anybody was answered is
//! explained by one order.
//!
//! Readers name the newest revision that anybody was told of: that is what replicas promise. `VERBATIM_HISTORY_ROUNDS=200`
//! makes it longer.

use std::env;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::task::block_in_place;
use tokio::task::yield_now;
use verbatim::config::DatabaseUrl;
use verbatim::store::Store;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

use crate::checker;
use crate::checker::Kind;
use crate::client::Client;
use crate::cluster::Cluster;
use crate::crowd::Caller;
use crate::crowd::Crowd;
use crate::follower::Follower;
use crate::judge::Figures;
use crate::judge::judge;
use crate::process::Service;
use crate::support::Dice;
use crate::write::deal_id;

/// Rounds when `VERBATIM_HISTORY_ROUNDS` does not say: each fault twice.
const ROUNDS: u64 = 10;

/// Rounds that are judged together: the checker reads whole histories.
const ROUNDS_A_RUN: u64 = 10;

/// One fail-over is judged for so many of the rounds: it takes a database and a standby of its own.
const FAIL_OVER_ONE_IN: u64 = 5;

/// What the checker calls it when something acknowledged is gone: also a refusal of a revision that was named and then
/// lost, or what a watcher was told of.
const LOSSES: [Kind; 5] = [
    Kind::Lost,
    Kind::Vanished,
    Kind::Contents,
    Kind::NeverThere,
    Kind::Answer,
];

const CALLERS: u64 = 8;
const DEALS: u64 = 3;

/// A test that waits longer for the service than this has failed.
const STUCK: Duration = Duration::from_secs(180);

/// A statement may take so long, in ms: less than a pause of the database.
const STATEMENT: [&str; 2] = ["--database-timeout-ms", "500"];

/// Longer than the service waits for a statement.
const PAUSE: Duration = Duration::from_millis(1_800);

/// What happens to a replica or to the database while everybody is at work.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Cut,
    Restarted,
    Crashed,
    Paused,
    /// The database is gone, and its standby takes over.
    Replaced,
}

/// Those that can happen again and again.
const FAULTS: [Fault; 5] = [
    Fault::Killed,
    Fault::Cut,
    Fault::Restarted,
    Fault::Crashed,
    Fault::Paused,
];

/// Two services over one database.
struct Replicas {
    cluster: Cluster,
    standby: Option<Cluster>,
    there: [Mutex<Option<Replica>>; 2],
}

struct Replica {
    service: Service,
    client: Client,
}

/// Callers and watchers at work at both replicas.
struct Scene {
    crowd: Arc<Crowd>,
    replicas: Arc<Replicas>,
    followers: Vec<Arc<Follower>>,
    callers: JoinSet<()>,
    following: JoinSet<()>,
}

impl Replicas {
    /// Two of them; `None` where there is no PostgreSQL.
    async fn start() -> Option<Arc<Replicas>> {
        let cluster = block_in_place(Cluster::start)?;
        Postgres::migrate(&url_of(&cluster)).await.unwrap();
        Some(Replicas::start_on(cluster, None).await)
    }

    /// The same with a standby, which an acknowledgement waits for or does not.
    async fn start_with_standby(is_waited_for: bool) -> Option<Arc<Replicas>> {
        let mut cluster = block_in_place(Cluster::start)?;
        // Before the standby is made: it has the tables, however late it begins to follow.
        Postgres::migrate(&url_of(&cluster)).await.unwrap();
        let standby = block_in_place(|| {
            let standby = Cluster::standby_of(&cluster);
            if is_waited_for {
                cluster.wait_for_standby();
            }
            standby
        });
        Some(Replicas::start_on(cluster, Some(standby)).await)
    }

    async fn start_on(cluster: Cluster, standby: Option<Cluster>) -> Arc<Replicas> {
        let replicas = Replicas {
            cluster,
            standby,
            there: Default::default(),
        };
        for which in 0..2 {
            replicas.raise(which).await;
        }
        Arc::new(replicas)
    }

    /// Of all that may take writes.
    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::read(&self.address()).unwrap()
    }

    fn address(&self) -> String {
        match &self.standby {
            Some(standby) => self.cluster.url_or(standby),
            None => self.cluster.url(),
        }
    }

    fn serve_another(&self) -> Service {
        block_in_place(|| Service::start_on(&self.address(), &STATEMENT))
    }

    async fn raise(&self, which: usize) {
        let service = self.serve_another();
        let client = Client::connect(&service.url).await;
        *self.there[which].lock().unwrap() = Some(Replica { service, client });
    }

    fn kill(&self, which: usize) {
        let replica = self.there[which].lock().unwrap().take();
        replica.unwrap().service.kill();
    }

    /// The way to a replica, if it is there.
    fn client(&self, which: usize) -> Option<Client> {
        let replica = self.there[which].lock().unwrap();
        replica.as_ref().map(|replica| replica.client.clone())
    }

    /// The way to one that is there.
    async fn any(&self, dice: &mut Dice) -> Client {
        loop {
            match self.client(dice.below(2) as usize) {
                Some(client) => return client,
                None => yield_now().await,
            }
        }
    }
}

impl Scene {
    fn begin(crowd: Arc<Crowd>, replicas: Arc<Replicas>, seed: u64) -> Scene {
        let dice = |number| Dice(seed.wrapping_mul(1_000) + number);
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let caller = Caller {
                crowd: Arc::clone(&crowd),
                dice: dice(number),
            };
            callers.spawn(call(caller, Arc::clone(&replicas)));
        }
        let follower = |who, deals: &[String], from_beginning| {
            Arc::new(Follower::new(&crowd, who, deals, from_beginning))
        };
        let followers = vec![
            follower("a watcher of all", &[], true),
            follower("a watcher from now on", &[], false),
            follower("a watcher of two", &[deal_id(0), deal_id(1)], true),
        ];
        let mut following = JoinSet::new();
        for (follower, number) in followers.iter().cloned().zip(CALLERS..) {
            let (mut dice, replicas) = (dice(number), Arc::clone(&replicas));
            following.spawn(async move {
                loop {
                    // Goes on at the other one as often as at the same.
                    follower.follow(&replicas.any(&mut dice).await).await;
                }
            });
        }
        Scene {
            crowd,
            replicas,
            followers,
            callers,
            following,
        }
    }

    /// Waits until so many writes were acknowledged, counted from now.
    async fn wait(&self, wanted: u64) {
        let enough = self
            .crowd
            .recorder
            .wait(|ended| wanted as usize <= ended.acknowledged);
        tokio::time::timeout(STUCK, enough)
            .await
            .expect("the service is stuck");
    }

    async fn suffer(&self, fault: Fault, dice: &mut Dice) {
        let cluster = &self.replicas.cluster;
        match fault {
            Fault::Killed => {
                let which = dice.below(2) as usize;
                self.replicas.kill(which);
                self.wait(20).await;
                self.replicas.raise(which).await;
            }
            Fault::Cut => {
                let client = cluster.connect().await;
                let busy = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'verbatim' AND state <> 'idle'";
                let mut cuts = 0;
                while cuts < 20 {
                    cuts += client.query(busy, &[]).await.unwrap().len();
                    self.wait(2).await;
                }
            }
            Fault::Restarted => block_in_place(|| cluster.control("restart -m fast")),
            Fault::Crashed => block_in_place(|| cluster.control("restart -m immediate")),
            Fault::Paused => {
                cluster.signal(Signal::STOP);
                // The pause is what is tested.
                tokio::time::sleep(PAUSE).await;
                cluster.signal(Signal::CONT);
            }
            Fault::Replaced => block_in_place(|| {
                let standby = self.replicas.standby.as_ref().unwrap();
                cluster.control("stop -m immediate");
                if !standby.is_running() {
                    standby.control("start");
                }
                standby.control("promote");
            }),
        }
    }

    /// Lets all come to rest, and judges what they were answered.
    async fn judged(mut self) -> Result<Figures, checker::Fault> {
        self.crowd.set_over(true);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
        self.following.shutdown().await;
        let store = Postgres::open(&self.replicas.url(), Options::default())
            .await
            .unwrap();
        let client = self.replicas.client(0).unwrap();
        let judged = judge(&self.crowd, &client, &self.followers, Some(&store));
        let figures = tokio::time::timeout(STUCK, judged)
            .await
            .expect("a watcher is stuck")?;
        store.close().await;
        self.check_agreement().await;
        Ok(figures)
    }

    /// Whether the checker finds that something acknowledged is gone.
    async fn caught_losing(mut self) -> bool {
        // Their places are gone with what was lost: they would wait for ever, and nobody has to wait for that.
        self.followers.clear();
        let Err(fault) = self.judged().await else {
            return false;
        };
        println!("{fault}");
        assert!(LOSSES.contains(&fault.kind), "{fault}");
        true
    }

    /// Both replicas, who lived through everything, answer as one does that has nothing in memory.
    async fn check_agreement(&self) {
        let (one, other) = (self.replicas.client(0), self.replicas.client(1));
        let service = self.replicas.serve_another();
        let anew = Client::connect(&service.url).await;
        for number in 0..DEALS {
            let deal = deal_id(number);
            let right = anew.answers(&deal).await;
            let least = Some(right.score.as_ref().unwrap().revision);
            for lived in [&one, &other].into_iter().flatten() {
                lived.score_at_least(&deal, least).await.unwrap();
                assert_eq!(lived.answers(&deal).await, right);
            }
        }
    }
}

/// Does one thing after the other, each at any replica, until the crowd rests.
async fn call(mut caller: Caller, replicas: Arc<Replicas>) {
    while !caller.crowd.is_over() {
        let client = replicas.any(&mut caller.dice).await;
        // What was refused is recorded, and another is tried.
        let _refused = caller.step(&client).await;
    }
}

/// Has the database live by other settings from now on.
async fn alter(cluster: &Cluster, changes: &[String]) {
    let client = cluster.connect().await;
    for change in changes {
        let sql = format!("ALTER SYSTEM {change}");
        client.batch_execute(&sql).await.unwrap();
    }
    client.query("SELECT pg_reload_conf()", &[]).await.unwrap();
}

fn url_of(cluster: &Cluster) -> DatabaseUrl {
    DatabaseUrl::read(&cluster.url()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_at_replicas_around_faults_is_explained_by_one_order() {
    let rounds = env::var("VERBATIM_HISTORY_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut sums = Figures::default();
    let mut left = rounds;
    while 0 < left {
        let Some(replicas) = Replicas::start().await else {
            return;
        };
        let mut dice = Dice(left);
        let scene = Scene::begin(Crowd::before_replicas(DEALS), replicas, left);
        for fault in FAULTS.iter().cycle().take(left.min(ROUNDS_A_RUN) as usize) {
            scene.wait(10 + dice.below(100)).await;
            scene.suffer(*fault, &mut dice).await;
        }
        scene.wait(50).await;
        match scene.judged().await {
            Ok(figures) => sums.add(figures),
            Err(fault) => panic!("{fault}"),
        }
        left -= left.min(ROUNDS_A_RUN);
    }
    println!("{rounds} faults under two replicas: all explained by one order: {sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_at_replicas_around_a_fail_over_is_explained_by_one_order() {
    let rounds = env::var("VERBATIM_HISTORY_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut sums = Figures::default();
    let runs = rounds.div_ceil(FAIL_OVER_ONE_IN);
    for seed in 0..runs {
        let Some(replicas) = Replicas::start_with_standby(true).await else {
            return;
        };
        let mut dice = Dice(seed);
        let scene = Scene::begin(Crowd::before_replicas(DEALS), replicas, seed);
        scene.wait(10 + dice.below(200)).await;
        scene.suffer(Fault::Replaced, &mut dice).await;
        scene.wait(50).await;
        match scene.judged().await {
            Ok(figures) => sums.add(figures),
            Err(fault) => panic!("{fault}"),
        }
    }
    println!("{runs} fail-overs under two replicas: all explained by one order: {sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_was_not_waited_for_is_caught() {
    for seed in 0..10 {
        let Some(replicas) = Replicas::start_with_standby(false).await else {
            return;
        };
        let scene = Scene::begin(Crowd::before_replicas(DEALS), replicas, seed);
        scene.wait(50).await;
        let standby = scene.replicas.standby.as_ref().unwrap();
        // Nothing that is acknowledged from here on gets there.
        block_in_place(|| standby.control("stop -m immediate"));
        scene.wait(50).await;
        scene.suffer(Fault::Replaced, &mut Dice(seed)).await;
        scene.wait(20).await;
        if scene.caught_losing().await {
            return;
        }
    }
    panic!("no acknowledged write was lost");
}

// Who proves that the checker can catch something at replicas: readers who ask for more than is promised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_at_replicas_who_names_no_revision_is_caught_behind() {
    for seed in 0..10 {
        let Some(replicas) = Replicas::start().await else {
            return;
        };
        let scene = Scene::begin(Crowd::on(DEALS), replicas, seed);
        scene.wait(150).await;
        if let Err(fault) = scene.judged().await {
            println!("seed {seed}: {fault}");
            assert_eq!(fault.kind, Kind::Order, "{fault}");
            return;
        }
    }
    panic!("no reader was behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_acknowledges_before_it_keeps_is_caught() {
    for seed in 0..10 {
        let Some(replicas) = Replicas::start().await else {
            return;
        };
        // Behind the back of the service, which looks as it starts.
        let careless = ["synchronous_commit = off", "wal_writer_delay = '10s'"];
        alter(
            &replicas.cluster,
            &careless.map(|what| format!("SET {what}")),
        )
        .await;
        let scene = Scene::begin(Crowd::before_replicas(DEALS), replicas, seed);
        scene.wait(100).await;
        scene.suffer(Fault::Crashed, &mut Dice(seed)).await;
        scene.wait(20).await;
        alter(&scene.replicas.cluster, &["RESET ALL".to_owned()]).await;
        if scene.caught_losing().await {
            return;
        }
    }
    panic!("no acknowledged write was lost");
}
