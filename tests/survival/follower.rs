//! A watcher who goes on from its token whenever its stream ends, and keeps what it was told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use tonic::Status;
use tonic::Streaming;
use verbatim::wire::pb;
use verbatim::wire::pb::watch_deals_response::Item;

use crate::checker::Watched;
use crate::checker::feed;
use crate::client::Client;
use crate::crowd::Crowd;

/// One watcher over many streams.
pub struct Follower {
    crowd: Arc<Crowd>,
    who: String,
    deals: Vec<String>,
    from_beginning: bool,
    forgetful: bool,
    taken: Mutex<Taken>,
}

/// How far it has come. Kept apart, so that it outlives a task that is dropped.
#[derive(Default)]
struct Taken {
    /// Where to go on. Empty: it was not greeted yet.
    token: String,
    /// The one before.
    token_before: String,
    greeted: u64,
    items: Vec<feed::Item>,
}

impl Follower {
    /// A watcher of these deals (empty: all), from the beginning or from now on.
    pub fn new(crowd: &Arc<Crowd>, who: &str, deals: &[String], from_beginning: bool) -> Follower {
        Follower {
            crowd: Arc::clone(crowd),
            who: who.to_owned(),
            deals: deals.to_vec(),
            from_beginning,
            forgetful: false,
            taken: Mutex::default(),
        }
    }

    /// The same, but broken on purpose: it goes on from before the last that it was told.
    pub fn forgetful(self) -> Follower {
        Follower {
            forgetful: true,
            ..self
        }
    }

    /// Takes what it is told until the stream ends. Whatever ended it, there is a token to go on from.
    pub async fn follow(&self, client: &Client) {
        if let Err(status) = self.take_until(client, |_| false).await {
            self.crowd.recorder.refused(&self.who, &status);
        }
    }

    /// Takes what it is told until each of its deals has come to the revision named.
    pub async fn follow_to(&self, client: &Client, ends: &BTreeMap<String, u64>) {
        let wanted: BTreeMap<&String, u64> = ends
            .iter()
            .filter(|(deal, _)| self.deals.is_empty() || self.deals.contains(deal))
            .map(|(deal, end)| (deal, *end))
            .collect();
        let has_all = move |items: &[feed::Item]| {
            let told = |deal: &str| items.iter().rev().find(|item| item.deal == deal);
            wanted
                .iter()
                .all(|(deal, end)| told(deal).is_some_and(|item| item.revision == *end))
        };
        self.take_until(client, has_all).await.unwrap();
    }

    /// All that it was told, for the checker.
    pub fn watched(&self) -> Watched {
        let taken = self.taken();
        Watched {
            by: self.who.clone(),
            deals: self.deals.clone(),
            start: match self.from_beginning {
                true => feed::Start::Beginning,
                false => feed::Start::Now {
                    greeted: taken.greeted,
                },
            },
            keys: taken.items.iter().map(|item| item.key.clone()).collect(),
        }
    }

    pub fn items(&self) -> Vec<feed::Item> {
        self.taken().items.clone()
    }

    async fn take_until(
        &self,
        client: &Client,
        is_enough: impl Fn(&[feed::Item]) -> bool,
    ) -> Result<(), Status> {
        let mut stream = self.open(client).await?;
        while !is_enough(&self.taken().items) {
            let Some(message) = stream.message().await? else {
                return Ok(());
            };
            match message.item.unwrap() {
                Item::Heartbeat(heartbeat) => self.hear(heartbeat.token),
                Item::Change(change) => self.take(change),
            }
        }
        Ok(())
    }

    async fn open(&self, client: &Client) -> Result<Streaming<pb::WatchDealsResponse>, Status> {
        let token = match self.forgetful {
            true => self.taken().token_before.clone(),
            false => self.taken().token.clone(),
        };
        let request = pb::WatchDealsRequest {
            from_beginning: self.from_beginning && token.is_empty(),
            resume_token: token,
            deal_ids: self.deals.clone(),
            ..pb::WatchDealsRequest::default()
        };
        Ok(client
            .forecast
            .clone()
            .watch_deals(request)
            .await?
            .into_inner())
    }

    fn hear(&self, token: String) {
        let mut taken = self.taken();
        if taken.token.is_empty() {
            taken.greeted = self.crowd.recorder.stamp();
        }
        taken.token = token;
    }

    fn take(&self, change: pb::DealChange) {
        let recorded = change.cause() == pb::ChangeCause::Event;
        if recorded {
            let (who, recorder) = (&self.who, &self.crowd.recorder);
            self.crowd.learn(&change.deal_id, change.revision);
            recorder.told(who, &change.deal_id, change.revision);
        }
        let before = change.score_before.map(|score| score.to_bits());
        let mut taken = self.taken();
        taken.items.push(feed::Item {
            key: format!(
                "{}@{} {} {before:x?} {:x}",
                change.deal_id,
                change.revision,
                change.day,
                change.score.to_bits()
            ),
            deal: change.deal_id,
            revision: change.revision,
            recorded,
        });
        taken.token_before = std::mem::replace(&mut taken.token, change.token);
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap()
    }
}
