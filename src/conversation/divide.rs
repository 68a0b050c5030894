//! Cuts text where sentences end: turns that are too long for one statement, context that is too long to tell.

/// A turn longer than this is divided.
///
/// A turn is kept whole as far as it can be: what it claims is judged by its whole (praise and refusal in one breath,
/// "but"), and a claim's words are cited with those around them. Beyond about a minute of speech several matters meet in
/// one turn, of each quote only one claim a topic is read, and nobody reads a citation of that length.
pub const QUOTE_BYTES_MAX: usize = 1_000;

/// The most bytes of a seller's turn that go with a buyer's words: its end, which is what they answer.
pub const CONTEXT_BYTES_MAX: usize = 1_000;

/// Parts of a text of at most `bytes_max` each, divided at the end of a paragraph, else of a sentence, else between words.
pub fn parts(text: &str, bytes_max: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while bytes_max < rest.len() {
        let window = beginning(rest, bytes_max);
        // At least a quarter of a part: a short sentence alone is taken out of what it belongs to.
        let least = window.len() / 4;
        let cut = last_end(window, least, |text, at| text[..at].ends_with('\n'))
            .or_else(|| last_end(window, least, is_sentence_end))
            .or_else(|| {
                last_end(window, 1, |text, at| {
                    text[..at].ends_with(char::is_whitespace)
                })
            })
            .unwrap_or(window.len());
        let (part, behind) = rest.split_at(cut);
        parts.push(part.trim());
        rest = behind.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// The end of a text, of at most `bytes_max`, beginning with a sentence where there is one.
pub fn ending(text: &str, bytes_max: usize) -> &str {
    let text = text.trim();
    if text.len() <= bytes_max {
        return text;
    }
    let mut start = text.len() - bytes_max;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let tail = &text[start..];
    let sentence = tail
        .char_indices()
        .map(|(at, character)| at + character.len_utf8())
        .find(|at| is_sentence_end(tail, *at) && !tail[*at..].trim().is_empty());
    match sentence {
        Some(at) => tail[at..].trim_start(),
        None => tail.trim_start(),
    }
}

/// At most so many bytes from the start, on the boundary of a character.
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The last place beyond `least` that fits; places lie behind a character.
fn last_end(text: &str, least: usize, fits: fn(&str, usize) -> bool) -> Option<usize> {
    text.char_indices()
        .map(|(at, character)| at + character.len_utf8())
        .rev()
        .take_while(|at| least < *at)
        .find(|at| fits(text, *at))
}

/// Whether a sentence ends just before `at`: by its mark, with blanks behind it.
fn is_sentence_end(text: &str, at: usize) -> bool {
    let (before, behind) = text.split_at(at);
    if before.ends_with(['。', '？', '！']) {
        return true;
    }
    let closed = before.trim_end_matches(['"', '”', '\'', '’', ')']);
    closed.ends_with(['.', '!', '?', '…']) && behind.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_divided_where_sentences_end() {
        let text = "One is here. Two is there! Is three? Four costs 4.5 million.";
        assert_eq!(parts(text, 100), [text]);
        assert_eq!(
            parts(text, 30),
            [
                "One is here. Two is there!",
                "Is three?",
                "Four costs 4.5 million."
            ]
        );
        assert_eq!(parts("One.\nTwo. Three.", 12), ["One.", "Two. Three."]);
        assert_eq!(
            parts("a long clause without end", 10),
            ["a long", "clause", "without", "end"]
        );
        assert_eq!(parts("ééééé", 4), ["éé", "éé", "é"]);
        assert_eq!(parts(" ", 4), Vec::<&str>::new());
    }

    #[test]
    fn the_end_of_a_text_begins_with_a_sentence() {
        assert_eq!(ending("One is. Two is. Three?", 16), "Two is. Three?");
        assert_eq!(ending("One is. Two is. Three?", 12), "Three?");
        assert_eq!(
            ending("One is. Two is. Three?", 22),
            "One is. Two is. Three?"
        );
        assert_eq!(ending("ééééé", 5), "éé");
    }
}
