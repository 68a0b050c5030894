//! Any bytes have an answer, and nothing is invented.

use proptest::collection::vec;
use proptest::prelude::*;
use verbatim::conversation;
use verbatim::conversation::Conversation;
use verbatim::conversation::Format;
use verbatim::conversation::Written;
use verbatim::conversation::draft;
use verbatim::conversation::draft::Buyer;
use verbatim::conversation::draft::Cast;
use verbatim::conversation::draft::Setting;
use verbatim::domain::statement::Speaker;
use verbatim::domain::text::Id;
use verbatim::domain::text::Line;
use verbatim::domain::time::Instant;
use verbatim::domain::topic::Channel;

/// Pieces that mean something in some format.
const PIECES: [&str; 47] = [
    "WEBVTT\n\n",
    "00:01:02.000 --> 00:01:05.000\n",
    "<v Ana>",
    "</v>",
    "NOTE x\n",
    "\n\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "Ana: ",
    "Ben Ito: ",
    "**Ana:** ",
    "**Ben** (1:02): ",
    "[00:05] Ana: ",
    "[00:09] ",
    "Ana Ruiz  0:03\n",
    "Ana Ruiz\n",
    "## Ana\n",
    "---\n",
    "- ",
    "Date: ",
    "words",
    "We cannot go on. ",
    "é",
    "\u{FFFD}",
    "\0",
    "\u{202E}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"speaker\"",
    "\"text\"",
    "{\"speaker\":\"Ana\",\"text\":\"One.\"}",
    "\"callTranscripts\":",
    "\"sentences\":",
    "&amp;",
    "<",
    "From: Ana <a@b.example>\n",
    "Date: Mon, 2 Mar 2026 10:15:00 +0100\n",
    "> quoted\n",
    "-- \n",
    "On 1 Mar 2026 Lee wrote:\n",
    "Content-Type: multipart/mixed; boundary=b\n--b\n",
];

fn format() -> impl Strategy<Value = Option<Format>> {
    prop_oneof![
        3 => Just(None),
        2 => proptest::sample::select(&Format::ALL[..]).prop_map(Some),
    ]
}

/// Makes statements of all that is said, as if everybody was a buyer.
fn drafted(conversation: &Conversation) -> usize {
    let speaker = Speaker {
        stakeholder: Id::new("p1").unwrap(),
        display_name: None,
        title: None,
        roles: None,
    };
    let buyers = conversation.speakers().into_iter().map(|(label, _)| Buyer {
        label: label.to_owned(),
        speaker: speaker.clone(),
    });
    let cast = Cast {
        buyers: buyers.collect(),
        sellers: Vec::new(),
    };
    let setting = Setting {
        id: Id::new(&"x".repeat(draft::ID_BYTES_MAX)).unwrap(),
        held_at: Instant::MIN,
        channel: Channel::Call,
        source_uri: Line::new("").unwrap(),
    };
    assert_eq!(cast.unknown(&conversation.turns), []);
    draft::draft(conversation, &cast, &setting).statements.len()
}

/// Whether the letters of one text stand in the other in that order.
fn is_within(text: &str, whole: &str) -> bool {
    let mut whole = whole.chars().filter(|c| c.is_alphanumeric());
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .all(|letter| whole.any(|c| c == letter))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_are_read_in_any_format(bytes in vec(any::<u8>(), 0..400), format in format()) {
        let read = conversation::read(Written { bytes: &bytes, format, labels: &["Ana"] });
        prop_assert!(drafted(&read) < 400);
    }

    #[test]
    fn pieces_of_formats_are_read_and_nothing_is_invented(
        pieces in vec(proptest::sample::select(&PIECES[..]), 0..60),
        format in format(),
    ) {
        let text = pieces.concat();
        let read = conversation::read(Written { bytes: text.as_bytes(), format, labels: &[] });
        drafted(&read);
        // JSON and emails are decoded once more.
        if !matches!(read.format, Some(Format::Json | Format::Gong | Format::Email)) {
            for turn in &read.turns {
                prop_assert!(is_within(&turn.text, &text), "{turn:?} in {text:?}");
            }
        }
    }

    #[test]
    fn every_line_of_a_file_of_lines_is_accounted_for(
        pieces in vec(proptest::sample::select(&["Ana: ", "Ben Ito: ", "words ", "We go on.", "\n", "\n", "\n---\n", "[00:05] Ana: x\n", "**Ben:** y\n"][..]), 0..60),
    ) {
        let text = pieces.concat();
        let read = conversation::read(Written { bytes: text.as_bytes(), format: Some(Format::NamedLines), labels: &[] });
        let remarks = [&read.not_understood, &read.left_out];
        let remarked = |number: usize| remarks.iter().any(|remarks| {
            remarks.listed().iter().any(|remark| (remark.line..=remark.last_line).contains(&number))
        });
        for (place, line) in text.lines().enumerate() {
            let spoken = line.split_once(": ").map_or(line, |(_, text)| text).trim();
            let is_said = read.turns.iter().any(|turn| turn.text.contains(spoken));
            prop_assert!(spoken.is_empty() || remarked(place + 1) || is_said, "{line:?} of {text:?}: {read:?}");
        }
    }
}

#[test]
fn a_long_file_of_anything_is_read() {
    for piece in [
        "x\n",
        "Ana: x\n",
        "[",
        "{\"a\":",
        "[00:05] Ana: x\n",
        "<v Ana>x",
        "**",
        "> x\n",
        "WEBVTT\n\n0:01.000 --> 0:02.000\nAna: x\n\n",
        "\0a",
        "Ana\nx\n",
        "a. ",
    ] {
        for head in ["", "From: a@b.example\nDate: x\n\n"] {
            let text = format!("{head}{}", piece.repeat((64 << 10) / piece.len()));
            let read = conversation::read(Written {
                bytes: text.as_bytes(),
                format: None,
                labels: &[],
            });
            drafted(&read);
        }
    }
}
