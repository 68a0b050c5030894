//! The checker against a search through all orders of the calls of small histories.

use proptest::prelude::*;

use crate::checker::Asked;
use crate::checker::Stamp;
use crate::checker::check_deal;
use crate::checker::histories::done;
use crate::checker::histories::letters;
use crate::checker::histories::read;
use crate::checker::histories::write;

/// One call of a small history.
#[derive(Clone, Debug)]
enum Call {
    /// The `n`th event of the history, or of none when it is not there.
    Append(usize),
    Read(u64),
}

/// Calls with their begins and ends, all different, in a random order.
fn calls() -> impl Strategy<Value = (usize, Vec<(Stamp, Stamp, Call)>)> {
    (1..4_usize, prop::collection::vec(0..4_u64, 0..4)).prop_flat_map(|(appends, reads)| {
        let calls: Vec<Call> = (0..appends)
            .map(Call::Append)
            .chain(
                reads
                    .into_iter()
                    .map(move |read| Call::Read(read.min(appends as u64))),
            )
            .collect();
        let stamps: Vec<Stamp> = (1..=2 * calls.len() as Stamp).collect();
        Just(stamps).prop_shuffle().prop_map(move |stamps| {
            let pairs = stamps.chunks(2).zip(calls.clone());
            let calls =
                pairs.map(|(pair, call)| (pair[0].min(pair[1]), pair[0].max(pair[1]), call));
            (appends, calls.collect())
        })
    })
}

/// Whether some order of the calls, none before one that ended before it began, gives these answers: by trying all.
fn is_explained(state: u64, left: &[(Stamp, Stamp, Call)]) -> bool {
    if left.is_empty() {
        return true;
    }
    left.iter().enumerate().any(|(place, (begun, _, call))| {
        let must_wait = left.iter().any(|(_, ended, _)| ended < begun);
        let next = match call {
            Call::Append(number) => (*number as u64 == state).then_some(state + 1),
            Call::Read(revision) => (*revision == state).then_some(state),
        };
        let mut rest = left.to_vec();
        rest.remove(place);
        !must_wait && next.is_some_and(|next| is_explained(next, &rest))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_checker_says_what_a_search_through_all_orders_says((appends, calls) in calls()) {
        let log = &"abc"[..appends];
        let mut asked = Asked::default();
        for (begun, ended, call) in &calls {
            match call {
                // The answer of a write of facts tells its own revision, and nothing of what came before.
                Call::Append(number) => asked.writes.push(write(
                    &log[*number..=*number],
                    &[done(*begun, *ended, *number as u64 + 1, None)],
                )),
                Call::Read(revision) => asked.seen.push(read(*begun, *ended, *revision)),
            }
        }
        let found = check_deal("d", &asked, &letters(log));
        prop_assert_eq!(found.is_ok(), is_explained(0, &calls), "{:?}", found);
    }
}
