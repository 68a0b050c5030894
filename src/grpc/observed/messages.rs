//! Counts the messages of a stream as its bytes go by, without a look into them.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use http_body::Frame;
use http_body::SizeHint;

use tonic::Status;
use tonic::body::Body;

use crate::telemetry::metrics::IntCounter;

/// What comes before a message: whether it is compressed, and its length in four bytes.
const PREFIX_BYTES: usize = 5;

/// Where in the form of gRPC the bytes so far have ended. A frame of HTTP/2 may hold many messages, or a part of one.
#[derive(Debug, Default)]
pub struct Messages {
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the prefix that have come.
    begun: usize,
    /// Bytes of the message that have not come, once its prefix has.
    left: usize,
}

/// A body whose messages are counted.
pub struct Counted {
    body: Body,
    messages: Messages,
    to: IntCounter,
}

impl Messages {
    /// How many messages end in these bytes, the next of the stream.
    pub fn ended_in(&mut self, mut bytes: &[u8]) -> u64 {
        let mut ended = 0;
        while !bytes.is_empty() {
            if self.begun < PREFIX_BYTES {
                let taken = bytes.len().min(PREFIX_BYTES - self.begun);
                self.prefix[self.begun..self.begun + taken].copy_from_slice(&bytes[..taken]);
                self.begun += taken;
                bytes = &bytes[taken..];
                let [_, length @ ..] = self.prefix;
                // It fits: the machines that this runs on count memory in at least as many bits.
                self.left = u32::from_be_bytes(length) as usize;
            } else {
                let taken = bytes.len().min(self.left);
                self.left -= taken;
                bytes = &bytes[taken..];
            }
            if self.begun == PREFIX_BYTES && self.left == 0 {
                ended += 1;
                self.begun = 0;
            }
        }
        ended
    }
}

impl Counted {
    pub fn new(body: Body, to: IntCounter) -> Counted {
        Counted {
            body,
            messages: Messages::default(),
            to,
        }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            let ended = self.messages.ended_in(bytes);
            self.to.inc_by(ended);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let sizes = [0, 1, 300, 0, 70_000];
        let mut bytes = Vec::new();
        for size in sizes {
            bytes.push(0);
            bytes.extend(u32::to_be_bytes(size));
            bytes.resize(bytes.len() + size as usize, 0xff);
        }
        for cut in [1, 2, 5, 6, 307, 16_384, bytes.len()] {
            let mut messages = Messages::default();
            let ended: u64 = bytes
                .chunks(cut)
                .map(|piece| messages.ended_in(piece))
                .sum();
            assert_eq!(ended, sizes.len() as u64, "in pieces of {cut}");
        }
        let mut messages = Messages::default();
        let last = bytes.len() - 1;
        assert_eq!(messages.ended_in(&bytes[..last]), sizes.len() as u64 - 1);
        assert_eq!(messages.ended_in(&bytes[last..]), 1);
    }
}
