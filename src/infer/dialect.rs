//! Delimiter, quote, escape, terminator, comments, titles and header, from samples.
//!
//! Every combination of what occurs in the text is scanned and judged
//! ([`look`]). What all records agree on, with quotes that close and nothing
//! left out, comes before anything that needs an exception; then the records
//! should agree on a number of fields, and the fields should not look as if they
//! had been cut in the wrong places. After the idea of van den Burg, Nazábal and
//! Sutton, "Wrangling messy CSV files by detecting row and type patterns"
//! (2019), with our grammar and types.
//!
//! A reading that leaves records out (titles, comments) needs evidence that the
//! reading without lacks: types that hold below. Where two are near and one
//! would lose records, inference is refused with both and the flags of each
//! ([`refusal`]); where they differ in values, a note names the other one
//! ([`rivals`]).

mod comments;
mod header;
mod look;
mod preamble;
mod records;
mod refusal;
mod rivals;
mod search;
mod separator;
mod several;

pub(super) use header::shown;
pub(super) use refusal::quoted as shell_quoted;

use super::Sample;
use crate::error::Result;
use crate::parse::{Delimiter, Terminator};
use crate::spec::{Dialect, DialectSpec};
use refusal::{Flag, Reading, Refusal};
use search::{Candidate, Search};

/// In order of preference when two fit equally well.
const DELIMITERS: [char; 7] = [',', '\t', ';', '|', '\u{1f}', '^', '~'];

/// What begins a comment, where anything does.
const COMMENT: u8 = b'#';

/// Bytes of each sample that the dialect is judged by.
const JUDGED_BYTES: usize = 64 << 10;

/// Thousandths of the records that a delimiter divides, below which it is
/// punctuation in a single column.
const MOSTLY: u64 = 500;

/// The start of a sample that the dialect is judged by.
#[derive(Debug, Clone, Copy)]
struct Head<'a> {
    url: &'a str,
    /// Whole lines.
    text: &'a [u8],
    /// Lines before the text: a first one such as `sep=;`.
    lines_before: u32,
    /// Whether the input ends with it.
    whole: bool,
}

/// What is said beforehand, and what may be inferred.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the job and its schema file say of the dialect.
    pub given: &'a DialectSpec,
    /// The same with the defaults.
    pub resolved: &'a Dialect,
    /// Names of the columns, where a schema says them.
    pub names: &'a [String],
    /// Whether titles, comments, the header and what a quote is are inferred:
    /// they decide what is data and what is a mistake, which a job has to say
    /// itself.
    pub infer_header: bool,
}

impl Known<'_> {
    /// The line terminator, if it is given.
    fn terminator(&self) -> Option<Terminator> {
        self.given.line_terminator.is_some().then_some(self.resolved.grammar.terminator)
    }
}

/// A dialect, and what a person should check.
type Judged = (Dialect, Vec<String>);

/// Fills in what is not known, and says what a person should check.
///
/// # Errors
/// An [`InputProblem::TwoReadings`](crate::error::InputProblem::TwoReadings)
/// where two readings are near and one of them would lose records; a
/// [`DifferentDelimiters`](crate::error::InputProblem::DifferentDelimiters) where no
/// delimiter reads two inputs.
pub fn infer_dialect(samples: &[Sample], known: &Known<'_>) -> Result<Judged> {
    let head = |sample| Head::of(sample, known.resolved, known.terminator());
    let heads: Vec<Head<'_>> = samples.iter().map(head).filter(|head| !head.text.is_empty()).collect();
    let (named, note) = separator::named(samples, known);
    let (mut spec, mut resolved) = (known.given.clone(), known.resolved.clone());
    if let Some(delimiter) = named {
        (spec.delimiter, resolved.grammar.delimiter) = (Some(delimiter.as_str().to_owned()), delimiter);
    }
    let known = &Known { given: &spec, resolved: &resolved, ..*known };
    let judged = judge(&heads, known).map_err(|refusal| refusal.into_error(&heads));
    judged.map(|(dialect, notes)| (dialect, note.into_iter().chain(notes).collect()))
}

fn judge(heads: &[Head<'_>], known: &Known<'_>) -> Result<Judged, Refusal> {
    let mut notes = Vec::new();
    let Known { given, resolved, infer_header, .. } = *known;
    let search = Search::new(heads, known, resolved);
    let mut all = search.candidates();
    let Some(mut found) = search.best(&all) else { return Ok((resolved.clone(), notes)) };
    if infer_header && given.comment_char.is_none() {
        (found, all) = comments::decided(&search, found, all, &mut notes)?;
    }
    if given.delimiter.is_none() {
        several::check(&search, &found)?;
    }
    if infer_header && given.delimiter.is_none() {
        found = one_column_or(&search, found, &all, &mut notes)?;
        if found.look.fields < 2 {
            notes.extend(rivals::rare_delimiter(&search, &found));
        }
    }
    let mut dialect = found.dialect.clone();
    if infer_header {
        rivals::note(&search, &found, &all, &mut notes);
    }
    if dialect.grammar.quote.is_none() && resolved.grammar.quote.is_some() {
        notes.push(
            "quotes occur inside fields and enclose none, so they are read as text, as with \
             `dialect.quoteChar = \"\"` (--no-quote); if they enclose fields, use `dialect.quoteChar = \"\\\"\"` \
             (--quote '\"')"
                .into(),
        );
    }
    if infer_header && given.skip_records.is_none() {
        dialect.framing.skip_records = preamble::noted(heads, &found, given, &mut notes);
        // As it is where records are skipped.
        if dialect.framing.skip_records > 0 && given.separator_line.is_none() {
            dialect.framing.separator_line = heads.iter().any(|head| head.lines_before > 0);
        }
    }
    if infer_header && given.header.is_none() {
        dialect.framing.header = header::has_header(heads, &dialect, known.names, &mut notes);
    }
    if infer_header {
        rivals::note_odd(heads, &found, &dialect, &mut notes);
    }
    Ok((dialect, notes))
}

/// What was found, or one column of text where that is the likelier or keeps
/// what the other would lose.
fn one_column_or(
    search: &Search<'_>,
    found: Candidate,
    all: &[Candidate],
    notes: &mut Vec<String>,
) -> Result<Candidate, Refusal> {
    let names = search.known.names.len();
    let is_table = found.is_table() || found.titles > 0;
    // What divides the lines best, if nothing divides them all.
    let divider = all.iter().filter(|other| other.look.fields > 1).max_by_key(|other| other.look.divided());
    let Some(divider) = divider.filter(|_| !is_table && names < 2) else { return Ok(found) };
    let Some(single) = search.one_column(&found, all) else { return Ok(found) };
    let fails = found.look.score().0 > 0;
    let best = if fails { &found } else { divider };
    let first_is_one = best.look.first_fields < 2;
    let said = search.known.given.header == Some(true) || names == 1;
    let likely = said || search.is_punctuation(best.dialect.grammar.delimiter);
    if best.look.divided() < MOSTLY || first_is_one && likely {
        notes.push(format!(
            "no delimiter divides all records alike, so each is one column of text ({}); for {:?} as the \
             delimiter, use {}",
            refusal::flags(&single.dialect, &[Flag::Delimiter]),
            best.dialect.grammar.delimiter.as_str(),
            refusal::flags(&best.dialect, &[Flag::Delimiter]),
        ));
        return Ok(single);
    }
    // The run fails at the first odd record, with its place.
    if fails && !first_is_one {
        return Ok(found);
    }
    let titles = best.look.is_table_below().filter(|_| search.known.given.skip_records.is_none());
    let skipped = best.dialect.skipping(titles.unwrap_or(0) as u64);
    let flags: &[Flag] = if titles.is_some() { &[Flag::Delimiter, Flag::Skip] } else { &[Flag::Delimiter] };
    Err(Refusal::Near {
        why: "its lines may be one column of text, or records of several columns",
        readings: Box::new([
            Reading::new(&single.dialect, &[Flag::Delimiter]),
            Reading::new(&skipped, flags),
        ]),
    })
}

/// Delimiters that occur in a text, in order of preference.
pub(super) fn delimiters_in(text: &[u8]) -> Vec<Delimiter> {
    let all = DELIMITERS.into_iter().chain([':', ' ']).map(Delimiter::from);
    all.filter(|delimiter| memchr::memmem::find(text, delimiter.as_bytes()).is_some()).collect()
}

/// Whether a delimiter is looked for where none is given.
pub(super) fn is_usual(delimiter: Delimiter) -> bool {
    DELIMITERS.map(Delimiter::from).contains(&delimiter)
}

/// Bytes of the line such as `sep=;` that is passed over at the start of a sample.
pub(super) fn separator_bytes(sample: &Sample, dialect: &Dialect) -> usize {
    separator::line(sample, dialect, Some(dialect.grammar.terminator)).map_or(0, |line| line.bytes.len())
}

/// How good the fields look that a dialect cuts a text into, as it is judged here: larger is better.
pub(super) fn score(text: &[u8], dialect: &Dialect) -> (u64, u64, usize) {
    let sample = Sample { text: text[..text.len().min(JUDGED_BYTES)].to_vec(), ..Sample::default() };
    look::Look::of(&[Head::of(&sample, dialect, Some(dialect.grammar.terminator))], dialect).score()
}

impl<'a> Head<'a> {
    fn of(sample: &'a Sample, dialect: &Dialect, terminator: Option<Terminator>) -> Head<'a> {
        let line = separator::line(sample, dialect, terminator);
        let text = &sample.text[line.as_ref().map_or(0, |line| line.bytes.len())..];
        let judged = &text[..text.len().min(JUDGED_BYTES)];
        let whole = judged.len() == text.len() && sample.whole;
        let lines = memchr::memrchr2(b'\n', b'\r', judged).map_or(judged.len(), |end| end + 1);
        let lines_before = u32::from(line.is_some());
        Head { url: &sample.url, text: if whole { judged } else { &judged[..lines] }, lines_before, whole }
    }
}
