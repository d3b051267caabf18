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

/// What it takes to find the data of one input.
#[derive(Debug)]
pub(super) struct StartScan<'a> {
    pub(super) scanner: &'a Scanner,
    pub(super) dialect: &'a Dialect,
    pub(super) url: &'a str,
}

impl StartScan<'_> {
    /// What this block says of the start of its input. Most headers are short: the block is
    /// scanned no further than it takes to see the first record of the data.
    pub(super) fn advance(
        &self,
        preamble: &mut Preamble<'_>,
        block: &Block,
        index: &mut RecordIndex,
    ) -> Result<Advance> {
        self.advance_from(FIRST_SCANNED_BYTES, preamble, block, index)
    }

    fn advance_from(
        &self,
        first: usize,
        preamble: &mut Preamble<'_>,
        block: &Block,
        index: &mut RecordIndex,
    ) -> Result<Advance> {
        let whole = block.bytes.len();
        let mut end = first.min(whole);
        loop {
            let mut tried = preamble.clone();
            if let Some(advance) = self.within(end, &mut tried, block, index)? {
                *preamble = tried;
                return Ok(advance);
            }
            end = (end * 8).min(whole);
        }
    }

    /// The same by the first `end` bytes of the block; `None` if more may tell.
    fn within(
        &self,
        end: usize,
        preamble: &mut Preamble<'_>,
        block: &Block,
        index: &mut RecordIndex,
    ) -> Result<Option<Advance>> {
        let mut header = None;
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
                    if let Some(name) = names.iter().find(|name| name.contains('\0')) {
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
            let scan = StartScan { scanner: &Scanner::new(&dialect.grammar), dialect: &dialect, url: "in.csv" };
            let (mut one, mut other) = (Preamble::new(&dialect), Preamble::new(&dialect));
            for block in &blocks {
                let (mut index, mut by_all) = (RecordIndex::default(), RecordIndex::default());
                let found = scan.advance_from(first, &mut one, block, &mut index);
                let expected = scan.advance_from(usize::MAX, &mut other, block, &mut by_all);
                match (found, expected) {
                    (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected),
                    (found, expected) => {
                        let text = |result: Result<Advance>| result.map_err(|error| error.to_string());
                        prop_assert_eq!(text(found), text(expected));
                        break;
                    }
                }
                if one.is_over() {
                    break;
                }
            }
        }
    }
}
