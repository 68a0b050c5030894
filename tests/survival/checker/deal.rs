//! One deal: a row of events, to which writes add at the end and which reads see as far as it has come.
//!
//! Let the writes that are there be steps 1 to n, in the order of the history. A step lies after the begin of the call that
//! did it, and before the end of each call that knew of it. A call that saw the deal after k steps ended after step k and
//! began before step k + 1. Moments that fit all of these and never run backwards exist exactly when calls that do all at
//! once, each at a moment between its begin and its end, could have given these answers.

use std::collections::HashMap;

use crate::checker::Asked;
use crate::checker::Attempt;
use crate::checker::Between;
use crate::checker::Bound;
use crate::checker::Fault;
use crate::checker::Kind;
use crate::checker::Outcome;
use crate::checker::Stamp;
use crate::checker::Step;
use crate::checker::Written;
use crate::checker::check_moments;

/// Holds all answers about a deal against the history that is there in the end. Answers its steps.
pub fn check_deal(deal: &str, asked: &Asked, log: &[String]) -> Result<Vec<Step>, Fault> {
    let named = |fault: Fault| fault.kind.fault(format!("{deal}: {}", fault.what));
    let mut steps = steps(asked, log).map_err(named)?;
    narrow(&mut steps, asked, log).map_err(named)?;
    let moments = steps.iter().map(|step| (step.name.as_str(), &step.seen));
    check_moments(moments).map_err(named)?;
    Ok(steps)
}

/// Holds the scores that were shown against those after each event, by their bits. Answers how many there were.
pub fn check_scores(deal: &str, asked: &Asked, right: &[u64]) -> Result<usize, Fault> {
    let mut checked = 0;
    for seen in &asked.seen {
        let Some(score) = seen.score else { continue };
        let revision = seen.revision;
        let place = (revision as usize).checked_sub(1);
        let right = place.and_then(|place| right.get(place)).copied();
        if Some(score) != right {
            return Err(Kind::Score.fault(format!(
                "{deal}: {} shows {} at revision {revision}, and the events make {:?}",
                seen.by,
                f64::from_bits(score),
                right.map(f64::from_bits)
            )));
        }
        checked += 1;
    }
    Ok(checked)
}

/// The writes that are there, in order, each between the begin of what did it and the end of what was told so.
fn steps(asked: &Asked, log: &[String]) -> Result<Vec<Step>, Fault> {
    let mut places: HashMap<&str, u64> = HashMap::new();
    for (mark, revision) in log.iter().zip(1..) {
        if places.insert(mark, revision).is_some() {
            return Err(Kind::Twice.fault(format!("{mark} is there twice")));
        }
    }
    let mut steps = Vec::new();
    for write in &asked.writes {
        let found: Vec<Option<u64>> = write
            .marks
            .iter()
            .map(|mark| places.remove(mark.as_str()))
            .collect();
        if let Some((first, last)) = whole(write, &found)? {
            check_expected(write, first)?;
            steps.push(step(write, last)?);
        }
    }
    if let Some((mark, revision)) = places.into_iter().next() {
        return Err(Kind::Foreign.fault(format!("nobody wrote {mark} (revision {revision})")));
    }
    steps.sort_by_key(|step| step.revision);
    Ok(steps)
}

/// The first and the last revision of a write, or none if it is not there.
fn whole(write: &Written, found: &[Option<u64>]) -> Result<Option<(u64, u64)>, Fault> {
    let name = &write.name;
    if found.iter().all(Option::is_none) {
        return match write.attempts.iter().any(is_done) {
            true => Err(Kind::Lost.fault(format!("{name} was acknowledged and is not there"))),
            false => Ok(None),
        };
    }
    let first = found[0].unwrap_or_default();
    let expected = (first..).map(Some).take(found.len());
    if first == 0 || !found.iter().copied().eq(expected) {
        let what = format!("of {name} there are the revisions {found:?}");
        return Err(Kind::Torn.fault(what));
    }
    Ok(Some((first, first + found.len() as u64 - 1)))
}

/// A write that was only to be recorded at a revision is behind that revision.
fn check_expected(write: &Written, first: u64) -> Result<(), Fault> {
    for attempt in &write.attempts {
        if let Outcome::Done { already, .. } = attempt.outcome
            && already == Some(false)
            && attempt
                .expected
                .is_some_and(|expected| expected + 1 != first)
        {
            let what = format!("{} at {:?} is revision {first}", write.name, attempt);
            return Err(Kind::Expected.fault(what));
        }
    }
    Ok(())
}

fn step(write: &Written, revision: u64) -> Result<Step, Fault> {
    let name = &write.name;
    let firsts: Vec<&Attempt> = write.attempts.iter().filter(|at| is_first(at)).collect();
    if 1 < firsts.len() {
        let what = format!("{name} was recorded for the first time more than once: {firsts:?}");
        return Err(Kind::Twice.fault(what));
    }
    // An attempt that says it was the first was; else any whose end does not tell that it did nothing.
    let begun = match firsts.first() {
        Some(first) => Some(first.begun),
        None => write
            .attempts
            .iter()
            .filter(|at| may_have_done(at))
            .map(|at| at.begun)
            .min(),
    };
    let Some(begun) = begun else {
        let what = format!("{name} is there, and no attempt can have done it");
        return Err(Kind::Refused.fault(what));
    };
    let ended = write.attempts.iter().filter_map(ended_at).min();
    let written = Between {
        not_before: Bound {
            at: begun,
            by: "it was sent".to_owned(),
        },
        not_after: Bound {
            at: ended.unwrap_or(Stamp::MAX),
            by: "it was acknowledged".to_owned(),
        },
    };
    Ok(Step {
        name: format!("{name} (revision {revision})"),
        revision,
        seen: written.clone(),
        written,
    })
}

/// Narrows the steps by what was seen of them.
fn narrow(steps: &mut [Step], asked: &Asked, log: &[String]) -> Result<(), Fault> {
    for write in &asked.writes {
        for attempt in &write.attempts {
            let Outcome::Done {
                ended, revision, ..
            } = attempt.outcome
            else {
                continue;
            };
            // What was acknowledged is in the deal as it was at the answer.
            let own = steps
                .iter()
                .find(|step| step.name.starts_with(&format!("{} (", write.name)));
            if let Some(own) = own
                && revision < own.revision
            {
                let what = format!("{} was answered with revision {revision}", own.name);
                return Err(Kind::Order.fault(what));
            }
            let by = format!("the answer to {}", write.name);
            saw(steps, log, revision, (attempt.begun, ended), &by)?;
        }
    }
    for seen in &asked.seen {
        if let Some(marks) = &seen.marks
            && log.get(..marks.len()) != Some(marks)
        {
            let what = format!("{} shows {marks:?}, and there is {log:?}", seen.by);
            return Err(Kind::Contents.fault(what));
        }
        saw(
            steps,
            log,
            seen.revision,
            (seen.begun, seen.ended),
            &seen.by,
        )?;
    }
    for told in &asked.told {
        let Some(step) = steps.iter_mut().find(|step| step.revision == told.revision) else {
            let what = format!("{} tells of revision {}", told.by, told.revision);
            return Err(Kind::NeverThere.fault(what));
        };
        no_later_than(step, told.at, &told.by);
    }
    Ok(())
}

/// Takes in that a call saw the deal at a revision.
fn saw(
    steps: &mut [Step],
    log: &[String],
    revision: u64,
    (begun, ended): (Stamp, Stamp),
    by: &str,
) -> Result<(), Fault> {
    if (log.len() as u64) < revision {
        let what = format!(
            "{by} tells of revision {revision}, and there are {}",
            log.len()
        );
        return Err(Kind::Vanished.fault(what));
    }
    let done = steps.partition_point(|step| step.revision <= revision);
    let reached = done.checked_sub(1).map_or(0, |last| steps[last].revision);
    if reached != revision {
        let what = format!("{by} tells of revision {revision}, which is in the midst of a write");
        return Err(Kind::Torn.fault(what));
    }
    if 0 < done {
        no_later_than(&mut steps[done - 1], ended, by);
    }
    if let Some(next) = steps.get_mut(done)
        && next.seen.not_before.at < begun
    {
        next.seen.not_before = Bound {
            at: begun,
            by: format!("{by} did not see it"),
        };
    }
    Ok(())
}

fn no_later_than(step: &mut Step, at: Stamp, by: &str) {
    if at < step.seen.not_after.at {
        step.seen.not_after = Bound {
            at,
            by: format!("{by} saw it"),
        };
    }
}

fn is_done(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Done { .. })
}

fn is_first(attempt: &Attempt) -> bool {
    let first = Some(false);
    matches!(attempt.outcome, Outcome::Done { already, .. } if already == first)
}

fn may_have_done(attempt: &Attempt) -> bool {
    match attempt.outcome {
        Outcome::Done { already, .. } => already != Some(true),
        Outcome::Refused => false,
        Outcome::Unknown => true,
    }
}

fn ended_at(attempt: &Attempt) -> Option<Stamp> {
    match attempt.outcome {
        Outcome::Done { ended, .. } => Some(ended),
        Outcome::Refused | Outcome::Unknown => None,
    }
}
