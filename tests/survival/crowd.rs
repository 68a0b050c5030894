//! Callers who write, look and retry all at once, on a few deals so that they meet, and everything is recorded.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tonic::Status;
use verbatim::wire::pb;

use crate::checker::Stamp;
use crate::client::Client;
use crate::recorder::Recorder;
use crate::recorder::Refusal;
use crate::recorder::is_of_a_service;
use crate::recorder::is_unknown_deal;
use crate::support::Dice;
use crate::write::Answered;
use crate::write::What;
use crate::write::Write;
use crate::write::deal_id;

/// What the callers of a run share.
pub struct Crowd {
    pub recorder: Recorder,
    pub deals: u64,
    numbers: AtomicU64,
    /// Writes under way. Those of a caller who is gone are to be sent again.
    under_way: Mutex<BTreeMap<u64, Write>>,
    /// Writes whose outcome is not known, and some that were acknowledged: to be sent again by anybody.
    again: Mutex<Vec<Write>>,
    /// The newest revision that anybody was told of.
    revisions: Mutex<BTreeMap<String, u64>>,
    /// Statements that may still be taken back, and all that ever stood: a retry brings none back.
    standing: Mutex<Standing>,
    /// Readers name the newest revision that anybody was told of.
    names_revisions: bool,
    /// No more is asked.
    over: AtomicBool,
}

#[derive(Default)]
struct Standing {
    statements: Vec<(String, u64)>,
    ever: HashSet<u64>,
}

/// One caller, who does one thing after the other.
pub struct Caller {
    pub crowd: Arc<Crowd>,
    pub dice: Dice,
}

impl Crowd {
    pub fn on(deals: u64) -> Arc<Crowd> {
        Crowd::that(deals, false)
    }

    /// A crowd before replicas, which promise no more than this: who names a revision reads at least that one.
    pub fn before_replicas(deals: u64) -> Arc<Crowd> {
        Crowd::that(deals, true)
    }

    fn that(deals: u64, names_revisions: bool) -> Arc<Crowd> {
        Arc::new(Crowd {
            recorder: Recorder::default(),
            deals,
            numbers: AtomicU64::new(0),
            under_way: Mutex::default(),
            again: Mutex::default(),
            revisions: Mutex::default(),
            standing: Mutex::default(),
            names_revisions,
            over: AtomicBool::new(false),
        })
    }

    /// Whether callers are to ask, or to rest.
    pub fn set_over(&self, over: bool) {
        self.over.store(over, Ordering::SeqCst);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// The callers are gone, with all that they had under way.
    pub fn is_gone(&self) {
        let under_way = std::mem::take(&mut *self.under_way.lock().unwrap());
        self.again.lock().unwrap().extend(under_way.into_values());
    }

    /// A revision was told of. To be called before that is recorded: who begins to read after it is to name it.
    pub fn learn(&self, deal: &str, revision: u64) {
        let mut revisions = self.revisions.lock().unwrap();
        let known = revisions.entry(deal.to_owned()).or_default();
        *known = revision.max(*known);
    }

    fn known(&self, deal: &str) -> u64 {
        let revisions = self.revisions.lock().unwrap();
        revisions.get(deal).copied().unwrap_or_default()
    }

    /// The revision that a reader names. To be asked for after the reading was seen to begin.
    fn least(&self, deal: &str) -> Option<u64> {
        let known = self.known(deal);
        (self.names_revisions && 0 < known).then_some(known)
    }
}

impl Standing {
    fn put(&mut self, statement: &Write) {
        if self.ever.insert(statement.number) {
            let deal = statement.deal.clone();
            self.statements.push((deal, statement.number));
        }
    }
}

impl Caller {
    /// Does one thing after the other until the crowd rests or the service is gone.
    pub async fn work(mut self, client: Client) -> Caller {
        while !self.crowd.is_over() {
            if let Err(status) = self.step(&client).await
                && !is_of_a_service(&status)
            {
                break;
            }
        }
        self
    }

    /// Does one thing.
    ///
    /// # Errors
    ///
    /// What the service refused, or that it is gone.
    pub async fn step(&mut self, client: &Client) -> Result<(), Status> {
        let deal = deal_id(self.dice.below(self.crowd.deals));
        let (what, answer) = match self.dice.below(20) {
            0..10 => {
                let write = self.next(deal);
                let expected = self.expected(&write);
                ("a write", self.write(client, write, expected).await)
            }
            10 | 11 => match self.take_again() {
                Some(write) => ("a write again", self.write(client, write, None).await),
                None => return Ok(()),
            },
            // Not in the simulation: they are worked out on a thread of their own, whose time no seed chooses.
            12 if self.crowd.names_revisions => ("a trend", self.trend(client, &deal).await),
            13 if self.crowd.names_revisions => ("a comparison", self.compare(client, &deal).await),
            12..17 => ("a score", self.score(client, &deal).await),
            _ => ("a history", self.list(client, &deal).await),
        };
        if let Err(status) = &answer {
            self.crowd.recorder.refused(what, status);
        }
        answer
    }

    async fn write(
        &mut self,
        client: &Client,
        write: Write,
        expected: Option<u64>,
    ) -> Result<(), Status> {
        let crowd = Arc::clone(&self.crowd);
        let sent = crowd.recorder.sends(&write, expected);
        let twin = write.clone();
        crowd.under_way.lock().unwrap().insert(write.number, twin);
        let answer = write.send_if(client, expected).await;
        let told = answer.as_ref().copied().map_err(Refusal::of);
        match told {
            Ok(Answered { revision, .. }) | Err(Refusal::At(revision)) => {
                crowd.learn(&write.deal, revision);
            }
            Err(Refusal::NothingDone | Refusal::Unknown) => {}
        }
        crowd.recorder.answered(&sent, told);
        crowd.under_way.lock().unwrap().remove(&write.number);
        match told {
            Ok(_) => {
                if let What::Statement = write.what {
                    crowd.standing.lock().unwrap().put(&write);
                }
                if self.dice.below(10) == 0 {
                    crowd.again.lock().unwrap().push(write);
                }
            }
            // Taken up again, so that every such write comes to an end that is known.
            Err(Refusal::Unknown) => crowd.again.lock().unwrap().push(write),
            Err(Refusal::NothingDone | Refusal::At(_)) => {}
        }
        answer.map(|_| ())
    }

    async fn score(&mut self, client: &Client, deal: &str) -> Result<(), Status> {
        let recorder = &self.crowd.recorder;
        let begun = recorder.stamp();
        match client.score_at_least(deal, self.crowd.least(deal)).await {
            Ok(score) => {
                self.crowd.learn(deal, score.revision);
                recorder.scored(deal, begun, Some(&score));
            }
            Err(status) if is_unknown_deal(&status) => recorder.scored(deal, begun, None),
            Err(status) => return Err(status),
        }
        Ok(())
    }

    async fn trend(&mut self, client: &Client, deal: &str) -> Result<(), Status> {
        let knowledge = match self.dice.below(2) {
            0 => pb::Knowledge::Now,
            _ => pb::Knowledge::Then,
        };
        let begun = self.crowd.recorder.stamp();
        let least = self.crowd.least(deal);
        let trend = client.trend(deal, knowledge, least).await;
        self.looked(deal, "a trend", begun, trend.map(|trend| trend.revision))
    }

    async fn compare(&mut self, client: &Client, deal: &str) -> Result<(), Status> {
        let begun = self.crowd.recorder.stamp();
        let least = self.crowd.least(deal);
        let compared = client.compare(deal, least).await;
        let revision = compared.map(|compared| compared.revision);
        self.looked(deal, "a comparison", begun, revision)
    }

    /// Records that an answer showed the deal at a revision.
    fn looked(
        &self,
        deal: &str,
        what: &str,
        begun: Stamp,
        revision: Result<u64, Status>,
    ) -> Result<(), Status> {
        let revision = match revision {
            Err(status) if is_unknown_deal(&status) => 0,
            revision => revision?,
        };
        self.crowd.learn(deal, revision);
        self.crowd.recorder.looked(deal, what, begun, revision);
        Ok(())
    }

    async fn list(&mut self, client: &Client, deal: &str) -> Result<(), Status> {
        let recorder = &self.crowd.recorder;
        let begun = recorder.stamp();
        let history = client.history(deal).await?;
        self.crowd.learn(deal, history.len() as u64);
        recorder.listed(deal, begun, &history);
        Ok(())
    }

    fn next(&mut self, deal: String) -> Write {
        let number = self.crowd.numbers.fetch_add(1, Ordering::SeqCst);
        let mut standing = self.crowd.standing.lock().unwrap();
        let (deal, what) = match self.dice.below(20) {
            0..3 => (deal, What::People(2 + self.dice.below(3))),
            3..5 => (deal, What::Facts),
            5 if !standing.statements.is_empty() => {
                let place = self.dice.below(standing.statements.len() as u64) as usize;
                let (deal, statement) = standing.statements.swap_remove(place);
                (deal, What::Retraction(statement))
            }
            _ => (deal, What::Statement),
        };
        Write { number, deal, what }
    }

    /// Now and then a statement is only to be recorded at the revision that its caller knows of.
    fn expected(&mut self, write: &Write) -> Option<u64> {
        let known = self.crowd.known(&write.deal);
        let asks = matches!(write.what, What::Statement) && self.dice.below(4) == 0;
        asks.then_some(known)
    }

    fn take_again(&mut self) -> Option<Write> {
        let mut again = self.crowd.again.lock().unwrap();
        let count = again.len() as u64;
        (0 < count).then(|| again.swap_remove(self.dice.below(count) as usize))
    }
}
