//! The hand-written groups of words and phrases in `language/lexicon.txt`, the phrases of one meaning in
//! `language/meanings.txt`, and where they occur in a text; and the classes of words in `language/classes.txt` that may
//! stand for each other, with what classes have in common.
//!
//! Read once at start; an entry that cannot be read would fail the test below, and is skipped at run time.

mod written;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;

use crate::language::tokens::Token;
use crate::language::tokens::Tokens;
use crate::language::words;
use crate::language::words::Symbol;
use crate::language::words::symbol;

const TEXT: &str = include_str!("../../language/lexicon.txt");
const CLASSES: &str = include_str!("../../language/classes.txt");
const MEANINGS: &str = include_str!("../../language/meanings.txt");

/// Stands for any one word in a phrase.
const ANY: Symbol = symbol("<any>");

/// Stands for a word that the core of a sentence does without.
const DROPPED: Symbol = symbol("<dropped>");

/// A group's place in the file.
pub type Group = u16;

/// A group found in a text: the tokens it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub group: Group,
    pub start: usize,
    pub end: usize,
}

/// Keys are well-mixed numbers already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = words::mix(self.0, u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = words::mix(self.0, number);
    }
}

/// A map by numbers.
pub type ByNumber<V> = HashMap<u64, V, BuildHasherDefault<Mixed>>;

/// The groups, ready to be looked for.
#[derive(Debug, Default)]
pub struct Lexicon {
    names: Vec<String>,
    /// The first of the groups that stand for a meaning.
    meanings: Group,
    /// The stems that a phrase is read over.
    skipped: ByNumber<()>,
    irregular: ByNumber<Symbol>,
    /// Groups of single words, by stem or by word as written.
    single: ByNumber<Vec<Group>>,
    /// The class of a stem.
    classes: ByNumber<Symbol>,
    /// What a class has in common with others, and the stems that stand for themselves.
    broad: ByNumber<Symbol>,
    /// What stands for a stem in the core of a sentence; [`DROPPED`] when nothing does.
    core: ByNumber<Symbol>,
    /// From a node and a symbol to the next node; the root is 0.
    steps: ByNumber<u32>,
    /// The groups that a phrase ending in a node belongs to.
    ends: Vec<Vec<Group>>,
}

impl Lexicon {
    /// The one compiled in.
    pub fn compiled() -> Lexicon {
        Lexicon::parse(TEXT, MEANINGS, CLASSES)
    }

    /// Takes a text apart, with the irregular forms of the lexicon.
    pub fn tokens(&self, text: &str) -> Tokens {
        Tokens::of(text, |word| self.irregular.get(&word).copied())
    }

    /// The group called so.
    pub fn group(&self, name: &str) -> Option<Group> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(place as Group)
    }

    /// What stands for a word: its class if it is in one, else its stem.
    pub fn class(&self, token: &Token) -> Symbol {
        self.classes.get(&token.stem).copied().unwrap_or(token.stem)
    }

    /// What stands for a word in the core of a sentence: as [`Lexicon::class`], but persons are us, you or others, and nothing
    /// stands for a word that only fills.
    pub fn core(&self, token: &Token) -> Option<Symbol> {
        match self.core.get(&token.stem) {
            Some(&DROPPED) => None,
            Some(&stands) => Some(stands),
            None => Some(self.class(token)),
        }
    }

    /// What is left of a word when a sentence is only sketched: what its class has in common with others, or itself if it
    /// holds sentences together, or that there is a word.
    pub fn sketch(&self, token: &Token) -> Symbol {
        if let Some(&class) = self.classes.get(&token.stem) {
            return self.broad.get(&class).copied().unwrap_or(class);
        }
        if words::STANDS_FOR_MANY.contains(&token.stem) {
            return token.stem;
        }
        self.broad.get(&token.stem).copied().unwrap_or(ANY)
    }

    /// Whether a group stands for a meaning, not for what its words have in common.
    pub fn is_meaning(&self, group: Group) -> bool {
        self.meanings <= group
    }

    /// Every group in a sentence, by where it starts; each place gives a group once.
    pub fn hits(&self, sentence: &[Token]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut nodes = Vec::new();
        let mut next = Vec::new();
        for start in 0..sentence.len() {
            let groups = self.single.get(&sentence[start].stem);
            for &group in groups.into_iter().flatten() {
                hits.push(Hit {
                    group,
                    start,
                    end: start + 1,
                });
            }
            nodes.clear();
            nodes.push(0u32);
            for (end, token) in sentence.iter().enumerate().skip(start) {
                next.clear();
                for &node in &nodes {
                    self.step(node, token, &mut next);
                }
                for &node in &next {
                    for &group in &self.ends[node as usize] {
                        let end = end + 1;
                        // A longer phrase of the same group takes the place of a shorter one.
                        hits.retain(|hit| hit.group != group || hit.start != start);
                        hits.push(Hit { group, start, end });
                    }
                }
                if start < end && self.skipped.contains_key(&token.stem) {
                    next.extend_from_slice(&nodes);
                }
                std::mem::swap(&mut nodes, &mut next);
                if nodes.is_empty() {
                    break;
                }
            }
        }
        hits
    }

    fn step(&self, node: u32, token: &Token, next: &mut Vec<u32>) {
        let from = u64::from(node);
        let mut follow = |symbol| {
            if let Some(&to) = self.steps.get(&words::mix(from, symbol)) {
                next.push(to);
            }
        };
        follow(token.stem);
        if node != 0 {
            follow(ANY);
        }
        for &group in self.single.get(&token.stem).into_iter().flatten() {
            follow(of_group(group));
        }
    }
}

fn of_group(group: Group) -> Symbol {
    words::mix(symbol("<group>"), u64::from(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, group: &str, found: bool) {
        let lexicon = Lexicon::compiled();
        let number = lexicon.group(group).unwrap();
        let tokens = lexicon.tokens(text);
        let hits = lexicon.hits(&tokens.tokens);
        assert_eq!(hits.iter().any(|hit| hit.group == number), found, "{text}");
    }

    #[test]
    fn groups_are_found_in_every_form() {
        check("We lost two customers", "LOSS", true);
        check("That's too steep for us", "TOO_DEAR", true);
        check("the budgets are frozen", "NO_MONEY", true);
        check("I'll get back to you", "GET_BACK", true);
        check("a lovely day", "LOSS", false);
    }

    #[test]
    fn a_meaning_is_found_over_the_words_that_fill() {
        check("We really just can't find it", "TROUBLE", true);
        check("The board has probably said yes", "BOSS_YES", true);
        check("We are used to it", "TROUBLE", false);
    }

    #[test]
    fn the_core_of_a_sentence_is_the_same_without_its_fillers() {
        let lexicon = Lexicon::compiled();
        let core = |text| -> Vec<Symbol> {
            let tokens = lexicon.tokens(text).tokens;
            tokens
                .iter()
                .filter_map(|token| lexicon.core(token))
                .collect()
        };
        assert_eq!(core("We need it"), core("Um, I really need it"));
        assert_ne!(core("We need it"), core("They need it"));
    }

    #[test]
    fn a_sketch_keeps_what_holds_a_sentence_together() {
        let lexicon = Lexicon::compiled();
        let sketch = |text| -> Vec<Symbol> {
            let tokens = lexicon.tokens(text).tokens;
            tokens.iter().map(|token| lexicon.sketch(token)).collect()
        };
        assert_eq!(sketch("our zither jams"), sketch("our blimp crashed"));
        assert_ne!(sketch("our zither jams"), sketch("their zither jams"));
        assert_ne!(sketch("our zither jams"), sketch("our zither improves"));
    }

    #[test]
    fn every_group_is_filled_and_defined_once() {
        let heads: Vec<&str> = TEXT
            .lines()
            .chain(MEANINGS.lines())
            .filter(|line| !line.starts_with(['#', '=']) && !line.is_empty())
            .map(|line| line.split_once(": ").unwrap().0)
            .collect();
        let lexicon = Lexicon::compiled();
        assert_eq!(
            lexicon.names.len(),
            heads.len(),
            "a phrase names an unknown group"
        );
    }
}
