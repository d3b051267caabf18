//! What the structural bytes of a block mean: one pass from byte to byte.

use super::structural::Positions;
use super::{FieldForm, FieldSpan, RecordIndex, ScanError, ScanProblem, Scanner};
use crate::parse::{Grammar, StrayQuotes, Terminator, comment};

/// What is too large.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// No record up to this size can break a limit; bytes.
    unsuspicious_bytes: usize,
    field_bytes: u64,
    record_bytes: u64,
    fields: u64,
}

impl Limits {
    pub(super) fn new(grammar: &Grammar) -> Self {
        let Grammar { max_field_bytes, max_record_bytes, max_fields, .. } = *grammar;
        // A record has at most one field more than it has bytes.
        let least = max_field_bytes.min(max_record_bytes).min(max_fields.saturating_sub(1));
        Limits {
            unsuspicious_bytes: usize::try_from(least).unwrap_or(usize::MAX),
            field_bytes: max_field_bytes,
            record_bytes: max_record_bytes,
            fields: max_fields,
        }
    }
}

/// One pass over one block. `PLAIN` is [`Grammar::is_plain`].
pub(super) struct Walk<'a, const PLAIN: bool> {
    grammar: &'a Grammar,
    limits: &'a Limits,
    /// First byte of the delimiter.
    delimiter: u8,
    /// [`Grammar::leading_space`].
    leading_space: &'static [u8],
    /// [`Grammar::trailing_space`].
    trailing_space: &'static [u8],
    block: &'a [u8],
    /// Every byte up to the last position taken has been dealt with.
    positions: Positions<'a>,
    /// The record boundary that was reached.
    at: usize,
    /// Lines that end before the last position taken.
    lines: usize,
    index: &'a mut RecordIndex,
    /// What was tolerated; `None` if nothing is.
    faults: Option<&'a mut Vec<ScanError>>,
}

/// What stands after a field.
enum FieldEnd {
    /// A delimiter; the next field begins here.
    Delimiter { next: usize },
    /// A terminator or the end of the input; the record's bytes end here.
    Record { end: usize },
}

impl<'a, const PLAIN: bool> Walk<'a, PLAIN> {
    pub(super) fn new(
        scanner: &'a Scanner,
        block: &'a [u8],
        index: &'a mut RecordIndex,
        faults: Option<&'a mut Vec<ScanError>>,
    ) -> Self {
        index.clear();
        Walk {
            grammar: &scanner.grammar,
            limits: &scanner.limits,
            delimiter: scanner.grammar.delimiter.first(),
            leading_space: scanner.grammar.leading_space(),
            trailing_space: scanner.grammar.trailing_space(),
            block,
            positions: Positions::new(&scanner.needles, block),
            at: 0,
            lines: 0,
            index,
            faults,
        }
    }

    pub(super) fn run(mut self) -> Result<(), ScanError> {
        if u32::try_from(self.block.len()).is_err() {
            return Err(self.error(0, ScanProblem::RecordTooLarge));
        }
        while self.at < self.block.len() {
            if let Err(error) = self.record() {
                self.index.fields.truncate(self.whole_fields());
                let whole = self.index.len();
                if let Some(faults) = self.faults {
                    faults.retain(|fault| fault.record < whole);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Walks over one record, blank line or comment.
    #[inline]
    fn record(&mut self) -> Result<(), ScanError> {
        let record_start = self.at;
        let lines_before = self.lines;
        if self.grammar.comment.is_some() && self.byte(record_start) == self.grammar.comment {
            return self.comment();
        }
        let mut start = record_start;
        // Beyond what an escape of this field stands before, where escapes may.
        let mut floor = start;
        let end = loop {
            let Some(at) = self.positions.next() else {
                self.push_bare(start, floor, self.block.len());
                break self.end_of_input();
            };
            if !PLAIN && at < floor {
                continue; // In a delimiter of several bytes, or escaped.
            }
            let byte = self.block[at];
            if self.is_delimiter(at, byte) {
                self.push_bare(start, floor, at);
                start = at + self.delimiter_bytes();
                floor = start;
            } else if self.is_terminator(byte) {
                let end = self.terminator(floor, at);
                if end == record_start {
                    return Ok(()); // A blank line.
                }
                self.push_bare(start, floor, end);
                break end;
            } else if Some(byte) == self.grammar.quote {
                if self.is_opening(start, at) {
                    match self.quoted_field(at)? {
                        FieldEnd::Delimiter { next } => (start, floor) = (next, next),
                        FieldEnd::Record { end } => break end,
                    }
                } else if self.grammar.stray_quotes == StrayQuotes::Error {
                    self.fault(self.error(at, ScanProblem::QuoteInBareField))?;
                }
            } else if !PLAIN && Some(byte) == self.grammar.bare_escape() && at + 1 < self.block.len() {
                self.lines += self.ends_line(at + 1) as usize;
                floor = at + 2;
            }
            // Else an escape byte that means nothing outside quotes, or a byte
            // that might have begun a delimiter.
        };
        if end - record_start > self.limits.unsuspicious_bytes {
            self.judge_sizes(record_start, end)?;
        }
        self.index.record_ends.push(self.index.fields.len() as u32);
        self.index.record_starts.push(record_start as u32);
        self.index.record_stops.push(end as u32);
        self.index.record_lines.push(lines_before as u32);
        Ok(())
    }

    /// A field whose opening quote is the last position taken.
    fn quoted_field(&mut self, open: usize) -> Result<FieldEnd, ScanError> {
        let Some((close, escapes)) = self.closing_quote() else {
            return Err(self.error(open, ScanProblem::UnterminatedQuote));
        };
        let after = close + 1;
        let (end, field_end) = loop {
            let Some(at) = self.positions.next() else {
                let end = self.end_of_input();
                break (end, FieldEnd::Record { end });
            };
            let byte = self.block[at];
            if self.is_delimiter(at, byte) {
                break (at, FieldEnd::Delimiter { next: at + self.delimiter_bytes() });
            }
            if self.is_terminator(byte) {
                let end = self.terminator(after, at);
                break (end, FieldEnd::Record { end });
            }
        };
        let content = open + 1;
        let stray_end = if PLAIN { end } else { self.trim_end(after, end) };
        if stray_end == after {
            self.push(content, close, if escapes { FieldForm::Escaped } else { FieldForm::Quoted });
        } else {
            if self.grammar.stray_quotes == StrayQuotes::Error {
                let trimmed = |byte: &&u8| self.trailing_space.contains(byte);
                let stray = after + self.block[after..stray_end].iter().take_while(trimmed).count();
                self.fault(self.error(stray, ScanProblem::TextAfterQuote))?;
            }
            self.push(content, stray_end, FieldForm::Escaped);
        }
        Ok(field_end)
    }

    /// The position of the next closing quote, and whether escapes stand before it.
    fn closing_quote(&mut self) -> Option<(usize, bool)> {
        let quote = self.grammar.quote;
        let escape = self.grammar.escape_byte();
        let mut escapes = false;
        let mut escaped_at = usize::MAX;
        while let Some(at) = self.positions.next() {
            let byte = self.byte(at);
            if at == escaped_at {
                self.lines += self.ends_line(at) as usize;
            } else if escape.is_some() && byte == escape {
                escapes = true;
                escaped_at = at + 1;
            } else if byte != quote {
                self.lines += self.ends_line(at) as usize;
            } else if escape.is_none() && self.byte(at + 1) == quote {
                escapes = true;
                escaped_at = at + 1;
            } else if PLAIN || !self.grammar.unescaped_quotes || self.grammar.closes_at(self.block, at + 1) {
                return Some((at, escapes));
            }
            // Else a quote that is text.
        }
        None
    }

    /// Walks over a comment to after its terminator.
    fn comment(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        let end = loop {
            match self.positions.next() {
                Some(at) if self.is_terminator(self.block[at]) => break self.terminator(start, at),
                Some(_) => {}
                None => break self.end_of_input(),
            }
        };
        self.judge_record_size(start, end)?;
        match comment::looks_like_record(self.grammar, &self.block[start..end]) {
            true => Err(self.error(start, ScanProblem::CommentLikeRecord)),
            false => Ok(()),
        }
    }

    /// Takes the terminator whose first structural byte stands at `at`, and
    /// gives the end of what stands before it, which is not before `floor`.
    #[inline(always)]
    fn terminator(&mut self, floor: usize, at: usize) -> usize {
        self.lines += 1;
        self.at = at + 1;
        match self.grammar.terminator {
            // Not structural, or every CR elsewhere would be walked over.
            Terminator::Lf if at > floor && self.block[at - 1] == b'\r' => {
                let before = self.block[floor..at].iter().rev().take(Terminator::MAX_CRS);
                at - before.take_while(|byte| **byte == b'\r').count()
            }
            Terminator::Any if self.block[at] == b'\r' && self.byte(at + 1) == Some(b'\n') => {
                self.positions.next();
                self.at = at + 2;
                at
            }
            _ => at,
        }
    }

    #[inline(always)]
    fn is_terminator(&self, byte: u8) -> bool {
        match self.grammar.terminator {
            Terminator::Lf => byte == b'\n',
            Terminator::Cr => byte == b'\r',
            Terminator::Any => byte == b'\n' || byte == b'\r',
            Terminator::Byte(terminator) => byte == terminator,
        }
    }

    /// Whether a delimiter stands at `at`, where `byte` does.
    #[inline(always)]
    fn is_delimiter(&self, at: usize, byte: u8) -> bool {
        byte == self.delimiter && (PLAIN || self.grammar.delimiter.stands_at(self.block, at))
    }

    #[inline(always)]
    fn delimiter_bytes(&self) -> usize {
        if PLAIN { 1 } else { self.grammar.delimiter.as_bytes().len() }
    }

    /// Whether a quote at `at` opens the field that begins at `start`.
    #[inline(always)]
    fn is_opening(&self, start: usize, at: usize) -> bool {
        at == start || (!PLAIN && self.block[start..at].iter().all(|b| self.leading_space.contains(b)))
    }

    /// Whether a line ends with the byte at `at`, inside quotes or escaped.
    fn ends_line(&self, at: usize) -> bool {
        let followed_by_lf = || self.byte(at + 1) == Some(b'\n');
        self.is_terminator(self.block[at])
            && !(self.grammar.terminator == Terminator::Any && self.block[at] == b'\r' && followed_by_lf())
    }

    fn end_of_input(&mut self) -> usize {
        self.at = self.block.len();
        self.at
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.block.get(at).copied()
    }

    /// The unquoted field from `start` to `end`; up to `floor` it may hold escapes.
    #[inline(always)]
    fn push_bare(&mut self, start: usize, floor: usize, end: usize) {
        if PLAIN {
            return self.push(start, end, FieldForm::Bare);
        }
        let stop = self.trim_end(floor, end);
        let blank = |byte: &&u8| self.leading_space.contains(byte);
        let first = start + self.block[start..stop].iter().take_while(blank).count();
        let form = if floor > start { FieldForm::BareEscaped } else { FieldForm::Bare };
        self.push(first, stop, form);
    }

    /// The end of what trimming leaves of `floor..end`.
    fn trim_end(&self, floor: usize, end: usize) -> usize {
        let blank = |byte: &&u8| self.trailing_space.contains(byte);
        end - self.block[floor..end].iter().rev().take_while(blank).count()
    }

    #[inline(always)]
    fn push(&mut self, start: usize, end: usize, form: FieldForm) {
        self.index.fields.push(FieldSpan { start: start as u32, end: end as u32, form });
    }

    /// Judges the record whose fields were pushed last.
    #[cold]
    fn judge_sizes(&mut self, start: usize, end: usize) -> Result<(), ScanError> {
        let fields = self.index.fields.len() - self.whole_fields();
        if fields as u64 > self.limits.fields {
            self.fault(ScanError { field: 0, ..self.error(start, ScanProblem::TooManyFields) })?;
        }
        if (end - start) as u64 > self.limits.field_bytes {
            self.judge_fields(start, end)?;
        }
        self.judge_record_size(start, end)
    }

    /// Spans do not tell where a field's bytes begin and end, but nothing
    /// between a span and the next delimiter is one.
    fn judge_fields(&mut self, start: usize, end: usize) -> Result<(), ScanError> {
        let delimiter = self.grammar.delimiter;
        let (first, fields) = (self.whole_fields(), self.index.fields.len());
        let mut raw_start = start;
        for position in first..fields {
            let from = self.index.fields[position].end as usize;
            let separates = |at: &usize| delimiter.stands_at(self.block, *at);
            let next = if position + 1 < fields { (from..end).find(separates) } else { None };
            let raw_end = next.unwrap_or(end);
            if (raw_end - raw_start) as u64 > self.limits.field_bytes {
                let error = self.error(raw_start, ScanProblem::FieldTooLarge);
                return self.fault(ScanError { field: position - first, ..error });
            }
            raw_start = raw_end + delimiter.as_bytes().len();
        }
        Ok(())
    }

    fn judge_record_size(&self, start: usize, end: usize) -> Result<(), ScanError> {
        if (end - start) as u64 > self.limits.record_bytes {
            return Err(ScanError { field: 0, ..self.error(start, ScanProblem::RecordTooLarge) });
        }
        Ok(())
    }

    /// Notes what is wrong with the record that is being walked over, unless
    /// something is already; an error where nothing is tolerated.
    #[cold]
    fn fault(&mut self, error: ScanError) -> Result<(), ScanError> {
        let Some(faults) = &mut self.faults else { return Err(error) };
        if faults.last().is_none_or(|last| last.record < error.record) {
            faults.push(error);
        }
        Ok(())
    }

    /// Fields of the records before the one that is being walked over.
    fn whole_fields(&self) -> usize {
        self.index.record_ends.last().map_or(0, |&end| end as usize)
    }

    /// An error in the field after the last one pushed.
    #[cold]
    fn error(&self, offset: usize, problem: ScanProblem) -> ScanError {
        // From the record before: there may be as many errors as records.
        let before = self.index.record_starts.last().zip(self.index.record_lines.last());
        let (start, lines) = before.map_or((0, 0), |(start, lines)| (*start as usize, *lines as usize));
        ScanError {
            offset,
            record: self.index.len(),
            field: self.index.fields.len() - self.whole_fields(),
            line: lines + self.grammar.terminator.count_lines(&self.block[start..offset]),
            problem,
        }
    }
}
