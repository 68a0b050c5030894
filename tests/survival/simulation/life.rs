//! One life of the service: it comes up on what is on the disk, is called, and stops or dies.
//!
//! Each life has a runtime of its own whose time stands still but when everybody waits. To be killed is to have that runtime
//! dropped, with every task at the place where it waited.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tonic::service::Routes;
use verbatim::app::App;
use verbatim::app::background::Background;
use verbatim::clock::Clock;
use verbatim::clock::ManualClock;
use verbatim::domain::time::Span;
use verbatim::grpc::calls::Calls;
use verbatim::grpc::limits::Limits;
use verbatim::model_file;
use verbatim::store::Store;

use crate::checker::Fault;
use crate::checker::Kind;
use crate::client::Client;
use crate::crowd::Caller;
use crate::judge::Figures;
use crate::judge::judge;
use crate::simulation::World;
use crate::simulation::shaky::Shaky;
use crate::support::Dice;

const CALLERS: u64 = 6;

/// A service that leaves its callers waiting for so long, when nothing happens any more, is stuck. In the runtime's time.
const STUCK: Duration = Duration::from_secs(3_600);

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Killed,
    Stopped,
}

/// Lives a life to its end.
pub fn live(world: &mut World, end: End) {
    let length = Duration::from_millis(50 + world.dice.below(700));
    let seed = world.dice.below(u64::MAX);
    let recorder = &world.crowd.recorder;
    recorder.note(|| format!("a life of {length:?} that ends {end:?}"));
    world.crowd.set_over(false);
    let runtime = runtime();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(Shaky::on(&world.disk, world.broken, seed).await);
        let app = app(world, &store);
        let client = client(&app);
        for number in 0..CALLERS {
            let caller = Caller {
                crowd: Arc::clone(&world.crowd),
                dice: Dice(seed.wrapping_add(1 + number)),
            };
            tokio::spawn(call(caller, client.clone(), number));
        }
        for follower in &world.followers {
            let (follower, client) = (Arc::clone(follower), client.clone());
            tokio::spawn(async move {
                loop {
                    follower.follow(&client).await;
                    tokio::time::sleep(Duration::from_millis(7)).await;
                }
            });
        }
        let ticking = tick(world, seed);
        tokio::select! {
            biased;
            () = ticking => {}
            () = tokio::time::sleep(length) => {}
        }
        if end == End::Stopped {
            world.crowd.set_over(true);
            app.end_streams();
            store.close().await;
            // What is under way is answered.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    drop(runtime);
    world.crowd.is_gone();
}

/// Brings the world to its end with a store that does what it should, and judges it.
pub fn judged(world: &World) -> Result<Figures, Fault> {
    runtime().block_on(async {
        let store: Arc<dyn Store> = Arc::new(Shaky::calm(&world.disk).await);
        let client = client(&app(world, &store));
        let judged = judge(&world.crowd, &client, &world.followers, Some(&*world.disk));
        match tokio::time::timeout(STUCK, judged).await {
            Ok(judged) => judged,
            Err(_) => Err(Fault {
                kind: Kind::Skipped,
                what: "a watcher waits for what never comes".to_owned(),
            }),
        }
    })
}

/// Does one thing after the other, with pauses.
async fn call(mut caller: Caller, client: Client, number: u64) {
    tokio::time::sleep(Duration::from_millis(number)).await;
    while !caller.crowd.is_over() {
        // What was refused is recorded, and another is tried.
        let _refused = caller.step(&client).await;
        let pause = caller.dice.below(12);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Sets the clock forward again and again, mostly a little, and sometimes back. Never ends.
async fn tick(world: &World, seed: u64) {
    let mut dice = Dice(seed.wrapping_sub(1));
    loop {
        tokio::time::sleep(Duration::from_millis(1 + dice.below(40))).await;
        match dice.below(25) {
            0 if world.has_days_left() => world.clock.advance(Span::minutes(600)),
            1 => set_back(&world.clock),
            _ => world
                .clock
                .advance(Span::milliseconds(1 + dice.below(90_000) as i64)),
        }
    }
}

/// By two seconds, and not over midnight: of two clocks that disagree about the day, a sweep is of one.
fn set_back(clock: &ManualClock) {
    let now = clock.now();
    if let Some(before) = now.minus(Span::milliseconds(2_000))
        && before.date() == now.date()
    {
        clock.set(before);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn app(world: &World, store: &Arc<dyn Store>) -> Arc<App> {
    let app = App::new(
        Arc::clone(store),
        Arc::clone(&world.clock) as Arc<dyn Clock>,
        Arc::new(model_file::default().clone()),
        world.deals_bytes_max,
    );
    Arc::new(app)
}

fn client(app: &Arc<App>) -> Client {
    let refused = Arc::new(Notify::new());
    let calls = Calls::new(
        Arc::clone(app),
        Routes::default(),
        Background::none(),
        refused,
        &Limits::default(),
    );
    Client::of(calls)
}
