//! A scan over many keys in pieces, which all cores take in turn.
//!
//! The pieces cover every key there is of the kind, and each key is in one of them: whatever they are cut at, all is
//! read. Cuts are guesses at where equal shares end, so there are many more pieces than cores.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::guard::guarded;
use crate::store::embedded::guard::passed_on;
use crate::store::embedded::keys;

/// The keys from the first on, before the second.
pub type Piece = Range<Vec<u8>>;

const PIECES: u64 = 64;
const THREADS_MAX: usize = 16;

/// Does `work` on each piece, and answers what it made of them, in their order.
///
/// # Errors
///
/// That of the first piece that has one.
pub fn scan<T: Send>(
    pieces: Vec<Piece>,
    work: impl Fn(Piece) -> Result<T, Unreadable> + Sync,
) -> Result<Vec<T>, Unreadable> {
    let next = AtomicUsize::new(0);
    let pieces_taken = || {
        let mut made = Vec::new();
        // Only a count: it orders no other memory.
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            made.push((piece.start.clone(), work(piece.clone())));
        }
        made
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut made = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(THREADS_MAX))
            .map(|_| scope.spawn(|| guarded(pieces_taken)))
            .collect();
        let joined = threads.into_iter().map(|thread| {
            let outcome = thread.join().expect("a guard lets no panic through");
            passed_on(outcome)
        });
        joined.flatten().collect::<Vec<_>>()
    });
    made.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    made.into_iter().map(|(_, made)| made).collect()
}

/// The change feed, cut into about equal spans of the sequence.
pub fn of_changes(facts: &sled::Tree) -> Result<Vec<Piece>, Unreadable> {
    let all = keys::ALL_CHANGES.to_vec()..keys::behind(keys::ALL_CHANGES);
    let Some(last) = facts.range(all.clone()).next_back() else {
        return Ok(vec![all]);
    };
    let last = keys::parse_changes(&last?.0).unwrap_or(u64::MAX);
    let cuts = (1..PIECES).map(|piece| keys::changes(last / PIECES * piece + 1));
    Ok(cut(all, cuts))
}

/// The events, cut between deals.
pub fn of_events(facts: &sled::Tree) -> Result<Vec<Piece>, Unreadable> {
    let all = keys::EVENTS.to_vec()..keys::behind(keys::EVENTS);
    let ends = facts.range(all.clone());
    let mut ends = ends.keys();
    let (Some(first), Some(last)) = (ends.next(), ends.next_back()) else {
        return Ok(vec![all]);
    };
    let (first, last) = (first?, last?);
    let mut cuts = Vec::new();
    for guess in between(&first, &last) {
        let Some(found) = facts.range(guess..all.end.clone()).next() else {
            break;
        };
        // A key that is not one of an event is found by the scan.
        if let Some((deal, _)) = keys::split_event(&found?.0) {
            cuts.push(deal.to_vec());
        }
    }
    Ok(cut(all, cuts.into_iter()))
}

/// Keys at about equal distances between two, by the eight bytes from where those differ.
fn between(first: &[u8], last: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let common = first
        .iter()
        .zip(last)
        .take_while(|(one, other)| one == other)
        .count();
    let number = |key: &[u8]| {
        let mut bytes = [0; 8];
        for (byte, from) in bytes.iter_mut().zip(&key[common..]) {
            *byte = *from;
        }
        u64::from_be_bytes(bytes)
    };
    let (from, to) = (number(first), number(last));
    let share = to.saturating_sub(from) / PIECES;
    let prefix = first[..common].to_vec();
    (1..PIECES).map(move |piece| {
        let mut key = prefix.clone();
        key.extend_from_slice(&(from + share * piece).to_be_bytes());
        key
    })
}

/// `all`, cut where `cuts` say, which are in order.
fn cut(all: Piece, cuts: impl Iterator<Item = Vec<u8>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut from = all.start;
    for cut in cuts {
        if from < cut && cut < all.end {
            pieces.push(std::mem::replace(&mut from, cut.clone())..cut);
        }
    }
    pieces.push(from..all.end);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DealKey;

    /// Each deal with so many events is in one piece, and each key in one.
    fn check(deals: &[(&str, u64)]) -> usize {
        let db = sled::Config::new().temporary(true).open().unwrap();
        let facts = db.open_tree("facts").unwrap();
        for (deal, events) in deals {
            let deal = keys::deal(&DealKey::new("default", deal));
            for revision in 1..=*events {
                facts.insert(keys::event(&deal, revision), b"x").unwrap();
            }
        }
        let read = |piece: Piece| -> Vec<sled::IVec> {
            let keys = facts.range(piece).keys();
            keys.map(Result::unwrap).collect()
        };
        let pieces = of_events(&facts).unwrap();
        let count = pieces.len();
        let by_piece = scan(pieces, |piece| Ok(read(piece))).unwrap();
        let mut begun = Vec::new();
        for keys in &by_piece {
            let mut deals: Vec<_> = keys
                .iter()
                .map(|key| keys::split_event(key).unwrap().0.to_vec())
                .collect();
            deals.dedup();
            begun.extend(deals);
        }
        assert_eq!(begun.len(), deals.len(), "each deal is in one piece");
        let all = read(keys::EVENTS.to_vec()..keys::behind(keys::EVENTS));
        assert_eq!(by_piece.concat(), all);
        count
    }

    #[test]
    fn whatever_deals_are_called_each_is_whole_in_one_piece() {
        assert_eq!(check(&[]), 1);
        check(&[("d", 1)]);
        check(&[("d", 1_000)]);
        check(&[("a", 3), ("aa", 500), ("aaa", 2), ("b", 500), ("z", 1)]);
        check(&[("\u{7f}", 300), ("\u{10ffff}", 300)]);
        let names: Vec<String> = (0..2_000).map(|number| format!("d-{number:06}")).collect();
        let deals: Vec<_> = names.iter().map(|name| (&**name, 2)).collect();
        assert!(check(&deals) > 1, "there is something to share");
    }

    #[test]
    fn the_first_piece_that_fails_is_told_and_a_panic_passed_on() {
        let pieces: Vec<Piece> = (0..9).map(|place| vec![place]..vec![place + 1]).collect();
        let failed = scan(pieces.clone(), |piece| match piece.start[0] {
            place @ (4 | 7) => Err(Unreadable::at(&[place], "broken")),
            place => Ok(place),
        });
        let Err(Unreadable::Broken { place, .. }) = failed else {
            panic!("two pieces are broken");
        };
        assert_eq!(place, keys::place(&[4]));

        let panicked = guarded(|| {
            scan(pieces, |piece| match piece.start[0] {
                5 => panic!("page 5"),
                place => Ok(place),
            })
            .map(|made| made.len())
            .is_ok()
        });
        let said = panicked.unwrap_err();
        assert!(said.starts_with("page 5 (src/"), "{said}");
    }
}
