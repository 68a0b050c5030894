//! Emails as several clients write them: who, when, and the sender's own words alone.

use verbatim::conversation::Format;

use crate::conversation::lines;
use crate::conversation::read;
use crate::conversation::read_with;
use crate::conversation::understood;

const HEAD: &str = "From: Ana Ruiz <Ana.Ruiz@acme.example>\r\nTo: Lee Fox <lee@seller.example>\r\nSubject: =?utf-8?Q?Re:_Pr=C3=BCfung?=\r\nDate: Mon, 2 Mar 2026 10:15:00 +0100\r\nMessage-ID: <CAF12+x/y@mail.acme.example>\r\n";

#[track_caller]
fn check(fields: &str, body: &str, expected: &str) {
    let text = format!("{HEAD}{fields}\r\n{body}");
    understood(
        &text,
        Format::Email,
        &[&format!("1 ana.ruiz@acme.example: {expected}")],
    );
}

#[test]
fn the_head_says_who_wrote_and_when() {
    let text = format!("{HEAD}\r\nWe go on.\r\n");
    let email = read(text.as_bytes());
    let letter = email.letter.unwrap();
    assert_eq!(letter.message_id, "CAF12+x/y@mail.acme.example");
    assert_eq!(letter.subject, "Re: Prüfung");
    assert_eq!(letter.sent_at.unwrap().to_string(), "2026-03-02T09:15:00Z");
    assert_eq!(email.turns[0].speaker, "ana.ruiz@acme.example");

    // The name will do when the caller knows it.
    let email = read_with(text.as_bytes(), &["ana ruiz"]);
    assert_eq!(email.turns[0].speaker, "Ana Ruiz");
}

#[test]
fn gmail_puts_its_history_below_with_marks() {
    check(
        "Content-Type: text/plain; charset=\"UTF-8\"\r\n",
        "We cannot go on like this.\r\n\r\nBest,\r\nAna\r\n\r\nOn Sun, Mar 1, 2026 at 6:12 PM Lee Fox <lee@seller.example>\r\nwrote:\r\n\r\n> Shall we talk?\r\n>\r\n> Lee\r\n",
        "We cannot go on like this.",
    );
}

#[test]
fn outlook_puts_a_block_above_its_history() {
    check(
        "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        "Der Pr=FCfbericht kommt im M=E4rz, bis dahin m=FCssen wir live sein.\r\n\r\nMit freundlichen Gr=FC=DFen\r\nAna Ruiz\r\nTel. +49 30 1234567\r\n\r\n________________________________\r\nVon: Lee Fox\r\nGesendet: Sonntag, 1. M=E4rz 2026 18:12\r\nAn: Ana Ruiz\r\nBetreff: Pr=FCfung\r\n\r\nWann?\r\n",
        "Der Prüfbericht kommt im März, bis dahin müssen wir live sein.",
    );
}

#[test]
fn a_phone_signs_for_itself() {
    check(
        "",
        "Send the contract.\r\n\r\nSent from my iPhone\r\n\r\n> On 1 Mar 2026, at 18:12, Lee Fox wrote:\r\n> \r\n> Well?\r\n",
        "Send the contract.",
    );
}

#[test]
fn html_alone_is_read_as_text() {
    check(
        "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n",
        "<html><head><style>p{color:red}</style><script>var x = 1;</script></head><body><p>We lose &euro;40k&nbsp;a month.</p><div>-- <br>Ana<br>CFO</div></body></html>\r\n",
        "We lose €40k a month.",
    );
}

#[test]
fn of_text_and_html_the_text_is_read() {
    check(
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b1\"\r\n",
        "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nWe go on.\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>We go <b>on</b>, in HTML.</p>\r\n--b1--\r\n",
        "We go on.",
    );
}

#[test]
fn answers_between_the_quoted_lines_are_the_senders() {
    let text = format!(
        "{HEAD}\r\nSee below.\r\n\r\nOn Sun, Mar 1, 2026 at 6:12 PM Lee Fox <lee@seller.example> wrote:\r\n> Is it approved?\r\nYes, since Friday.\r\n> When do we start?\r\nIn May.\r\n"
    );
    let email = understood(
        &text,
        Format::Email,
        &["1 ana.ruiz@acme.example: See below.\nYes, since Friday.\nIn May."],
    );
    assert_eq!(
        lines(&email.left_out),
        ["3-4 quoted history", "6-6 quoted history"]
    );
}

#[test]
fn what_may_be_a_signature_is_kept_and_doubted() {
    let text = format!(
        "{HEAD}\r\nWe go on.\r\n\r\nThanks,\r\nmy team will send you the three reports tomorrow.\r\n"
    );
    let email = read(text.as_bytes());
    assert!(email.turns[0].text.contains("three reports"));
    assert_eq!(email.doubtful.listed()[0].line, 3);
}

#[test]
fn an_email_that_is_cut_off_or_says_too_little_is_told() {
    let cut = format!(
        "{HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nWe go on, and w"
    );
    let email = read(cut.as_bytes());
    assert_eq!(
        lines(&email.not_understood),
        ["1-1 the message ends before its last part does: it is cut off here"]
    );
    let nobody = read(b"From: \r\nDate: Mon, 2 Mar 2026 10:15:00 +0100\r\n\r\nWe go on.\r\n");
    assert_eq!(
        lines(&nobody.not_understood),
        ["1-1 the message does not say who sent it"]
    );
    let empty = read(format!("{HEAD}\r\n\r\n").as_bytes());
    assert_eq!(
        lines(&empty.not_understood),
        ["1-1 the message has no text"]
    );
    let quoted = read(format!("{HEAD}\r\n> Well?\r\n").as_bytes());
    assert!(quoted.turns.is_empty() && quoted.not_understood.is_empty());
}
