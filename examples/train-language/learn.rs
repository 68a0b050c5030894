//! Linear support vector machines by dual coordinate descent: squared hinge, all labels side by side.
//!
//! The order of the examples is drawn from a fixed seed, and all sums run in that order: the same input gives the same
//! weights to the bit.

/// The most labels that are learned side by side.
pub const LABELS_MAX: usize = 32;

/// A number for each label.
pub type Each = [f32; LABELS_MAX];

/// An example: known features by place, each with its value.
pub type Row = Vec<(u32, f32)>;

/// How hard it is tried.
#[derive(Clone, Copy)]
pub struct Effort {
    /// What an example on the wrong side costs.
    pub cost: f32,
    /// Times what one of the label costs.
    pub positive: f32,
    pub rounds: usize,
}

/// The weights, for each place and label, that tell `rows` with a label (1) from those without it (-1).
pub fn learn(rows: &[Row], labels: &[Each], width: usize, effort: Effort) -> Vec<Each> {
    let mut weights = vec![[0.0; LABELS_MAX]; width];
    let mut pulls = vec![[0.0; LABELS_MAX]; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = Random(0x5eed);
    for _ in 0..effort.rounds {
        for at in (1..order.len()).rev() {
            order.swap(at, (random.next() % (at as u64 + 1)) as usize);
        }
        for &at in &order {
            let scores = dot(&weights, &rows[at]);
            let square: f32 = rows[at].iter().map(|(_, value)| value * value).sum();
            let change = pull(&mut pulls[at], &labels[at], &scores, square, effort);
            if change == [0.0; LABELS_MAX] {
                continue;
            }
            for &(place, value) in &rows[at] {
                for (weight, change) in weights[place as usize].iter_mut().zip(&change) {
                    *weight += change * value;
                }
            }
        }
    }
    weights
}

/// Pulls an example to the right side, for each label; by how much it pulls more than before.
fn pull(pulls: &mut Each, labels: &Each, scores: &Each, square: f32, effort: Effort) -> Each {
    let mut change = [0.0; LABELS_MAX];
    for at in 0..LABELS_MAX {
        let side = labels[at];
        let cost = if 0.0 < side {
            effort.cost * effort.positive
        } else {
            effort.cost
        };
        let slack = 0.5 / cost;
        let gradient = side * scores[at] - 1.0 + pulls[at] * slack;
        let pulled = (pulls[at] - gradient / (square + slack)).max(0.0);
        change[at] = (pulled - pulls[at]) * side;
        pulls[at] = pulled;
    }
    change
}

/// The scores of an example.
pub fn dot(weights: &[Each], row: &Row) -> Each {
    let mut scores = [0.0; LABELS_MAX];
    for &(place, value) in row {
        for (score, weight) in scores.iter_mut().zip(&weights[place as usize]) {
            *score += weight * value;
        }
    }
    scores
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
