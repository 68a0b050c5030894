//! What the embedded store promises beyond the contract: durability, faults, limits.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::time::timeout;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Projection;
use verbatim::store::Store;
use verbatim::store::embedded::Disk;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::OpenError;
use verbatim::store::embedded::Options;

use crate::store::check_history;
use crate::support::StagedDisk;
use crate::support::deal;
use crate::support::events;
use crate::support::open;
use crate::support::open_on;
use crate::support::pends;
use crate::support::run;
use crate::support::step;

async fn append(store: &Embedded, id: &str) -> Result<u64, Error> {
    let key = deal(id);
    let revision = store.revision(&key).await?;
    store.append(&key, revision, events(&key, 1)).await
}

fn refusal(opened: Result<Embedded, OpenError>) -> OpenError {
    match opened {
        Ok(_) => panic!("the store opened"),
        Err(refusal) => refusal,
    }
}

#[test]
fn a_closed_store_opens_again_with_everything() {
    let home = tempfile::tempdir().unwrap();
    let kept = Projection {
        revision: 5,
        bytes: vec![9; 30_000],
    };
    let mut written = events(&deal("d"), 5);
    written[2] = vec![3; 20_480];
    run(async {
        let store = open(home.path());
        store.append(&deal("d"), 0, written.clone()).await.unwrap();
        store.keep_projection(&deal("d"), kept.clone());
        for _ in 0..20 {
            append(&store, "e").await.unwrap();
        }
        let told = store.changes(0, 100).await;
        store.close().await;

        let again = open(home.path());
        check_history(&again, &deal("d"), &written).await;
        assert_eq!(again.projection(&deal("d")).await, Ok(Some(kept)));
        assert_eq!(again.changes(0, 100).await, told);
        assert_eq!(
            again.deals("acme", None, 10).await,
            Ok(vec![(deal("d"), 5), (deal("e"), 20)])
        );
        assert_eq!(append(&again, "e").await, Ok(21));
        assert_eq!(again.changes(21, 100).await.unwrap()[0].sequence, 22);
    });
}

#[test]
fn a_dropped_store_opens_again_with_all_that_was_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    run(async {
        for round in 1..=5 {
            let store = open(home.path());
            assert_eq!(append(&store, "d").await, Ok(round));
        }
    });
}

#[test]
fn a_second_store_in_the_directory_is_refused_with_its_holder() {
    let home = tempfile::tempdir().unwrap();
    let first = open(home.path());
    let refusal = refusal(Embedded::open(home.path(), Options::default()));
    assert!(matches!(refusal, OpenError::Held { .. }), "{refusal}");
    let text = refusal.to_string();
    assert!(text.contains(&*home.path().to_string_lossy()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");

    assert_eq!(run(append(&first, "d")), Ok(1));
    drop(first);
    open(home.path());
}

#[test]
fn no_append_is_acknowledged_before_a_sync() {
    let disk = StagedDisk::new();
    let (_home, store) = open_on(&disk);
    run(async {
        for revision in 1..=20 {
            let before = disk.syncs();
            assert_eq!(append(&store, "d").await, Ok(revision));
            assert!(before < disk.syncs());
        }
    });
}

#[test]
fn nothing_is_read_before_it_is_durable() {
    let disk = StagedDisk::new();
    let (_home, store) = open_on(&disk);
    run(async {
        append(&store, "d").await.unwrap();
        let told = store.changes(0, 10).await;
        let _shut = disk.shut();
        let key = deal("d");
        let mut waits = store.append(&key, 1, events(&key, 2));
        assert!(pends(&mut waits));
        let other = deal("e");
        disk.wait_for_sync();

        check_history(&store, &key, &events(&key, 1)).await;
        check_history(&store, &other, &[]).await;
        assert_eq!(store.changes(0, 10).await, told);
        assert_eq!(
            store.deals("acme", None, 10).await,
            Ok(vec![(key.clone(), 1)])
        );

        disk.lift();
        assert_eq!(waits.await, Ok(3));
        assert_eq!(store.revision(&key).await, Ok(3));
        assert_eq!(store.changes(1, 10).await.unwrap().len(), 1);
    });
}

#[test]
fn an_append_too_many_is_refused_at_once() {
    let disk = StagedDisk::new();
    let (_home, store) = open_on(&disk);
    run(async {
        let keys: Vec<_> = (0..20).map(|number| deal(&number.to_string())).collect();
        let _shut = disk.shut();
        let mut waiting = Vec::new();
        let mut refused = None;
        // Some leave the queue until the writer waits for the disk; then two wait and one more is refused.
        for key in &keys {
            let mut append = store.append(key, 0, events(key, 1));
            if let Poll::Ready(answer) = step(&mut append) {
                refused = Some(answer);
                break;
            }
            waiting.push(append);
        }
        assert_eq!(refused, Some(Err(Error::Busy { waiting: 2 })));

        disk.lift();
        let answers = futures_util::future::join_all(waiting).await;
        assert!(answers.iter().all(|answer| *answer == Ok(1)), "{answers:?}");
        assert_eq!(append(&store, "e").await, Ok(1));
    });
}

#[test]
fn appends_that_wait_together_share_a_sync() {
    let disk = StagedDisk::new();
    let home = tempfile::tempdir().unwrap();
    let options = Options {
        disk: Arc::clone(&disk) as Arc<dyn Disk>,
        ..Options::default()
    };
    let store = Embedded::open(home.path(), options).unwrap();
    run(async {
        let keys: Vec<_> = (0..300).map(|number| deal(&number.to_string())).collect();
        let before = disk.syncs();
        let _shut = disk.shut();
        let all = keys.iter().map(|key| store.append(key, 0, events(key, 1)));
        let all = futures_util::future::join_all(all);
        tokio::pin!(all);
        assert!(pends(&mut all));
        disk.wait_for_sync();
        disk.lift();
        assert!(all.await.iter().all(|answer| *answer == Ok(1)));
        // Those the writer took before the disk held it up, and all the rest.
        assert!(disk.syncs() <= before + 2, "{}", disk.syncs() - before);
    });
}

#[test]
fn a_failed_sync_leaves_the_outcome_unknown_and_the_store_read_only() {
    for nth in 1..=4 {
        let disk = StagedDisk::new();
        let (home, store) = open_on(&disk);
        run(async {
            disk.fail_sync(nth);
            for revision in 1..nth {
                assert_eq!(append(&store, "d").await, Ok(revision));
            }
            let unknown = append(&store, "d").await.unwrap_err();
            assert!(
                matches!(&unknown, Error::Unknown(why) if why.contains("on fire")),
                "{unknown}"
            );

            let key = deal("d");
            let refused = append(&store, "e").await.unwrap_err();
            assert!(
                matches!(&refused, Error::Fault(why) if why.contains("on fire")),
                "{refused}"
            );
            let lasting = store.fault();
            assert!(
                matches!(&lasting, Some(Fault::Lasting(why)) if why.contains("on fire")),
                "{lasting:?}"
            );
            check_history(
                &store,
                &key,
                &vec![events(&key, 1).remove(0); nth as usize - 1],
            )
            .await;
            store.close().await;

            let again = open(home.path());
            assert_eq!(again.fault(), None);
            let revision = again.revision(&key).await.unwrap();
            assert!(nth - 1 <= revision && revision <= nth, "{revision}");
            assert_eq!(append(&again, "d").await, Ok(revision + 1));
        });
    }
}

#[test]
fn all_who_wait_at_a_failed_sync_are_told() {
    let disk = StagedDisk::new();
    let (_home, store) = open_on(&disk);
    run(async {
        let keys = ["a", "b", "c"].map(deal);
        let _shut = disk.shut();
        let mut first = store.append(&keys[0], 0, events(&keys[0], 1));
        assert!(pends(&mut first));
        disk.wait_for_sync();
        disk.fail_sync(2);
        let rest = keys[1..]
            .iter()
            .map(|key| store.append(key, 0, events(key, 1)));
        let rest = futures_util::future::join_all(rest);
        tokio::pin!(rest);
        assert!(pends(&mut rest));
        disk.lift();
        assert_eq!(first.await, Ok(1));
        for answer in rest.await {
            assert!(matches!(answer, Err(Error::Unknown(_))), "{answer:?}");
        }
    });
}

#[test]
fn a_full_disk_refuses_before_writing_and_heals() {
    let disk = StagedDisk::new();
    let (_home, store) = open_on(&disk);
    run(async {
        assert_eq!(append(&store, "d").await, Ok(1));
        let free_bytes_min = Options::default().free_bytes_min;
        let syncs = disk.syncs();
        disk.set_free_bytes(free_bytes_min - 1);
        let full = Error::Full {
            free_bytes: free_bytes_min - 1,
            free_bytes_min,
        };
        assert_eq!(append(&store, "d").await, Err(full.clone()));
        assert_eq!(store.fault(), Some(Fault::Passing(full.to_string())));
        assert_eq!(disk.syncs(), syncs);

        disk.set_free_bytes(free_bytes_min);
        assert_eq!(store.fault(), None);
        assert_eq!(append(&store, "d").await, Ok(2));
    });
}

#[test]
fn close_writes_what_waits() {
    let disk = StagedDisk::new();
    let (home, store) = open_on(&disk);
    run(async {
        let keys = ["a", "b", "c"].map(deal);
        let kept = Projection {
            revision: 1,
            bytes: b"kept".to_vec(),
        };
        let _shut = disk.shut();
        let mut first = store.append(&keys[0], 0, events(&keys[0], 1));
        assert!(pends(&mut first));
        disk.wait_for_sync();
        let mut second = store.append(&keys[1], 0, events(&keys[1], 1));
        assert!(pends(&mut second));
        store.keep_projection(&keys[0], kept.clone());

        let close = store.close();
        tokio::pin!(close);
        assert!(pends(&mut close));
        let late = store.append(&keys[2], 0, events(&keys[2], 1)).await;
        assert_eq!(late, Err(Error::Closed));
        disk.lift();
        close.await;
        assert_eq!((first.await, second.await), (Ok(1), Ok(1)));

        let again = open(home.path());
        check_history(&again, &keys[1], &events(&keys[1], 1)).await;
        assert_eq!(again.projection(&keys[0]).await, Ok(Some(kept)));
    });
}

/// A disk that is slow to tell what is free.
struct Pensive {
    asked: Sender<()>,
    may_tell: Mutex<Receiver<()>>,
}

impl Disk for Pensive {
    fn sync(&self, log: &File) -> io::Result<()> {
        log.sync_data()
    }

    fn free_bytes(&self, _log: &File) -> io::Result<u64> {
        let _ = self.asked.send(());
        let _ = self.may_tell.lock().unwrap().recv();
        Ok(u64::MAX)
    }
}

#[test]
fn a_closed_store_has_left_its_directory_although_it_was_being_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let (asked, is_asked) = channel();
    let (tell, may_tell) = channel();
    let options = Options {
        disk: Arc::new(Pensive {
            asked,
            may_tell: Mutex::new(may_tell),
        }),
        ..Options::default()
    };
    let store = Embedded::open(home.path(), options).unwrap();
    thread::scope(|scope| {
        let looks = scope.spawn(|| store.fault());
        is_asked.recv().unwrap();
        run(async {
            let close = store.close();
            tokio::pin!(close);
            // Long enough for the writer to end, and nothing else is waited for.
            let early = timeout(Duration::from_millis(100), &mut close).await;
            assert!(early.is_err());
            // As good as an answer, to a disk that waits for one.
            drop(tell);
            close.await;
            drop(open(home.path()));
        });
        assert_eq!(looks.join().unwrap(), None);
    });
}

#[test]
fn an_older_projection_wins_neither_while_it_waits_nor_later() {
    let disk = StagedDisk::new();
    let (home, store) = open_on(&disk);
    let key = deal("d");
    let [older, newer] = [1, 2].map(|revision| Projection {
        revision,
        bytes: vec![revision as u8; 9_000],
    });
    run(async {
        store.append(&key, 0, events(&key, 2)).await.unwrap();
        let _shut = disk.shut();
        let mut append = store.append(&key, 2, events(&key, 1));
        assert!(pends(&mut append));
        disk.wait_for_sync();
        store.keep_projection(&key, newer.clone());
        store.keep_projection(&key, older.clone());
        assert_eq!(store.projection(&key).await, Ok(Some(newer.clone())));
        disk.lift();
        store.close().await;

        for _ in 0..2 {
            let again = open(home.path());
            assert_eq!(again.projection(&key).await, Ok(Some(newer.clone())));
            again.keep_projection(&key, older.clone());
            assert_eq!(again.projection(&key).await, Ok(Some(newer.clone())));
            again.close().await;
        }
    });
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let home = tempfile::tempdir().unwrap();
    drop(open(home.path()));
    std::fs::write(home.path().join("format"), "verbatim-store 2\n").unwrap();
    let before = std::fs::read(home.path().join("db")).unwrap();
    let refusal = refusal(Embedded::open(home.path(), Options::default()));
    assert!(
        matches!(
            refusal,
            OpenError::Newer {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{refusal}"
    );
    assert_eq!(std::fs::read(home.path().join("db")).unwrap(), before);
}

#[test]
fn a_directory_of_something_else_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("db"), "something else").unwrap();
    let refusal = refusal(Embedded::open(home.path(), Options::default()));
    assert!(matches!(refusal, OpenError::Foreign { .. }), "{refusal}");
}

#[test]
fn writers_on_many_threads_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = Arc::new(open(home.path()));
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                run(async {
                    for _ in 0..50 {
                        append(&store, &format!("deal {number}")).await.unwrap();
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    run(store.close());

    let again = open(home.path());
    run(async {
        assert_eq!(again.changes(0, 1_000).await.unwrap().len(), 400);
        for number in 0..8 {
            assert_eq!(
                again.revision(&deal(&format!("deal {number}"))).await,
                Ok(50)
            );
        }
    });
}
