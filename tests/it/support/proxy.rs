//! A way to a database that breaks when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// What the way does with the next commit that goes over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Let it through.
    None,
    /// Break before the database hears of it.
    Before,
    /// Break once the database has answered, and keep the answer back.
    After,
}

/// A listener that forwards to a database.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    next: Mutex<Cut>,
    commits: AtomicU64,
    connections: AtomicU64,
}

impl Proxy {
    /// Listens on a free port, and forwards to `host:port`.
    pub async fn to(target: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            next: Mutex::new(Cut::None),
            commits: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let (target, of_task) = (target.to_owned(), Arc::clone(&shared));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                of_task.connections.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(forward(client, server, Arc::clone(&of_task)));
            }
        });
        Proxy { address, shared }
    }

    pub fn cut_next_commit(&self, cut: Cut) {
        *self.shared.next.lock().unwrap() = cut;
    }

    /// Connections that were made over it.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Commits that reached the database.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::SeqCst)
    }
}

/// Hands bytes on both ways until one side closes, or a commit is cut; an error is a connection that closed.
async fn forward(mut client: TcpStream, mut server: TcpStream, shared: Arc<Shared>) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let bytes = match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => &from_client[..count],
                };
                let is_commit = bytes.windows(7).any(|window| window == b"COMMIT\0");
                let cut = match is_commit {
                    true => std::mem::replace(&mut *shared.next.lock().unwrap(), Cut::None),
                    false => Cut::None,
                };
                if cut == Cut::Before || server.write_all(bytes).await.is_err() {
                    return;
                }
                if is_commit {
                    shared.commits.fetch_add(1, Ordering::SeqCst);
                }
                if cut == Cut::After {
                    return answered(&mut server).await;
                }
            }
            read = server.read(&mut from_server) => {
                let bytes = match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => &from_server[..count],
                };
                if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits for the words in which the database says that a commit was done.
async fn answered(server: &mut TcpStream) {
    let mut said = Vec::new();
    while !said.windows(7).any(|window| window == b"COMMIT\0") {
        if server.read_buf(&mut said).await.unwrap_or(0) == 0 {
            return;
        }
    }
}
