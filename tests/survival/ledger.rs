//! What was written and what was answered, held against what the service has.

use std::collections::BTreeMap;
use std::collections::HashMap;

use verbatim::domain::deal::Deal;
use verbatim::domain::event::Event;
use verbatim::domain::moment::Moment;
use verbatim::domain::score;
use verbatim::domain::time::Instant;
use verbatim::model_file;
use verbatim::wire;
use verbatim::wire::pb;

use crate::client::AS_OF_SECONDS;
use crate::client::Client;
use crate::write::Answered;
use crate::write::DEALS;
use crate::write::What;
use crate::write::Write;
use crate::write::deal_id;
use crate::write::mark;

/// All writes to one data directory.
#[derive(Default)]
pub struct Ledger {
    writes: Vec<Entry>,
    /// As last seen: what was read once stays.
    histories: BTreeMap<String, Vec<pb::DealEvent>>,
}

/// One write with the revision that its answer named; `None` while it was not acknowledged.
pub struct Entry {
    pub write: Write,
    pub acknowledged: Option<u64>,
}

impl Ledger {
    pub fn extend(&mut self, entries: Vec<Entry>) {
        self.writes.extend(entries);
    }

    pub fn acknowledged(&self) -> usize {
        let acknowledged = self
            .writes
            .iter()
            .filter(|entry| entry.acknowledged.is_some());
        acknowledged.count()
    }

    /// Holds the service against the ledger; then sends again what was not acknowledged. Answers how many of those had
    /// been recorded and how many had not.
    pub async fn check(&mut self, client: &Client) -> (usize, usize) {
        for number in 0..DEALS {
            let deal = deal_id(number);
            let history = client.history(&deal).await.unwrap();
            self.check_history(&deal, &history);
            if !history.is_empty() {
                check_score(&history, &client.score(&deal).await.unwrap());
            }
            self.histories.insert(deal, history);
        }
        self.check_writes();
        self.send_again(client).await
    }

    fn check_history(&self, deal: &str, history: &[pb::DealEvent]) {
        for (event, revision) in history.iter().zip(1..) {
            assert_eq!(event.revision, revision, "{deal}: revisions have a gap");
        }
        let before = self.histories.get(deal).map_or(&[][..], Vec::as_slice);
        assert!(
            history.starts_with(before),
            "{deal}: what was read before is gone"
        );
    }

    fn check_writes(&self) {
        let mut places: HashMap<(&str, String), u64> = HashMap::new();
        for (deal, history) in &self.histories {
            for event in history {
                let mark = mark(event);
                let twin = places.insert((deal, mark.clone()), event.revision);
                assert_eq!(twin, None, "{deal}: {mark} is there twice");
            }
        }
        for entry in &self.writes {
            let Entry {
                write,
                acknowledged,
            } = entry;
            let found: Vec<Option<u64>> = write
                .marks()
                .into_iter()
                .map(|mark| places.remove(&(write.deal.as_str(), mark)))
                .collect();
            let whole = found.first().copied().flatten().is_some_and(|first| {
                found
                    .iter()
                    .copied()
                    .eq((first..).map(Some).take(found.len()))
            });
            let absent = found.iter().all(Option::is_none);
            assert!(whole || absent, "half of {write:?} is there: {found:?}");
            if let Some(revision) = acknowledged {
                assert!(whole, "{write:?} was acknowledged and is gone");
                assert!(found.last().unwrap().unwrap() <= *revision, "{write:?}");
            }
        }
        assert!(places.is_empty(), "nobody wrote {places:?}");
    }

    /// Whether it is in the histories as last seen.
    fn is_there(&self, write: &Write) -> bool {
        let first = &write.marks()[0];
        let history = &self.histories[&write.deal];
        history.iter().any(|event| mark(event) == *first)
    }

    async fn send_again(&mut self, client: &Client) -> (usize, usize) {
        let mut was_there = 0;
        let mut was_not = 0;
        for place in 0..self.writes.len() {
            if self.writes[place].acknowledged.is_some() {
                continue;
            }
            let write = self.writes[place].write.clone();
            let there = self.is_there(&write);
            let Answered { revision, already } = write.send(client).await.unwrap();
            assert!(already.is_none_or(|already| already == there), "{write:?}");
            if let What::People(_) | What::Facts = write.what {
                // All others have fallen silent, so the deal moves only by this write.
                let events = client.history(&write.deal).await.unwrap().len() as u64;
                assert_eq!(revision, events, "{write:?}");
            }
            self.writes[place].acknowledged = Some(revision);
            was_there += usize::from(there);
            was_not += usize::from(!there);
        }
        (was_there, was_not)
    }
}

/// The score that the service folds from its projection and what came after is that of all events, to the last bit.
fn check_score(history: &[pb::DealEvent], told: &pb::DealScore) {
    assert_eq!(told.revision, history.len() as u64, "{}", told.deal_id);
    let refolded = refolded(history).last().copied();
    assert_eq!(Some(told.score.to_bits()), refolded, "{}", told.deal_id);
}

/// The bits of the score after each of these events, at the moment of comparison, folded one by one.
pub fn refolded(history: &[pb::DealEvent]) -> Vec<u64> {
    let as_of = Instant::from_unix(AS_OF_SECONDS, 0).unwrap();
    let mut deal = Deal::default();
    let fold = |event: &pb::DealEvent| {
        let event: Event = wire::event::from_message(event.clone()).unwrap();
        deal.apply(&event);
        let tally = score::tally(&Moment::of(&deal, model_file::default(), as_of));
        tally.score.to_bits()
    };
    history.iter().map(fold).collect()
}
