//! The quoted history of an email: what others wrote before, in the manners of several clients and languages.

use crate::conversation::Line;
use crate::conversation::email::Fate;

const QUOTED: &str = "quoted history";

/// The most lines over which a client spreads `On … wrote:`.
const ATTRIBUTION_LINES_MAX: usize = 3;
const ATTRIBUTION_BYTES_MAX: usize = 320;

/// The most lines of a block `From: … Sent: … To: … Subject: …`, blank ones included.
const BLOCK_LINES_MAX: usize = 12;

/// What stands between dashes above a quoted message.
const DIVIDERS: [&str; 14] = [
    "original message",
    "forwarded message",
    "original appointment",
    "ursprüngliche nachricht",
    "weitergeleitete nachricht",
    "originalnachricht",
    "message d'origine",
    "message transféré",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "reply message",
];

/// How `On … wrote:` begins and which verb it has.
const ATTRIBUTIONS: [(&str, &str); 11] = [
    ("on ", "wrote"),
    ("am ", "schrieb"),
    ("le ", "a écrit"),
    ("el ", "escribió"),
    ("il ", "ha scritto"),
    ("op ", "schreef"),
    ("em ", "escreveu"),
    ("den ", "skrev"),
    ("w dniu ", "napisał"),
    ("dnia ", "napisał"),
    ("vào ", "đã viết"),
];

const FROM: [&str; 8] = ["from", "von", "de", "da", "van", "från", "fra", "od"];
const SENT: [&str; 16] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "enviado",
    "enviado el",
    "fecha",
    "inviato",
    "data",
    "verzonden",
    "skickat",
    "sendt",
    "wysłano",
    "enviada em",
    "date d'envoi",
];
const TO: [&str; 11] = [
    "to", "an", "à", "a", "para", "aan", "till", "til", "do", "cc", "kopie",
];
const SUBJECT: [&str; 10] = [
    "subject",
    "betreff",
    "objet",
    "asunto",
    "oggetto",
    "onderwerp",
    "assunto",
    "ämne",
    "emne",
    "temat",
];

/// Which lines of a body are quoted.
///
/// Quoted lines marked with `>` alone are cut, so that answers between them stay; without marks nothing tells where
/// the history ends, and all below its head is cut.
pub fn fates(lines: &[Line<'_>]) -> Vec<Fate> {
    let mut fates = vec![Fate::Kept; lines.len()];
    for (fate, line) in fates.iter_mut().zip(lines) {
        if is_marked(line.text) {
            *fate = Fate::Cut(QUOTED);
        }
    }
    let last_marked = lines.iter().rposition(|line| is_marked(line.text));
    for place in 0..lines.len() {
        if fates[place].is_cut() {
            continue;
        }
        if is_divider(lines[place].text) || is_block(&lines[place..]) {
            // The rule that Outlook draws above.
            let from = match place.checked_sub(1) {
                Some(above) if is_rule(lines[above].text) => above,
                _ => place,
            };
            fates[from..].fill(Fate::Cut(QUOTED));
            break;
        }
        let Some(count) = attribution(&lines[place..]) else {
            continue;
        };
        if last_marked.is_some_and(|last| place + count <= last) {
            fates[place..place + count].fill(Fate::Cut(QUOTED));
        } else {
            fates[place..].fill(Fate::Cut(QUOTED));
            break;
        }
    }
    fates
}

fn is_marked(text: &str) -> bool {
    text.trim_start().starts_with('>')
}

fn is_rule(text: &str) -> bool {
    let text = text.trim();
    5 <= text.len() && text.chars().all(|c| matches!(c, '_' | '-' | '=' | '*'))
}

/// `-----Original Message-----`, `Begin forwarded message:`.
fn is_divider(text: &str) -> bool {
    let lower = text.trim().to_lowercase().replace('’', "'");
    if lower == "begin forwarded message:" || lower == "anfang der weitergeleiteten nachricht:" {
        return true;
    }
    let inner = lower.trim_matches(['-', '_', '*', ' ']);
    lower.starts_with(['-', '_']) && DIVIDERS.contains(&inner)
}

/// How many lines are `On 3 March 2026 at 10:02, Ana Ruiz <ana@acme.example> wrote:`.
fn attribution(lines: &[Line<'_>]) -> Option<usize> {
    let mut joined = String::new();
    for (place, line) in lines.iter().take(ATTRIBUTION_LINES_MAX).enumerate() {
        let text = line.text.trim();
        if text.is_empty() || is_marked(text) {
            return None;
        }
        if 0 < place {
            joined.push(' ');
        } else if !begins_attribution(&text.to_lowercase()) {
            return None;
        }
        joined.push_str(&text.to_lowercase());
        if ATTRIBUTION_BYTES_MAX < joined.len() {
            return None;
        }
        if joined.ends_with(':') {
            return is_attribution(&joined).then_some(place + 1);
        }
    }
    None
}

fn begins_attribution(line: &str) -> bool {
    line.contains('@')
        || ATTRIBUTIONS
            .iter()
            .any(|(opener, _)| line.starts_with(opener))
}

fn is_attribution(joined: &str) -> bool {
    let by_date = ATTRIBUTIONS
        .iter()
        .any(|(opener, verb)| joined.starts_with(opener) && joined.contains(verb));
    let by_address = joined.contains('@')
        && ATTRIBUTIONS.iter().any(|(_, verb)| {
            let tail = joined.rsplit(verb).next().unwrap_or(joined);
            tail.len() < joined.len() && tail.len() <= 40
        });
    // `On page 3 you wrote:` has neither an address nor a time.
    (by_date && (joined.contains('@') || has_time_or_year(joined))) || by_address
}

fn has_time_or_year(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'));
    words.into_iter().any(|word| {
        let word = word.trim_matches(['.', ':']);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_year =
            word.len() == 4 && digits == 4 && (word.starts_with("19") || word.starts_with("20"));
        let is_time = word.contains([':', '/', '-', '.', 'h']) && 2 < digits;
        is_year || is_time
    })
}

/// Outlook's `From: … Sent: … To: … Subject: …`.
fn is_block(lines: &[Line<'_>]) -> bool {
    if !lines.first().is_some_and(|line| has_key(line.text, &FROM)) {
        return false;
    }
    let block = &lines[1..lines.len().min(BLOCK_LINES_MAX)];
    let has = |keys: &[&str]| block.iter().any(|line| has_key(line.text, keys));
    // Words of the sender between would make it something else.
    let far = block
        .iter()
        .position(|line| has_key(line.text, &SENT))
        .is_none_or(|place| 3 < place);
    !far && (has(&TO) || has(&SUBJECT))
}

fn has_key(text: &str, keys: &[&str]) -> bool {
    let Some((key, value)) = text.split_once(':') else {
        return false;
    };
    let key = key
        .trim()
        .trim_matches('*')
        .trim()
        .to_lowercase()
        .replace('’', "'");
    keys.contains(&key.as_str()) && !value.trim().trim_matches('*').trim().is_empty()
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
        let fates = fates(&lines);
        let found: Vec<&str> = lines
            .iter()
            .zip(&fates)
            .filter(|(line, fate)| !fate.is_cut() && !line.text.is_empty())
            .map(|(line, _)| line.text)
            .collect();
        assert_eq!(found, kept, "{body}");
    }

    #[test]
    fn history_is_cut_in_the_manner_of_each_client() {
        check(
            "Yes.\n\nOn Mon, Mar 2, 2026 at 9:15 AM Lee <lee@s.example>\nwrote:\n\n> Ok?\n",
            &["Yes."],
        );
        check(
            "Yes.\n\nOn 2 Mar 2026, at 09:15, Lee Fox wrote:\n\nIs it ok?\nLee",
            &["Yes."],
        );
        check(
            "Yes.\n\nAm 02.03.26 um 09:15 schrieb Lee Fox:\n> Ok?",
            &["Yes."],
        );
        check(
            "Oui.\n\nLe lun. 2 mars 2026 à 09:15, Lee <lee@s.example> a écrit :\n\nOk ?",
            &["Oui."],
        );
        check(
            "Sí.\nEl lun, 2 mar 2026 a las 9:15, Lee (<lee@s.example>) escribió:\n> ok?",
            &["Sí."],
        );
        check(
            "Yes.\n\n-----Original Message-----\nFrom: Lee\nOk?",
            &["Yes."],
        );
        check(
            "Ja.\n\n-----Ursprüngliche Nachricht-----\nVon: Lee\nOk?",
            &["Ja."],
        );
        check(
            "Yes.\n________________________________\nFrom: Lee <lee@s.example>\nSent: Monday, March 2, 2026 9:15 AM\nTo: Ana\nSubject: Ok?\n\nOk?",
            &["Yes."],
        );
        check(
            "Ja.\n\nVon: Lee\nGesendet: Montag, 2. März 2026\nAn: Ana\nBetreff: Ok\n\nOk?",
            &["Ja."],
        );
        check(
            "Oui.\n\nDe : Lee\nEnvoyé : lundi 2 mars\nÀ : Ana\nObjet : Ok\n\nOk?",
            &["Oui."],
        );
        check(
            "Yes.\n\n*From:* Lee\n*Date:* Monday\n*To:* Ana\n*Subject:* Ok\n\nOk?",
            &["Yes."],
        );
        check(
            "FYI\n\n---------- Forwarded message ---------\nFrom: Lee\nhello",
            &["FYI"],
        );
        check("FYI\n\nBegin forwarded message:\n\nhello", &["FYI"]);
    }

    #[test]
    fn answers_between_quoted_lines_stay() {
        check(
            "On Mon, Mar 2, 2026, Lee wrote:\n> Is it approved?\nYes, since Friday.\n> When do we start?\nIn May.",
            &["Yes, since Friday.", "In May."],
        );
    }

    #[test]
    fn words_that_only_look_like_history_stay() {
        for body in [
            "On page 3 of the proposal you wrote:",
            "On Monday my boss wrote:\nwe have no money.",
            "From: our side there is no objection.\nWe go on.",
            "From: what I see\nTo: what we need\nis far.",
        ] {
            check(body, &body.lines().collect::<Vec<&str>>());
        }
    }
}
