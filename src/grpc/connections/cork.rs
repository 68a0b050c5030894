//! What a connection writes, held back until its task sends it.
//!
//! HTTP/2 hands each answer of more than some hundred bytes to the socket by itself. To send many in one go, what is
//! written waits here, and flushing does nothing: the task that owns the connection calls [`Cork::poll_send`] once it has
//! written all there is.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// More than this is not held: it is sent before more is taken.
const HELD_BYTES_MAX: usize = 64 << 10;

/// How long a peer may take to end a connection that was ended here.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Room for some answers, so that it need not grow with each.
const HELD_BYTES_MIN: usize = 16 << 10;

/// A socket and what waits to be sent on it. Clones share it.
#[derive(Clone)]
pub struct Cork(Arc<Mutex<Corked>>);

struct Corked {
    stream: TcpStream,
    held: Vec<u8>,
    /// Of those held.
    sent: usize,
}

impl Cork {
    pub fn new(stream: TcpStream) -> Cork {
        Cork(Arc::new(Mutex::new(Corked {
            stream,
            held: Vec::new(),
            sent: 0,
        })))
    }

    /// Whether anything waits to be sent.
    pub fn holds_any(&self) -> bool {
        !self.corked().held.is_empty()
    }

    /// Sends all that waits.
    pub fn poll_send(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.corked().poll_send(context)
    }

    /// Ends the way out, and waits for the peer to end its own.
    ///
    /// A socket that is closed while its peer still writes resets the connection, and takes away from the peer what it
    /// has not read yet: answers, when the service ends.
    pub async fn end(mut self) {
        let ended = async {
            self.shutdown().await?;
            let mut rest = [0; 1_024];
            while self.read(&mut rest).await? != 0 {}
            io::Result::Ok(())
        };
        // Whoever does not end, or is gone already, is left.
        let _ = tokio::time::timeout(END_TIMEOUT, ended).await;
    }

    // Shared by two parts of one task, so never waited for.
    fn corked(&self) -> MutexGuard<'_, Corked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Corked {
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.held.len() {
            let rest = &self.held[self.sent..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.sent += sent,
            }
        }
        // Given back, so that a connection at rest holds no memory for it.
        self.held = Vec::new();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Cork {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.corked().stream).poll_read(context, into)
    }
}

impl AsyncWrite for Cork {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut corked = self.corked();
        if HELD_BYTES_MAX <= corked.held.len() {
            ready!(corked.poll_send(context))?;
        }
        let before = corked.held.len();
        if corked.held.is_empty() {
            corked.held.reserve(HELD_BYTES_MIN);
        }
        for part in parts {
            corked.held.extend_from_slice(part);
        }
        Poll::Ready(Ok(corked.held.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut corked = self.corked();
        ready!(corked.poll_send(context))?;
        Pin::new(&mut corked.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::net::TcpListener;

    async fn pair() -> (Cork, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, peer) = tokio::join!(listener.accept(), peer);
        (Cork::new(accepted.unwrap().0), peer.unwrap())
    }

    #[tokio::test]
    async fn what_is_written_and_flushed_leaves_when_it_is_sent() {
        let (mut cork, mut peer) = pair().await;
        cork.write_all(b"an").await.unwrap();
        cork.flush().await.unwrap();
        cork.write_all(b"swer").await.unwrap();
        assert!(cork.holds_any());
        let unread = peer.try_read(&mut [0; 8]).map_err(|error| error.kind());
        assert_eq!(unread, Err(io::ErrorKind::WouldBlock));

        poll_fn(|context| cork.poll_send(context)).await.unwrap();
        assert!(!cork.holds_any());
        let mut read = [0; 6];
        peer.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"answer");
    }

    #[tokio::test]
    async fn what_is_too_much_to_hold_leaves_by_itself() {
        let (mut cork, mut peer) = pair().await;
        let written = vec![b'x'; 20 * HELD_BYTES_MAX];
        let expected = written.len();
        let writing = async move {
            for piece in written.chunks(1_000) {
                cork.write_all(piece).await.unwrap();
                assert!(cork.corked().held.len() < HELD_BYTES_MAX + 1_000);
            }
            cork.shutdown().await.unwrap();
        };
        let mut read = Vec::new();
        let (_, ended) = tokio::join!(writing, peer.read_to_end(&mut read));
        ended.unwrap();
        assert_eq!(read.len(), expected);
    }

    #[tokio::test]
    async fn a_peer_that_still_writes_reads_all_that_was_sent() {
        let (mut cork, mut peer) = pair().await;
        cork.write_all(b"answer").await.unwrap();
        let ending = tokio::spawn(cork.end());
        let mut read = [0; 1];
        peer.read_exact(&mut read).await.unwrap();
        peer.write_all(b"more").await.unwrap();
        peer.write_all(b"and more").await.unwrap();
        assert!(!ending.is_finished());
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"nswer");
        drop(peer);
        ending.await.unwrap();
    }
}
