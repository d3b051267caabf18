//! The records before the data of an input.

use crate::parse::{FieldSpan, field_value};
use crate::spec::Dialect;

/// Counts down the records before the data, and keeps the header.
#[derive(Debug, Clone)]
pub struct Preamble<'a> {
    dialect: &'a Dialect,
    /// Records taken.
    taken: u64,
    /// The header records taken.
    header: Vec<Vec<String>>,
}

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// One that holds data; it was not taken.
    Data,
    /// One to skip, or a part of the header.
    Skipped,
    /// The last header record; with it the names are complete.
    Header(Vec<String>),
}

impl<'a> Preamble<'a> {
    /// At the start of an input.
    pub fn new(dialect: &'a Dialect) -> Self {
        Preamble { dialect, taken: 0, header: Vec::new() }
    }

    /// Whether the next record holds data.
    pub fn is_over(&self) -> bool {
        self.taken >= self.dialect.framing.preamble_records()
    }

    /// Whether the next record names columns.
    pub fn is_at_header(&self) -> bool {
        self.dialect.framing.is_header_record(self.taken)
    }

    /// Takes the next record, unless it holds data.
    pub fn take(&mut self, block: &[u8], fields: &[FieldSpan]) -> Taken {
        if self.is_over() {
            return Taken::Data;
        }
        let at_header = self.is_at_header();
        self.taken += 1;
        if !at_header {
            return Taken::Skipped;
        }
        let mut scratch = Vec::new();
        let names = fields.iter().map(|span| {
            String::from_utf8_lossy(field_value(&self.dialect.grammar, block, span, &mut scratch))
                .into_owned()
        });
        self.header.push(names.collect());
        if self.is_at_header() {
            return Taken::Skipped;
        }
        Taken::Header(joined(&std::mem::take(&mut self.header), &self.dialect.framing.header_join))
    }
}

/// Names by position, from one or more header records.
fn joined(records: &[Vec<String>], between: &str) -> Vec<String> {
    let columns = records.iter().map(Vec::len).max().unwrap_or(0);
    let name = |position| {
        let parts = records.iter().filter_map(|record| record.get(position).map(String::as_str));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
    };
    (0..columns).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{RecordIndex, Scanner};
    use crate::spec::Framing;

    #[test]
    fn skipped_records_and_headers_are_told_from_data() {
        let two = Framing { skip_records: 1, header_rows: 2, ..Framing::default() };
        let dotted = Framing { header_join: ".".into(), ..two.clone() };
        let after = Framing { skip_records_after_header: 1, ..Framing::default() };
        let none = Framing { header: false, skip_records: 1, ..after.clone() };
        let text = b"a,b\nc,,d\ne,f\n1,2\n";
        let cases: [(Framing, &[&str], usize); 4] = [
            (two, &["c e", "f", "d"], 3),
            (dotted, &["c.e", "f", "d"], 3),
            (after, &["a", "b"], 2),
            (none, &[], 2),
        ];
        for (framing, names, records) in cases {
            let dialect = &Dialect { framing, ..Dialect::default() };
            let mut index = RecordIndex::default();
            Scanner::new(&dialect.grammar).scan(text, &mut index).expect("clean");
            let (mut preamble, mut header, mut taken) = (Preamble::new(dialect), Vec::new(), 0);
            for record in 0..index.len() {
                match preamble.take(text, index.record(record)) {
                    Taken::Data => break,
                    Taken::Skipped => {}
                    Taken::Header(names) => header = names,
                }
                taken += 1;
            }
            assert_eq!((header, taken), (names.iter().map(|n| n.to_string()).collect(), records));
            assert!(preamble.is_over());
        }
    }
}
