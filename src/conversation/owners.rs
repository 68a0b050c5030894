//! Transcripts in which the speaker stands on a line of their own, with or without a time, and the words below.

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Line;
use crate::conversation::Written;
use crate::conversation::field;
use crate::conversation::label;
use crate::conversation::label::Form;
use crate::conversation::label::Labels;
use crate::conversation::lines;
use crate::conversation::page::Page;
use crate::conversation::scribe::Scribe;
use crate::conversation::speech;
use crate::conversation::timecode;
use crate::domain::time::Span;

const OTHER_FORM: &str = "names a speaker in another way than the rest of the file";

/// A line that is a speaker and nothing else.
struct Owner<'a> {
    label: &'a str,
    at: Option<Span>,
}

/// How such lines are told from short words in this file.
struct Custom {
    labels: Labels,
    /// Most of them have a time beside them, or below: then all must.
    with_times: bool,
}

/// How many lines are a speaker and nothing else.
pub fn count(page: &Page, known: &[&str]) -> usize {
    let lines: Vec<Line<'_>> = page.lines().collect();
    let custom = custom(&lines, known);
    let surely = |place: &usize| {
        owner_at(&lines, *place, &custom).is_some_and(|owner| {
            custom.with_times
                || custom.labels.is_known(owner.label)
                || custom.labels.comes_again(owner.label)
        })
    };
    (0..lines.len()).filter(surely).count()
}

pub fn read<'a>(page: &'a Page, written: &Written<'_>, conversation: &'a mut Conversation) {
    let lines: Vec<Line<'a>> = page.lines().collect();
    let custom = custom(&lines, written.labels);
    let mut scribe = Scribe::new(conversation);
    let mut place = 0;
    while let Some(line) = lines.get(place) {
        if line.text.trim().is_empty() {
            place += 1;
            continue;
        }
        if let Some(owner) = owner_at(&lines, place, &custom) {
            let below = lines
                .get(place + 1)
                .and_then(|next| timecode::alone(next.text));
            let at = owner.at.or(below);
            scribe.begin(*line, owner.label, at.map(At::Offset), "");
            place += 1 + usize::from(owner.at.is_none() && below.is_some());
            continue;
        }
        take(&mut scribe, *line, &custom);
        place += 1;
    }
    scribe.end(page);
}

fn take<'a>(scribe: &mut Scribe<'a>, line: Line<'a>, custom: &Custom) {
    let Some(head) = label::head(line.text) else {
        return match lines::is_cue(line.text) {
            true => scribe.lose(line, OTHER_FORM),
            false => scribe.go_on(line),
        };
    };
    let speaks = custom.labels.is_known(head.label) || custom.labels.comes_again(head.label);
    let is_field = field::is_field(head.label) && !custom.labels.is_known(head.label);
    match head.form {
        _ if is_field && (scribe.is_before() || head.text.is_empty()) => {
            scribe.field(line, head.text)
        }
        Form::Timed | Form::Bold if !head.label.is_empty() => scribe.lose(line, OTHER_FORM),
        Form::Plain if speaks => scribe.lose(line, OTHER_FORM),
        Form::Plain if scribe.is_before() && !head.text.is_empty() => scribe.field(line, head.text),
        Form::Timed | Form::Bold | Form::Plain => scribe.go_on(line),
    }
}

fn custom(lines: &[Line<'_>], known: &[&str]) -> Custom {
    let mut custom = Custom {
        labels: Labels::known(known),
        with_times: false,
    };
    let (mut timed, mut bare) = (0, 0);
    for (place, line) in lines.iter().enumerate() {
        let Some(owner) = owner(line.text) else {
            continue;
        };
        let next = lines.get(place + 1).map_or("", |next| next.text);
        if next.trim().is_empty() {
            continue;
        }
        if owner.at.is_some() || timecode::alone(next).is_some() {
            timed += 1;
        } else if !label::is_name(owner.label) && !custom.labels.is_known(owner.label) {
            continue;
        } else {
            bare += 1;
        }
        custom.labels.count(owner.label);
    }
    custom.with_times = 0 < timed && bare <= timed;
    custom
}

/// The speaker on a line, if it is one and words follow.
fn owner_at<'a>(lines: &[Line<'a>], place: usize, custom: &Custom) -> Option<Owner<'a>> {
    let owner = owner(lines.get(place)?.text)?;
    let next = lines.get(place + 1)?.text;
    if next.trim().is_empty() {
        return None;
    }
    let known = custom.labels.is_known(owner.label);
    let has_time = owner.at.is_some() || timecode::alone(next).is_some();
    if has_time || custom.with_times {
        return (has_time
            && (known || label::is_name(owner.label) || custom.labels.comes_again(owner.label)))
        .then_some(owner);
    }
    let before = place.checked_sub(1).and_then(|before| lines.get(before));
    let stands_apart = before.is_none_or(|before| before.text.trim().is_empty());
    let is_name = label::is_name(owner.label) && !speech::is_backchannel(owner.label);
    let fits = known || (is_name && (stands_apart || custom.labels.comes_again(owner.label)));
    fits.then_some(owner)
}

/// A label alone on a line, or with a time: `Ana Ruiz  00:01:02`, `## Ana Ruiz`, `**Ana Ruiz**`, `Ana Ruiz:`.
fn owner(text: &str) -> Option<Owner<'_>> {
    let text = text.trim().trim_start_matches(['#', '@']).trim();
    let text = text
        .trim_matches('*')
        .trim()
        .trim_end_matches([':', '：'])
        .trim();
    let text = text.trim_matches('*').trim();
    let (label, at) = match timecode::leading(text) {
        Some((at, label)) => (label, Some(at)),
        None => match timecode::trailing(text) {
            Some((label, at)) => (label, Some(at)),
            None => (text, None),
        },
    };
    let label = label.trim_matches('*').trim();
    let fits = label::is_label(label)
        && !label.contains(':')
        && !label.ends_with(['.', ',', '…'])
        && !field::is_field(label);
    fits.then_some(Owner { label, at })
}
