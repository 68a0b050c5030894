//! Whether a text is in a language that is not read here.
//!
//! Decided by script, and by the small words that no sentence does without. A text too short to tell is read as English.

use crate::language::tokens::Tokens;
use crate::language::words::Symbol;
use crate::language::words::symbol;

/// Small words of English.
const ENGLISH: &str = "the a an and or but of to in on at is are was were be been it its this that these those i you he she we \
they me us them my your our their have has had do does did not no yes yeah ok okay with for from as by about if so what when \
where how who why will would can could should there here just really very too than then now right well good thanks thank \
please sure hi hello need want like think know get got let more some any all up out one";

/// Small words of German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish, Polish and Turkish that are no
/// English ones.
const OTHERS: &str = "der das und ist nicht wir ich sie ein eine einen mit für auf zu von haben hat sind aber auch noch wie bei \
nur kein keine uns unsere unser wenn oder dass es im den dem des sehr schon jetzt können wird werden brauchen zum zur \
le la les des et est nous vous je il elle ne pas un une dans pour avec sur ce cette que qui mais notre nos votre sont \
avons ont du au aux plus très pouvons été être cela \
el los las y es no nosotros usted yo una con por para pero muy más este esto esta nuestro nuestra tenemos hay está son se lo \
que en de como ya si \
os um uma não é com para mas muito nós temos isso este nosso nossa são está em do da no na \
il lo gli e non che con per ma molto noi abbiamo questo questa nostro nostra sono è di della del siamo ci \
het een niet wij ik zijn hebben met voor maar ook onze dit dat van te op naar geen veel als \
och är inte vi jag en ett med för men det som vår har på av till mycket kan ska \
og er ikke jeg et med til men det som vores har af på meget kan \
i nie jest mamy my z na do to się ale bardzo nasz nasza są jak dla tego już \
ve bir bu biz için çok değil ama var yok ile daha";

/// At least so many words are needed to tell.
const WORDS_MIN: usize = 3;

/// Whether a text is not English.
pub fn is_foreign(text: &str, tokens: &Tokens) -> bool {
    if is_of_another_script(text) {
        return true;
    }
    if tokens.tokens.len() < WORDS_MIN {
        return false;
    }
    let (mut english, mut shared, mut other) = (0, 0, 0);
    for token in &tokens.tokens {
        english += usize::from(within(&SMALL.english, token.word));
        shared += usize::from(within(&SMALL.shared, token.word));
        other += usize::from(within(&SMALL.others, token.word));
    }
    // A word that is English and another language's, such as `no`, says half as much.
    english * 2 + shared < other || (english + shared == 0 && 0 < accents(text))
}

/// Whether more letters are of another script than Latin ones.
fn is_of_another_script(text: &str) -> bool {
    let (mut latin, mut another) = (0usize, 0usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        // Latin with all its marks ends at U+024F; U+1E00 to U+1EFF has more.
        if c <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&c) {
            latin += 1;
        } else {
            another += 1;
        }
    }
    latin < another
}

fn accents(text: &str) -> usize {
    text.chars()
        .filter(|c| c.is_alphabetic() && !c.is_ascii())
        .count()
}

struct Small {
    english: Vec<Symbol>,
    shared: Vec<Symbol>,
    others: Vec<Symbol>,
}

static SMALL: std::sync::LazyLock<Small> = std::sync::LazyLock::new(|| {
    let sorted = |words: &str| {
        let mut symbols: Vec<Symbol> = words.split_whitespace().map(symbol).collect();
        symbols.sort_unstable();
        symbols
    };
    let mut english = sorted(ENGLISH);
    let mut others = sorted(OTHERS);
    let mut shared = english.clone();
    shared.retain(|word| within(&others, *word));
    english.retain(|word| !within(&shared, *word));
    others.retain(|word| !within(&shared, *word));
    Small {
        english,
        shared,
        others,
    }
});

fn within(sorted: &[Symbol], word: Symbol) -> bool {
    sorted.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, foreign: bool) {
        let tokens = Tokens::of(text, |_| None);
        assert_eq!(is_foreign(text, &tokens), foreign, "{text}");
    }

    #[test]
    fn other_languages_are_told_from_english() {
        check("Wir haben kein Budget dafür in diesem Jahr.", true);
        check("Nous n'avons pas de budget pour cela.", true);
        check("No tenemos presupuesto para este año.", true);
        check("No tenemos presupuesto para esto.", true);
        check("Não temos orçamento para isso.", true);
        check("Non abbiamo il budget per questo.", true);
        check("We hebben daar geen budget voor.", true);
        check("У нас нет на это бюджета.", true);
        check("预算已经冻结了", true);
        check("予算がありません。", true);
    }

    #[test]
    fn english_is_read_however_terse() {
        check("budget's frozen", false);
        check("nope", false);
        check("no van, my son", false);
        check("so no on me", false);
        check("Our café in Zürich loses customers.", false);
        check("too pricey 4 us tbh", false);
        check("Contract expires March 31.", false);
        check("", false);
        check("42", false);
    }
}
