//! On a nearly full disk writes are refused and reads go on; both health and writes come back with the space.

use futures_util::FutureExt;
use tonic::Code;
use tonic_types::StatusExt;

use crate::disk::serve_on;
use crate::support::StagedDisk;
use crate::write::What;
use crate::write::Write;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_until_there_is_space_and_reads_go_on() {
    let home = tempfile::tempdir().unwrap();
    let disk = StagedDisk::new();
    let (mut server, client) = serve_on(home.path(), disk.clone()).await;
    let write = |number| Write {
        number,
        deal: "deal-0".into(),
        what: What::Statement,
    };
    write(1).send(&client).await.unwrap();
    client.wait_for_health(true).await;
    let before = client.answers("deal-0").await;

    // Twice, since what heals once must heal again.
    for number in [2, 3] {
        disk.set_free_bytes(1);
        let refusal = write(number).send(&client).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unavailable);
        assert_eq!(
            refusal.message(),
            "the store refuses writes since its disk is full; nothing was done"
        );
        let details = refusal.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "STORE_FAULT");
        assert!(details.retry_info().is_some());
        client.wait_for_health(false).await;
        if number == 2 {
            assert_eq!(client.answers("deal-0").await, before);
        }
        // Nothing that a restart would mend, so the process has no reason to end.
        assert_eq!(server.ended().now_or_never(), None);

        disk.set_free_bytes(u64::MAX);
        client.wait_for_health(true).await;
        let answered = write(number).send(&client).await.unwrap();
        assert_eq!(answered.revision, number);
        assert_eq!(answered.already, Some(false));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_at_the_start_is_told_by_health() {
    let home = tempfile::tempdir().unwrap();
    let disk = StagedDisk::new();
    disk.set_free_bytes(1);
    let (server, client) = serve_on(home.path(), disk.clone()).await;
    client.wait_for_health(false).await;
    disk.set_free_bytes(u64::MAX);
    client.wait_for_health(true).await;
    server.stop().await;
}
