//! What people see: pure functions from answers to text.
//!
//! Here alone are numbers rounded. Every view fits the width of its [`Page`] and reads well without colours.

pub mod comparison;
pub mod deal;
pub mod explain;
pub mod history;
pub mod imported;
pub mod model;
pub mod pipeline;
pub mod score;
pub mod sums;
#[cfg(test)]
pub mod tests_support;
pub mod trend;
pub mod watch;

use std::io;
use std::io::IsTerminal;

use comfy_table::Attribute;
use comfy_table::Cell;
use comfy_table::CellAlignment;
use comfy_table::Color;
use comfy_table::ColumnConstraint;
use comfy_table::ContentArrangement;
use comfy_table::LineStyle;
use comfy_table::Table;
use comfy_table::TableStyle;
use comfy_table::Width;

use crate::config;

/// The width where there is no terminal to ask.
const WIDTH_DEFAULT: u16 = 80;

/// Narrower than this, tables break in the middle of words.
const WIDTH_MIN: u16 = 60;

/// Wider than this, lines are hard to follow.
const WIDTH_MAX: u16 = 140;

/// Eighths of a block, from one to eight.
const BLOCKS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

const TICKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where text is shown.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub width: u16,
    pub colours: bool,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    Good,
    Fair,
    Poor,
    /// Matters most.
    Strong,
    /// Matters least.
    Faint,
    Plain,
}

impl Page {
    /// What standard output is: the terminal's width, and colours where they are wanted.
    pub fn of_stdout() -> Page {
        let terminal = io::stdout().is_terminal();
        let width = Table::new().width().unwrap_or(WIDTH_DEFAULT);
        Page {
            width: width.clamp(WIDTH_MIN, WIDTH_MAX),
            colours: terminal && !config::no_color(),
        }
    }

    /// Text in a colour, where there are any.
    pub fn paint(&self, text: &str, hue: Hue) -> String {
        let code = match hue {
            Hue::Good => "32",
            Hue::Fair => "33",
            Hue::Poor => "31",
            Hue::Strong => "1",
            Hue::Faint => "2",
            Hue::Plain => return text.to_owned(),
        };
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A heading between the parts of a view.
    pub fn heading(&self, text: &str) -> String {
        format!("\n{}", self.paragraph(1, cell(text, Hue::Strong)))
    }

    /// A table without lines but the one below its head.
    pub fn table(&self, head: &[&str]) -> Table {
        let mut table = self.grid();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
        table.set_header(
            head.iter()
                .map(|name| Cell::new(name).add_attribute(Attribute::Dim)),
        );
        table
    }

    /// Labelled lines: each label once, its text wrapped beside it.
    pub fn lines(&self, indent: u16, label_width: u16, lines: &[(&str, Cell)]) -> String {
        let mut table = self.grid();
        for (label, text) in lines {
            let label = Cell::new(label).add_attribute(Attribute::Dim);
            table.add_row(vec![label, text.clone()]);
        }
        pad(&mut table, 0, (indent, 2));
        pad(&mut table, 1, (0, 0));
        fix(&mut table, 0, indent + label_width + 2);
        if lines.is_empty() {
            String::new()
        } else {
            finish(&table)
        }
    }

    /// A paragraph, wrapped.
    pub fn paragraph(&self, indent: u16, text: Cell) -> String {
        let mut table = self.grid();
        table.add_row(vec![text]);
        pad(&mut table, 0, (indent, 0));
        finish(&table)
    }

    fn grid(&self) -> Table {
        let mut table = Table::new();
        table.force_no_tty();
        if self.colours {
            table.enforce_styling();
        }
        table.load_style(TableStyle::new());
        table.set_width(self.width);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table
    }
}

/// Gives a column exactly this width, padding included.
pub fn fix(table: &mut Table, column: usize, width: u16) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
}

/// Gives a column at least this width, padding included.
pub fn at_least(table: &mut Table, column: usize, width: u16) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

fn pad(table: &mut Table, column: usize, blanks: (u16, u16)) {
    if let Some(column) = table.column_mut(column) {
        column.set_padding(blanks);
    }
}

/// Gives a column the width of its widest line, so that only others wrap.
pub fn unbroken(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Sets rows of several lines apart.
pub fn dotted(table: &mut Table) {
    let style = table.style().row_separator(LineStyle::none().fill('╌'));
    table.load_style(style);
}

/// A table as lines without blanks at their ends.
pub fn finish(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// A cell in a colour.
pub fn cell(text: impl ToString, hue: Hue) -> Cell {
    let cell = Cell::new(text);
    match hue {
        Hue::Good => cell.fg(Color::DarkGreen),
        Hue::Fair => cell.fg(Color::DarkYellow),
        Hue::Poor => cell.fg(Color::DarkRed),
        Hue::Strong => cell.add_attribute(Attribute::Bold),
        Hue::Faint => cell.add_attribute(Attribute::Dim),
        Hue::Plain => cell,
    }
}

/// A cell whose text stands at the right, as numbers do.
pub fn right(cell: Cell) -> Cell {
    cell.set_alignment(CellAlignment::Right)
}

/// How a score looks, by the ends of the default model's bands.
pub fn hue_of_score(score: f64) -> Hue {
    if score < 45.0 {
        Hue::Poor
    } else if score < 65.0 {
        Hue::Fair
    } else {
        Hue::Good
    }
}

/// A bar of `width` places, `share` of it filled, to an eighth of a place.
pub fn bar(share: f64, width: usize) -> String {
    // A share that is no number, or out of range, must not draw beyond the bar.
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let eighths = (share * width as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(BLOCKS[eighths % 8 - 1]);
    }
    bar.push_str(&"░".repeat(width - eighths.div_ceil(8)));
    bar
}

/// A tick for each score from 0 to 100; a blank where there is none.
pub fn sparkline(scores: &[Option<f64>]) -> String {
    let tick = |score: &Option<f64>| match score {
        // 100 itself belongs to the highest tick.
        Some(score) if score.is_finite() => {
            TICKS[((score.clamp(0.0, 100.0) / 12.5) as usize).min(7)]
        }
        _ => ' ',
    };
    scores.iter().map(tick).collect()
}

/// Points with one decimal: `47.3`.
pub fn points(points: f64) -> String {
    // What rounds to zero has no sign.
    let shown = format!("{:.1}", points.abs());
    if points < 0.0 && shown != "0.0" {
        format!("−{shown}")
    } else {
        shown
    }
}

/// A change of points, always with its sign: `+4.0`, `−3.2`, `±0.0`.
pub fn change(points: f64) -> String {
    let shown = self::points(points);
    match shown.as_str() {
        "0.0" => "±0.0".to_owned(),
        _ if points > 0.0 => format!("+{shown}"),
        _ => shown,
    }
}

/// The words within quotation marks, cut after `letters_max`, without line ends.
pub fn quote(words: &str, letters_max: usize) -> String {
    let words = words.split_whitespace().collect::<Vec<&str>>().join(" ");
    if words.chars().count() <= letters_max {
        return format!("“{words}”");
    }
    let cut: String = words.chars().take(letters_max.saturating_sub(1)).collect();
    format!("“{}…”", cut.trim_end())
}

/// The first that is not empty.
pub fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// `1 deal`, `2 deals`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_to_an_eighth() {
        for (share, expected) in [
            (0.0, "░░░░"),
            (0.03125, "▏░░░"),
            (0.25, "█░░░"),
            (0.375, "█▌░░"),
            (0.99, "████"),
            (1.0, "████"),
            (1.5, "████"),
            (-1.0, "░░░░"),
            (f64::NAN, "░░░░"),
        ] {
            assert_eq!(bar(share, 4), expected, "{share}");
        }
        assert_eq!(bar(0.5, 0), "");
    }

    #[test]
    fn a_sparkline_has_a_tick_a_score() {
        let scores = [
            Some(0.0),
            Some(12.4),
            Some(12.5),
            None,
            Some(50.0),
            Some(87.5),
            Some(100.0),
            Some(f64::NAN),
        ];
        assert_eq!(sparkline(&scores), "▁▁▂ ▅██ ");
    }

    #[test]
    fn points_are_rounded_for_people() {
        assert_eq!(
            [points(47.25), points(-0.04), points(-12.36), points(100.0)],
            ["47.2", "0.0", "−12.4", "100.0"]
        );
        assert_eq!(
            [change(4.0), change(0.04), change(-0.04), change(-3.21)],
            ["+4.0", "±0.0", "±0.0", "−3.2"]
        );
    }

    #[test]
    fn a_quote_is_one_line_of_limited_length() {
        assert_eq!(quote("We can't\n go  on", 20), "“We can't go on”");
        assert_eq!(quote("äöü äöü", 5), "“äöü…”");
        assert_eq!(quote("abcde", 5), "“abcde”");
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let plain = Page {
            width: 80,
            colours: false,
        };
        let coloured = Page {
            width: 80,
            colours: true,
        };
        assert_eq!(plain.paint("x", Hue::Poor), "x");
        assert_eq!(coloured.paint("x", Hue::Poor), "\x1b[31mx\x1b[0m");
        assert!(
            !plain
                .lines(2, 5, &[("a", cell("b", Hue::Good))])
                .contains('\x1b')
        );
        assert!(
            coloured
                .lines(2, 5, &[("a", cell("b", Hue::Good))])
                .contains('\x1b')
        );
    }
}
