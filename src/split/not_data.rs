//! What of a text is not data.
//!
//! Input: a block and the places of its records. Output: its bytes, tiled by
//! data records and named rest, so that nothing can be left out without being
//! counted somewhere. Called by [`super::read`] for blocks that the parsers never
//! see, and by the parsers.

use super::blocks::Block;
use crate::documents::{KEPT_LINES, NotData};
use crate::parse::{RecordIndex, Scanner, SeparatorLine, Terminator};
use crate::spec::Dialect;

/// The bytes of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiles {
    /// Of data records.
    pub data_bytes: u64,
    /// Of everything else.
    pub not_data: NotData,
}

impl Tiles {
    /// Those of a block, all of whose records are in `index`. Of these the first
    /// `preamble` come before the data and the last `footer` after it. `keep_text`
    /// keeps the text of the first lines.
    pub fn of(
        dialect: &Dialect,
        block: &Block,
        index: &RecordIndex,
        (preamble, footer): (usize, usize),
        keep_text: bool,
    ) -> Tiles {
        let mut tiler = Tiler { dialect, block, keep_text, counted: (0, 0), tiles: Tiles::default() };
        let data = preamble..index.len().saturating_sub(footer);
        let text = &block.bytes;
        tiler.lines(0, index.record_starts.first().map_or(text.len(), |start| *start as usize));
        for record in 0..index.len() {
            let (start, stop) = (index.record_starts[record] as usize, index.record_stops[record] as usize);
            let next = index.record_starts.get(record + 1).map_or(text.len(), |start| *start as usize);
            // As a rule nothing but a line end stands between two records.
            let end = match &text[stop..next] {
                [] | [_] | [b'\r', b'\n'] => next,
                _ => after_line(dialect.grammar.terminator, text, stop),
            };
            if data.contains(&record) {
                tiler.tiles.data_bytes += (end - start) as u64;
            } else {
                let line = block.lines_before + u64::from(index.record_lines[record]) + 1;
                let is_header = dialect.framing.is_header_record(block.records_before + record as u64);
                let NotData { skipped, header, footer, .. } = &mut tiler.tiles.not_data;
                let kind = match () {
                    () if record >= data.start => footer,
                    () if is_header => header,
                    () => skipped,
                };
                kind.add(line, &text[start..stop], end - start, keep_text);
            }
            if end < next {
                tiler.lines(end, next);
            }
        }
        // Data that is counted and not held.
        tiler.tiles.data_bytes += block.unclosed.map_or(0, |unclosed| unclosed.bytes_left_out());
        tiler.tiles
    }

    /// Those of a block that holds no data and whose records all come before it.
    pub fn of_preamble(dialect: &Dialect, block: &Block, keep_text: bool) -> Tiles {
        let mut index = RecordIndex::default();
        // What is wrong there loses nothing.
        let _ = Scanner::new(&dialect.grammar).scan_tolerant(&block.bytes, &mut index, &mut Vec::new());
        Tiles::of(dialect, block, &index, (index.len(), 0), keep_text)
    }

    /// Those of a first line such as `sep=;`, which comes before all records.
    pub fn of_separator_line(line: &SeparatorLine, keep_text: bool) -> Tiles {
        let mut tiles = Tiles::default();
        let text = line.bytes.trim_ascii_end();
        tiles.not_data.skipped.add(1, text, line.bytes.len(), keep_text);
        tiles
    }

    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.data_bytes + self.not_data.bytes()
    }

    /// Adds those of other text of the same input.
    pub fn add(&mut self, other: &Tiles) {
        self.data_bytes += other.data_bytes;
        self.not_data.add(&other.not_data);
    }
}

/// Goes through the lines of one block.
struct Tiler<'a> {
    dialect: &'a Dialect,
    block: &'a Block,
    keep_text: bool,
    /// An offset, and the lines that end before it.
    counted: (usize, u64),
    tiles: Tiles,
}

impl Tiler<'_> {
    /// Comments and blank lines.
    fn lines(&mut self, mut start: usize, end: usize) {
        while start < end {
            let after = after_line(self.dialect.grammar.terminator, &self.block.bytes, start).min(end);
            let text = &self.block.bytes[start..after];
            let is_comment = self.dialect.grammar.comment.is_some()
                && text.first().copied() == self.dialect.grammar.comment;
            let NotData { comments, blank, .. } = &mut self.tiles.not_data;
            let kind = if is_comment { comments } else { blank };
            if kind.first.len() < KEPT_LINES {
                let (offset, lines) = self.counted;
                let passed =
                    self.dialect.grammar.terminator.count_lines(&self.block.bytes[offset..start]) as u64;
                self.counted = (start, lines + passed);
            }
            let line = self.block.lines_before + self.counted.1 + 1;
            kind.add(line, text.trim_ascii_end(), text.len(), self.keep_text && is_comment);
            start = after;
        }
    }
}

/// The offset after the line that goes on at `from`, outside quotes.
fn after_line(terminator: Terminator, text: &[u8], from: usize) -> usize {
    let rest = &text[from..];
    let found = match terminator {
        Terminator::Lf => memchr::memchr(b'\n', rest),
        Terminator::Cr => memchr::memchr(b'\r', rest),
        Terminator::Byte(byte) => memchr::memchr(byte, rest),
        Terminator::Any => memchr::memchr2(b'\r', b'\n', rest),
    };
    let Some(at) = found.map(|at| from + at) else { return text.len() };
    let is_pair = terminator == Terminator::Any && text[at] == b'\r' && text.get(at + 1) == Some(&b'\n');
    at + 1 + usize::from(is_pair)
}

#[cfg(test)]
mod tests;
