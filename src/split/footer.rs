//! The records after the data of an input.
//!
//! Input: the blocks of one input, in order. Output: the same records in blocks
//! of which the last holds every footer record; and what the last of these says
//! of the number of records. Where nothing follows the data, blocks pass at
//! once. Called by [`super::read`] and by type inference.

use super::blocks::Block;
use crate::error::{Error, InputProblem, Location};
use crate::parse::{CountedRecords, Dialect, RecordIndex, Scanner, TrailerCount, field_value};
use std::collections::VecDeque;

/// Holds back the blocks that may hold footer records.
#[derive(Debug)]
pub struct FooterHold {
    records: u64,
    /// The first is followed by fewer than `records` records.
    held: VecDeque<Block>,
}

impl FooterHold {
    /// At the start of an input with `records` footer records.
    pub fn new(records: u64) -> Self {
        FooterHold { records, held: VecDeque::new() }
    }

    /// Footer records of the input, at most.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Takes the next block and moves those to `out` that are known to end
    /// before the footer; with the last block, all.
    pub fn push(&mut self, block: Block, out: &mut Vec<Block>) {
        let is_last = block.last;
        self.held.push_back(block);
        if is_last {
            self.gather();
            return self.release(out);
        }
        let mut after: u64 = self.held.iter().skip(1).map(|block| block.records).sum();
        while after >= self.records
            && let Some(block) = self.held.pop_front()
        {
            after = after.saturating_sub(self.held.front().map_or(0, |next| next.records));
            out.push(block);
        }
    }

    /// Moves what is held to `out`: the input ends in an error.
    pub fn release(&mut self, out: &mut Vec<Block>) {
        out.extend(self.held.drain(..));
    }

    /// Joins blocks at the end until the last holds every footer record.
    fn gather(&mut self) {
        while self.held.len() > 1
            && let Some(last) = self.held.pop_back_if(|last| last.records < self.records)
            && let Some(before) = self.held.back_mut()
        {
            before.bytes.extend_from_slice(&last.bytes);
            before.records += last.records;
            before.last = true;
        }
    }
}

/// What a trailer says, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedRecords {
    /// The number that the trailer states.
    pub count: u64,
    /// Place of the trailer.
    pub location: Location,
}

/// Reads the trailer, which is the last record of the input and of `block`.
/// `footer` is the number of footer records that the block holds.
///
/// # Errors
/// A trailer that is missing or states no number, or another one than
/// there are records.
pub fn check_trailer(
    trailer: &TrailerCount,
    dialect: &Dialect,
    block: &Block,
    footer: usize,
    url: &str,
) -> Result<StatedRecords, Error> {
    let mut index = RecordIndex::default();
    // What is wrong in the data before it is the parser's to say.
    let _ = Scanner::new(dialect).scan_tolerant(&block.bytes, &mut index, &mut Vec::new());
    let missing = |what: String, location| {
        Error::input(InputProblem::TrailerMissing { what }, location).remedy(
            "is the input cut off? else mend `dialect.trailerCount`, or leave it out, and see `dialect.footerRecords`",
        )
    };
    let Some(last) = index.len().checked_sub(1).filter(|_| footer > 0) else {
        return Err(missing("nothing follows the header".into(), Location::object(url)));
    };
    let location = Location {
        byte_offset: Some(block.byte_offset + u64::from(index.record_starts[last])),
        line: Some(block.lines_before + u64::from(index.record_lines[last]) + 1),
        ..Location::object(url)
    };
    let text = |position: u64| {
        let span = index.record(last).get(usize::try_from(position).ok()?)?;
        let mut scratch = Vec::new();
        Some(String::from_utf8_lossy(field_value(dialect, &block.bytes, span, &mut scratch)).into_owned())
    };
    if let Some(marker) = &trailer.marker {
        let first = text(0).unwrap_or_default();
        if first.trim() != marker {
            let what = format!("the last record begins with {:?}, not with {marker:?}", excerpt(&first));
            return Err(missing(what, location));
        }
    }
    let Some(stated) = text(trailer.field.saturating_sub(1)) else {
        let what = format!("the last record has {} fields, not {}", index.record(last).len(), trailer.field);
        return Err(missing(what, location));
    };
    let Ok(count) = stated.trim().parse::<u64>() else {
        let what = format!("{:?} is no number of records", excerpt(&stated));
        return Err(missing(what, location));
    };
    let all = block.records_before + block.records;
    let counted = match trailer.counts {
        CountedRecords::All => all,
        CountedRecords::Data => all.saturating_sub(dialect.preamble_records() + footer as u64),
    };
    if count != counted {
        return Err(Error::input(InputProblem::TrailerCount { stated: count, counted }, location).remedy(
            "the input is not what was sent; if the trailer counts headers and footers, too, say `counts = \"all\"` in `dialect.trailerCount`",
        ));
    }
    Ok(StatedRecords { count, location })
}

fn excerpt(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
