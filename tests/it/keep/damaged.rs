//! Archives with bytes flipped or cut: each damage is told, with its place, and nothing wrong is handed out.

use std::sync::Arc;

use proptest::prelude::*;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::archive::Append;
use verbatim::store::archive::Packer;
use verbatim::store::archive::Reader;
use verbatim::store::archive::Unreadable;
use verbatim::store::memory::Memory;

use super::archive;
use super::read;
use super::write_much;
use crate::streams::Stage;
use crate::support::Dice;
use crate::support::run;

/// Flips, and as many cuts.
const ROUNDS: u64 = 600;

fn written() -> Vec<u8> {
    run(async {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        write_much(&Stage::on(Arc::clone(&store)), 9, 700).await;
        archive(&store).await
    })
}

/// The words for damage name a place, or say that this is no archive of ours.
fn check_named(outcome: Result<u64, Unreadable>, what: &str) {
    match outcome {
        Ok(appends) => panic!("{what}: passed with {appends} appends"),
        Err(Unreadable::Foreign) => {}
        Err(Unreadable::CutOff { place } | Unreadable::Broken { place, .. }) => {
            assert!(place.starts_with("byte "), "{what}: {place}");
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[test]
fn any_flip_and_any_cut_is_told() {
    let archive = written();
    assert_eq!(read(&archive).unwrap(), 700);
    let mut dice = Dice(10);
    for round in 0..ROUNDS {
        let at = dice.below(archive.len() as u64) as usize;
        let mut flipped = archive.clone();
        flipped[at] ^= 1 << dice.below(8);
        check_named(read(&flipped), &format!("round {round}: a flip at {at}"));
        check_named(read(&archive[..at]), &format!("round {round}: cut at {at}"));
    }
    let mut longer = archive.clone();
    longer.push(0);
    check_named(read(&longer), "a byte more");
}

#[test]
fn a_piece_that_is_gone_or_twice_there_is_told() {
    let archive = written();
    // Where the pieces begin: behind the preamble, each as long as its head says.
    let mut starts = vec![22];
    while let Some(head) = archive
        .get(starts[starts.len() - 1]..)
        .filter(|rest| 13 < rest.len())
    {
        let length = u32::from_be_bytes(head[5..9].try_into().unwrap());
        starts.push(starts[starts.len() - 1] + 13 + length as usize);
    }
    assert_eq!(starts.len(), 4, "two blocks and the end: {starts:?}");
    let (first, second, end) = (starts[0], starts[1], starts[2]);
    check_named(
        read(&[&archive[..first], &archive[second..]].concat()),
        "no first",
    );
    check_named(
        read(&[&archive[..second], &archive[end..]].concat()),
        "no last",
    );
    check_named(
        read(&[&archive[..second], &archive[first..]].concat()),
        "the first twice",
    );
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let (packer, mut bytes) = Packer::begin(0);
    bytes.extend(packer.end().0);
    assert_eq!(read(&bytes).unwrap(), 0);
    bytes[8..10].copy_from_slice(&2_u16.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..18]);
    bytes[18..22].copy_from_slice(&crc.to_be_bytes());
    let refused = read(&bytes).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the archive has format 2, this build reads up to 1"
    );
    assert!(matches!(
        read(b"PK something else"),
        Err(Unreadable::Foreign)
    ));
    assert!(matches!(read(b""), Err(Unreadable::Foreign)));
}

fn appends() -> impl Strategy<Value = Vec<Append>> {
    let event = prop::collection::vec(any::<u8>(), 0..300);
    let one = (
        "[a-z]{1,5}",
        "[a-z ]{1,9}",
        prop::collection::vec(event, 1..5),
        0_u64..9,
    );
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let appends = all.into_iter().zip(1..);
        let appends = appends.map(|((tenant, deal, events, before), sequence)| Append {
            change: Change {
                sequence,
                deal: DealKey::new(&tenant, &deal),
                revision: before + events.len() as u64,
                events: events.len() as u32,
            },
            events,
        });
        appends.collect()
    })
}

fn pack(appends: &[Append]) -> Vec<u8> {
    let (mut packer, mut bytes) = Packer::begin(appends.len() as u64);
    for append in appends {
        if packer.put(append) {
            bytes.extend(packer.pack());
        }
    }
    bytes.extend(packer.end().0);
    bytes
}

proptest! {
    #[test]
    fn appends_are_read_as_they_were_packed(appends in appends()) {
        let bytes = pack(&appends);
        let mut reader = Reader::open(&bytes[..]).unwrap();
        let mut found = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            found.extend(block);
        }
        prop_assert_eq!(found, appends);
    }

    #[test]
    fn a_changed_byte_never_passes(
        appends in appends(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut bytes = pack(&appends);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(read(&bytes).is_err());
    }
}
