//! Each format as the tools that write it do, in the encodings they use, whole, cut off and mixed.

use verbatim::conversation::At;
use verbatim::conversation::Format;
use verbatim::domain::time::Instant;

use crate::conversation::lines;
use crate::conversation::read;
use crate::conversation::read_with;
use crate::conversation::says;
use crate::conversation::seconds;
use crate::conversation::spoken;
use crate::conversation::understood;

const ZOOM: &str = "WEBVTT

1
00:00:03.120 --> 00:00:05.400
Lee Fox: Thanks for making the time.

2
00:00:05.900 --> 00:00:09.000
Ana Ruiz: Sure. We lose two days at every

3
00:00:09.100 --> 00:00:12.000
Ana Ruiz: month end to this &amp; nobody knows why.

4
00:00:13.000 --> 00:00:14.000
Lee Fox: What does it cost?
";

const TEAMS: &str = "WEBVTT

NOTE duration:\"00:40:11\"

STYLE
::cue { color: white }

5f1b/12-0
00:01:02.000 --> 00:01:05.000
<v Lee Fox>Shall we start?</v>

5f1b/13-0
00:01:06.500 --> 00:01:09.000
<v.loud Ana Ruiz>Yes. <i>Honestly</i>,
we cannot go on.</v> <v Ben Ito>Agreed.</v>
";

#[test]
fn subtitles_of_zoom_have_names_and_are_joined_by_speaker() {
    let read = understood(
        ZOOM,
        Format::WebVtt,
        &[
            "5 Lee Fox: Thanks for making the time.",
            "9 Ana Ruiz: Sure. We lose two days at every month end to this & nobody knows why.",
            "17 Lee Fox: What does it cost?",
        ],
    );
    assert_eq!(
        read.turns[1].at,
        Some(At::Offset(verbatim::domain::time::Span::milliseconds(
            5_900
        )))
    );
}

#[test]
fn subtitles_of_teams_have_voices() {
    let read = understood(
        TEAMS,
        Format::WebVtt,
        &[
            "10 Lee Fox: Shall we start?",
            "14 Ana Ruiz: Yes. Honestly, we cannot go on.",
            "15 Ben Ito: Agreed.",
        ],
    );
    assert_eq!(
        lines(&read.left_out),
        [
            "1-1 the header of the file",
            "3-3 a note or style of the file",
            "5-6 a note or style of the file"
        ]
    );
}

#[test]
fn a_cue_that_names_nobody_is_nobodys_and_ends_the_turn() {
    let read = says(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nAna: One.\n\n00:03.000 --> 00:04.000\nand so on\n\n00:05.000 --> 00:06.000\nAna: Two.\n",
        Format::WebVtt,
        &["4 Ana: One.", "10 Ana: Two."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["7-7 a cue that names no speaker"]
    );
}

#[test]
fn subtitles_that_are_cut_off_say_where() {
    let read = says(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nAna: One.\n\n00:03.000 --> 00:04.000\n",
        Format::WebVtt,
        &["4 Ana: One."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["6-6 the file ends with a cue without words: perhaps it is cut off here"]
    );
    let read = says(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nAna: One.\n\n00:03.0",
        Format::WebVtt,
        &["4 Ana: One."],
    );
    assert_eq!(lines(&read.not_understood), ["6-6 words outside of a cue"]);
    // The first lines are missing.
    understood(
        "00:01.000 --> 00:02.000\nAna: One.\n",
        Format::WebVtt,
        &["2 Ana: One."],
    );
}

#[test]
fn srt_has_commas_in_its_times() {
    let read = understood(
        "1\n00:00:01,500 --> 00:00:02,000\nAna: One.\n\n2\n00:00:03,000 --> 00:00:04,000\nBen: Two.\n",
        Format::Srt,
        &["3 Ana: One.", "7 Ben: Two."],
    );
    assert_eq!(read.turns[1].at, seconds(3));
}

const GONG: &str = r#"{"requestId": "4al018gzaztcr8nbukw", "records": {"totalRecords": 1},
 "callTranscripts": [{"callId": "7782342274025937895", "transcript": [
  {"speakerId": "6432345678555530067", "topic": "Objections", "sentences": [
    {"start": 460230, "end": 462343, "text": "No wait, I think we should check that."},
    {"start": 462343, "end": 464500, "text": "It cost us a fine last year."}]},
  {"speakerId": "2231", "topic": null, "sentences": [{"start": 465000, "end": 466000, "text": "How much?"}]}
 ]}]}"#;

#[test]
fn gong_has_monologues_of_sentences_in_milliseconds() {
    let read = understood(
        GONG,
        Format::Gong,
        &[
            "3 6432345678555530067: No wait, I think we should check that. It cost us a fine last year.",
            "6 2231: How much?",
        ],
    );
    assert_eq!(read.turns[1].at, seconds(465));

    let cut = &GONG[..GONG.find("\"2231\"").unwrap() + 12];
    let read = says(
        cut,
        Format::Gong,
        &[
            "3 6432345678555530067: No wait, I think we should check that. It cost us a fine last year.",
        ],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["6-6 is not JSON: broken, or cut off here"]
    );
}

#[test]
fn of_several_calls_the_first_is_taken_and_the_others_are_told() {
    let call = r#"{"callId": "1", "transcript": [{"speakerId": "1", "sentences": [{"start": 1, "text": "One."}]}]}"#;
    let read = says(
        &format!("{{\"callTranscripts\": [{call},\n{call}]}}"),
        Format::Gong,
        &["1 1: One."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["2-2 another call: import each call by itself"]
    );
}

#[test]
fn json_is_an_array_or_a_list_in_an_object_or_a_line_each() {
    let expected = ["1 Ana: One. More.", "3 Ben: Two."];
    let ana = r#"{"speaker": "Ana", "text": "One.", "start": 1.5}"#;
    let more = r#"{"speaker": "ana", "text": "More."}"#;
    let ben =
        r#"{"speaker": {"name": "Ben"}, "content": "Two.", "timestamp": "2026-03-01T10:00:05Z"}"#;
    let array = understood(
        &format!("[{ana},\n{more},\n{ben}]"),
        Format::Json,
        &expected,
    );
    assert_eq!(
        array.turns[0].at,
        Some(At::Offset(verbatim::domain::time::Span::milliseconds(
            1_500
        )))
    );
    let at = Instant::from_unix(1_772_359_205, 0).unwrap();
    assert_eq!(array.turns[1].at, Some(At::Moment(at)));
    understood(
        &format!("{{\"id\": 7, \"data\": {{\"segments\": [{ana},\n{more},\n{ben}]}}}}"),
        Format::Json,
        &expected,
    );
    understood(&format!("{ana}\n{more}\n{ben}\n"), Format::Json, &expected);

    let read = says(
        &format!("{ana}\n{{\"speaker\": \"An\n{ben}\n"),
        Format::Json,
        &["1 Ana: One.", "3 Ben: Two."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["2-2 is not JSON: broken, or cut off here"]
    );
    // The entries behind a broken one are read again.
    let read = says(
        &format!("[{ana},\n{{\"speaker\": nobody}},\n{ben}]\n"),
        Format::Json,
        &["1 Ana: One.", "3 Ben: Two."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["2-2 is not JSON: broken, or cut off here"]
    );
    let read = says(
        &format!("[{ana},\n{{\"text\": \"whose?\"}},\n7]"),
        Format::Json,
        &["1 Ana: One."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["2-3 an entry without a speaker and a text"]
    );
}

#[test]
fn lines_may_begin_with_a_time() {
    let read = understood(
        "Call with Acme\nDate: 5 March 2026\n\n[00:00:05] Lee Fox: Hi.\n[00:00:07] Ana Ruiz (Acme): We lose\nmoney.\n\n[01:02:03] Lee Fox: Note: ok?\n",
        Format::TimedLines,
        &[
            "4 Lee Fox: Hi.",
            "5 Ana Ruiz (Acme): We lose\nmoney.",
            "8 Lee Fox: Note: ok?",
        ],
    );
    assert_eq!(read.turns[2].at, seconds(3_723));
    assert_eq!(
        lines(&read.left_out),
        [
            "1-1 a heading or a rule",
            "2-2 a field of the file, not words"
        ]
    );
    let read = says(
        "[00:05] Ana: One.\n[00:07] and then\nmore\n[00:09] Ben: Two.\n",
        Format::TimedLines,
        &["1 Ana: One.", "4 Ben: Two."],
    );
    assert_eq!(
        lines(&read.not_understood),
        [
            "2-2 has a time and names no speaker",
            "3-3 follows a line that was not understood"
        ]
    );
}

#[test]
fn a_time_on_a_line_of_its_own_is_that_of_the_next_turn() {
    let read = understood(
        "00:00:03\nLee Fox: Hello.\n\n00:00:09\nAna: We lose money.\n",
        Format::NamedLines,
        &["2 Lee Fox: Hello.", "5 Ana: We lose money."],
    );
    assert_eq!(
        [read.turns[0].at, read.turns[1].at],
        [seconds(3), seconds(9)]
    );
}

#[test]
fn times_of_the_day_are_counted_from_the_first() {
    let read = understood(
        "[14:03:10] Ana: One.\n[14:04:12] Ben: Two.\n",
        Format::TimedLines,
        &["1 Ana: One.", "2 Ben: Two."],
    );
    assert_eq!(
        [read.turns[0].at, read.turns[1].at],
        [seconds(0), seconds(62)]
    );
    for text in [
        "2026-03-01 14:03:10 Ana: One.\n2026-03-01 14:04:12 Ben: Two.\n",
        "[2026-03-01 14:03:10] Ana: One.\n[2026-03-01 14:04:12] Ben: Two.\n",
        "[2:03 PM] Ana: One.\n[2:04 PM] Ben: Two.\n",
        "Ana 14:03:10: One.\nBen 14:04:12: Two.\n",
    ] {
        let read = understood(text, Format::TimedLines, &["1 Ana: One.", "2 Ben: Two."]);
        assert_eq!(read.turns[0].at, seconds(0), "{text}");
    }
}

const MARKDOWN: &str = "# Discovery call
**Call ID:** D-12
**Participants:**
- Lee (Seller)
- Ana Ruiz (CFO, Acme)

---

**Lee:** What is the impact?

**Ana:** Let me list it:
- Two days a month
- One fine: 40k

**Lee:** *nods*

---

**Call Notes - what went well:**
- Asked about the impact
";

#[test]
fn markdown_has_bold_names_and_notes_around() {
    let read = understood(
        MARKDOWN,
        Format::Markdown,
        &[
            "9 Lee: What is the impact?",
            "11 Ana: Let me list it:\n- Two days a month\n- One fine: 40k",
            "15 Lee: *nods*",
        ],
    );
    assert_eq!(read.left_out.lines(), 9);
}

#[test]
fn words_after_a_rule_are_not_the_last_speakers() {
    let read = says(
        "**Ana:** One.\n\n**Lee:** Two.\n\n---\n\nthe customer is ready to sign.\n",
        Format::Markdown,
        &["1 Ana: One.", "3 Lee: Two."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["7-7 words that no speaker is named for"]
    );
}

#[test]
fn names_and_colons_are_told_from_other_colons() {
    understood(
        "Lee: How was it?\nAna: Here's the thing: we cannot go on.\nOne reason: the audit.\nLee: I see.\nAna: Meet at 10:30, see https://acme.example.\n",
        Format::NamedLines,
        &[
            "1 Lee: How was it?",
            "2 Ana: Here's the thing: we cannot go on.\nOne reason: the audit.",
            "4 Lee: I see.",
            "5 Ana: Meet at 10:30, see https://acme.example.",
        ],
    );
    // Written in lower case, a label is one when it comes again or the caller names it.
    understood(
        "agent: hello\ncustomer: hi\nagent: so?\ncustomer: no\n",
        Format::NamedLines,
        &[
            "1 agent: hello",
            "2 customer: hi",
            "3 agent: so?",
            "4 customer: no",
        ],
    );
    let read = read_with(b"ana: one\nlee: two\n", &["Ana", "LEE"]);
    assert_eq!(spoken(&read), ["1 ana: one", "2 lee: two"]);
}

#[test]
fn a_transcript_that_begins_within_a_turn_says_so() {
    let read = says(
        "and that is why we cannot go on.\nLee: I see.\nAna: Good.\n",
        Format::NamedLines,
        &["2 Lee: I see.", "3 Ana: Good."],
    );
    assert_eq!(
        lines(&read.not_understood),
        ["1-1 words before the first speaker"]
    );
}

#[test]
fn speakers_may_stand_on_lines_of_their_own() {
    let otter = "Ana Ruiz  0:03\nWe lose two days.\n\nLee Fox  0:09\nYeah\n\nAna Ruiz  0:12\nEvery month.\nAnd nobody cares.\n";
    let expected = [
        "1 Ana Ruiz: We lose two days.",
        "4 Lee Fox: Yeah",
        "7 Ana Ruiz: Every month.\nAnd nobody cares.",
    ];
    let read = understood(otter, Format::SpeakerLines, &expected);
    assert_eq!(read.turns[1].at, seconds(9));

    let fathom = "@0:03 - **Ana Ruiz**\nWe lose two days.\n\n@0:09 - **Lee Fox (Seller)**\nYeah\n";
    understood(
        fathom,
        Format::SpeakerLines,
        &["1 Ana Ruiz: We lose two days.", "4 Lee Fox (Seller): Yeah"],
    );

    let below = "Ana Ruiz\n0:03\nWe lose two days.\n\nLee Fox\n0:09\nYeah\n";
    let read = understood(
        below,
        Format::SpeakerLines,
        &["1 Ana Ruiz: We lose two days.", "5 Lee Fox: Yeah"],
    );
    assert_eq!(read.turns[0].at, seconds(3));

    understood(
        "Ana Ruiz\nWe lose two days.\n\nLee Fox\nYeah\n\nAna Ruiz\nEvery month.\n",
        Format::SpeakerLines,
        &[
            "1 Ana Ruiz: We lose two days.",
            "4 Lee Fox: Yeah",
            "7 Ana Ruiz: Every month.",
        ],
    );
    understood(
        "## Ana Ruiz\nWe lose two days.\n\n## Lee Fox\nI see.\n\n## Ana Ruiz\nEvery month.\n",
        Format::SpeakerLines,
        &[
            "1 Ana Ruiz: We lose two days.",
            "4 Lee Fox: I see.",
            "7 Ana Ruiz: Every month.",
        ],
    );
}

#[test]
fn of_mixed_formats_one_is_read_and_the_other_told_by_line() {
    let read = says(
        "[00:05] Ana: One.\n[00:07] Lee: Two.\n[00:09] Ana: Three.\n**Lee:** Four.\ngoes on\nAna: Five.\n[00:20] Lee: Six.\n",
        Format::TimedLines,
        &["1 Ana: One.", "2 Lee: Two.", "3 Ana: Three.", "7 Lee: Six."],
    );
    assert_eq!(
        lines(&read.not_understood),
        [
            "4-4 names a speaker in another way than the rest of the file",
            "5-5 follows a line that was not understood",
            "6-6 names a speaker in another way than the rest of the file",
        ]
    );
    let read = says(
        "**Ana:** One.\n\n**Lee:** Two.\n\n00:01:00.000 --> 00:01:02.000\nAna: Three.\n",
        Format::Markdown,
        &["1 Ana: One.", "3 Lee: Two."],
    );
    assert_eq!(read.not_understood.lines(), 2);
}

#[test]
fn a_file_of_no_format_is_not_understood_line_by_line() {
    let read = read(b"once upon a time\n\nthere was a deal\n");
    assert_eq!(read.format, None);
    assert_eq!(
        lines(&read.not_understood),
        [
            "1-1 not written in a format that is known here",
            "3-3 not written in a format that is known here"
        ]
    );
}

#[test]
fn every_encoding_and_line_end_reads_the_same() {
    let text = "Zoë: We can’t go on.\nLee: Oh?\nZoë: It’s a café.\n";
    let expected = [
        "1 Zoë: We can’t go on.",
        "2 Lee: Oh?",
        "3 Zoë: It’s a café.",
    ];
    let utf_16 =
        |order: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(order).collect() };
    let marked = [b"\xFF\xFE".to_vec(), utf_16(u16::to_le_bytes)].concat();
    let ansi: Vec<u8> = text
        .chars()
        .map(|c| match c {
            '’' => 0x92,
            'ë' => 0xEB,
            'é' => 0xE9,
            _ => c as u8,
        })
        .collect();
    for bytes in [
        text.as_bytes().to_vec(),
        format!("\u{FEFF}{text}").into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
        marked,
        ansi,
    ] {
        let read = read(&bytes);
        assert_eq!(spoken(&read), expected, "{}", read.encoding);
        assert!(read.not_understood.is_empty());
    }
}

#[test]
fn a_file_cut_within_a_character_loses_that_line_alone() {
    let whole = "Ana: One.\nLee: Two.\nAna: It is a café".as_bytes();
    let read = read(&whole[..whole.len() - 1]);
    assert_eq!(spoken(&read), ["1 Ana: One.", "2 Lee: Two."]);
    assert_eq!(
        lines(&read.not_understood),
        ["3-3 holds bytes that are no text"]
    );
}

#[test]
fn a_file_that_ends_within_a_line_is_taken_and_doubted() {
    let read = read(b"Ana: One.\nLee: Two.\nAna: and we wi");
    assert_eq!(read.turns.len(), 3);
    assert_eq!(
        lines(&read.doubtful),
        ["3-3 the file ends within a line: perhaps it is cut off here"]
    );
}

#[test]
fn lines_broken_to_fit_a_width_are_joined_again() {
    let read = read(
        b"Ana: We have looked at this from every side and we cannot\ngo on like this for another year.\nLee: ok\nAna: First.\nSecond.\nLee: ok\n",
    );
    assert_eq!(
        read.turns[0].text,
        "We have looked at this from every side and we cannot go on like this for another year."
    );
    assert_eq!(read.turns[2].text, "First.\nSecond.");
}
