//! The text of a file: which encoding it is in, and its lines, whatever ends them.

use encoding_rs::Encoding;
use encoding_rs::UTF_8;
use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;
use encoding_rs::WINDOWS_1252;

use crate::conversation::Line;
use crate::conversation::field;

/// Bytes that are looked at to tell UTF-16 without a mark from other text.
const SAMPLE_BYTES: usize = 4_096;

/// A line as long as this that ends within a sentence was broken to fit a width.
const WRAPPED_CHARS_MIN: usize = 50;

/// A decoded file.
pub struct Page {
    /// Line ends are `\n`; tabs are the only other control characters.
    pub text: String,
    pub encoding: &'static str,
}

impl Page {
    /// Decodes a file: by its mark, else UTF-8 where it is that, else UTF-16 where every other byte is zero, else
    /// Windows-1252, in which any bytes are text.
    pub fn decode(bytes: &[u8]) -> Page {
        let encoding = encoding(bytes);
        // Takes a mark of the encoding away. What is broken becomes U+FFFD, by which its line is found.
        let (text, _) = encoding.decode_with_bom_removal(bytes);
        Page {
            text: printable(&text),
            encoding: encoding.name(),
        }
    }

    /// All lines, numbered from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let lines = self.text.split('\n').enumerate();
        lines.map(|(place, text)| Line {
            number: place + 1,
            text,
        })
    }

    /// Lines that are not blank.
    pub(super) fn spoken_lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines().filter(|line| !line.text.trim().is_empty())
    }
}

/// Whether a line holds bytes that are no text in the encoding of the file.
pub fn is_broken(text: &str) -> bool {
    text.contains('\u{FFFD}')
}

/// Lines as one text: those that were broken to fit a width are joined again, others keep their ends.
pub fn unwrapped(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut wrapped = false;
    for line in lines {
        let line = line.trim();
        if line.is_empty() {
            wrapped = false;
            continue;
        }
        if !text.is_empty() {
            text.push(if wrapped && !field::is_bullet(line) {
                ' '
            } else {
                '\n'
            });
        }
        text.push_str(line);
        let ends = line.ends_with(['.', '!', '?', ':', '…']);
        wrapped = !ends && WRAPPED_CHARS_MIN <= line.chars().count();
    }
    text
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = utf_16(bytes) {
        return encoding;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        // Cut off within a character, or a few broken bytes in a text that is otherwise UTF-8.
        Err(_) if mostly_utf_8(bytes) => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// Zero bytes are in UTF-16 of western text at every other place, and in other text nowhere.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let pairs = sample.len() / 2;
    let zeros = |first: usize| {
        let places = sample.iter().skip(first).step_by(2);
        places.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if pairs < 2 || pairs < even + odd {
        return None;
    }
    if pairs < 2 * odd && even * 8 <= odd {
        return Some(UTF_16LE);
    }
    if pairs < 2 * even && odd * 8 <= even {
        return Some(UTF_16BE);
    }
    None
}

/// Whether more of what is beyond ASCII is UTF-8 than is not.
fn mostly_utf_8(bytes: &[u8]) -> bool {
    let (mut good, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let rest = chunk.invalid();
        // What is cut off at the very end begins as a character of UTF-8 does.
        broken += usize::from(!rest.is_empty());
    }
    broken < good || (broken == 1 && ends_within_a_character(bytes))
}

fn ends_within_a_character(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Err(error) => error.error_len().is_none() && 0 < error.valid_up_to(),
        Ok(_) => false,
    }
}

/// With `\n` for every line end, and without control characters, which carry no words.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                printable.push('\n');
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{B}' | '\u{C}' => printable.push('\n'),
            '\n' | '\t' => printable.push(character),
            '\u{FEFF}' | '\u{200B}' | '\u{200E}' | '\u{200F}' => {}
            _ if character.is_control() => {}
            _ => printable.push(character),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], encoding: &str, text: &str) {
        let page = Page::decode(bytes);
        assert_eq!((page.encoding, page.text.as_str()), (encoding, text));
    }

    fn utf_16_bytes(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn an_encoding_is_told_by_its_mark_or_by_its_bytes() {
        check("Zoë: ja".as_bytes(), "UTF-8", "Zoë: ja");
        check("\u{FEFF}Zoë: ja".as_bytes(), "UTF-8", "Zoë: ja");
        check(b"Zo\xEB: it\x92s \x80 5", "windows-1252", "Zoë: it’s € 5");
        for mark in ["", "\u{FEFF}"] {
            let text = format!("{mark}Zoë: ja");
            check(
                &utf_16_bytes(&text, u16::to_le_bytes),
                "UTF-16LE",
                "Zoë: ja",
            );
            check(
                &utf_16_bytes(&text, u16::to_be_bytes),
                "UTF-16BE",
                "Zoë: ja",
            );
        }
        check(b"", "UTF-8", "");
    }

    #[test]
    fn broken_bytes_are_found_by_their_line() {
        check(b"Ana: caf\xC3", "UTF-8", "Ana: caf\u{FFFD}");
        check(
            b"Zo\xC3\xAB, J\xC3\xBCrgen: \xFF",
            "UTF-8",
            "Zoë, Jürgen: \u{FFFD}",
        );
    }

    #[test]
    fn line_ends_are_one_and_control_characters_none() {
        check(b"a\r\nb\rc\n\rd\x07\x00e\tf", "UTF-8", "a\nb\nc\n\nde\tf");
        let page = Page::decode(b"a\r\n\r\nb");
        let lines: Vec<(usize, &str)> = page
            .spoken_lines()
            .map(|line| (line.number, line.text))
            .collect();
        assert_eq!(lines, [(1, "a"), (3, "b")]);
    }
}
