//! The hand-written groups of words and phrases in `language/lexicon.txt`, and where they occur in a text; and the classes of
//! words in `language/classes.txt` that may stand for each other, with what classes have in common.
//!
//! Read once at start; an entry that cannot be read would fail the test below, and is skipped at run time.

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

/// Stands for any one word in a phrase.
const ANY: Symbol = symbol("<any>");

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

fn class_named(name: &str) -> Symbol {
    words::mix(symbol("<class>"), symbol(name))
}

/// A map by numbers.
pub type ByNumber<V> = HashMap<u64, V, BuildHasherDefault<Mixed>>;

/// The groups, ready to be looked for.
#[derive(Debug, Default)]
pub struct Lexicon {
    names: Vec<String>,
    irregular: ByNumber<Symbol>,
    /// Groups of single words, by stem or by word as written.
    single: ByNumber<Vec<Group>>,
    /// The class of a stem.
    classes: ByNumber<Symbol>,
    /// What a class has in common with others, and the stems that stand for themselves.
    broad: ByNumber<Symbol>,
    /// From a node and a symbol to the next node; the root is 0.
    steps: ByNumber<u32>,
    /// The groups that a phrase ending in a node belongs to.
    ends: Vec<Vec<Group>>,
}

impl Lexicon {
    /// The one compiled in.
    pub fn compiled() -> Lexicon {
        Lexicon::parse(TEXT, CLASSES)
    }

    fn parse(text: &str, classes: &str) -> Lexicon {
        let mut lexicon = Lexicon {
            ends: vec![Vec::new()],
            ..Lexicon::default()
        };
        let lines = || {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(": "))
        };
        for (head, forms) in lines() {
            if let Some(word) = head.strip_prefix("= ") {
                lexicon.learn_forms(word, forms);
            }
        }
        for (head, entries) in lines() {
            if head.starts_with("= ") {
                continue;
            }
            let group = lexicon.group_named(head);
            for entry in entries.split(',').map(str::trim) {
                lexicon.learn_entry(group, entry);
            }
        }
        for line in classes.lines().filter(|line| !line.starts_with('#')) {
            let Some((head, words)) = line.split_once(": ") else {
                continue;
            };
            if let Some(common) = head.strip_prefix("+ ") {
                lexicon.learn_common(common, words);
            } else if head.starts_with("* ") {
                lexicon.learn_plain(words);
            } else {
                lexicon.learn_class(head, words);
            }
        }
        lexicon
    }

    fn learn_common(&mut self, common: &str, classes: &str) {
        let common = words::mix(symbol("<common>"), symbol(common));
        for class in classes.split(',').map(str::trim) {
            self.broad.insert(class_named(class), common);
        }
    }

    fn learn_plain(&mut self, words: &str) {
        for word in words.split(',').map(str::trim) {
            for token in self.tokens(word).tokens {
                self.broad.insert(token.stem, token.stem);
            }
        }
    }

    fn learn_class(&mut self, class: &str, words: &str) {
        let class = class_named(class);
        for word in words.split(',').map(str::trim) {
            for token in self.tokens(word).tokens {
                self.classes.entry(token.stem).or_insert(class);
            }
        }
    }

    fn learn_forms(&mut self, word: &str, forms: &str) {
        let mut cut = String::new();
        words::stem(word, &mut cut);
        let stem = symbol(&cut);
        for form in forms.split(',').map(str::trim) {
            self.irregular.insert(symbol(form), stem);
        }
    }

    fn group_named(&mut self, name: &str) -> Group {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        place as Group
    }

    /// `a/b` gives one phrase for each.
    fn learn_entry(&mut self, group: Group, entry: &str) {
        let Some(slash) = entry.find('/') else {
            return self.learn_phrase(group, entry);
        };
        let start = entry[..slash].rfind(' ').map_or(0, |space| space + 1);
        let end = entry[slash..]
            .find(' ')
            .map_or(entry.len(), |space| slash + space);
        for word in entry[start..end].split('/') {
            self.learn_phrase(group, &[&entry[..start], word, &entry[end..]].concat());
        }
    }

    fn learn_phrase(&mut self, group: Group, phrase: &str) {
        let mut symbols = Vec::new();
        for word in phrase.split(' ') {
            if word == "_" {
                symbols.push(ANY);
            } else if let Some(name) = word.strip_prefix('<') {
                symbols.push(of_group(self.group_named(name.trim_end_matches('>'))));
            } else {
                let tokens = Tokens::of(word, |word| self.irregular.get(&word).copied());
                symbols.extend(tokens.tokens.iter().map(|token| token.stem));
            }
        }
        if let [single] = symbols[..] {
            let groups = self.single.entry(single).or_default();
            if !groups.contains(&group) {
                groups.push(group);
            }
            return;
        }
        let mut node = 0;
        for symbol in symbols {
            let next = self.ends.len() as u32;
            let step = words::mix(u64::from(node), symbol);
            node = *self.steps.entry(step).or_insert(next);
            if node == next {
                self.ends.push(Vec::new());
            }
        }
        let ends = &mut self.ends[node as usize];
        if node != 0 && !ends.contains(&group) {
            ends.push(group);
        }
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
                std::mem::swap(&mut nodes, &mut next);
                if nodes.is_empty() {
                    break;
                }
                for &node in &nodes {
                    for &group in &self.ends[node as usize] {
                        let end = end + 1;
                        // A longer phrase of the same group takes the place of a shorter one.
                        hits.retain(|hit| hit.group != group || hit.start != start);
                        hits.push(Hit { group, start, end });
                    }
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
    fn a_sketch_keeps_what_holds_a_sentence_together() {
        let lexicon = Lexicon::compiled();
        let sketch = |text| -> Vec<Symbol> {
            let tokens = lexicon.tokens(text).tokens;
            tokens.iter().map(|token| lexicon.sketch(token)).collect()
        };
        assert_eq!(sketch("our kiln jams"), sketch("our lathe crashed"));
        assert_ne!(sketch("our kiln jams"), sketch("their kiln jams"));
        assert_ne!(sketch("our kiln jams"), sketch("our kiln improves"));
    }

    #[test]
    fn every_group_is_filled_and_defined_once() {
        let heads: Vec<&str> = TEXT
            .lines()
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
