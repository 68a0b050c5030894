//! A claim as written on the command line: `topic[:stance[:conviction]][,key=value]…`.

use crate::cli::moment;
use crate::cli::money;
use crate::cli::schema;
use crate::wire::pb;

const KEYS: &str = "target, impact, issue, event, stage, confidence";

/// Reads a claim.
///
/// # Errors
///
/// A sentence naming the part that is wrong and what it may be.
pub fn parse(text: &str) -> Result<pb::Claim, String> {
    let mut parts = split(text).into_iter();
    let mut subject = parts.next().unwrap_or_default().split(':');
    let mut claim = pb::Claim {
        topic: schema::number("Topic", subject.next().unwrap_or_default())
            .map_err(|why| format!("topic: {why}"))?,
        ..pb::Claim::default()
    };
    if let Some(stance) = subject.next() {
        claim.stance = schema::number("Stance", stance).map_err(|why| format!("stance: {why}"))?;
    }
    if let Some(conviction) = subject.next() {
        claim.conviction =
            schema::number("Conviction", conviction).map_err(|why| format!("conviction: {why}"))?;
    }
    if let Some(rest) = subject.next() {
        return Err(format!(
            "`:{rest}` is too much after topic:stance:conviction"
        ));
    }

    let mut given = Vec::new();
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!("`{part}` is not KEY=VALUE with a key of {KEYS}"));
        };
        let key = key.trim();
        if given.contains(&key) {
            return Err(format!("{key}: given twice"));
        }
        given.push(key);
        set(&mut claim, key, value.trim()).map_err(|why| format!("{key}: {why}"))?;
    }
    Ok(claim)
}

/// Parts at commas, but for those between the digits of an amount (`impact=EUR 40,000`).
fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',') {
        if digit(at.checked_sub(1)) && digit(at.checked_add(1)) {
            continue;
        }
        parts.push(&text[start..at]);
        start = at + 1;
    }
    parts.push(&text[start..]);
    parts
}

fn set(claim: &mut pb::Claim, key: &str, value: &str) -> Result<(), String> {
    match key {
        "target" => {
            moment::parse_date(value)?;
            claim.target_date = value.to_owned();
        }
        "impact" => claim.impact = Some(money::parse(value)?),
        "issue" => claim.issue_category = schema::number("IssueCategory", value)?,
        "event" => claim.compelling_event = schema::number("CompellingEvent", value)?,
        "stage" => claim.buying_stage = schema::number("BuyingStage", value)?,
        "confidence" => {
            let refusal = || format!("must be above 0 and at most 1, got `{value}`");
            let confidence: f64 = value.parse().map_err(|_| refusal())?;
            if !(confidence > 0.0 && confidence <= 1.0) {
                return Err(refusal());
            }
            claim.confidence = Some(confidence);
        }
        _ => return Err(format!("no such key; there are {KEYS}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_topic_with_as_much_else_as_is_known() {
        let topic = pb::Topic::GoLive as i32;
        assert_eq!(
            parse("go-live").unwrap(),
            pb::Claim {
                topic,
                ..pb::Claim::default()
            }
        );

        let whole = "GO_LIVE:supports:committed,target=2026-12-01,impact=EUR 40,000,issue=risk-compliance,event=contract-expiry,stage=approval,confidence=0.5";
        let expected = pb::Claim {
            topic,
            stance: pb::Stance::Supports as i32,
            conviction: pb::Conviction::Committed as i32,
            confidence: Some(0.5),
            issue_category: pb::IssueCategory::RiskCompliance as i32,
            impact: Some(pb::Money {
                currency_code: "EUR".to_owned(),
                units: 40_000,
                nanos: 0,
            }),
            target_date: "2026-12-01".to_owned(),
            compelling_event: pb::CompellingEvent::ContractExpiry as i32,
            buying_stage: pb::BuyingStage::Approval as i32,
            source: 0,
            basis: String::new(),
        };
        assert_eq!(parse(whole).unwrap(), expected);
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let refusal = parse(text).unwrap_err();
        assert!(refusal.contains(why), "{text}: {refusal}");
    }

    #[test]
    fn a_refusal_names_the_part_and_what_it_may_be() {
        refused("", "topic: `` is not one of problem,");
        refused(
            "pain",
            "topic: `pain` is not one of problem, consequence, status-quo",
        );
        refused(
            "problem:agrees",
            "stance: `agrees` is not one of supports, opposes, defers",
        );
        refused("problem::owned", "stance: `` is not one of");
        refused(
            "problem:supports:sure",
            "conviction: `sure` is not one of acknowledged",
        );
        refused("problem:supports:owned:x", "`:x` is too much");
        refused("problem,target", "`target` is not KEY=VALUE");
        refused(
            "problem,date=2026-12-01",
            "date: no such key; there are target",
        );
        refused(
            "go-live,target=2026-02-30",
            "target: `2026-02-30` is not a date",
        );
        refused("problem,impact=40000", "impact: `40000` is not a currency");
        refused("problem,confidence=0", "above 0 and at most 1, got `0`");
        refused("problem,confidence=1.1", "above 0 and at most 1, got `1.1`");
        refused("problem,confidence=NaN", "above 0 and at most 1");
        refused(
            "problem,confidence=1,confidence=1",
            "confidence: given twice",
        );
    }
}
