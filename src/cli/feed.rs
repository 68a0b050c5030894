//! A file of writes, checked whole and then sent through the service's own interface.
//!
//! The text stays in memory and is read twice, so that nothing is sent of a file that is wrong and nothing is kept of a
//! line that was sent.

use jiff::Timestamp;

use crate::cli::client::Client;
use crate::cli::lanes::After;
use crate::cli::lanes::Lanes;
use crate::cli::lanes::Tally;
use crate::cli::ndjson;
use crate::cli::progress::Progress;
use crate::cli::shift;

/// Writes, and the name by which faults call their file.
pub struct Story {
    pub name: String,
    pub text: String,
}

/// What checking a story found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Lines that hold a write.
    pub lines: usize,
    /// `FILE:LINE: field: what is allowed`.
    pub faults: Vec<String>,
    /// Lines with faults.
    pub lines_bad: usize,
    /// The latest instant of all good lines.
    pub newest: Option<Timestamp>,
    /// The whole days by which the story is to be moved.
    pub days: i64,
}

impl Story {
    /// Checks every line for form; with `shift_to` also that it can be moved so that the story ends there.
    pub fn check(&self, shift_to: Option<Timestamp>) -> Checked {
        let mut checked = Checked::default();
        for (number, line) in ndjson::lines(&self.text) {
            checked.lines += 1;
            match ndjson::read(line) {
                Ok(message) => checked.newest = checked.newest.max(shift::newest(&message)),
                Err(faults) => {
                    checked.lines_bad += 1;
                    checked
                        .faults
                        .extend(faults.iter().map(|fault| self.at(number, fault)));
                }
            }
        }
        if let (Some(now), Some(newest)) = (shift_to, checked.newest) {
            checked.days = shift::days(newest, now);
            self.check_shift(&mut checked);
        }
        checked
    }

    /// Sends every good line, moved as it was checked.
    pub async fn send(
        &self,
        checked: &Checked,
        client: &Client,
        after: After,
        progress: &Progress,
    ) -> Tally {
        let name = self.name.clone();
        let lanes = Lanes::open(
            move |line| format!("{name}:{line}"),
            client,
            after,
            progress,
        );
        for (line, text) in ndjson::lines(&self.text) {
            // What is wrong with a line was told when the file was checked.
            let Ok(mut message) = ndjson::read(text) else {
                continue;
            };
            if checked.days != 0 && shift::shift(&mut message, checked.days).is_err() {
                continue;
            }
            if !lanes.send(line, ndjson::write(&message)).await {
                break;
            }
        }
        let tally = lanes.close().await;
        progress.finish();
        tally
    }

    fn check_shift(&self, checked: &mut Checked) {
        for (number, line) in ndjson::lines(&self.text) {
            let Ok(mut message) = ndjson::read(line) else {
                continue;
            };
            if let Err(fault) = shift::shift(&mut message, checked.days) {
                checked.lines_bad += 1;
                checked.faults.push(self.at(number, &fault));
            }
        }
    }

    fn at(&self, line: usize, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(text: &str) -> Story {
        Story {
            name: "story.ndjson".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_whole_file_is_checked_and_faults_name_file_and_line() {
        let checked = story(
            "# a story\n{\"upsertDeal\":{\"deal\":{\"dealId\":\"a\",\"effectiveAt\":\"2026-03-02T09:00:00Z\"}}}\n\n{\"upsertDeal\":{\"deal\":{\"nmae\":\"x\"}}}\nnonsense\n",
        )
        .check(None);
        assert_eq!((checked.lines, checked.lines_bad), (3, 2));
        assert_eq!(
            checked.newest,
            Some("2026-03-02T09:00:00Z".parse().unwrap())
        );
        assert_eq!(checked.faults.len(), 3, "{:#?}", checked.faults);
        assert!(
            checked.faults[0].starts_with("story.ndjson:4: upsertDeal.deal.nmae: no such field")
        );
        assert!(
            checked.faults[1].starts_with("story.ndjson:4: upsertDeal.deal.dealId: must be set")
        );
        assert!(checked.faults[2].starts_with("story.ndjson:5: not JSON"));
    }

    #[test]
    fn a_date_that_would_leave_the_calendar_is_a_fault_before_anything_is_sent() {
        let text = "{\"upsertDeal\":{\"deal\":{\"dealId\":\"a\",\"closeDate\":\"9999-12-31\",\"effectiveAt\":\"2026-03-02T09:00:00Z\"}}}";
        let checked = story(text).check(Some("2026-11-21T00:00:00Z".parse().unwrap()));
        assert!(
            checked.faults[0].contains("closeDate: 9999-12-31 moved by 263 days"),
            "{:?}",
            checked.faults
        );
        assert!(story(text).check(None).faults.is_empty());
    }
}
