//! Reads an archive block by block; nothing is handed out before its checksum was found right.

use std::io;
use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::store::archive::Append;
use crate::store::archive::FORMAT;
use crate::store::archive::Totals;
use crate::store::archive::UNPACKED_BYTES_MAX;
use crate::store::archive::Unreadable;
use crate::store::archive::block;
use crate::store::archive::frame;
use crate::store::archive::frame::HEAD_BYTES;
use crate::store::archive::frame::Kind;
use crate::store::archive::frame::MAGIC;
use crate::store::archive::frame::PREAMBLE_BYTES;

/// An archive that is being read.
pub struct Reader<R> {
    source: R,
    /// The last sequence, as the preamble says.
    last: u64,
    /// The sequence handed out last.
    sequence: u64,
    frames: u32,
    offset: u64,
    totals: Totals,
    whole: crc32fast::Hasher,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    ///
    /// [`Unreadable::Foreign`], [`Unreadable::Newer`], or what is wrong with the first bytes.
    pub fn open(source: R) -> Result<Reader<R>, Unreadable> {
        let mut reader = Reader {
            source,
            last: 0,
            sequence: 0,
            frames: 0,
            offset: 0,
            totals: Totals::default(),
            whole: crc32fast::Hasher::new(),
            ended: false,
        };
        let found = reader.read(PREAMBLE_BYTES as u64)?;
        if found.is_empty() || !found.starts_with(&MAGIC[..found.len().min(MAGIC.len())]) {
            return Err(Unreadable::Foreign);
        }
        let Ok(preamble) = <[u8; PREAMBLE_BYTES]>::try_from(found.as_slice()) else {
            return Err(reader.cut_off());
        };
        let [_, _, _, _, _, _, _, _, f0, f1, last @ .., c0, c1, c2, c3] = preamble;
        if crc32fast::hash(&preamble[..PREAMBLE_BYTES - 4]) != u32::from_be_bytes([c0, c1, c2, c3])
        {
            return Err(Unreadable::Broken {
                place: "byte 0, the beginning".to_owned(),
                problem: "the checksum does not fit".to_owned(),
            });
        }
        let found = u16::from_be_bytes([f0, f1]);
        if FORMAT < found {
            return Err(Unreadable::Newer { found });
        }
        reader.whole.update(&preamble);
        reader.offset = PREAMBLE_BYTES as u64;
        reader.last = u64::from_be_bytes(last);
        Ok(reader)
    }

    /// The sequence up to which the archive goes.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The appends of the next block, in order; none at the end, which was then found to be the end.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], naming the place. There is nothing more to be read after it.
    pub fn next_block(&mut self) -> Result<Option<Vec<Append>>, Unreadable> {
        if self.ended {
            return Ok(None);
        }
        let whole = self.whole.clone().finalize();
        let (kind, content) = self.next_frame()?;
        match kind {
            Kind::Block => {
                let appends = self.unpack(&content)?;
                self.advance(&content);
                Ok(Some(appends))
            }
            Kind::End => {
                self.check_end(&content, whole)?;
                self.ended = true;
                Ok(None)
            }
        }
    }

    /// What was read so far; after the last block, what the archive holds.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    fn next_frame(&mut self) -> Result<(Kind, Vec<u8>), Unreadable> {
        let found = self.read(HEAD_BYTES as u64)?;
        let Ok(bytes) = <[u8; HEAD_BYTES]>::try_from(found.as_slice()) else {
            return Err(self.cut_off());
        };
        let head = frame::head(&bytes);
        let content = self.read(u64::from(head.length))?;
        if content.len() < head.length as usize {
            return Err(self.cut_off());
        }
        if frame::checksum(&bytes, &content) != head.crc {
            return Err(self.broken("the checksum does not fit"));
        }
        if head.number != self.frames + 1 {
            return Err(self.broken(format!("it says that it is piece {}", head.number)));
        }
        let kind = [Kind::Block, Kind::End].into_iter();
        let Some(kind) = kind.into_iter().find(|kind| kind.byte() == head.kind) else {
            return Err(self.broken("a piece of no kind"));
        };
        self.whole.update(&bytes);
        self.whole.update(&content);
        Ok((kind, content))
    }

    fn unpack(&mut self, packed: &[u8]) -> Result<Vec<Append>, Unreadable> {
        let mut block = Vec::new();
        let mut decoder = ZlibDecoder::new(packed).take(UNPACKED_BYTES_MAX);
        decoder
            .read_to_end(&mut block)
            .map_err(|error| self.broken(format!("it does not unpack: {error}")))?;
        let appends = block::take(&block).ok_or_else(|| self.broken("these are not appends"))?;
        for append in &appends {
            let expected = self.sequence + 1;
            if append.change.sequence != expected || self.last < expected {
                let found = append.change.sequence;
                return Err(self.broken(format!("change {found} comes where {expected} is due")));
            }
            self.sequence = expected;
            self.totals.add(append);
        }
        Ok(appends)
    }

    fn check_end(&mut self, content: &[u8], whole: u32) -> Result<(), Unreadable> {
        if self.sequence != self.last {
            let (last, found) = (self.last, self.sequence);
            return Err(self.broken(format!("the changes end at {found}, not at {last}")));
        }
        if content != frame::end(&self.totals, whole) {
            return Err(self.broken("the totals are not those of what was read"));
        }
        self.advance(content);
        if !self.read(1)?.is_empty() {
            return Err(Unreadable::Broken {
                place: format!("byte {}", self.offset),
                problem: "there is more behind the end".to_owned(),
            });
        }
        Ok(())
    }

    fn advance(&mut self, content: &[u8]) {
        self.frames += 1;
        self.offset += (HEAD_BYTES + content.len()) as u64;
    }

    /// Up to `length` bytes: fewer only at the end. Room is made as bytes come, whatever a broken length says.
    fn read(&mut self, length: u64) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        let mut source = io::Read::take(&mut self.source, length);
        source.read_to_end(&mut bytes).map_err(Unreadable::Io)?;
        Ok(bytes)
    }

    fn broken(&self, problem: impl Into<String>) -> Unreadable {
        Unreadable::Broken {
            place: self.place(),
            problem: problem.into(),
        }
    }

    fn cut_off(&self) -> Unreadable {
        Unreadable::CutOff {
            place: self.place(),
        }
    }

    /// `byte 2041, piece 3, after change 512`.
    fn place(&self) -> String {
        let (offset, piece, after) = (self.offset, self.frames + 1, self.sequence);
        format!("byte {offset}, piece {piece}, after change {after}")
    }
}
