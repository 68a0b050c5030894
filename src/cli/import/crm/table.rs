//! A table as a CRM exports it: CSV in any usual encoding, delimiter and quoting, each row with the line it begins on.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use csv::Position;
use csv::ReaderBuilder;
use csv::StringRecord;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::conversation::page::Page;

/// Delimiters that exports use; of equal counts in the header the first wins.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table in memory.
#[derive(Debug)]
pub struct Table {
    /// The file's own name, for people.
    pub name: String,
    header: StringRecord,
    /// The place of each column by its name, written plainly.
    columns: HashMap<String, usize>,
    pub rows: Vec<Row>,
    /// `FILE:LINE: what is wrong` of rows that cannot be taken apart.
    pub faults: Vec<String>,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// From 1, where the row begins.
    pub line: u32,
    cells: StringRecord,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds no header.
    pub fn open(path: &Path) -> Result<Table, Failure> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let bytes = fs::read(path).map_err(|error| {
            let text = format!("{}: cannot be read: {error}", path.display());
            Failure::new(Exit::Usage, text)
        })?;
        Table::read(name, &Page::decode(&bytes).text)
            .map_err(|fault| Failure::new(Exit::Data, fault))
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// It holds no header, or one that names a column twice.
    pub fn read(name: String, text: &str) -> Result<Table, String> {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(text))
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = match reader.headers() {
            Ok(header) if header.iter().any(|column| !column.trim().is_empty()) => header.clone(),
            Ok(_) => return Err(format!("{name}:1: there is no header")),
            Err(error) => return Err(format!("{name}:1: {error}")),
        };
        let mut columns = HashMap::new();
        for (place, column) in header.iter().enumerate() {
            let first = *columns.entry(plain(column)).or_insert(place);
            if first != place && !plain(column).is_empty() {
                return Err(format!("{name}:1: the column {column} is there twice"));
            }
        }

        let mut table = Table {
            name,
            header,
            columns,
            rows: Vec::new(),
            faults: Vec::new(),
        };
        table.fill(text, reader.records(), open_quote(text, delimiter(text)));
        Ok(table)
    }

    fn fill(
        &mut self,
        text: &str,
        records: impl Iterator<Item = csv::Result<StringRecord>>,
        open_quote: Option<usize>,
    ) {
        let mut records = records.peekable();
        while let Some(record) = records.next() {
            // The last row has swallowed whatever follows the quote that is open.
            if let (Some(at), None) = (open_quote, records.peek()) {
                let line = 1 + text[..at].matches('\n').count();
                let fault = format!("{}:{line}: a quote is opened and never closed", self.name);
                self.faults.push(fault);
                break;
            }
            let cells = match record {
                Ok(cells) => cells,
                Err(error) => {
                    self.faults.push(format!("{}: {error}", self.name));
                    continue;
                }
            };
            let line = cells.position().map_or(0, |at| line_of(text, at));
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if cells.len() != self.header.len() {
                let (got, due) = (cells.len(), self.header.len());
                let fault = format!(
                    "{}:{line}: has {got} cells, the header has {due}",
                    self.name
                );
                self.faults.push(fault);
                continue;
            }
            self.rows.push(Row { line, cells });
        }
    }

    /// The first of these columns that the table has. Case, blanks and underscores do not count.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.columns.get(&plain(name)).copied())
    }

    /// As [`Table::column`], of a table that must have one.
    ///
    /// # Errors
    ///
    /// A sentence that names the column and those that are there.
    pub fn needed(&self, names: &[&str]) -> Result<usize, String> {
        self.column(names).ok_or_else(|| {
            let there: Vec<&str> = self.header.iter().collect();
            format!(
                "{}:1: must have a column {}; there are {}",
                self.name,
                names.join(" or "),
                there.join(", ")
            )
        })
    }

    /// The columns in order, as the file writes them.
    pub fn header(&self) -> impl Iterator<Item = (usize, &str)> {
        self.header.iter().enumerate()
    }

    /// The column's name as the file writes it.
    pub fn title(&self, column: usize) -> &str {
        self.header.get(column).unwrap_or_default()
    }
}

impl Row {
    /// The cell without blanks around it; empty where there is no such column.
    pub fn cell(&self, column: Option<usize>) -> &str {
        column
            .and_then(|column| self.cells.get(column))
            .map_or("", str::trim)
    }

    /// Whether two rows say the same.
    pub fn is_twin_of(&self, other: &Row) -> bool {
        self.cells == other.cells
    }
}

/// The line a row begins on; its position is before blank lines in front of it.
fn line_of(text: &str, position: &Position) -> u32 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(start..).unwrap_or_default();
    let blank = ahead
        .iter()
        .take_while(|byte| matches!(byte, b'\n' | b'\r'));
    let blank_lines = blank.filter(|byte| **byte == b'\n').count() as u64;
    u32::try_from(position.line() + blank_lines).unwrap_or(u32::MAX)
}

/// `Close Date`, `CloseDate` and `close_date` are one name.
fn plain(column: &str) -> String {
    column
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Where a quote opens that nothing closes. A quote opens at the beginning of a cell only: `5" pipe` is a cell.
fn open_quote(text: &str, delimiter: u8) -> Option<usize> {
    enum In {
        Beginning,
        Bare,
        Quoted(usize),
        /// Behind a quote within a quoted cell: it ends the cell, unless another one follows.
        Behind(usize),
    }
    let mut at = In::Beginning;
    for (place, byte) in text.bytes().enumerate() {
        at = match (at, byte) {
            (In::Quoted(open), b'"') => In::Behind(open),
            (In::Quoted(open), _) | (In::Behind(open), b'"') => In::Quoted(open),
            (_, b'\n' | b'\r') => In::Beginning,
            (_, byte) if byte == delimiter => In::Beginning,
            (In::Beginning, b'"') => In::Quoted(place),
            _ => In::Bare,
        };
    }
    match at {
        In::Quoted(open) => Some(open),
        _ => None,
    }
}

/// The delimiter that the header has most of, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(which) = DELIMITERS.iter().position(|known| *known == byte) {
                    counts[which] += 1;
                }
            }
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    let which = counts.iter().position(|count| *count == most);
    DELIMITERS[which.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::read("t.csv".to_owned(), text).unwrap()
    }

    #[test]
    fn every_usual_delimiter_and_quoting_is_read() {
        for text in [
            "Id,Name\n1,\"a, b\"\n",
            "Id;Name\r\n1;\"a, b\"\r\n",
            "Id\tName\n1\t\"a, b\"",
        ] {
            let table = table(text);
            let name = table.column(&["name"]);
            assert_eq!(table.rows[0].cell(name), "a, b", "{text:?}");
        }
    }

    #[test]
    fn columns_are_found_however_they_are_spelt() {
        let table = table("Record ID,close_date,DealName\n1,2,3\n");
        assert_eq!(table.column(&["CloseDate"]), Some(1));
        assert_eq!(table.column(&["Deal Name", "Name"]), Some(2));
        assert_eq!(table.column(&["Owner"]), None);
        assert_eq!(
            table.needed(&["Owner"]).unwrap_err(),
            "t.csv:1: must have a column Owner; there are Record ID, close_date, DealName"
        );
    }

    #[test]
    fn a_row_knows_the_line_it_begins_on() {
        let table = table("Id,Note\n1,\"two\nlines\"\n\n2,x\n");
        let lines: Vec<u32> = table.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn a_row_of_another_length_is_named_and_the_others_are_read() {
        let table = table("Id,Name\n1,a\n2\n3,c,d\n4,e\n");
        assert_eq!(table.rows.len(), 2);
        assert_eq!(
            table.faults,
            [
                "t.csv:3: has 1 cells, the header has 2",
                "t.csv:4: has 3 cells, the header has 2"
            ]
        );
    }

    #[test]
    fn a_quote_that_never_closes_is_named_where_it_opens() {
        let table = table("Id,Name\n1,a\n2,\"b\n3,c\n");
        assert_eq!(table.rows.len(), 1);
        assert_eq!(
            table.faults,
            ["t.csv:3: a quote is opened and never closed"]
        );
    }

    #[test]
    fn the_row_that_an_open_quote_swallows_is_the_one_that_is_left_out() {
        let table = table("Id,Name,Stage\n1,a,x\n2,\"b,x\n3,c,x\n");
        assert_eq!(table.rows.len(), 1);
        assert_eq!(
            table.faults,
            ["t.csv:3: a quote is opened and never closed"]
        );
    }

    #[test]
    fn a_quote_within_a_cell_is_a_part_of_it() {
        let table = table("Id,Name\n1,5\" pipe\n2,\"6\"\" pipe\"\n3,c\n");
        let names: Vec<&str> = table.rows.iter().map(|row| row.cell(Some(1))).collect();
        assert_eq!(names, ["5\" pipe", "6\" pipe", "c"]);
        assert_eq!(table.faults, [""; 0]);
    }

    #[test]
    fn a_file_without_a_header_or_with_a_column_twice_is_refused() {
        assert!(Table::read("t.csv".to_owned(), "").is_err());
        assert!(Table::read("t.csv".to_owned(), "Id,id\n1,2\n").is_err());
    }
}
