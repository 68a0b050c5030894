//! What the embedded store does with damaged files: right data or a named error; never a panic, never wrong data.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Projection;
use verbatim::store::Store;
use verbatim::store::embedded::Check;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::OpenError;
use verbatim::store::embedded::Options;

use crate::support::Dice;
use crate::support::copy;
use crate::support::deal;
use crate::support::files;
use crate::support::open;
use crate::support::run;

/// What a store must hold, or say that it cannot.
struct Truth {
    histories: BTreeMap<DealKey, Vec<Vec<u8>>>,
    changes: Vec<Change>,
    projections: Vec<(DealKey, Projection)>,
}

/// A closed store of a few segments, with histories, long events and projections.
fn written_store() -> (TempDir, Truth) {
    let home = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let mut histories: BTreeMap<DealKey, Vec<Vec<u8>>> = BTreeMap::new();
    let mut projections = Vec::new();
    let changes = run(async {
        let store = open(home.path());
        for round in 0..1_500_u64 {
            let key = deal(&format!("deal {}", dice.below(60)));
            let size = if round % 50 == 0 {
                20_480
            } else {
                200 + dice.below(600) as usize
            };
            let events: Vec<Vec<u8>> = (0..=dice.below(2))
                .map(|number| {
                    (0..size)
                        .map(|at| (at as u64 ^ round ^ number) as u8)
                        .collect()
                })
                .collect();
            let history = histories.entry(key.clone()).or_default();
            let expected = history.len() as u64;
            history.extend(events.clone());
            store.append(&key, expected, events).await.unwrap();
            if round % 20 == 0 {
                let bytes = vec![round as u8; 1_500 + dice.below(9_000) as usize];
                let projection = Projection {
                    revision: expected + 1,
                    bytes,
                };
                store.keep_projection(&key, projection.clone());
                projections.push((key, projection));
            }
        }
        let changes = store.changes(0, usize::MAX).await.unwrap();
        store.close().await;
        changes
    });
    (
        home,
        Truth {
            histories,
            changes,
            projections,
        },
    )
}

/// Asserts that an answer is right, or says that it cannot be had.
fn check_answer<T: PartialEq + std::fmt::Debug>(
    answer: Result<T, Error>,
    right: impl FnOnce(&T) -> bool,
    what: &str,
) {
    match answer {
        Ok(answer) => assert!(right(&answer), "{what}: wrong data"),
        Err(Error::Corrupt { place, problem }) => assert!(!place.is_empty() && !problem.is_empty()),
        Err(Error::Fault(_)) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Opens a damaged store and reads all of it. Answers whether it opened.
fn check_damaged(directory: &Path, truth: &Truth, what: &str) -> bool {
    let opened = Embedded::open(directory, Options::default());
    let store = match opened {
        Ok(store) => store,
        Err(refusal) => {
            assert!(
                refusal.to_string().contains(&*directory.to_string_lossy()),
                "{refusal}"
            );
            return false;
        }
    };
    run(async {
        for (key, history) in &truth.histories {
            let right = history.len() as u64;
            check_answer(
                store.revision(key).await,
                |revision| *revision == right,
                what,
            );
            let right = |page: &Vec<_>| page.iter().map(bytes).eq(history);
            check_answer(store.events(key, 0, usize::MAX).await, right, what);
            // Derived, so an older one or none is right as well.
            let right = |found: &Option<Projection>| match found {
                Some(found) => truth.projections.contains(&(key.clone(), found.clone())),
                None => true,
            };
            check_answer(store.projection(key).await, right, what);
        }
        let changes = store.changes(0, usize::MAX).await;
        check_answer(changes, |changes| *changes == truth.changes, what);
        let right = |deals: &Vec<_>| {
            let heads = truth.histories.iter();
            deals
                .iter()
                .cloned()
                .eq(heads.map(|(key, history)| (key.clone(), history.len() as u64)))
        };
        check_answer(store.deals("acme", None, usize::MAX).await, right, what);
    });
    true
}

fn bytes(event: &verbatim::store::StoredEvent) -> &Vec<u8> {
    &event.bytes
}

#[test]
fn a_flipped_byte_anywhere_gives_right_data_or_a_named_error() {
    let (home, truth) = written_store();
    assert!(check_damaged(copy(home.path()).path(), &truth, "undamaged"));

    let mut dice = Dice(20_261_121);
    let mut opened = 0;
    for round in 0..200 {
        let damaged = copy(home.path());
        let files = files(damaged.path());
        // Half of the flips go to the log, which is nearly all of the bytes.
        let log = damaged.path().join("db");
        let file = match dice.below(2) {
            0 => &log,
            _ => &files[dice.below(files.len() as u64) as usize],
        };
        let mut bytes = fs::read(file).unwrap();
        let at = dice.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 + dice.below(255) as u8;
        fs::write(file, &bytes).unwrap();

        let what = format!("flip {round}, byte {at} of {}", file.display());
        opened += usize::from(check_damaged(damaged.path(), &truth, &what));
    }
    // Both outcomes were seen, so the test looked at something.
    assert!(0 < opened && opened < 200, "{opened}");
}

#[test]
fn a_log_cut_off_anywhere_gives_right_data_or_a_named_error() {
    let (home, truth) = written_store();
    let length = fs::metadata(home.path().join("db")).unwrap().len();
    for step in 0..40 {
        let damaged = copy(home.path());
        let log = fs::File::options()
            .write(true)
            .open(damaged.path().join("db"))
            .unwrap();
        let cut = length * step / 40 + step;
        log.set_len(cut).unwrap();
        drop(log);
        check_damaged(damaged.path(), &truth, &format!("cut to {cut}"));
    }
}

#[test]
fn a_lost_log_is_noticed() {
    let (home, truth) = written_store();
    for file in files(home.path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name == "db" || name.starts_with("snap") {
            fs::remove_file(file).unwrap();
        }
    }
    let refusal = Embedded::open(home.path(), Options::default())
        .err()
        .unwrap();
    let acknowledged = truth.changes.len() as u64;
    let named =
        matches!(refusal, OpenError::Tail { expected, found: 0, .. } if expected == acknowledged);
    assert!(named, "{refusal}");
}

#[test]
fn a_watermark_ahead_of_the_log_is_noticed_and_a_loss_can_be_accepted() {
    let older = tempfile::tempdir().unwrap();
    let key = deal("d");
    run(async {
        let store = open(older.path());
        store.append(&key, 0, vec![b"one".to_vec()]).await.unwrap();
        store.keep_projection(
            &key,
            Projection {
                revision: 1,
                bytes: b"of one".to_vec(),
            },
        );
        store.close().await;
        let newer = copy(older.path());
        let store = open(newer.path());
        store.append(&key, 1, vec![b"two".to_vec()]).await.unwrap();
        store.close().await;
        fs::copy(
            newer.path().join("watermark"),
            older.path().join("watermark"),
        )
        .unwrap();
    });

    let refusal = Embedded::open(older.path(), Options::default())
        .err()
        .unwrap();
    assert!(
        matches!(
            refusal,
            OpenError::Tail {
                expected: 2,
                found: 1,
                ..
            }
        ),
        "{refusal}"
    );

    fs::remove_file(older.path().join("watermark")).unwrap();
    let store = open(older.path());
    assert_eq!(run(store.revision(&key)), Ok(1));
    assert_eq!(run(store.projection(&key)), Ok(None));
}

#[test]
fn one_slot_of_the_watermark_is_enough_and_none_is_refused() {
    let (home, truth) = written_store();
    let path = home.path().join("watermark");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(check_damaged(copy(home.path()).path(), &truth, "one slot"));

    bytes[4096 + 5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refusal = Embedded::open(home.path(), Options::default())
        .err()
        .unwrap();
    assert!(refusal.to_string().contains("watermark"), "{refusal}");
}

/// Damages a closed store behind its back, as a fault in sled would.
fn tamper(directory: &Path, with: impl FnOnce(&sled::Tree, Vec<sled::IVec>)) {
    let db = sled::Config::new().path(directory).open().unwrap();
    let facts = db.open_tree("facts").unwrap();
    let keys = facts.iter().keys().map(Result::unwrap).collect();
    with(&facts, keys);
    db.flush().unwrap();
}

/// Asserts that a store whose events `with` damages is refused, and that what is whole can be rescued from it.
#[track_caller]
fn check_rescue(
    with: impl FnOnce(&sled::Tree, Vec<sled::IVec>),
    expected_place: &str,
    expected_problem: &str,
) {
    let home = tempfile::tempdir().unwrap();
    run(async {
        let store = open(home.path());
        // Keys: 0 is the change feed's first group, 1 its second, then three events of `bad`, the last in 6 parts.
        let bad = vec![b"one".to_vec(), b"two".to_vec(), vec![5; 20_480]];
        store.append(&deal("bad"), 0, bad).await.unwrap();
        let good = vec![b"good".to_vec()];
        store.append(&deal("good"), 0, good).await.unwrap();
        store.close().await;
    });
    tamper(home.path(), with);

    let refusal = Embedded::open(home.path(), Options::default()).err();
    let refusal = refusal.unwrap().to_string();
    assert!(refusal.contains("acme/bad"), "{refusal}");

    let options = Options {
        check: Check::Tail,
        ..Options::default()
    };
    let store = Embedded::open(home.path(), options).unwrap();
    let expected = Error::Corrupt {
        place: expected_place.to_owned(),
        problem: expected_problem.to_owned(),
    };
    run(async {
        assert_eq!(store.events(&deal("bad"), 0, 9).await, Err(expected));
        let good = store.events(&deal("good"), 0, 1).await.unwrap();
        assert_eq!(good[0].bytes, b"good");
        assert_eq!(store.fault(), None);
    });
}

#[test]
fn a_hole_in_a_history_is_noticed() {
    check_rescue(
        |facts, keys| {
            facts.remove(&keys[3]).unwrap();
        },
        "acme/bad@2",
        "the event is missing",
    );
}

#[test]
fn a_missing_part_of_a_long_event_is_noticed() {
    check_rescue(
        |facts, keys| {
            facts.remove(&keys[6]).unwrap();
        },
        "acme/bad@3",
        "part 2 of 6 is missing",
    );
}

#[test]
fn a_changed_value_is_noticed() {
    check_rescue(
        |facts, keys| {
            let mut value = facts.get(&keys[2]).unwrap().unwrap().to_vec();
            *value.last_mut().unwrap() ^= 1;
            facts.insert(&keys[2], value).unwrap();
        },
        "acme/bad@1",
        "the checksum does not fit",
    );
}

#[test]
fn a_value_at_another_key_is_noticed() {
    check_rescue(
        |facts, keys| {
            let value = facts.get(&keys[2]).unwrap().unwrap();
            facts.insert(&keys[3], value).unwrap();
        },
        "acme/bad@2",
        "the checksum does not fit",
    );
}
