//! The records after the data of an input.
//!
//! Input: the blocks of one input, in order. Output: the same records in blocks
//! of which the last holds every footer record; and whether what the last of
//! these says of the number of records is true. Where nothing follows the data,
//! blocks pass at once. Called by [`super::stream`] and [`super::read`].

use super::blocks::Block;
use super::stream::FramedBlock;
use crate::error::count::count;
use crate::error::excerpt::excerpt;
use crate::error::{Error, InputProblem, Location, Result};
use crate::parse::{RecordIndex, Scanner, field_value};
use crate::spec::{CountedRecords, Dialect, Framing, TrailerCount};
use std::collections::VecDeque;

/// Holds back the blocks that may hold footer records.
///
/// Held are the block in which the footer may begin, as many blocks with
/// records as there are footer records, and up to [`Grammar::max_record_bytes`]
/// of blocks that hold only blank lines and comments.
#[derive(Debug)]
pub(super) struct FooterHold<'a> {
    url: &'a str,
    records: u64,
    max_idle_bytes: u64,
    /// The first is followed by fewer than `records` records.
    held: VecDeque<Block>,
    /// Bytes of the blocks in `held` that have no record.
    idle_bytes: u64,
}

impl<'a> FooterHold<'a> {
    /// At the start of the input at `url`.
    pub(super) fn new(dialect: &Dialect, url: &'a str) -> Self {
        FooterHold {
            url,
            records: dialect.framing.footer_records,
            max_idle_bytes: dialect.grammar.max_record_bytes,
            held: VecDeque::new(),
            idle_bytes: 0,
        }
    }

    /// How many records of a block that passed it come after the data: none but in the last.
    /// The first `preamble` of them come before it.
    pub(super) fn records_of(&self, block: &Block, preamble: usize) -> usize {
        if !block.last {
            return 0;
        }
        block.records.saturating_sub(preamble as u64).min(self.records) as usize
    }

    /// Takes the next block and moves those to `out` that are known to end
    /// before the footer; with the last block, all.
    ///
    /// # Errors
    ///
    /// Too many bytes without a record where the footer may be. All blocks are
    /// in `out` then.
    pub(super) fn push(&mut self, block: Block, out: &mut Vec<Block>) -> Result<()> {
        let is_last = block.last;
        self.idle_bytes += idle_bytes(&block);
        self.held.push_back(block);
        self.pass(out);
        if self.idle_bytes > self.max_idle_bytes {
            let error = self.too_far();
            self.release(out);
            return Err(error);
        }
        if is_last {
            self.gather();
            self.release(out);
        }
        Ok(())
    }

    /// Moves the blocks to `out` that end before the footer.
    fn pass(&mut self, out: &mut Vec<Block>) {
        let mut after: u64 = self.held.iter().skip(1).map(|block| block.records).sum();
        // A block without a record holds no footer record, whatever follows it.
        while let Some(block) = self.held.pop_front_if(|first| after >= self.records || first.records == 0) {
            self.idle_bytes -= idle_bytes(&block);
            after = after.saturating_sub(self.held.front().map_or(0, |next| next.records));
            out.push(block);
        }
    }

    /// The error for too many bytes without a record.
    fn too_far(&self) -> Error {
        let first = self.held.iter().find(|block| block.records == 0);
        let location = Location {
            byte_offset: first.map(|block| block.byte_offset),
            line: first.map(|block| block.lines_before + 1),
            ..Location::object(self.url)
        };
        Error::input(InputProblem::FooterTooFar { limit: self.max_idle_bytes }, location).remedy(
            "cut off the blank lines or comments, raise `dialect.maxRecordBytes` (--max-record-bytes), or leave `dialect.footerRecords` (--footer-records) out",
        )
    }

    /// Moves what is held to `out`: the input ends in an error.
    pub(super) fn release(&mut self, out: &mut Vec<Block>) {
        out.extend(self.held.drain(..));
        self.idle_bytes = 0;
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

/// Bytes of a block that has no record.
fn idle_bytes(block: &Block) -> u64 {
    if block.records == 0 { block.bytes.len() as u64 } else { 0 }
}

/// Whether the last block of the input at `url` ends in what the dialect says; any other passes.
///
/// # Errors
///
/// Fewer records after the preamble than the footer has, but some; and what
/// [`check_trailer`] finds.
pub fn check_footer(dialect: &Dialect, framed: &FramedBlock, url: &str) -> Result<()> {
    let FramedBlock { block, preamble, footer, .. } = framed;
    if !block.last {
        return Ok(());
    }
    let expected = dialect.framing.footer_records;
    if 0 < *footer && (*footer as u64) < expected {
        let found = block.records.saturating_sub(*preamble as u64);
        let problem = InputProblem::FooterCutOff { expected, found };
        return Err(Error::input(problem, Location::object(url)).remedy(
            "is the input cut off? otherwise fix `dialect.footerRecords` (--footer-records), `dialect.skipRecords` (--skip-records) or `dialect.headerRows` (--header-rows)",
        ));
    }
    match &dialect.framing.trailer_count {
        Some(trailer) => check_trailer(trailer, dialect, block, *footer, url),
        None => Ok(()),
    }
}

/// The error for an input without a byte, which has no block, if its dialect
/// asks for a trailer.
pub fn check_empty(framing: &Framing, url: &str) -> Result<()> {
    match framing.trailer_count {
        Some(_) => Err(missing_trailer("the input is empty".into(), Location::object(url))),
        None => Ok(()),
    }
}

/// Reads the trailer, which is the last record of the input and of `block`.
/// `footer` is the number of footer records that the block holds.
///
/// # Errors
///
/// A trailer that is missing or states no number, or another one than
/// there are records.
fn check_trailer(
    trailer: &TrailerCount,
    dialect: &Dialect,
    block: &Block,
    footer: usize,
    url: &str,
) -> Result<()> {
    let mut index = RecordIndex::default();
    // What is wrong in the data before it is the parser's to say.
    let _ = Scanner::new(&dialect.grammar).scan_tolerant(&block.bytes, &mut index, &mut Vec::new());
    let nothing = if dialect.framing.preamble_records() > 0 {
        "no record follows the header"
    } else {
        "there is no record"
    };
    let Some(last) = index.len().checked_sub(1).filter(|_| footer > 0) else {
        return Err(missing_trailer(nothing.into(), Location::object(url)));
    };
    let location = Location {
        byte_offset: Some(block.byte_offset + u64::from(index.record_starts[last])),
        line: Some(block.lines_before + u64::from(index.record_lines[last]) + 1),
        ..Location::object(url)
    };
    let text = |position: u64| {
        let span = index.record(last).get(usize::try_from(position).ok()?)?;
        let mut scratch = Vec::new();
        Some(
            String::from_utf8_lossy(field_value(&dialect.grammar, &block.bytes, span, &mut scratch))
                .into_owned(),
        )
    };
    if let Some(marker) = &trailer.marker {
        let first = text(0).unwrap_or_default();
        if first.trim() != marker {
            let what = format!("the last record begins with {:?}, not with {marker:?}", excerpt(&first));
            return Err(missing_trailer(what, location));
        }
    }
    let Some(stated) = text(trailer.field.saturating_sub(1)) else {
        let what = format!(
            "the last record has {}, not {}",
            count(index.record(last).len(), "field"),
            trailer.field
        );
        return Err(missing_trailer(what, location));
    };
    let Ok(count) = stated.trim().parse::<u64>() else {
        let what = format!("{:?} is not a number of records", excerpt(&stated));
        return Err(missing_trailer(what, location));
    };
    let all = block.records_before + block.records;
    let counted = match trailer.counts {
        CountedRecords::All => all,
        CountedRecords::Data => all.saturating_sub(dialect.framing.preamble_records() + footer as u64),
    };
    if count != counted {
        return Err(Error::input(InputProblem::TrailerCount { stated: count, counted }, location).remedy(
            "the input is not what was sent; if the trailer counts headers and footers, too, use `counts = \"all\"` in `dialect.trailerCount` of the job or schema file",
        ));
    }
    Ok(())
}

fn missing_trailer(what: String, location: Location) -> Error {
    Error::input(InputProblem::TrailerMissing { what }, location).remedy(
        "is the input cut off? otherwise fix `dialect.trailerCount` of the job or schema file, or leave it out, and see `dialect.footerRecords` (--footer-records)",
    )
}

#[cfg(test)]
mod tests;
