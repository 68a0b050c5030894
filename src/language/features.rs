//! What a quote looks like to the model: the presence of words, runs of words, groups, and how they are meant.
//!
//! A feature is a number made of its parts. The same text gives the same features on every machine; the trainer and the
//! extractor share this file, so a change here asks for training anew.

mod runs;

use crate::language::lexicon::Group;
use crate::language::lexicon::Hit;
use crate::language::lexicon::Lexicon;
use crate::language::tokens::Token;
use crate::language::tokens::Tokens;
use crate::language::words::Symbol;
use crate::language::words::mix;
use crate::language::words::symbol;

/// A feature, as a number.
pub type Feature = u32;

/// A feature and the sentence that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    pub feature: Feature,
    pub kind: u8,
    pub sentence: u16,
}

/// How many kinds of features there are, the unused 0 among them.
pub const KINDS: usize = 38;

/// The most groups of one sentence that are paired with each other.
const PAIRED_MAX: usize = 24;

/// So many words ahead of a word are paired with it.
const SKETCHED_MAX: usize = 8;

/// Quotes with at most so many words are read with the seller's words before them.
const ANSWER_WORDS_MAX: usize = 12;

/// What a feature is of.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Kind {
    Word = 1,
    Negated,
    Twice,
    Pair,
    Triple,
    Skip,
    Group,
    Next,
    Together,
    Marked,
    Before,
    After,
    Subject,
    Shape,
    Context,
    Answer,
    Third,
    Opening,
    Elsewhere,
    Bare,
    Class,
    ClassPair,
    ClassTriple,
    ClassSkip,
    ClassNear,
    SketchPair,
    SketchTriple,
    SketchFour,
    SketchSkip,
    SketchWith,
    CorePair,
    CoreTriple,
    CoreSkip,
    CoreFour,
    Meaning,
    MeaningMarked,
    MeaningPair,
}

/// How a sentence, or a clause of it, is meant.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Mark {
    Question = 1,
    Condition,
    Hedge,
    Turn,
    Reported,
    Past,
    Answer,
}

/// The groups that the marks and subjects are read by.
#[derive(Debug)]
pub struct Reader {
    condition: Group,
    hedge: Group,
    turn: Group,
    says: Group,
    past: Group,
    subjects: [Group; 5],
}

impl Reader {
    /// Finds the groups by name; a name that is not there reads nothing.
    pub fn new(lexicon: &Lexicon) -> Reader {
        let group = |name| lexicon.group(name).unwrap_or(Group::MAX);
        Reader {
            condition: group("IF"),
            hedge: group("HEDGE"),
            turn: group("BUT"),
            says: group("SAYS"),
            past: group("PAST"),
            subjects: ["I", "WE", "YOU", "THEY", "BOSS"].map(group),
        }
    }

    /// All features of a quote and of the seller's words before it; a feature may be shown more than once.
    pub fn features(&self, lexicon: &Lexicon, quote: &Tokens, context: &Tokens) -> Vec<Shown> {
        let mut sheet = Sheet {
            shown: Vec::with_capacity(512),
            sentence: 0,
        };
        let mut earlier: Vec<Symbol> = Vec::new();
        for (place, sentence) in quote.sentences.iter().enumerate() {
            sheet.sentence = place.min(usize::from(u16::MAX)) as u16;
            let tokens = &quote.tokens[sentence.tokens.clone()];
            sheet.words(tokens, sentence.is_question);
            sheet.classes(lexicon, tokens);
            sheet.sketch(lexicon, tokens);
            sheet.core(lexicon, tokens);
            let (meanings, hits): (Vec<Hit>, Vec<Hit>) = lexicon
                .hits(tokens)
                .into_iter()
                .partition(|hit| lexicon.is_meaning(hit.group));
            self.groups(&mut sheet, tokens, &hits, sentence.is_question);
            self.meanings(&mut sheet, tokens, &hits, meanings, sentence.is_question);
            if earlier.len() < PAIRED_MAX {
                let found = hits.iter().map(|hit| signed(hit, tokens));
                for symbol in found.clone() {
                    for before in &earlier {
                        sheet.show(Kind::Elsewhere, &[*before, symbol]);
                    }
                }
                earlier.extend(found);
                earlier.truncate(PAIRED_MAX);
            }
        }
        self.shape(&mut sheet, quote);
        self.context(&mut sheet, lexicon, quote, context);
        sheet.shown
    }

    fn groups(&self, sheet: &mut Sheet, tokens: &[Token], hits: &[Hit], is_question: bool) {
        let has = |group| hits.iter().any(|hit| hit.group == group);
        let turned = hits
            .iter()
            .find(|hit| hit.group == self.turn)
            .map(|hit| hit.start);
        let told = self.reports(tokens, hits);
        for (place, hit) in hits.iter().enumerate() {
            let own = signed(hit, tokens);
            sheet.show(Kind::Group, &[own]);
            let mut mark = |mark: Mark| sheet.show(Kind::Marked, &[own, mark as u64]);
            if is_question {
                mark(Mark::Question);
            }
            if has(self.condition) {
                mark(Mark::Condition);
            }
            if has(self.hedge) {
                mark(Mark::Hedge);
            }
            if has(self.past) {
                mark(Mark::Past);
            }
            if turned.is_some_and(|turned| turned < hit.start) {
                mark(Mark::Turn);
            }
            if told {
                mark(Mark::Reported);
            }
            if let Some(subject) = self.subject(tokens, hits, hit) {
                sheet.show(Kind::Subject, &[own, u64::from(subject)]);
            }
            let before = hit.start.checked_sub(1).map_or(0, |at| tokens[at].stem);
            let after = tokens.get(hit.end).map_or(1, |token| token.stem);
            sheet.show(Kind::Before, &[before, own]);
            sheet.show(Kind::After, &[own, after]);
            self.neighbours(sheet, tokens, hits, place);
        }
    }

    /// What a sentence says by phrases of one meaning, each once: how it is meant, and what is meant together.
    fn meanings(
        &self,
        sheet: &mut Sheet,
        tokens: &[Token],
        hits: &[Hit],
        meanings: Vec<Hit>,
        is_question: bool,
    ) {
        let has = |group| hits.iter().any(|hit| hit.group == group);
        let mut own: Vec<(Symbol, usize)> = meanings
            .iter()
            .map(|hit| (signed(hit, tokens), hit.end - hit.start))
            .collect();
        // The longest of a meaning says most.
        own.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
        own.dedup_by_key(|one| one.0);
        own.truncate(PAIRED_MAX);
        let marks = [
            (Mark::Question, is_question),
            (Mark::Condition, has(self.condition)),
            (Mark::Hedge, has(self.hedge)),
            (Mark::Past, has(self.past)),
            (Mark::Turn, has(self.turn)),
        ];
        for (place, (meaning, words)) in own.iter().enumerate() {
            sheet.show(Kind::Meaning, &[*meaning]);
            if 2 < *words {
                sheet.show(Kind::Meaning, &[*meaning, 3]);
            }
            for (mark, _) in marks.iter().filter(|(_, holds)| *holds) {
                sheet.show(Kind::MeaningMarked, &[*meaning, *mark as u64]);
            }
            for (other, _) in &own[place + 1..] {
                sheet.show(Kind::MeaningPair, &[*meaning, *other]);
            }
        }
    }

    /// A group with those after it: the next one, the two next, and any.
    fn neighbours(&self, sheet: &mut Sheet, tokens: &[Token], hits: &[Hit], place: usize) {
        let hit = &hits[place];
        let own = signed(hit, tokens);
        let mut near = 0;
        for other in hits[place + 1..].iter().take(PAIRED_MAX) {
            let symbol = signed(other, tokens);
            let (low, high) = if own < symbol {
                (own, symbol)
            } else {
                (symbol, own)
            };
            sheet.show(Kind::Together, &[low, high]);
            if hit.end <= other.start && near < 4 {
                sheet.show(Kind::Next, &[own, symbol]);
                near += 1;
                let third = hits.iter().filter(|third| other.end <= third.start).take(2);
                for third in third {
                    sheet.show(Kind::Third, &[own, symbol, signed(third, tokens)]);
                }
            }
        }
    }

    /// Whether somebody else than the speaker is said to say it.
    fn reports(&self, tokens: &[Token], hits: &[Hit]) -> bool {
        let [speaker, ..] = self.subjects;
        hits.iter().filter(|hit| hit.group == self.says).any(|hit| {
            let before = hit.start.saturating_sub(1);
            !hits
                .iter()
                .any(|other| other.group == speaker && other.start == before)
                && tokens[before].clause == tokens[hit.start].clause
                && 0 < hit.start
        })
    }

    /// The last of the subjects named before a hit in its clause.
    fn subject(&self, tokens: &[Token], hits: &[Hit], hit: &Hit) -> Option<Group> {
        hits.iter()
            .filter(|other| other.start < hit.start)
            .filter(|other| tokens[other.start].clause == tokens[hit.start].clause)
            .filter(|other| self.subjects.contains(&other.group))
            .map(|other| other.group)
            .next_back()
    }

    fn shape(&self, sheet: &mut Sheet, quote: &Tokens) {
        let words = quote.tokens.len();
        let length = match words {
            0..=2 => 0,
            3..=5 => 1,
            6..=9 => 2,
            10..=16 => 3,
            17..=28 => 4,
            _ => 5,
        };
        let asks = quote.sentences.iter().filter(|one| one.is_question).count();
        let asking = match asks {
            0 => 0,
            _ if asks == quote.sentences.len() => 2,
            _ => 1,
        };
        let sentences = quote.sentences.len().min(4) as u64;
        sheet.show(Kind::Shape, &[1, length]);
        sheet.show(Kind::Shape, &[2, asking]);
        sheet.show(Kind::Shape, &[3, sentences]);
        sheet.show(Kind::Shape, &[4, length, asking]);
    }

    /// What a short quote answers.
    fn context(&self, sheet: &mut Sheet, lexicon: &Lexicon, quote: &Tokens, context: &Tokens) {
        let Some(asked) = context.sentences.last() else {
            return;
        };
        if ANSWER_WORDS_MAX < quote.tokens.len() {
            return;
        }
        sheet.show(Kind::Context, &[0, u64::from(asked.is_question)]);
        let tokens = &context.tokens[asked.tokens.clone()];
        let answers: Vec<Symbol> = quote
            .sentences
            .iter()
            .flat_map(|sentence| {
                let tokens = &quote.tokens[sentence.tokens.clone()];
                let hits = lexicon.hits(tokens);
                hits.into_iter().map(|hit| signed(&hit, tokens))
            })
            .take(PAIRED_MAX)
            .collect();
        let opening = quote.tokens.first().map_or(0, |token| token.stem);
        for hit in lexicon.hits(tokens).iter().take(PAIRED_MAX) {
            let own = signed(hit, tokens);
            sheet.show(Kind::Context, &[1, own]);
            sheet.show(Kind::Answer, &[own, opening, Mark::Answer as u64]);
            for answer in &answers {
                sheet.show(Kind::Answer, &[own, *answer]);
            }
        }
        for token in tokens {
            sheet.show(Kind::Context, &[2, token.stem]);
        }
    }
}

/// The features found so far.
struct Sheet {
    shown: Vec<Shown>,
    sentence: u16,
}

impl Sheet {
    fn show(&mut self, kind: Kind, parts: &[Symbol]) {
        let whole = parts
            .iter()
            .fold(kind as u64, |whole, part| mix(whole, *part));
        self.shown.push(Shown {
            feature: (whole >> 32) as Feature,
            kind: kind as u8,
            sentence: self.sentence,
        });
    }

    /// Words, and runs of two and three of them.
    fn words(&mut self, tokens: &[Token], is_question: bool) {
        let edge = symbol("<edge>");
        let stem = |at: usize| tokens.get(at).map_or(edge, |token| token.stem);
        for (at, token) in tokens.iter().enumerate() {
            self.show(Kind::Word, &[token.stem]);
            self.show(Kind::Bare, &[token.word]);
            if token.negations % 2 == 1 {
                self.show(Kind::Negated, &[token.stem]);
            } else if 0 < token.negations {
                self.show(Kind::Twice, &[]);
            }
            if is_question {
                self.show(Kind::Marked, &[token.stem, Mark::Question as u64]);
            }
            self.show(Kind::Pair, &[stem(at), stem(at + 1)]);
            if at + 1 < tokens.len() {
                self.show(Kind::Triple, &[stem(at), stem(at + 1), stem(at + 2)]);
            }
            if at + 2 < tokens.len() {
                self.show(Kind::Skip, &[stem(at), stem(at + 2)]);
            }
            if token.named {
                self.show(Kind::Shape, &[5]);
            }
        }
        self.show(Kind::Opening, &[edge, stem(0)]);
        self.show(Kind::Opening, &[edge, stem(0), stem(1)]);
    }
}

/// A group with whether it is negated.
fn signed(hit: &Hit, tokens: &[Token]) -> Symbol {
    let negated = tokens[hit.start].negations % 2;
    u64::from(hit.group) * 2 + u64::from(negated)
}
