//! Delimiter, quote, escape, terminator, comments, preamble and header, from samples.
//!
//! Every combination of what occurs in the text is scanned and scored
//! ([`look`]): the records should agree on a number of fields, and the fields
//! should not look as if they had been cut in the wrong places. After the idea
//! of van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting
//! row and type patterns" (2019), with our grammar and types.

mod header;
mod look;

use super::Sample;
use crate::job::DialectSpec;
use crate::parse::{Delimiter, Dialect, Escape, Terminator};
use look::Look;

/// In order of preference when two fit equally well.
const DELIMITERS: [char; 7] = [',', '\t', ';', '|', '\u{1f}', '^', '~'];

/// What begins a comment, where anything does.
const COMMENT: u8 = b'#';

/// Bytes of each sample that the dialect is judged by.
const JUDGED_BYTES: usize = 64 << 10;

/// The start of a sample that the dialect is judged by.
#[derive(Debug, Clone, Copy)]
struct Head<'a> {
    url: &'a str,
    /// Whole lines.
    text: &'a [u8],
    /// Whether the input ends with it.
    whole: bool,
}

/// Fills in what `given` leaves out, and says what a person should check.
/// `resolved` is `given` with the defaults. Records before the header, comments,
/// whether there is a header and what a quote is are judged only if
/// `infer_header`: they decide what is data and what is a mistake, which a job
/// has to say itself.
pub fn infer_dialect(
    samples: &[Sample],
    given: &DialectSpec,
    resolved: &Dialect,
    infer_header: bool,
) -> (Dialect, Vec<String>) {
    let heads: Vec<Head<'_>> = samples.iter().map(Head::of).filter(|head| !head.text.is_empty()).collect();
    let mut notes = Vec::new();
    let quote_open = infer_header && given.quote_char.is_none();
    let search = Search { heads: &heads, given, resolved, quote_open };
    let mut found = search.best();
    if infer_header && given.comment_char.is_none() {
        found = search.with_comments(found);
    }
    let Some(found) = found else { return (resolved.clone(), notes) };
    let mut dialect = found.dialect;
    if dialect.quote.is_none() && resolved.quote.is_some() {
        notes.push(
            "quotes stand inside fields and around none, so they are taken as text (`quoteChar` = \"\")"
                .into(),
        );
    }
    if infer_header && given.skip_records.is_none() {
        dialect.skip_records = header::preamble(&heads, &found.look, &mut notes);
    }
    if infer_header && given.header.is_none() {
        dialect.header = header::has_header(&heads, &dialect);
    }
    (dialect, notes)
}

/// A dialect and what the text looks like in it.
struct Candidate {
    dialect: Dialect,
    look: Look,
}

impl Candidate {
    fn is_better_than(&self, other: &Candidate) -> bool {
        let mends =
            self.dialect.delimiter == other.dialect.delimiter && other.look.broken && !self.look.broken;
        self.look.rank() > other.look.rank() || self.look.rank() == other.look.rank() && mends
    }
}

/// What is known of the dialect, and what it is to fit.
#[derive(Clone, Copy)]
struct Search<'a> {
    heads: &'a [Head<'a>],
    given: &'a DialectSpec,
    resolved: &'a Dialect,
    /// Whether the quote is to be found.
    quote_open: bool,
}

impl Search<'_> {
    /// The best of all combinations, the first if several are; `None` without text.
    fn best(&self) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for terminator in self.terminators() {
            for delimiter in self.delimiters() {
                for candidate in self.with_quotes(Dialect { delimiter, terminator, ..self.resolved.clone() })
                {
                    let better = best.as_ref().is_none_or(|best| candidate.is_better_than(best));
                    if better && !self.has_idle_terminator(&candidate) {
                        best = Some(candidate);
                    }
                }
            }
        }
        best
    }

    /// A dialect with every quote and escape that may be meant. Quoting that is
    /// plainly there is not switched off for a better score: its quotes would
    /// become part of every value.
    fn with_quotes(&self, dialect: Dialect) -> Vec<Candidate> {
        let mut plain_quotes = 0;
        let mut candidates = Vec::new();
        for (quote, escape) in self.quotes() {
            let dialect = Dialect { quote, escape, ..dialect.clone() };
            let look = Look::of(self.heads, &dialect);
            if quote == Some(b'"') {
                plain_quotes = look.quoted;
            }
            let meant = match quote {
                Some(b'\'') => plain_quotes == 0 && !look.broken && look.quoted > 1,
                None => plain_quotes == 0,
                _ => true,
            };
            if meant || !self.quote_open {
                candidates.push(Candidate { dialect, look });
            }
        }
        candidates
    }

    /// Whether a lone CR is taken for a terminator and ends no record.
    fn has_idle_terminator(&self, candidate: &Candidate) -> bool {
        let Candidate { dialect, look } = candidate;
        dialect.terminator == Terminator::Any
            && self.given.line_terminator.is_none()
            && !Look::of(self.heads, &Dialect { terminator: Terminator::Lf, ..dialect.clone() })
                .has_fewer_records(look)
    }

    /// As [`Search::best`], with comments if lines that begin with `#` are no records.
    fn with_comments(&self, without: Option<Candidate>) -> Option<Candidate> {
        let lines =
            || self.heads.iter().flat_map(|head| head.text.split(|byte| matches!(byte, b'\n' | b'\r')));
        let comments: Vec<&[u8]> = lines().filter(|line| line.first() == Some(&COMMENT)).collect();
        if comments.is_empty() {
            return without;
        }
        let resolved = Dialect { comment: Some(COMMENT), ..self.resolved.clone() };
        let search = Search { resolved: &resolved, ..*self };
        let Some(with) = search.best() else { return without };
        let delimiter = with.dialect.delimiter;
        let fields = |line: &[u8]| memchr::memmem::find_iter(line, delimiter.as_bytes()).count() + 1;
        // A name or a value may begin with #, too.
        let may_be_record = comments.iter().any(|line| fields(line) == with.look.fields);
        let worse = without.as_ref().is_some_and(|without| with.look.rank().0 < without.look.rank().0);
        if may_be_record || worse || with.look.fields < 2 { without } else { Some(with) }
    }

    fn terminators(&self) -> Vec<Terminator> {
        let Search { heads, given, resolved, .. } = *self;
        if given.line_terminator.is_some() {
            return vec![resolved.terminator];
        }
        let has_lf = heads.iter().any(|head| memchr::memchr(b'\n', head.text).is_some());
        let lone_cr = |head: &Head<'_>| {
            memchr::memchr_iter(b'\r', head.text).any(|at| head.text.get(at + 1) != Some(&b'\n'))
        };
        match (has_lf, heads.iter().any(lone_cr)) {
            (_, false) => vec![Terminator::Lf],
            (false, true) => vec![Terminator::Cr],
            // Of a text that both read equally well the first: then a lone CR is data.
            (true, true) => vec![Terminator::Lf, Terminator::Any],
        }
    }

    fn delimiters(&self) -> Vec<Delimiter> {
        let Search { heads, given, resolved, .. } = *self;
        let occurs = |delimiter: &Delimiter| {
            heads.iter().any(|head| memchr::memmem::find(head.text, delimiter.as_bytes()).is_some())
        };
        let taken = |delimiter: &Delimiter| {
            delimiter.single().is_some_and(|byte| [resolved.quote, resolved.comment].contains(&Some(byte)))
        };
        match given.delimiter {
            Some(_) => vec![resolved.delimiter],
            // Without any, the default.
            None => std::iter::once(resolved.delimiter)
                .chain(DELIMITERS.map(Delimiter::from).into_iter().filter(occurs))
                .filter(|delimiter| !taken(delimiter))
                .fold(Vec::new(), |mut found, delimiter| {
                    if !found.contains(&delimiter) {
                        found.push(delimiter);
                    }
                    found
                }),
        }
    }

    /// Quotes with their escapes, in order of preference.
    fn quotes(&self) -> Vec<(Option<u8>, Escape)> {
        let Search { heads, given, resolved, .. } = *self;
        let occurs = |text: &[u8]| heads.iter().any(|head| memchr::memmem::find(head.text, text).is_some());
        let mut quotes = vec![resolved.quote];
        if self.quote_open {
            quotes.extend(occurs(b"'").then_some(Some(b'\'')));
            quotes.extend(occurs(b"\"").then_some(None));
        }
        let escape_given = given.escape_char.is_some() || given.double_quote.is_some();
        let mut found = Vec::new();
        for quote in quotes {
            // An escape that is only found, not given, belongs to a quote.
            let keeps_escape = quote.is_some() || escape_given;
            let given = (quote, if keeps_escape { resolved.escape } else { Escape::Doubled });
            found.push(given);
            if let Some(byte) = quote.filter(|byte| !escape_given && occurs(&[b'\\', *byte])) {
                found.push((Some(byte), Escape::Byte(b'\\')));
            }
        }
        found
    }
}

impl<'a> Head<'a> {
    fn of(sample: &'a Sample) -> Head<'a> {
        let judged = &sample.text[..sample.text.len().min(JUDGED_BYTES)];
        let whole = judged.len() == sample.text.len() && sample.whole;
        let lines = memchr::memrchr2(b'\n', b'\r', judged).map_or(judged.len(), |end| end + 1);
        Head { url: &sample.url, text: if whole { judged } else { &judged[..lines] }, whole }
    }
}
