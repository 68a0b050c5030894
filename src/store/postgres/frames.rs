//! A record in a column: checked against its key, and told by whom it was written.
//!
//! Bytes: format (1), crc32 over the key and all other bytes (4, little-endian), mark (16), payload. The mark of events
//! and changes is that of the group they were committed in; by it a writer finds out whether a commit whose answer was
//! lost took place. That of a projection is zero.

use crate::store::DealKey;
use crate::store::Error;

/// The format of what this build writes, and the newest it reads.
pub const FORMAT: u8 = 1;

const HEAD_BYTES: usize = 21;

/// Told apart from all other groups, over all replicas.
pub type Mark = [u8; 16];

/// The mark of what no group wrote.
pub const NO_MARK: Mark = [0; 16];

/// What a record is about; it is checked with its bytes, so that one that wandered does not check elsewhere.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Event(&'a DealKey, u64),
    Projection(&'a DealKey, u64),
    /// The changes of one group of so many appends. Which place the group got is told by its neighbours.
    Changes(u64),
}

impl Place<'_> {
    /// For people.
    fn told(&self) -> String {
        match self {
            Place::Event(deal, revision) => format!("{}@{revision}", place_of(deal)),
            Place::Projection(deal, _) => format!("{} (projection)", place_of(deal)),
            Place::Changes(appends) => format!("a group of {appends} changes"),
        }
    }

    fn hash(&self, hasher: &mut crc32fast::Hasher) {
        let (kind, deal, number) = match self {
            Place::Event(deal, revision) => (b'e', Some(deal), revision),
            Place::Projection(deal, revision) => (b'p', Some(deal), revision),
            Place::Changes(appends) => (b'c', None, appends),
        };
        hasher.update(&[kind]);
        if let Some(deal) = deal {
            hasher.update(deal.tenant.as_bytes());
            hasher.update(&[0]);
            hasher.update(deal.deal.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&number.to_be_bytes());
    }

    /// The refusal of what is kept there.
    pub fn broken(&self, problem: impl Into<String>) -> Error {
        Error::Corrupt {
            place: self.told(),
            problem: problem.into(),
        }
    }
}

/// The place of a deal, for people: `tenant/deal`.
pub fn place_of(deal: &DealKey) -> String {
    format!("{}/{}", deal.tenant, deal.deal)
}

/// The record of `payload` at `place`.
pub fn seal(place: Place, mark: &Mark, payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEAD_BYTES + payload.len());
    record.push(FORMAT);
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(mark);
    record.extend_from_slice(payload);
    let crc = crc(place, &record);
    record[1..5].copy_from_slice(&crc.to_le_bytes());
    record
}

/// The mark and the payload of a record at `place`.
///
/// # Errors
///
/// [`Error::Corrupt`].
pub fn open<'a>(place: Place, record: &'a [u8]) -> Result<(Mark, &'a [u8]), Error> {
    let Some((head, payload)) = record.split_first_chunk::<HEAD_BYTES>() else {
        return Err(place.broken("the record is cut off"));
    };
    let [format, c0, c1, c2, c3, mark @ ..] = *head;
    if crc(place, record) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(place.broken("the checksum does not fit"));
    }
    if format != FORMAT {
        return Err(place.broken(format!("the format is {format}, this build reads {FORMAT}")));
    }
    Ok((mark, payload))
}

fn crc(place: Place, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    place.hash(&mut hasher);
    hasher.update(&record[..1]);
    hasher.update(&record[5..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_at_its_place_only_and_as_it_was_written() {
        let (deal, other) = (DealKey::new("t", "d"), DealKey::new("td", ""));
        let record = seal(Place::Event(&deal, 7), &[9; 16], b"words");
        let read = open(Place::Event(&deal, 7), &record).unwrap();
        assert_eq!(read, ([9; 16], b"words".as_slice()));
        for place in [
            Place::Event(&deal, 8),
            Place::Event(&other, 7),
            Place::Projection(&deal, 7),
            Place::Changes(7),
        ] {
            assert!(open(place, &record).is_err(), "{place:?}");
        }
        for at in 0..record.len() {
            let mut flipped = record.clone();
            flipped[at] ^= 1;
            assert!(open(Place::Event(&deal, 7), &flipped).is_err(), "byte {at}");
            assert!(
                open(Place::Event(&deal, 7), &record[..at]).is_err(),
                "cut at {at}"
            );
        }
    }
}
