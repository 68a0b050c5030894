//! Runs of words as features: by their classes, by what is left of them in a sketch, and by what carries the meaning.

use crate::language::features::Kind;
use crate::language::features::SKETCHED_MAX;
use crate::language::features::Sheet;
use crate::language::lexicon::Lexicon;
use crate::language::tokens::Token;
use crate::language::words::Symbol;
use crate::language::words::mix;
use crate::language::words::symbol;

impl Sheet {
    /// Runs of words by their classes.
    pub(super) fn classes(&mut self, lexicon: &Lexicon, tokens: &[Token]) {
        let edge = symbol("<edge>");
        let classes: Vec<Symbol> = tokens.iter().map(|token| lexicon.class(token)).collect();
        let class = |at: usize| classes.get(at).copied().unwrap_or(edge);
        for (at, token) in tokens.iter().enumerate() {
            let own = classes[at];
            if own != token.stem {
                let negated = u64::from(token.negations % 2);
                self.show(Kind::Class, &[own, negated]);
            }
            self.show(Kind::ClassPair, &[own, class(at + 1)]);
            self.show(Kind::ClassTriple, &[own, class(at + 1), class(at + 2)]);
            self.show(Kind::ClassSkip, &[own, class(at + 2)]);
            self.show(Kind::ClassNear, &[own, class(at + 3)]);
        }
    }

    /// Runs of words by what is left when a sentence is only sketched, and which of them share a clause.
    pub(super) fn sketch(&mut self, lexicon: &Lexicon, tokens: &[Token]) {
        let edge = symbol("<edge>");
        let sketch: Vec<Symbol> = tokens.iter().map(|token| lexicon.sketch(token)).collect();
        let part = |at: usize| sketch.get(at).copied().unwrap_or(edge);
        for (at, token) in tokens.iter().enumerate() {
            let own = sketch[at];
            self.show(Kind::SketchPair, &[own, part(at + 1)]);
            self.show(Kind::SketchTriple, &[own, part(at + 1), part(at + 2)]);
            self.show(
                Kind::SketchFour,
                &[own, part(at + 1), part(at + 2), part(at + 3)],
            );
            self.show(Kind::SketchSkip, &[own, part(at + 2), part(at + 3)]);
            let clause = tokens[at + 1..]
                .iter()
                .take_while(|other| other.clause == token.clause);
            for (ahead, other) in clause.enumerate().take(SKETCHED_MAX) {
                let odd = u64::from(other.negations % 2);
                self.show(Kind::SketchWith, &[own, sketch[at + 1 + ahead], odd]);
            }
        }
    }
}

impl Sheet {
    /// Runs of what carries the meaning: without the words that only fill or hold together, each with whether it is negated.
    pub(super) fn core(&mut self, lexicon: &Lexicon, tokens: &[Token]) {
        let edge = symbol("<edge>");
        let core: Vec<Symbol> = tokens
            .iter()
            .filter_map(|token| Some((lexicon.core(token)?, token.negations % 2)))
            .map(|(core, negated)| if negated == 1 { mix(core, 1) } else { core })
            .collect();
        let part = |at: usize| core.get(at).copied().unwrap_or(edge);
        self.show(Kind::CorePair, &[edge, part(0)]);
        self.show(Kind::CoreTriple, &[edge, part(0), part(1)]);
        for (at, own) in core.iter().enumerate() {
            self.show(Kind::CorePair, &[*own, part(at + 1)]);
            self.show(Kind::CoreTriple, &[*own, part(at + 1), part(at + 2)]);
            self.show(Kind::CoreSkip, &[*own, part(at + 2)]);
            self.show(Kind::CoreFour, &[*own, part(at + 1), part(at + 3)]);
        }
    }
}
