//! Text that callers give: ids, names, prose; each checked once, where it is made.

use std::fmt;
use std::sync::Arc;

/// The caller's own id of a deal, person, statement or milestone.
///
/// 1 to 128 bytes of printable text, without `/`, without blanks at either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Arc<str>);

/// One line of printable text of at most `MAX` bytes; may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line<const MAX: usize>(Arc<str>);

/// Text of at most `MAX` bytes that may run over lines; may be empty.
///
/// Line ends and tabs are its only control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prose<const MAX: usize>(Arc<str>);

/// The name or title of something, such as a person or a company.
pub type Name = Line<256>;
/// Why somebody did something, in their words.
pub type Reason = Prose<1024>;

/// The language of words: a tag such as `en`, or [`UNSUPPORTED`]; empty when nobody tells.
pub type Language = Line<35>;

/// What is told of a language that is not read.
pub const UNSUPPORTED: &str = "unsupported";

/// Why text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("must not be empty")]
    Empty,
    #[error("must be at most {bytes_max} bytes, got {bytes}")]
    TooLong { bytes_max: usize, bytes: usize },
    #[error("must not hold the control character U+{:04X} (at byte {at})", u32::from(*.character))]
    Control { character: char, at: usize },
    #[error("must not hold '/' (at byte {at})")]
    Slash { at: usize },
    #[error("must not begin or end with a blank")]
    Blank,
}

impl Id {
    /// The most bytes of an id.
    pub const BYTES_MAX: usize = 128;

    /// Checks an id.
    ///
    /// # Errors
    ///
    /// In this order: [`Unfit::Empty`], [`Unfit::TooLong`], [`Unfit::Control`], [`Unfit::Slash`], [`Unfit::Blank`].
    pub fn new(text: &str) -> Result<Id, Unfit> {
        if text.is_empty() {
            return Err(Unfit::Empty);
        }
        within(text, Id::BYTES_MAX)?;
        without(text, invisible)?;
        if let Some(at) = text.find('/') {
            return Err(Unfit::Slash { at });
        }
        if text.trim() != text {
            return Err(Unfit::Blank);
        }
        Ok(Id(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Line<MAX> {
    /// Checks a line.
    ///
    /// # Errors
    ///
    /// In this order: [`Unfit::TooLong`], [`Unfit::Control`].
    pub fn new(text: &str) -> Result<Line<MAX>, Unfit> {
        within(text, MAX)?;
        without(text, invisible)?;
        Ok(Line(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Prose<MAX> {
    /// Checks prose.
    ///
    /// # Errors
    ///
    /// In this order: [`Unfit::TooLong`], [`Unfit::Control`].
    pub fn new(text: &str) -> Result<Prose<MAX>, Unfit> {
        within(text, MAX)?;
        without(text, |character| {
            character.is_control() && !matches!(character, '\n' | '\r' | '\t')
        })?;
        Ok(Prose(text.into()))
    }

    /// Checks prose that must say something.
    ///
    /// # Errors
    ///
    /// In this order: [`Unfit::Empty`] when there is nothing but blanks, [`Unfit::TooLong`], [`Unfit::Control`].
    pub fn not_empty(text: &str) -> Result<Prose<MAX>, Unfit> {
        if text.trim().is_empty() {
            return Err(Unfit::Empty);
        }
        Prose::new(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn within(text: &str, bytes_max: usize) -> Result<(), Unfit> {
    if bytes_max < text.len() {
        return Err(Unfit::TooLong {
            bytes_max,
            bytes: text.len(),
        });
    }
    Ok(())
}

fn without(text: &str, refused: fn(char) -> bool) -> Result<(), Unfit> {
    match text
        .char_indices()
        .find(|(_, character)| refused(*character))
    {
        None => Ok(()),
        Some((at, character)) => Err(Unfit::Control { character, at }),
    }
}

/// Control characters, and those that reorder or hide what is read: they make two ids look alike.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200B}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_id(text: &str, expected: Result<(), Unfit>) {
        assert_eq!(Id::new(text).map(|_| ()), expected, "{text:?}");
    }

    #[test]
    fn an_id_is_printable_short_and_without_slash() {
        check_id("006A000000Abc", Ok(()));
        check_id("Zoë 株式会社", Ok(()));
        check_id(&"x".repeat(128), Ok(()));
        check_id(
            &"x".repeat(129),
            Err(Unfit::TooLong {
                bytes_max: 128,
                bytes: 129,
            }),
        );
        check_id("", Err(Unfit::Empty));
        check_id(" a", Err(Unfit::Blank));
        check_id("a/b", Err(Unfit::Slash { at: 1 }));
        check_id(
            "a\u{0}",
            Err(Unfit::Control {
                character: '\u{0}',
                at: 1,
            }),
        );
        check_id(
            "a\u{202E}b",
            Err(Unfit::Control {
                character: '\u{202E}',
                at: 1,
            }),
        );
    }

    #[test]
    fn prose_runs_over_lines_and_a_line_does_not() {
        assert!(Prose::<16>::new("a\r\n\tb").is_ok());
        assert!(Line::<16>::new("a\nb").is_err());
        assert!(Prose::<16>::new("a\u{7}").is_err());
        assert!(Prose::<4>::new("12345").is_err());
        assert!(Prose::<4>::not_empty(" \n").is_err());
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        assert_eq!(
            Id::new("a\u{1b}").unwrap_err().to_string(),
            "must not hold the control character U+001B (at byte 1)"
        );
    }
}
