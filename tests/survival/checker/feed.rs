//! What watchers were told: each change once, in the one order over all deals, nothing left out from where they began.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::checker::Fault;
use crate::checker::Kind;
use crate::checker::Stamp;
use crate::checker::Step;
use crate::checker::check_moments;

/// One place in the order over all deals.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub deal: String,
    pub revision: u64,
    /// Tells it from all others: deal, revision, numbers, and for what time alone did the day.
    pub key: String,
    /// Whether something was recorded; else time passed.
    pub recorded: bool,
}

/// Where a watcher began.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    Beginning,
    /// At what there was when it was greeted.
    Now {
        greeted: Stamp,
    },
}

/// All that one watcher was told, over however many streams, each resumed behind the last item.
#[derive(Clone, Debug)]
pub struct Watched {
    pub by: String,
    /// Only of these deals; empty: of all.
    pub deals: Vec<String>,
    pub start: Start,
    /// Up to the end.
    pub keys: Vec<String>,
}

/// Holds the order over all deals against the steps of each: every step is in it once, and moments can be found.
pub fn check_order(order: &[Item], steps: &BTreeMap<String, Vec<Step>>) -> Result<(), Fault> {
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    let mut in_order: Vec<&Step> = Vec::new();
    for item in order.iter().filter(|item| item.recorded) {
        let place = next.entry(&item.deal).or_default();
        let step = steps.get(&item.deal).and_then(|steps| steps.get(*place));
        match step {
            Some(step) if step.revision == item.revision => in_order.push(step),
            Some(step) if step.revision < item.revision => {
                let what = format!("the order has {} where {} comes", item.key, step.name);
                return Err(Kind::Skipped.fault(what));
            }
            _ => {
                let what = format!(
                    "the order has {}, which is no step of the deal now",
                    item.key
                );
                return Err(Kind::NeverThere.fault(what));
            }
        }
        *place += 1;
    }
    for (deal, steps) in steps {
        let told = next.get(deal.as_str()).copied().unwrap_or_default();
        if let Some(step) = steps.get(told) {
            return Err(Kind::Skipped.fault(format!("{deal}: the order lacks {}", step.name)));
        }
    }
    // As writers see it: a deal shows a write to its readers a little after it came into this order.
    let moments = in_order
        .iter()
        .map(|step| (step.name.as_str(), &step.written));
    check_moments(moments)
}

/// Holds what a watcher was told against the order.
pub fn check_feed(
    order: &[Item],
    steps: &BTreeMap<String, Vec<Step>>,
    watched: &Watched,
) -> Result<(), Fault> {
    let by = &watched.by;
    let wanted = |item: &&Item| watched.deals.is_empty() || watched.deals.contains(&item.deal);
    let order: Vec<&Item> = order.iter().filter(wanted).collect();
    let places: HashMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(place, item)| (item.key.as_str(), place))
        .collect();
    let mut expected: Option<usize> = None;
    for key in &watched.keys {
        let Some(place) = places.get(key.as_str()).copied() else {
            return Err(Kind::NeverThere.fault(format!("{by} was told {key}")));
        };
        match expected {
            None => check_start(&order[..place], steps, watched)?,
            Some(expected) if expected == place => {}
            Some(expected) if expected < place => {
                let left_out = &order[expected].key;
                return Err(Kind::Skipped.fault(format!("{by} was told {key} and not {left_out}")));
            }
            Some(_) if watched.keys.iter().filter(|told| *told == key).count() == 1 => {
                return Err(Kind::Disordered.fault(format!("{by} was told {key} late")));
            }
            Some(_) => return Err(Kind::Repeated.fault(format!("{by} was told {key} again"))),
        }
        expected = Some(place + 1);
    }
    match expected.map(|expected| order.get(expected)) {
        None => check_start(&order, steps, watched),
        Some(None) => Ok(()),
        Some(Some(item)) => Err(Kind::Skipped.fault(format!("{by} was never told {}", item.key))),
    }
}

/// What a watcher was not told in the beginning was there before it was greeted.
fn check_start(
    before: &[&Item],
    steps: &BTreeMap<String, Vec<Step>>,
    watched: &Watched,
) -> Result<(), Fault> {
    let by = &watched.by;
    let Start::Now { greeted } = watched.start else {
        return match before.first() {
            Some(item) => Err(Kind::Skipped.fault(format!("{by} was not told {}", item.key))),
            None => Ok(()),
        };
    };
    for item in before.iter().filter(|item| item.recorded) {
        let step = steps[&item.deal]
            .iter()
            .find(|step| step.revision == item.revision);
        let step = step.expect("the order was held against the steps");
        if greeted < step.written.not_before.at {
            let what = format!("{by} was greeted at {greeted} and not told {}", item.key);
            return Err(Kind::Skipped.fault(what));
        }
    }
    Ok(())
}
