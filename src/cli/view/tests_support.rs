//! What the tests of several views need.

use crate::wire::pb;

pub fn moment(text: &str) -> Option<prost_types::Timestamp> {
    Some(crate::cli::moment::to_proto(text.parse().unwrap()))
}

pub fn evidence(name: &str, said_at: &str, quote: &str) -> pb::Evidence {
    pb::Evidence {
        display_name: name.to_owned(),
        said_at: moment(said_at),
        quote: quote.to_owned(),
        stance: pb::Stance::Supports as i32,
        attribution: pb::Attribution::Verbatim as i32,
        ..pb::Evidence::default()
    }
}

#[track_caller]
pub fn fits(text: &str, width: usize) {
    println!("{text}");
    for line in text.lines() {
        assert!(
            line.chars().count() <= width,
            "wider than {width}: {line}\n{text}"
        );
        assert_eq!(line, line.trim_end(), "blanks at the end");
    }
}
