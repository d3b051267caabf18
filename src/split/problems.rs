//! What the block cutter and the scanner find wrong → the problem in a user's
//! words, its absolute place, and what to do about it.

use super::blocks::{Block, CutError, UnclosedQuote};
use crate::error::count::count;
use crate::error::{Error, InputProblem, Location, QuoteExtent};
use crate::parse::{ScanError, ScanProblem};
use crate::spec::Dialect;
use crate::split::place::data_record;

/// An error of the scanner, with its absolute place.
pub fn scan_error(error: &ScanError, block: &Block, dialect: &Dialect, url: &str) -> Error {
    let location = Location {
        url: url.to_owned(),
        byte_offset: Some(block.byte_offset + error.offset as u64),
        line: Some(block.lines_before + error.line as u64 + 1),
        record: data_record(block.records_before + error.record as u64, &dialect.framing),
        column: None,
    };
    let is_data = location.record.is_some();
    Error::input(scan_problem(error, block, dialect), location)
        .remedy(grammar_problem(error.problem, dialect, is_data).1)
}

/// What the scanner found.
pub fn scan_problem(error: &ScanError, block: &Block, dialect: &Dialect) -> InputProblem {
    match &block.unclosed {
        Some(unclosed) => InputProblem::UnterminatedQuote { extent: Some(extent(unclosed)) },
        None => grammar_problem(error.problem, dialect, false).0,
    }
}

/// An error of the block cutter, with its absolute place; the `header` names
/// the column, where it is known.
pub fn cut_error(error: CutError, dialect: &Dialect, url: &str, header: Option<&[String]>) -> Error {
    let record = data_record(error.records_before, &dialect.framing);
    let location = Location {
        url: url.to_owned(),
        byte_offset: Some(error.byte_offset),
        line: Some(error.lines_before + 1),
        record,
        column: header
            .and_then(|names| names.get(error.field))
            .filter(|_| record.is_some() && error.problem != ScanProblem::RecordTooLarge)
            .cloned(),
    };
    let (problem, remedy) = grammar_problem(error.problem, dialect, record.is_some());
    let problem = match &error.unclosed {
        Some(unclosed) => InputProblem::UnterminatedQuote { extent: Some(extent(unclosed)) },
        None => problem,
    };
    Error::input(problem, location).remedy(remedy)
}

fn extent(unclosed: &UnclosedQuote) -> QuoteExtent {
    QuoteExtent {
        character: unclosed.character,
        lines: (unclosed.first_line, unclosed.last_line),
        bytes: (unclosed.record_start, unclosed.end),
        kept_bytes: (unclosed.bytes_left_out() > 0).then_some(unclosed.kept_bytes),
    }
}

/// A quote that takes in millions of lines is one reject to every budget.
pub(super) fn tell_of_unclosed(unclosed: &UnclosedQuote, url: &str) {
    let (line, character) = (unclosed.lines_before_quote + 1, unclosed.character);
    let (lines, bytes) = (unclosed.lines(), unclosed.end - unclosed.record_start);
    tracing::warn!(
        "{url}: the quote at line {line}, character {character} is never closed: the {} from line {} to the end, {}, are set aside as one record",
        count(lines, "line"),
        unclosed.first_line,
        count(bytes, "byte")
    );
}

/// What is wrong, in a user's words, and what to do about it. A record that is
/// data can be set aside.
fn grammar_problem(problem: ScanProblem, dialect: &Dialect, is_data: bool) -> (InputProblem, &'static str) {
    match problem {
        ScanProblem::UnterminatedQuote if is_data && dialect.framing.footer_records == 0 => (
            InputProblem::UnterminatedQuote { extent: None },
            "if the file is cut off, deliver it again; otherwise close the quote or take it out; \
             `errors.bad_record = \"reject\"` (--on-bad-record reject) sets aside what it encloses; \
             if no field of the file is enclosed by quotes, use `dialect.quoteChar = \"\"` (--no-quote)",
        ),
        ScanProblem::UnterminatedQuote => (
            InputProblem::UnterminatedQuote { extent: None },
            "if the file is cut off, deliver it again; otherwise close the quote or take it out; \
             if no field of the file is enclosed by quotes, use `dialect.quoteChar = \"\"` (--no-quote)",
        ),
        ScanProblem::QuoteInBareField => (
            InputProblem::StrayQuote { what: "inside a field that does not begin with one" },
            "keep such quotes as text with `dialect.strayQuotes = \"keep\"` (--keep-stray-quotes), or switch quoting off with `dialect.quoteChar = \"\"` (--no-quote)",
        ),
        ScanProblem::TextAfterQuote => (
            InputProblem::StrayQuote { what: "text follows the closing quote" },
            "if quotes occur unescaped inside quoted fields, use `dialect.unescapedQuotes = true` (--unescaped-quotes); keep such text with `dialect.strayQuotes = \"keep\"` (--keep-stray-quotes); is `dialect.escapeChar` (--escape) missing?",
        ),
        ScanProblem::CommentLikeRecord => (
            InputProblem::CommentLikeRecord {
                mark: char::from(dialect.grammar.comment.unwrap_or_default()),
                fields: dialect.grammar.guessed_comment_fields.unwrap_or_default(),
            },
            "if it is data, use `dialect.commentChar = \"\"` (--no-comment); if it is a comment, set the mark with `dialect.commentChar` (--comment)",
        ),
        // A field that is larger than a record may be breaks that limit, not its own.
        ScanProblem::FieldTooLarge if dialect.grammar.max_field_bytes <= dialect.grammar.max_record_bytes => {
            (
                InputProblem::FieldTooLarge { limit: dialect.grammar.max_field_bytes },
                "raise `dialect.maxFieldBytes` (--max-field-bytes); or is a closing quote missing here?",
            )
        }
        ScanProblem::TooManyFields => (
            InputProblem::TooManyFields { limit: dialect.grammar.max_fields },
            "raise `dialect.maxFields` (--max-fields), where each column takes about 15 KB of memory; or is `dialect.lineTerminator` (--line-terminator) wrong?",
        ),
        ScanProblem::FieldTooLarge | ScanProblem::RecordTooLarge => (
            InputProblem::RecordTooLarge { limit: dialect.grammar.max_record_bytes },
            "raise `dialect.maxRecordBytes` (--max-record-bytes); or is `dialect.lineTerminator` (--line-terminator) wrong?",
        ),
    }
}
