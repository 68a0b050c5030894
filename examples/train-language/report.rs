//! What is printed of the agreement with sentences.

use std::path::Path;

use verbatim::language::Extractor;
use verbatim::language::Heard;
use verbatim::language::Reading;
use verbatim::language::tally::Marked;
use verbatim::language::tally::Tally;

use crate::corpus;

/// One line of the whole.
pub fn summary(name: &str, tally: &Tally) {
    let all = tally.all();
    println!(
        "{name}: {} quotes, precision {:.3}, recall {:.3}, micro-F1 {:.3}, left alone {:.3}, conviction {:.3}",
        tally.quotes,
        all.precision(),
        all.recall(),
        all.f1(),
        tally.left_alone_share(),
        tally.conviction_share(),
    );
}

/// One line for each kind of claim.
pub fn kinds(tally: &Tally) {
    for ((topic, stance), count) in &tally.kinds {
        println!(
            "  {:14} {:8} made {:4}  precision {:.2}  recall {:.2}  F1 {:.2}",
            topic.name(),
            stance.name(),
            count.right + count.missed,
            count.precision(),
            count.recall(),
            count.f1(),
        );
    }
}

/// How often claims of about one confidence are right.
pub fn bins(tally: &Tally) {
    for bin in tally.bins.iter().filter(|bin| 0 < bin.claims) {
        println!(
            "  confidence {:.2}: {:4} claims, right {:.2}",
            bin.confidence_sum / f64::from(bin.claims),
            bin.claims,
            f64::from(bin.right) / f64::from(bin.claims),
        );
    }
}

/// Measures a file with the weights just trained.
pub fn measure(extractor: &Extractor, path: &Path) -> Result<(), String> {
    let mut tally = Tally::default();
    for line in corpus::read(path)? {
        let heard = Heard {
            quote: &line.quote,
            context: &line.context,
            said_on: None,
        };
        let found: Vec<Marked> = match extractor.read(heard) {
            Reading::Unsupported => Vec::new(),
            Reading::Claims(claims) => claims
                .iter()
                .map(|claim| Marked {
                    topic: claim.topic,
                    stance: claim.stance,
                    conviction: claim.conviction,
                    confidence: claim.confidence.get(),
                })
                .collect(),
        };
        tally.count(&line.claims, &found);
    }
    summary(&path.display().to_string(), &tally);
    Ok(())
}
