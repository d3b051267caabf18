//! Blocks at the start of an input → where its data begins, what its columns are
//! called, and what its first record looks like.

use super::blocks::Block;
use super::header::FirstRecord;
use super::place::NUL_NAME_REMEDY;
use super::preamble::{Preamble, Taken};
use super::problems::scan_error;
use crate::error::{Error, InputProblem, Location, Result};
use crate::parse::{RecordIndex, ScanError, Scanner};
use crate::spec::Dialect;

/// Bytes of a block that are scanned first.
const FIRST_SCANNED_BYTES: usize = 4 << 10;

/// What the records at the start of an input say of all that follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputStart {
    /// The names in the header as they stand; `None` if the dialect has none, or the input no byte.
    pub header: Option<Vec<String>>,
    /// `None` without a clean data record in the block where the data begins.
    pub first: Option<FirstRecord>,
}

/// What a block says of the start of its input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Advance {
    /// Records that are not data.
    pub(super) preamble: usize,
    pub(super) header: Option<Vec<String>>,
    /// Whether there is data.
    pub(super) has_data: bool,
    pub(super) first: Option<FirstRecord>,
}

/// Looks for the data of one input, block by block.
#[derive(Debug)]
pub(super) struct StartScan<'a> {
    scanner: Scanner,
    dialect: &'a Dialect,
    url: &'a str,
    preamble: Preamble<'a>,
    index: RecordIndex,
    takes_any_names: bool,
}

impl<'a> StartScan<'a> {
    /// At the start of the input at `url`.
    pub(super) fn new(dialect: &'a Dialect, url: &'a str) -> Self {
        StartScan {
            scanner: Scanner::new(&dialect.grammar),
            dialect,
            url,
            preamble: Preamble::new(dialect),
            index: RecordIndex::default(),
            takes_any_names: false,
        }
    }

    /// Names that cannot be are not an error.
    pub(super) fn with_any_names(self) -> Self {
        StartScan { takes_any_names: true, ..self }
    }

    /// Whether the blocks so far had all records before the data.
    pub(super) fn is_past_preamble(&self) -> bool {
        self.preamble.is_over()
    }

    /// What this block says of the start of its input. Most headers are short: the block is
    /// scanned no further than it takes to see the first record of the data.
    pub(super) fn advance(&mut self, block: &Block) -> Result<Advance> {
        self.advance_from(FIRST_SCANNED_BYTES, block)
    }

    fn advance_from(&mut self, first: usize, block: &Block) -> Result<Advance> {
        let whole = block.bytes.len();
        let mut end = first.min(whole);
        loop {
            let mut tried = self.preamble.clone();
            if let Some(advance) = self.within(end, &mut tried, block)? {
                self.preamble = tried;
                return Ok(advance);
            }
            end = (end * 8).min(whole);
        }
    }

    /// The same by the first `end` bytes of the block; `None` if more may tell.
    fn within(&mut self, end: usize, preamble: &mut Preamble<'_>, block: &Block) -> Result<Option<Advance>> {
        let (index, mut header) = (&mut self.index, None);
        let located = |error: &ScanError| scan_error(error, block, self.dialect, self.url);
        let mut faults = Vec::new();
        let scanned = self.scanner.scan_tolerant(&block.bytes[..end], index, &mut faults);
        let is_whole = end == block.bytes.len();
        // The last record may be cut off.
        let known = if is_whole { index.len() } else { index.len().saturating_sub(1) };
        for record in 0..known {
            // A header cannot be put aside, as all that follows hangs on it.
            if preamble.is_at_header()
                && let Some(fault) = faults.iter().find(|fault| fault.record == record)
            {
                return Err(located(fault));
            }
            match preamble.take(&block.bytes, index.record(record)) {
                Taken::Data => {
                    // What is wrong with the data is the parser's to say.
                    let is_clean = |record: &usize| faults.iter().all(|fault| fault.record != *record);
                    let first = (record..known).find(is_clean);
                    if first.is_none() && !is_whole {
                        return Ok(None);
                    }
                    let first = first.map(|record| FirstRecord::of(index.record(record)));
                    return Ok(Some(Advance { preamble: record, header, has_data: true, first }));
                }
                Taken::Skipped => {}
                Taken::Header(names) => {
                    if let Some(name) = names.iter().find(|name| name.contains('\0') && !self.takes_any_names)
                    {
                        let location = Location {
                            line: Some(block.lines_before + u64::from(index.record_lines[record]) + 1),
                            column: Some(name.clone()),
                            ..Location::object(self.url)
                        };
                        return Err(Error::input(InputProblem::NulByte, location).remedy(NUL_NAME_REMEDY));
                    }
                    header = Some(names);
                }
            }
        }
        if !is_whole {
            return Ok(None);
        }
        if !preamble.is_over() {
            scanned.map_err(|error| located(&error))?;
        }
        // What the scanner gives up at is data.
        Ok(Some(Advance { preamble: index.len(), header, has_data: scanned.is_err(), first: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::generate::{grammars, texts};
    use crate::spec::Framing;
    use crate::split::blocks::BlockCutter;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn how_much_is_scanned_first_changes_nothing(
            grammar in grammars(),
            text in texts(),
            (skipped, rows) in (0..3u64, 0..3u64),
            first in 1..20usize,
        ) {
            let framing = Framing {
                skip_records: skipped,
                header: rows > 0,
                header_rows: rows.max(1),
                ..Framing::default()
            };
            let dialect = Dialect { framing, ..grammar.into() };
            let (mut blocks, mut spare) = (Vec::new(), Vec::new);
            let mut cutter = BlockCutter::new(&dialect, 64);
            let pushed = cutter.push(&text, &mut spare, &mut blocks);
            let _ = pushed.and_then(|()| cutter.finish(&mut spare, &mut blocks));
            let (mut one, mut other) =
                (StartScan::new(&dialect, "in.csv"), StartScan::new(&dialect, "in.csv"));
            for block in &blocks {
                let found = one.advance_from(first, block);
                let expected = other.advance_from(usize::MAX, block);
                match (found, expected) {
                    (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected),
                    (found, expected) => {
                        let text = |result: Result<Advance>| result.map_err(|error| error.to_string());
                        prop_assert_eq!(text(found), text(expected));
                        break;
                    }
                }
                if one.is_past_preamble() {
                    break;
                }
            }
        }
    }
}
