//! The end of an email that is nobody's words: signature, disclaimer, banner, `Sent from my iPhone`.
//!
//! Cut is what is surely one. What looks like one and has sentences in it is kept, and said so.

use crate::conversation::Line;
use crate::conversation::email::Fate;

const SIGNATURE: &str = "signature";
const DISCLAIMER: &str = "disclaimer or banner";
const DOUBTED: &str = "may be a signature; kept, since sentences follow or nothing would be left";

/// The most lines of a signature, blank ones aside.
const LINES_MAX: usize = 16;

/// The most lines of a disclaimer that are looked at and cut as one.
const PARAGRAPH_LINES_MAX: usize = 40;

/// Longer lines are sentences.
const LINE_CHARS_MAX: usize = 90;

/// A line with so many words that ends as a sentence does is one.
const SENTENCE_WORDS_MIN: usize = 6;

const CLOSINGS: [&str; 46] = [
    "all the best",
    "atentamente",
    "best",
    "best regards",
    "best wishes",
    "beste grüße",
    "bien à vous",
    "cheers",
    "cordiali saluti",
    "cordialement",
    "freundliche grüße",
    "gruß",
    "grüße",
    "hälsningar",
    "kind regards",
    "kindest regards",
    "kr",
    "lg",
    "liebe grüße",
    "many thanks",
    "many thanks and best regards",
    "med vänliga hälsningar",
    "met vriendelijke groet",
    "mfg",
    "mit besten grüßen",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "mvh",
    "regards",
    "respectfully",
    "saludos",
    "saludos cordiales",
    "sincerely",
    "sincerely yours",
    "thank you",
    "thank you and regards",
    "thanks",
    "thanks again",
    "thanks and regards",
    "thanks in advance",
    "viele grüße",
    "vriendelijke groeten",
    "warm regards",
    "with kind regards",
    "yours sincerely",
    "yours truly",
];

const SENT_FROM: [&str; 14] = [
    "sent from my ",
    "sent from outlook",
    "sent from yahoo",
    "sent from proton",
    "sent via ",
    "get outlook for ",
    "von meinem iphone",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde mi ",
    "inviato da ",
    "verstuurd vanaf ",
];

const DISCLAIMERS: [&str; 17] = [
    "this e-mail",
    "this email",
    "this message and any",
    "this message is intended",
    "this message may contain",
    "this communication",
    "the information contained",
    "the information in this",
    "the contents of this",
    "confidentiality",
    "disclaimer",
    "diese e-mail",
    "ce message",
    "este correo",
    "este mensaje",
    "please consider the environment",
    "please note that this",
];

/// Words of which a disclaimer has at least one: `This email is to confirm the order` is none.
const LEGAL: [&str; 16] = [
    "confidential",
    "privileged",
    "intended recipient",
    "intended solely",
    "unauthorized",
    "unauthorised",
    "disclose",
    "notify the sender",
    "environment",
    "vertraulich",
    "confidentiel",
    "confidencial",
    "virus",
    "legally",
    "liability",
    "destinataire",
];

const BANNERS: [&str; 6] = [
    "caution: this email originated",
    "caution: external",
    "[external]",
    "external email",
    "you don't often get email from",
    "warning: this email originated",
];

/// Cuts from the lines that are still kept.
pub fn cut(lines: &[Line<'_>], fates: &mut [Fate], sender: &str) {
    phrases(lines, fates);
    let mut start = 0;
    // Each run of kept lines may end with a signature: above the history, or below it.
    while start < lines.len() {
        let length = fates[start..]
            .iter()
            .take_while(|fate| !fate.is_cut())
            .count();
        if 0 < length {
            segment(
                &lines[start..start + length],
                &mut fates[start..start + length],
                sender,
            );
        }
        start += length.max(1);
    }
}

/// Lines and paragraphs that are known by how they begin, wherever they stand.
fn phrases(lines: &[Line<'_>], fates: &mut [Fate]) {
    for place in 0..lines.len() {
        if fates[place].is_cut() {
            continue;
        }
        let line = lines[place]
            .text
            .trim()
            .trim_matches(['*', '_'])
            .to_lowercase();
        let line = line.replace('’', "'");
        if SENT_FROM.iter().any(|phrase| line.starts_with(phrase)) && line.len() < LINE_CHARS_MAX {
            fates[place] = Fate::Cut(SIGNATURE);
            continue;
        }
        let is_banner = BANNERS.iter().any(|phrase| line.starts_with(phrase));
        let starts = DISCLAIMERS.iter().any(|phrase| line.starts_with(phrase));
        if !is_banner && !starts {
            continue;
        }
        let end = paragraph_end(lines, place);
        if is_banner || is_legal(&lines[place..end]) {
            let kept = fates[place..end].iter_mut().filter(|fate| !fate.is_cut());
            kept.for_each(|fate| *fate = Fate::Cut(DISCLAIMER));
        }
    }
}

/// Where the paragraph ends that the line is in.
fn paragraph_end(lines: &[Line<'_>], place: usize) -> usize {
    let most = lines.len().min(place + PARAGRAPH_LINES_MAX);
    let blank = lines[place..most]
        .iter()
        .position(|line| line.text.trim().is_empty());
    blank.map_or(most, |count| place + count)
}

fn is_legal(paragraph: &[Line<'_>]) -> bool {
    let text: Vec<String> = paragraph
        .iter()
        .map(|line| line.text.to_lowercase())
        .collect();
    let text = text.join(" ");
    LEGAL.iter().any(|word| text.contains(word))
}

/// Cuts the signature at the end of a run of kept lines.
fn segment(lines: &[Line<'_>], fates: &mut [Fate], sender: &str) {
    if let Some(dashes) = lines
        .iter()
        .position(|line| matches!(line.text.trim_end(), "--" | "—" | "__"))
    {
        fates[dashes..].fill(Fate::Cut(SIGNATURE));
        return;
    }
    let has_words = |end: usize| lines[..end].iter().any(|line| !line.text.trim().is_empty());
    let closing = lines.iter().rposition(|line| is_closing(line.text));
    if let Some(place) = closing {
        let below = &lines[place + 1..];
        if below
            .iter()
            .filter(|line| !line.text.trim().is_empty())
            .count()
            <= LINES_MAX
        {
            let postscript = below.iter().position(|line| is_postscript(line.text));
            let end = postscript.map_or(lines.len(), |count| place + 1 + count);
            let is_block = lines[place + 1..end]
                .iter()
                .all(|line| is_block_line(line.text));
            if is_block && has_words(place) {
                fates[place..end].fill(Fate::Cut(SIGNATURE));
            } else if is_block || place + 1 < end {
                fates[place] = Fate::Doubted(DOUBTED);
            }
        }
        return;
    }
    let named = lines.iter().rposition(|line| is_name_of(line.text, sender));
    if let Some(place) = named {
        let is_block = lines[place..].iter().all(|line| is_block_line(line.text));
        let above = place.checked_sub(1).map_or("", |above| lines[above].text);
        let few = lines[place..]
            .iter()
            .filter(|line| !line.text.trim().is_empty())
            .count()
            <= LINES_MAX;
        if is_block && few && above.trim().is_empty() && has_words(place) {
            fates[place..].fill(Fate::Cut(SIGNATURE));
        }
    }
}

fn is_closing(text: &str) -> bool {
    let lower = text.trim().to_lowercase().replace('’', "'");
    let bare = lower.trim_end_matches([',', '.', '!', ' ', '-', '–']);
    CLOSINGS.contains(&bare)
}

fn is_postscript(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    ["ps:", "ps.", "p.s.", "p.s ", "ps "]
        .iter()
        .any(|mark| lower.starts_with(mark))
}

/// Short, and no sentence.
fn is_block_line(text: &str) -> bool {
    let text = text.trim();
    let words = text.split_whitespace().count();
    let is_sentence = text.ends_with(['.', '!', '?']) && SENTENCE_WORDS_MIN <= words;
    text.chars().count() <= LINE_CHARS_MAX && !is_sentence
}

/// The sender's name, or their first name, alone on a line.
fn is_name_of(text: &str, sender: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        words
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (line, sender) = (words(text), words(sender));
    !line.is_empty() && line.len() <= 4 && line.iter().all(|word| sender.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, kept: &[&str]) {
        let lines: Vec<Line<'_>> = body
            .lines()
            .enumerate()
            .map(|(place, text)| Line {
                number: place + 1,
                text,
            })
            .collect();
        let mut fates = vec![Fate::Kept; lines.len()];
        cut(&lines, &mut fates, "Ana Ruiz");
        let found: Vec<&str> = lines
            .iter()
            .zip(&fates)
            .filter(|(line, fate)| !fate.is_cut() && !line.text.is_empty())
            .map(|(line, _)| line.text)
            .collect();
        assert_eq!(found, kept, "{body}");
    }

    #[test]
    fn a_signature_is_cut() {
        check(
            "We go on.\n\n-- \nAna Ruiz\nHead of claims. We insure what you love to drive.",
            &["We go on."],
        );
        check(
            "We go on.\n\nBest regards,\n\nAna Ruiz\nHead of Claims | Acme\n+34 600 000 000",
            &["We go on."],
        );
        check("We go on.\n\nMit freundlichen Grüßen\nAna", &["We go on."]);
        check("We go on.\n\nThanks!\nAna", &["We go on."]);
        check("We go on.\n\nAna\n", &["We go on."]);
        check("We go on.\n\nSent from my iPhone", &["We go on."]);
        check(
            "We go on.\n\nThis email and any attachments are confidential and intended\nsolely for the addressee.",
            &["We go on."],
        );
        check(
            "CAUTION: This email originated from outside.\nBe careful.\n\nWe go on.",
            &["We go on."],
        );
        check(
            "We go on.\n\nBest,\nAna\n\nPS: the audit is in May, we must be live.",
            &["We go on.", "PS: the audit is in May, we must be live."],
        );
    }

    #[test]
    fn in_doubt_it_is_kept() {
        check("Thanks,\nAna", &["Thanks,", "Ana"]);
        check(
            "Thanks\nwe will look at it and come back to you next week.",
            &[
                "Thanks",
                "we will look at it and come back to you next week.",
            ],
        );
        check(
            "This email is to confirm that we go on.",
            &["This email is to confirm that we go on."],
        );
        check(
            "Ana asked me.\nI said yes.",
            &["Ana asked me.", "I said yes."],
        );
    }
}
