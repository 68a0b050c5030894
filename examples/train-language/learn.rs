//! Linear support vector machines by dual coordinate descent: squared hinge, one label at a time.
//!
//! The order of the examples is drawn from a fixed seed, and all sums run in that order: the same input gives the same
//! weights to the bit.

/// An example: known features by place, each with its value.
pub type Row = Vec<(u32, f64)>;

/// How hard it is tried.
#[derive(Clone, Copy)]
pub struct Effort {
    /// What an example on the wrong side costs.
    pub cost: f64,
    /// Times what one of the label costs.
    pub positive: f64,
    pub rounds: usize,
}

/// The weights that tell `rows` with the label from those without it.
pub fn learn(rows: &[Row], labels: &[bool], width: usize, effort: Effort) -> Vec<f64> {
    let mut weights = vec![0.0; width];
    let mut pulls = vec![0.0; rows.len()];
    let squares: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().map(|(_, value)| value * value).sum())
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = Random(0x5eed);
    for _ in 0..effort.rounds {
        for at in (1..order.len()).rev() {
            order.swap(at, (random.next() % (at as u64 + 1)) as usize);
        }
        let mut most: f64 = 0.0;
        for &at in &order {
            let side = if labels[at] { 1.0 } else { -1.0 };
            let cost = if labels[at] {
                effort.cost * effort.positive
            } else {
                effort.cost
            };
            let slack = 0.5 / cost;
            let gradient = side * dot(&weights, &rows[at]) - 1.0 + pulls[at] * slack;
            let pull = (pulls[at] - gradient / (squares[at] + slack)).max(0.0);
            let change = (pull - pulls[at]) * side;
            if change != 0.0 {
                most = most.max(change.abs());
                for &(place, value) in &rows[at] {
                    weights[place as usize] += change * value;
                }
                pulls[at] = pull;
            }
        }
        if most < 1e-3 {
            break;
        }
    }
    weights
}

/// The score of an example.
pub fn dot(weights: &[f64], row: &Row) -> f64 {
    row.iter()
        .map(|&(place, value)| weights[place as usize] * value)
        .sum()
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
