//! From scores to probabilities: logistic curves, fitted to scores of quotes that the weights had not seen.

/// A logistic curve: slope and offset.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    pub slope: f64,
    pub offset: f64,
}

/// How strongly a curve is drawn to the one it starts from.
#[derive(Clone, Copy)]
pub struct Pull(pub f64);

const ROUNDS_MAX: usize = 50;

/// The curve that makes the labels likeliest, by Newton's method.
pub fn fit(scored: &[(f64, bool)], start: Fit, pull: Pull) -> Fit {
    let Pull(pull) = pull;
    let mut fit = start;
    for _ in 0..ROUNDS_MAX {
        let mut slope = pull * (fit.slope - start.slope);
        let mut offset = pull * (fit.offset - start.offset);
        // A little more than nothing, so that it can be divided by.
        let (mut bend, mut both, mut lift) = (pull + 1e-9, 0.0, pull + 1e-9);
        for &(score, label) in scored {
            let likely = probability(fit, score);
            let error = likely - f64::from(u8::from(label));
            let weight = likely * (1.0 - likely);
            slope += error * score;
            offset += error;
            bend += weight * score * score;
            both += weight * score;
            lift += weight;
        }
        let determinant = bend * lift - both * both;
        let step = (
            (lift * slope - both * offset) / determinant,
            (bend * offset - both * slope) / determinant,
        );
        fit.slope -= step.0;
        fit.offset -= step.1;
        if step.0.abs() + step.1.abs() < 1e-9 {
            break;
        }
    }
    fit
}

/// The probability of a score.
pub fn probability(fit: Fit, score: f64) -> f64 {
    1.0 / (1.0 + (-(fit.slope * score + fit.offset)).exp())
}
