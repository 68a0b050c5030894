//! Brings a run to its end and holds all that was recorded of it against what is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use verbatim::store::Change;
use verbatim::store::Store;
use verbatim::wire::pb;

use crate::checker::Fault;
use crate::checker::Kind;
use crate::checker::check_deal;
use crate::checker::check_feed;
use crate::checker::check_order;
use crate::checker::check_scores;
use crate::checker::feed::Item;
use crate::client::Client;
use crate::crowd::Crowd;
use crate::follower::Follower;
use crate::ledger::refolded;
use crate::recorder::Refusal;
use crate::write::What;
use crate::write::Write;
use crate::write::deal_id;
use crate::write::mark;

/// Above the numbers of all other writes.
const LAST_NUMBER: u64 = 1 << 40;

/// What was held against each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub acknowledged: usize,
    pub events: usize,
    pub answers: usize,
    pub scores: usize,
    pub told: usize,
}

impl Figures {
    pub fn add(&mut self, more: Figures) {
        self.acknowledged += more.acknowledged;
        self.events += more.events;
        self.answers += more.answers;
        self.scores += more.scores;
        self.told += more.told;
    }
}

/// Makes a last write to each deal, lets each watcher come to it, and judges the whole.
///
/// Also by the order over all deals that the store has, where the test can look into it.
pub async fn judge(
    crowd: &Arc<Crowd>,
    client: &Client,
    followers: &[Arc<Follower>],
    store: Option<&dyn Store>,
) -> Result<Figures, Fault> {
    for number in 0..crowd.deals {
        write_last(crowd, client, number).await;
        look_last(crowd, client, &deal_id(number)).await;
    }
    let mut histories = BTreeMap::new();
    for number in 0..crowd.deals {
        let deal = deal_id(number);
        histories.insert(deal.clone(), client.history(&deal).await.unwrap());
    }
    let ends: BTreeMap<String, u64> = histories
        .iter()
        .map(|(deal, history)| (deal.clone(), history.len() as u64))
        .collect();

    if let Some(answer) = crowd.recorder.wrong() {
        return Err(Fault {
            kind: Kind::Answer,
            what: answer,
        });
    }
    let mut figures = Figures {
        acknowledged: crowd.recorder.acknowledged(),
        ..Figures::default()
    };
    // From the beginning, after everything: what all others must have been told.
    let all = Follower::new(crowd, "the last watcher", &[], true);
    all.follow_to(client, &ends).await;
    let order = all.items();
    for follower in followers {
        follower.follow_to(client, &ends).await;
        figures.told += follower.items().len();
    }
    let mut steps = BTreeMap::new();
    for (deal, asked) in crowd.recorder.deals() {
        let history: &[pb::DealEvent] = &histories[&deal];
        let log: Vec<String> = history.iter().map(mark).collect();
        steps.insert(deal.clone(), check_deal(&deal, &asked, &log)?);
        figures.scores += check_scores(&deal, &asked, &refolded(history))?;
        figures.answers += asked.seen.len();
        figures.events += log.len();
    }
    if let Some(store) = store {
        check_changes(&order, &store.changes(0, usize::MAX).await.unwrap())?;
    }
    check_order(&order, &steps)?;
    for follower in followers {
        check_feed(&order, &steps, &follower.watched())?;
    }
    Ok(figures)
}

async fn write_last(crowd: &Arc<Crowd>, client: &Client, number: u64) {
    let write = Write {
        number: LAST_NUMBER + number,
        deal: deal_id(number),
        what: What::Statement,
    };
    let sent = crowd.recorder.sends(&write, None);
    let answer = write.send(client).await;
    crowd
        .recorder
        .answered(&sent, answer.map_err(|status| Refusal::of(&status)));
}

async fn look_last(crowd: &Arc<Crowd>, client: &Client, deal: &str) {
    let begun = crowd.recorder.stamp();
    let score = client.score(deal).await.unwrap();
    crowd.recorder.scored(deal, begun, Some(&score));
}

/// The feed tells the changes of the store, as the store has them.
fn check_changes(told: &[Item], changes: &[Change]) -> Result<(), Fault> {
    let told = told.iter().filter(|item| item.recorded);
    let told: Vec<(&str, u64)> = told.map(|item| (&*item.deal, item.revision)).collect();
    let changes = changes.iter();
    let changes: Vec<(&str, u64)> = changes
        .map(|change| (&*change.deal.deal, change.revision))
        .collect();
    let places = 0..told.len().max(changes.len());
    for place in places {
        let (has, tells) = (changes.get(place), told.get(place));
        if has != tells {
            return Err(Fault {
                kind: Kind::Skipped,
                what: format!("the store has {has:?} and the feed tells {tells:?}"),
            });
        }
    }
    Ok(())
}
