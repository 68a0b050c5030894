//! Puts records into checked values of a size that sled keeps in its log, and takes them out again.
//!
//! A value: format (1 byte), crc32 over the key and all other bytes of the value (4, little-endian), part (2,
//! big-endian), stamp (8, big-endian), payload. The first value of a record counts its parts, each further one has
//! its own number with the top bit set. All parts of a record carry one stamp: the change sequence of an event or a
//! group of changes, the revision of a projection. So parts of two records never pass for one.
//!
//! A value is at most 4 KiB: sled keeps a leaf of 16 of them in its log, and larger leaves in side files that it
//! never syncs.

use crate::store::embedded::keys;

/// The format of what this build writes, and the newest it reads.
pub const FORMAT: u8 = 1;

const VALUE_BYTES_MAX: usize = 4096;
const HEAD_BYTES: usize = 15;
const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX - HEAD_BYTES;
const FURTHER: u16 = 0x8000;

/// A record as it was put.
pub struct Record {
    pub key: sled::IVec,
    pub stamp: u64,
    pub payload: Vec<u8>,
}

/// Why a record could not be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It does not check. Names the place.
    Broken { place: String, problem: String },
    /// sled could not read.
    Sled(sled::Error),
}

impl From<sled::Error> for Unreadable {
    fn from(error: sled::Error) -> Unreadable {
        Unreadable::Sled(error)
    }
}

impl Unreadable {
    pub fn at(key: &[u8], problem: impl Into<String>) -> Unreadable {
        Unreadable::Broken {
            place: keys::place(key),
            problem: problem.into(),
        }
    }
}

/// Adds a record to `batch`; answers in how many parts.
pub fn put(batch: &mut sled::Batch, key: &[u8], stamp: u64, payload: &[u8]) -> u16 {
    let parts = parts(payload.len());
    let first = payload.len().min(PAYLOAD_BYTES_MAX);
    batch.insert(key, value(key, parts, stamp, &payload[..first]));
    for (number, piece) in (1..).zip(payload[first..].chunks(PAYLOAD_BYTES_MAX)) {
        let key = keys::part(key, number);
        let value = value(&key, FURTHER | number, stamp, piece);
        batch.insert(key, value);
    }
    parts
}

/// Takes the parts of the record at `key`, which was `parts` long, out of `batch`, from part `kept` on.
pub fn remove_from(batch: &mut sled::Batch, key: &[u8], kept: u16, parts: u16) {
    for number in kept.max(1)..parts {
        batch.remove(keys::part(key, number));
    }
}

/// The stamp and the number of parts of the record that begins with `value`.
pub fn head(key: &[u8], value: &[u8]) -> Result<(u64, u16), Unreadable> {
    let frame = check(key, value)?;
    if frame.part & FURTHER != 0 {
        return Err(Unreadable::at(key, "a further part where a record begins"));
    }
    Ok((frame.stamp, frame.part))
}

/// The next record of a scan, put together from its parts.
pub fn next(
    scan: &mut impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> Result<Option<Record>, Unreadable> {
    let mut payload = Vec::new();
    let read = next_with(scan, |piece| payload.extend_from_slice(piece))?;
    Ok(read.map(|(key, stamp)| Record {
        key,
        stamp,
        payload,
    }))
}

/// The key, the stamp and the length of the next record of a scan, all of whose parts check; what it says is left alone.
pub fn next_checked(
    scan: &mut impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> Result<Option<(sled::IVec, u64, usize)>, Unreadable> {
    let mut bytes = 0;
    let read = next_with(scan, |piece| bytes += piece.len())?;
    Ok(read.map(|(key, stamp)| (key, stamp, bytes)))
}

/// Gives the payload of the next record, piece by piece, to `take`.
fn next_with(
    scan: &mut impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    mut take: impl FnMut(&[u8]),
) -> Result<Option<(sled::IVec, u64)>, Unreadable> {
    let Some(first) = scan.next() else {
        return Ok(None);
    };
    let (key, value) = first?;
    let (stamp, parts) = head(&key, &value)?;

    take(&value[HEAD_BYTES..]);
    for number in 1..parts {
        let missing = || Unreadable::at(&key, format!("part {number} of {parts} is missing"));
        let (part_key, value) = scan.next().ok_or_else(missing)??;
        if *part_key != *keys::part(&key, number) {
            return Err(missing());
        }
        let frame = check(&part_key, &value)?;
        if frame.part != FURTHER | number || frame.stamp != stamp {
            return Err(Unreadable::at(
                &key,
                format!("part {number} is of another record"),
            ));
        }
        take(&value[HEAD_BYTES..]);
    }
    Ok(Some((key, stamp)))
}

struct Frame {
    part: u16,
    stamp: u64,
}

fn parts(payload_bytes: usize) -> u16 {
    let parts = payload_bytes.div_ceil(PAYLOAD_BYTES_MAX).max(1);
    u16::try_from(parts).expect("the largest record, a group's changes, has less than 100 parts")
}

fn value(key: &[u8], part: u16, stamp: u64, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEAD_BYTES + payload.len());
    value.push(FORMAT);
    value.extend_from_slice(&[0; 4]);
    value.extend_from_slice(&part.to_be_bytes());
    value.extend_from_slice(&stamp.to_be_bytes());
    value.extend_from_slice(payload);
    let crc = crc(key, &value);
    value[1..5].copy_from_slice(&crc.to_le_bytes());
    value
}

fn check(key: &[u8], value: &[u8]) -> Result<Frame, Unreadable> {
    let Some((head, _)) = value.split_first_chunk::<HEAD_BYTES>() else {
        return Err(Unreadable::at(key, "the value is cut off"));
    };
    let [format, c0, c1, c2, c3, p0, p1, stamp @ ..] = *head;
    if crc(key, value) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(Unreadable::at(key, "the checksum does not fit"));
    }
    if format != FORMAT {
        let problem = format!("the format is {format}, this build reads {FORMAT}");
        return Err(Unreadable::at(key, problem));
    }
    Ok(Frame {
        part: u16::from_be_bytes([p0, p1]),
        stamp: u64::from_be_bytes(stamp),
    })
}

// The key is covered so that a value that wandered to another key does not check there.
fn crc(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&value[..1]);
    hasher.update(&value[5..]);
    hasher.finalize()
}
