//! How the word lists are read: groups, phrases, meanings and classes, each from its line.
//!
//! A phrase may hold `a/b`, `_` and `<GROUP>`; `language/lexicon.txt` says what they stand for.

use crate::language::lexicon::ANY;
use crate::language::lexicon::DROPPED;
use crate::language::lexicon::Group;
use crate::language::lexicon::Lexicon;
use crate::language::lexicon::of_group;
use crate::language::tokens::Tokens;
use crate::language::words;
use crate::language::words::Symbol;
use crate::language::words::symbol;

impl Lexicon {
    pub(super) fn parse(text: &str, meanings: &str, classes: &str) -> Lexicon {
        let mut lexicon = Lexicon {
            ends: vec![Vec::new()],
            ..Lexicon::default()
        };
        for (head, forms) in lines(text) {
            if let Some(word) = head.strip_prefix("= ") {
                lexicon.learn_forms(word, forms);
            }
        }
        for line in classes.lines().filter(|line| !line.starts_with('#')) {
            let Some((head, words)) = line.split_once(": ") else {
                continue;
            };
            if let Some(common) = head.strip_prefix("+ ") {
                lexicon.learn_common(common, words);
            } else if head.starts_with("% ") {
                lexicon.learn_skipped(words);
            } else if let Some(folded) = head.strip_prefix("~ ") {
                lexicon.learn_core(class_named(folded), words);
            } else if head.starts_with("- ") {
                lexicon.learn_core(DROPPED, words);
            } else if head.starts_with("* ") {
                lexicon.learn_plain(words);
            } else {
                lexicon.learn_class(head, words);
            }
        }
        lexicon.learn_groups(text);
        lexicon.meanings = lexicon.names.len() as Group;
        lexicon.learn_groups(meanings);
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

    fn learn_groups(&mut self, text: &str) {
        for (head, entries) in lines(text) {
            if head.starts_with("= ") {
                continue;
            }
            let group = self.group_named(head);
            for entry in entries.split(',').map(str::trim) {
                self.learn_entry(group, entry);
            }
        }
    }

    fn learn_skipped(&mut self, words: &str) {
        for word in words.split(',').map(str::trim) {
            for token in self.tokens(word).tokens {
                self.skipped.insert(token.stem, ());
            }
        }
    }

    fn learn_core(&mut self, stands: Symbol, words: &str) {
        for word in words.split(',').map(str::trim) {
            for token in self.tokens(word).tokens {
                self.core.insert(token.stem, stands);
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
}

/// The heads of a file, each with what it holds.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
}

fn class_named(name: &str) -> Symbol {
    words::mix(symbol("<class>"), symbol(name))
}
