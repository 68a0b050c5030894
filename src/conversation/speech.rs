//! Which words carry something: nods and stage directions do not.

/// The most words of a nod.
const NOD_WORDS_MAX: usize = 4;

/// Words that say no more than that somebody listens or greets. An answer to a question is more than a nod.
const NODS: [&str; 51] = [
    "a",
    "absolutely",
    "ah",
    "aha",
    "all",
    "alright",
    "and",
    "bye",
    "cool",
    "course",
    "exactly",
    "fine",
    "go",
    "good",
    "good-bye",
    "goodbye",
    "got",
    "great",
    "hello",
    "hey",
    "hi",
    "hm",
    "hmm",
    "i",
    "it",
    "lot",
    "mhm",
    "mm",
    "mm-hm",
    "mm-hmm",
    "mmhm",
    "much",
    "nice",
    "of",
    "oh",
    "ok",
    "okay",
    "perfect",
    "please",
    "right",
    "see",
    "sure",
    "thank",
    "thanks",
    "uh",
    "uh-huh",
    "understood",
    "wow",
    "yeah",
    "yep",
    "yes",
];

/// Whether it is a nod: `Yeah.`, `Okay, got it.`, `Mm-hm`.
pub fn is_backchannel(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'')
        .filter(|word| !word.trim_matches('-').is_empty());
    let mut count = 0;
    for word in words {
        count += 1;
        if NOD_WORDS_MAX < count
            || !(NODS.contains(&word) || matches!(word, "you" | "on" | "that's"))
        {
            return false;
        }
    }
    !text.contains('?')
}

/// Whether nothing of it is spoken: `*hangs up*`, `[inaudible]`, `(laughs)`.
pub fn is_stage_direction(text: &str) -> bool {
    let mut rest = text.trim();
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let pair = [('*', '*'), ('[', ']'), ('(', ')')]
            .into_iter()
            .find(|(open, _)| rest.starts_with(*open));
        let Some((open, close)) = pair else {
            return false;
        };
        let inner = rest[open.len_utf8()..].trim_start_matches('*');
        let Some(end) = inner.find(close) else {
            return false;
        };
        rest = inner[end..].trim_start_matches(|c: char| {
            c == close
                || c.is_whitespace()
                || c.is_ascii_punctuation() && !matches!(c, '*' | '[' | '(')
        });
    }
    true
}

/// Whether it asks something of who speaks next.
pub fn asks(text: &str) -> bool {
    let end = text
        .trim_end()
        .trim_end_matches(['"', '”', ')', '*', '\'', ' ']);
    end.ends_with(['?', '？'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nod_carries_nothing() {
        for nod in [
            "Yeah.",
            "Okay, got it.",
            "Mm-hm",
            "Thank you!",
            "Right, right.",
            "I see.",
            "…",
            "Of course.",
        ] {
            assert!(is_backchannel(nod), "{nod}");
        }
        for words in [
            "No.",
            "We have no budget.",
            "Yeah, it's a mess.",
            "Okay?",
            "Not right now",
            "42",
            "ja genau",
        ] {
            assert!(!is_backchannel(words), "{words}");
        }
    }

    #[test]
    fn a_stage_direction_is_not_spoken() {
        for text in [
            "*hangs up*",
            "[inaudible]",
            "(laughs)",
            "[crosstalk] (laughs).",
            "**pause**",
        ] {
            assert!(is_stage_direction(text), "{text}");
        }
        for text in [
            "*leans in* Okay, this is what I need.",
            "",
            "We (all of us)",
            "*unfinished",
        ] {
            assert!(!is_stage_direction(text), "{text}");
        }
    }

    #[test]
    fn a_question_ends_with_its_mark() {
        assert!(asks("Is it approved?") && asks("He said \"when?\"") && asks("对吗？"));
        assert!(!asks("Is it? I think so.") && !asks(""));
    }
}
