//! Stretches from inside an input → those of their records that are beyond doubt.
//!
//! In the middle of an input it is not known whether a line end is inside
//! quotes. But there are only two answers, so a window is read twice from its
//! first line end on: as if a record began there, and as if quotes were open.
//! Where both readings begin a record at the same byte they are one from there
//! on, and one of them is true: the records after it are those of the input,
//! whatever stands before, well formed or not. Where quotes mean something, the
//! readings seldom take more than a few records to meet.
//!
//! If they do not, the true reading is the one without stray quotes, and the one
//! that does not end the input inside quotes. Both may be left in a window
//! without a closing quote, such as any of a table of numbers: it may be the
//! inside of one field. That is ruled out only where no field of the head comes
//! near the size that this one would have; a table in a field of another one
//! with as many columns is all that could look like that. The reading that is
//! left has to give every record the fields that it should have. Every other
//! window is passed over. Called by [`super::Records`].

use crate::parse::{RecordIndex, ScanError, ScanProblem, Scanner, Terminator};
use crate::spec::Dialect;
use std::ops::Range;

/// Windows into an input at most.
pub const WINDOWS: u64 = 8;

/// Bytes of a window: hundreds of records of a wide table, and all windows are
/// as much as the head, so that they cost about as much.
pub const WINDOW_BYTES: u64 = 128 << 10;

/// How many times as long as the longest quoted field of the head a window has
/// to be before it is not a field.
const TIMES_LONGEST: usize = 16;

/// Bytes from inside an input.
#[derive(Debug, Clone)]
pub struct Window {
    /// Offset of `text[0]` in the decoded input.
    pub byte_offset: u64,
    /// Bytes of the input; both ends may be within a character.
    pub text: Vec<u8>,
    /// Whether the input ends with it.
    pub last: bool,
}

/// What the head of an input says of its records.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordShape {
    /// Fields of a record.
    pub(super) fields: usize,
    /// Bytes of the longest field in quotes.
    pub(super) longest_quoted: usize,
}

/// The records of a window that are those of its input.
#[derive(Debug)]
pub(super) struct Certain {
    /// What [`Certain::index`] counts from, in the text of the window.
    pub(super) start: usize,
    pub(super) index: RecordIndex,
    /// What is wrong with some records, in their order.
    pub(super) faults: Vec<ScanError>,
    /// How many of the index they are, at least one. In the last window that is
    /// all to the end of the input, footer records too.
    pub(super) records: usize,
}

/// What a text is if a record begins at its first byte.
struct Reading {
    index: RecordIndex,
    faults: Vec<ScanError>,
    outcome: Result<(), ScanError>,
    /// Records that no end of the window cuts.
    complete: usize,
}

/// Where the windows into an input are: the same distance apart, the last at
/// the end. They do not overlap. None if there is nothing after the head.
pub fn windows(head_bytes: u64, input_bytes: u64) -> Vec<Range<u64>> {
    let rest = input_bytes.saturating_sub(head_bytes);
    if rest == 0 {
        return Vec::new();
    }
    let count = (rest / WINDOW_BYTES).clamp(1, WINDOWS);
    let end = |number: u64| head_bytes + (u128::from(rest) * u128::from(number) / u128::from(count)) as u64;
    (1..=count).map(|number| end(number).saturating_sub(WINDOW_BYTES).max(head_bytes)..end(number)).collect()
}

impl Window {
    /// The records that are beyond doubt, `None` without any. `scanner` is one
    /// for `dialect`.
    pub(super) fn certain(
        &self,
        scanner: &Scanner,
        dialect: &Dialect,
        shape: RecordShape,
    ) -> Option<Certain> {
        let start = self.record_start(scanner, dialect, shape)?;
        let text = &self.text[start..];
        let Reading { index, faults, outcome, complete: records } = self.read(scanner, text);
        let end = *index.record_stops[..records].last()? as usize;
        // Bytes that are not UTF-8 end the run when it comes to them; until then they are nothing.
        let is_sound = std::str::from_utf8(&text[..end]).is_ok();
        // What is footer cannot be told where the input breaks off.
        (is_sound && !(self.last && outcome.is_err())).then_some(Certain { start, index, faults, records })
    }

    /// Where a record begins for certain, the first such place as a rule.
    fn record_start(&self, scanner: &Scanner, dialect: &Dialect, shape: RecordShape) -> Option<usize> {
        let start = self.first_line_end(dialect)?;
        let text = &self.text[start..];
        let Some(quote) = dialect.grammar.quote else { return Some(start) };
        let outside = self.read(scanner, text);
        // Everything in it is one byte further on.
        let inside = self.read(scanner, &[&[quote], text].concat());
        if let Some(met) = meeting(&outside.index, &inside.index) {
            return Some(start + met);
        }
        let is_even = |reading: &Reading, from: usize| {
            // Footers may look like anything.
            let footer = if self.last { dialect.framing.footer_records as usize } else { 0 };
            (from..reading.complete.saturating_sub(footer))
                .all(|record| reading.index.record(record).len() == shape.fields)
        };
        match (self.is_broken(&outside), self.is_broken(&inside)) {
            (false, true) => is_even(&outside, 0).then_some(start),
            (true, false) if is_even(&inside, 1) => {
                inside.index.record_starts.get(1).map(|second| start + *second as usize - 1)
            }
            (false, false) if inside.is_one_field() && is_even(&outside, 0) => {
                let longest = shape.longest_quoted.saturating_mul(TIMES_LONGEST);
                (longest <= text.len()).then_some(start)
            }
            _ => None,
        }
    }

    fn read(&self, scanner: &Scanner, text: &[u8]) -> Reading {
        let (mut index, mut faults) = (RecordIndex::default(), Vec::new());
        let outcome = scanner.scan_tolerant(text, &mut index, &mut faults);
        // A record that is cut off inside quotes is not in the index.
        let cut = usize::from(!self.last && outcome.is_ok());
        Reading { complete: index.len().saturating_sub(cut), index, faults, outcome }
    }

    /// Whether a run that comes to this fails.
    fn is_broken(&self, reading: &Reading) -> bool {
        // What is wrong with a record that is cut off may be the cut.
        let faulty = reading.faults.iter().any(|fault| fault.record < reading.complete);
        let open = |error: ScanError| error.problem == ScanProblem::UnterminatedQuote;
        faulty || reading.outcome.is_err_and(|error| self.last || !open(error))
    }

    /// After the first terminator that ends a record unless it stands inside quotes.
    fn first_line_end(&self, dialect: &Dialect) -> Option<usize> {
        let text = &self.text;
        let ends = |byte: u8| match dialect.grammar.terminator {
            Terminator::Lf => byte == b'\n',
            Terminator::Cr => byte == b'\r',
            Terminator::Any => byte == b'\n' || byte == b'\r',
            Terminator::Byte(terminator) => byte == terminator,
        };
        // Where quoting is off, an escape takes the meaning from a terminator. Of
        // several escapes each may be the escaped one.
        let is_escaped = |at: usize| match dialect.grammar.bare_escape() {
            Some(escape) => at == 0 || text[at - 1] == escape,
            None => false,
        };
        let at = (0..text.len()).find(|&at| ends(text[at]) && !is_escaped(at))?;
        let crlf = dialect.grammar.terminator == Terminator::Any && text[at..].starts_with(b"\r\n");
        Some(at + 1 + usize::from(crlf))
    }
}

impl Reading {
    /// Whether a quote that begins the text is never closed.
    fn is_one_field(&self) -> bool {
        self.outcome.is_err_and(|error| error.problem == ScanProblem::UnterminatedQuote && error.offset == 0)
    }
}

/// The first byte where both readings begin a record. What `inside` is of is
/// one byte longer, at the front.
fn meeting(outside: &RecordIndex, inside: &RecordIndex) -> Option<usize> {
    // Its first record begins with the byte that was put there.
    let begun = inside.record_starts.get(1..)?;
    let met = outside.record_starts.iter().find(|start| begun.binary_search(&(*start + 1)).is_ok());
    met.map(|start| *start as usize)
}

#[cfg(test)]
mod tests;
