//! The frames of an archive: each with its number and a checksum over all of it.

use crate::store::archive::FORMAT;
use crate::store::archive::Totals;

/// No text begins like this, nor any other common file.
pub const MAGIC: [u8; 8] = *b"\x89vrbatim";
pub const PREAMBLE_BYTES: usize = 22;
pub const HEAD_BYTES: usize = 13;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Block,
    End,
}

/// What comes before the packed bytes of a frame.
pub struct Head {
    pub kind: u8,
    pub number: u32,
    pub length: u32,
    pub crc: u32,
}

impl Kind {
    pub fn byte(self) -> u8 {
        match self {
            Kind::Block => b'b',
            Kind::End => b'e',
        }
    }
}

/// The first bytes of an archive up to sequence `last`.
pub fn preamble(last: u64) -> [u8; PREAMBLE_BYTES] {
    let mut bytes = [0; PREAMBLE_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT.to_be_bytes());
    bytes[10..18].copy_from_slice(&last.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..18]);
    bytes[18..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// A frame with its checksum.
pub fn frame(kind: Kind, number: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a block has at most some 250 MiB");
    let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len());
    bytes.push(kind.byte());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    let crc = checksum(&bytes, content);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// Takes the head of a frame apart.
pub fn head(bytes: &[u8; HEAD_BYTES]) -> Head {
    let [kind, n0, n1, n2, n3, l0, l1, l2, l3, c0, c1, c2, c3] = *bytes;
    Head {
        kind,
        number: u32::from_be_bytes([n0, n1, n2, n3]),
        length: u32::from_be_bytes([l0, l1, l2, l3]),
        crc: u32::from_be_bytes([c0, c1, c2, c3]),
    }
}

/// The checksum of a frame whose head begins with `head`.
pub fn checksum(head: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[..9]);
    hasher.update(content);
    hasher.finalize()
}

/// What the frame of the end carries.
pub fn end(totals: &Totals, whole: u32) -> Vec<u8> {
    let Totals {
        appends,
        deals,
        events,
        event_bytes,
        tenants,
    } = totals;
    let mut bytes = Vec::new();
    for figure in [*appends, *deals, *events, *event_bytes] {
        bytes.extend_from_slice(&figure.to_be_bytes());
    }
    for (tenant, events) in tenants {
        bytes.push(u8::try_from(tenant.len()).expect("check_append lets 64 bytes through"));
        bytes.extend_from_slice(tenant.as_bytes());
        bytes.extend_from_slice(&events.to_be_bytes());
    }
    bytes.extend_from_slice(&whole.to_be_bytes());
    bytes
}
