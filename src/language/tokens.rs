//! Text as sentences of tokens: where each word stands, its stem, and whether it is negated.
//!
//! Invariants:
//!
//! 1. A token's `start..end` is a slice of the text on character boundaries, in the order of the text.
//! 2. A contraction gives several tokens with the same slice.
//! 3. Never more than [`TOKENS_MAX`] tokens: what follows is not read.

use std::ops::Range;

use crate::language::words;
use crate::language::words::Symbol;
use crate::language::words::symbol;

/// The most tokens that are read of one text.
pub const TOKENS_MAX: usize = 1200;

/// A sentence without an end is read as several of so many tokens: what is paired within one stays bounded.
const SENTENCE_TOKENS_MAX: usize = 80;

/// How many words a negation reaches, unless the clause ends before.
const NEGATION_WORDS_MAX: usize = 7;

/// One word or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text.
    pub start: u32,
    pub end: u32,
    pub stem: Symbol,
    /// As written, in lower case.
    pub word: Symbol,
    /// Counted from 0 through the whole text; commas, dashes and turns such as `but` begin a new one.
    pub clause: u16,
    /// How many negations it is in the scope of: an even number above 0 is a double negation.
    pub negations: u8,
    /// Written with a capital where English would not.
    pub named: bool,
}

/// A run of tokens that a full stop, a question mark or a line's end closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub tokens: Range<usize>,
    pub is_question: bool,
}

/// A text, taken apart. Empty for an empty text.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub tokens: Vec<Token>,
    pub sentences: Vec<Sentence>,
}

const NEGATORS: [Symbol; 13] = [
    symbol("not"),
    symbol("no"),
    symbol("never"),
    symbol("none"),
    symbol("nothing"),
    symbol("nobody"),
    symbol("neither"),
    symbol("nor"),
    symbol("without"),
    symbol("hardly"),
    symbol("barely"),
    symbol("nowhere"),
    symbol("nope"),
];

const TURNS: [Symbol; 10] = [
    symbol("but"),
    symbol("however"),
    symbol("although"),
    symbol("though"),
    symbol("because"),
    symbol("so"),
    symbol("if"),
    symbol("unless"),
    symbol("until"),
    symbol("which"),
];

impl Tokens {
    /// Takes a text apart. `stem_of` gives the stem of an irregular form, by the number of the word.
    pub fn of(text: &str, stem_of: impl Fn(Symbol) -> Option<Symbol>) -> Tokens {
        let mut reader = Reader {
            text,
            stem_of,
            tokens: Tokens::default(),
            sentence_at: 0,
            clause: 0,
            lower: String::new(),
            cut: String::new(),
        };
        reader.read();
        let mut tokens = reader.tokens;
        for sentence in &tokens.sentences {
            negate(&mut tokens.tokens[sentence.tokens.clone()]);
        }
        tokens
    }
}

struct Reader<'a, F> {
    text: &'a str,
    stem_of: F,
    tokens: Tokens,
    sentence_at: usize,
    clause: u16,
    lower: String,
    cut: String,
}

impl<F: Fn(Symbol) -> Option<Symbol>> Reader<'_, F> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(c) = self.text[at..].chars().next() {
            if TOKENS_MAX <= self.tokens.tokens.len() {
                break;
            }
            if self.sentence_at + SENTENCE_TOKENS_MAX <= self.tokens.tokens.len() {
                self.end_sentence(false);
            }
            if c.is_ascii_digit() {
                at = self.number(at);
            } else if c.is_alphanumeric() {
                at = self.word(at);
            } else {
                at += c.len_utf8();
                self.mark(c, at);
            }
        }
        self.end_sentence(false);
    }

    /// What stands between words.
    fn mark(&mut self, c: char, after: usize) {
        match c {
            '?' | '？' => self.end_sentence(true),
            '!' | '\n' | '…' => self.end_sentence(false),
            '.' => {
                let next = self.text[after..].chars().next();
                if next.is_none_or(|next| !next.is_alphanumeric()) {
                    self.end_sentence(false);
                }
            }
            ',' | ';' | ':' | '—' | '–' | '(' | ')' => self.end_clause(),
            // A dash between spaces, not one within a word.
            '-' if self.text[after..].starts_with([' ', '-']) => self.end_clause(),
            _ => {}
        }
    }

    fn end_clause(&mut self) {
        self.clause = self.clause.saturating_add(1);
    }

    fn end_sentence(&mut self, asked: bool) {
        let tokens = self.sentence_at..self.tokens.tokens.len();
        if tokens.is_empty() {
            // `?!` and `!?` ask as well.
            if asked && let Some(last) = self.tokens.sentences.last_mut() {
                last.is_question = true;
            }
            return;
        }
        self.sentence_at = tokens.end;
        self.end_clause();
        self.tokens.sentences.push(Sentence {
            tokens,
            is_question: asked,
        });
    }

    fn word(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        let mut end = rest.len();
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let joins =
                is_apostrophe(c) && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
            if !c.is_alphanumeric() && !joins {
                end = at;
                break;
            }
        }
        let word = &rest[..end];
        let first = self.tokens.tokens.len() == self.sentence_at;
        let named = !first && word.len() > 1 && word.starts_with(char::is_uppercase);
        let mut lower = std::mem::take(&mut self.lower);
        lower.clear();
        for c in word.chars() {
            if is_apostrophe(c) {
                lower.push('\'');
            } else {
                lower.extend(c.to_lowercase());
            }
        }
        let slice = start..start + end;
        if let Some(full) = words::in_full(&lower) {
            for part in full.split(' ') {
                self.push(part, &slice, named);
            }
        } else {
            let (head, tail) = words::take_apart(&lower);
            self.push(head, &slice, named);
            if let Some(tail) = tail {
                self.push(tail, &slice, false);
            }
        }
        self.lower = lower;
        slice.end
    }

    fn push(&mut self, word: &str, slice: &Range<usize>, named: bool) {
        let number = symbol(word);
        if TURNS.contains(&number) {
            self.end_clause();
        }
        let stem = if words::NUMBERS.contains(&word) {
            words::NUMBER
        } else if let Some(stem) = (self.stem_of)(number) {
            stem
        } else {
            words::stem(word, &mut self.cut);
            symbol(&self.cut)
        };
        self.tokens.tokens.push(Token {
            start: slice.start as u32,
            end: slice.end as u32,
            stem,
            word: number,
            clause: self.clause,
            negations: 0,
            named,
        });
    }

    /// Digits with what belongs to them: `40,000`, `3.5`, `40k`, `$40k`, `40%`, `3rd`.
    fn number(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let mut end = start;
        while digit(end) || (matches!(bytes.get(end), Some(b',' | b'.')) && digit(end + 1)) {
            end += 1;
        }
        let digits = &self.text[start..end];
        let letters = bytes[end..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let suffix = self.text[end..end + letters].to_ascii_lowercase();
        let before = self.text[..start].chars().next_back();
        let stem = if before.is_some_and(|c| "$€£¥".contains(c)) {
            words::MONEY
        } else if bytes.get(end) == Some(&b'%') {
            words::PERCENT
        } else if digits.len() == 4 && letters == 0 && ("1990".."2100").contains(&digits) {
            words::YEAR
        } else {
            words::NUMBER
        };
        let known = matches!(
            suffix.as_str(),
            "" | "k" | "m" | "b" | "bn" | "mn" | "mm" | "st" | "nd" | "rd" | "th" | "x" | "s"
        );
        let slice_end = if known { end + letters } else { end };
        self.tokens.tokens.push(Token {
            start: start as u32,
            end: slice_end as u32,
            stem,
            word: symbol(&self.text[start..slice_end]),
            clause: self.clause,
            negations: 0,
            named: false,
        });
        slice_end
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´')
}

/// Counts, for each token, the negations whose scope it is in.
fn negate(tokens: &mut [Token]) {
    let mut open: u8 = 0;
    let mut since = 0;
    let mut clause = None;
    for token in tokens {
        since += 1;
        if clause != Some(token.clause) || NEGATION_WORDS_MAX < since {
            open = 0;
        }
        clause = Some(token.clause);
        token.negations = open;
        if NEGATORS.contains(&token.word) {
            open = open.saturating_add(1);
            since = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens {
        Tokens::of(text, |_| None)
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let read = tokens(text);
        let sentences: Vec<&str> = read
            .sentences
            .iter()
            .map(|sentence| {
                let run = &read.tokens[sentence.tokens.clone()];
                &text[run[0].start as usize..run[run.len() - 1].end as usize]
            })
            .collect();
        assert_eq!(sentences, expected, "{text}");
    }

    #[test]
    fn a_text_is_sentences() {
        check("", &[]);
        check(" ... ?!", &[]);
        check(
            "Fine. It costs $3.5m a year!",
            &["Fine", "It costs $3.5m a year"],
        );
        check("We're done\nnext", &["We're done", "next"]);
        check(
            "Größe 😀 żółw… e.g. SOC 2",
            &["Größe 😀 żółw", "e.g", "SOC 2"],
        );
    }

    #[test]
    fn a_negation_reaches_the_end_of_its_clause() {
        let negations = |text| -> Vec<u8> {
            let read = tokens(text);
            read.tokens.iter().map(|token| token.negations).collect()
        };
        assert_eq!(
            negations("we don't need it, we want it"),
            [0, 0, 0, 1, 1, 0, 0, 0]
        );
        assert_eq!(negations("cannot not act"), [0, 0, 1, 2]);
        assert_eq!(negations("no budget but time"), [0, 1, 0, 0]);
    }

    #[test]
    fn a_mark_makes_a_question() {
        let asks = |text| tokens(text).sentences[0].is_question;
        assert!(asks("How much is it?"));
        assert!(asks("Really bad?!"));
        assert!(!asks("Really bad!"));
    }

    #[test]
    fn no_more_is_read_than_the_limit() {
        assert_eq!(tokens(&"a ".repeat(5000)).tokens.len(), TOKENS_MAX);
    }
}
