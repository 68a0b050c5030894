//! One word at a time: contractions taken apart, endings cut, spellings brought to one number.
//!
//! Nothing here knows what a word means; `language/lexicon.txt` does.

/// A word, a stem, a group or a feature, as a number. Equal spellings have equal numbers.
pub type Symbol = u64;

/// Any number, any amount of money, any share, any year.
pub const NUMBER: Symbol = symbol("<number>");
pub const MONEY: Symbol = symbol("<money>");
pub const PERCENT: Symbol = symbol("<percent>");
pub const YEAR: Symbol = symbol("<year>");

/// What stands for any of its kind.
pub const STANDS_FOR_MANY: [Symbol; 4] = [NUMBER, MONEY, PERCENT, YEAR];

/// Words that stand for a number.
pub const NUMBERS: &[&str] = &[
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    "hundred", "thousand", "million", "dozen", "couple", "several",
];

/// The number of a spelling (FNV-1a).
pub const fn symbol(text: &str) -> Symbol {
    let bytes = text.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// One number for two; the order matters.
pub const fn mix(first: Symbol, second: Symbol) -> Symbol {
    let mixed = (first.rotate_left(23) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// What stands for a word, when more than one word or another one does: `don't` for `do not`, `pls` for `please`.
pub fn in_full(word: &str) -> Option<&'static str> {
    WHOLE
        .iter()
        .find(|(short, _)| *short == word)
        .map(|(_, full)| *full)
}

/// A word without its ending, and the word that the ending was short for.
pub fn take_apart(word: &str) -> (&str, Option<&'static str>) {
    for (ending, full) in ENDINGS {
        if let Some(rest) = word.strip_suffix(ending)
            && !rest.is_empty()
        {
            return (rest, Some(full));
        }
    }
    (word, None)
}

const ENDINGS: &[(&str, &str)] = &[
    ("n't", "not"),
    ("'re", "are"),
    ("'ve", "have"),
    ("'ll", "will"),
    ("'m", "am"),
    ("'d", "would"),
    ("'s", "is"),
];

const WHOLE: &[(&str, &str)] = &[
    ("can't", "can not"),
    ("won't", "will not"),
    ("shan't", "shall not"),
    ("ain't", "is not"),
    ("cannot", "can not"),
    ("cant", "can not"),
    ("wont", "will not"),
    ("dont", "do not"),
    ("doesnt", "does not"),
    ("didnt", "did not"),
    ("isnt", "is not"),
    ("arent", "are not"),
    ("wasnt", "was not"),
    ("havent", "have not"),
    ("hasnt", "has not"),
    ("wouldnt", "would not"),
    ("couldnt", "could not"),
    ("shouldnt", "should not"),
    ("let's", "let us"),
    ("lets", "let us"),
    ("im", "i am"),
    ("ive", "i have"),
    ("id", "i would"),
    ("youre", "you are"),
    ("theyre", "they are"),
    ("thats", "that is"),
    ("its", "it is"),
    ("gonna", "going to"),
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("dunno", "do not know"),
    ("idk", "i do not know"),
    ("u", "you"),
    ("ur", "your"),
    ("r", "are"),
    ("pls", "please"),
    ("plz", "please"),
    ("thx", "thanks"),
    ("ty", "thanks"),
    ("bc", "because"),
    ("cuz", "because"),
    ("cos", "because"),
    ("tbh", "to be honest"),
    ("imo", "i think"),
    ("imho", "i think"),
    ("afaik", "i think"),
    ("rn", "right now"),
    ("atm", "at the moment"),
    ("eod", "end of the day"),
    ("eoy", "end of year"),
    ("eoq", "end of quarter"),
    ("eom", "end of month"),
    ("fy", "fiscal year"),
    ("yr", "year"),
    ("yrs", "years"),
    ("mo", "month"),
    ("hrs", "hours"),
    ("mgmt", "management"),
    ("mgr", "manager"),
    ("w", "with"),
    ("whats", "what is"),
    ("theres", "there is"),
    ("hows", "how is"),
    ("nothin", "nothing"),
    ("wouldn't've", "would not have"),
];

/// The stem of a lower-case word: `losing`, `loses` and `lose` have one.
///
/// English endings only, and roughly: what matters is that forms of a word meet, not that the stem is a word.
pub fn stem(word: &str, cut: &mut String) {
    cut.clear();
    cut.push_str(word);
    if word.len() <= 3 || !word.is_ascii() {
        return;
    }
    cut_plural(cut);
    cut_tense(cut);
    if 5 < cut.len() && cut.ends_with("ly") {
        cut.truncate(cut.len() - 2);
    }
    if 3 < cut.len() && cut.ends_with('e') {
        cut.pop();
    }
    if 3 < cut.len() && cut.ends_with('y') {
        cut.pop();
        cut.push('i');
    }
}

fn cut_plural(word: &mut String) {
    if 4 < word.len() && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.ends_with("sses") || word.ends_with("xes") || word.ends_with("ches") {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|kept| word.ends_with(kept)) {
        word.pop();
    }
}

fn cut_tense(word: &mut String) {
    let rest = ["ing", "ed"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending));
    let Some(rest) = rest else { return };
    let voiced = rest.bytes().any(|byte| b"aeiouy".contains(&byte));
    if rest.len() < 3 || !voiced || rest.ends_with('e') {
        return;
    }
    word.truncate(rest.len());
    // running, stopped; but not selling, passed, fuzzed.
    let bytes = word.as_bytes();
    let (last, before) = (bytes[bytes.len() - 1], bytes[bytes.len() - 2]);
    if last == before && !b"lsz".contains(&last) {
        word.pop();
    } else if word.ends_with('i') {
        // tried: try.
        word.pop();
        word.push('y');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn meet(words: &[&str]) {
        let stems: Vec<String> = words
            .iter()
            .map(|word| {
                let mut cut = String::new();
                stem(word, &mut cut);
                cut
            })
            .collect();
        assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
    }

    #[test]
    fn the_forms_of_a_word_have_one_stem() {
        meet(&["lose", "loses", "losing"]);
        meet(&["price", "prices", "pricing", "priced"]);
        meet(&["company", "companies"]);
        meet(&["stop", "stops", "stopped", "stopping"]);
        meet(&["switch", "switches", "switching", "switched"]);
        meet(&["try", "tries", "tried", "trying"]);
        meet(&["process", "processes"]);
        meet(&["sell", "selling", "sells"]);
    }

    #[test]
    fn a_contraction_is_what_it_is_short_for() {
        assert_eq!(take_apart("doesn't"), ("does", Some("not")));
        assert_eq!(take_apart("we'll"), ("we", Some("will")));
        assert_eq!(take_apart("'s"), ("'s", None));
        assert_eq!(in_full("can't"), Some("can not"));
        assert_eq!(in_full("cat"), None);
    }
}
