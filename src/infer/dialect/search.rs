//! Every dialect that may be meant, and the best of them.

use super::look::Look;
use super::records::Records;
use super::{DELIMITERS, Head, Known, header};
use crate::parse::{Delimiter, Escape, Grammar, Terminator};
use crate::spec::Dialect;

/// Records that a text without quoting has to agree on where a quote is opened
/// and never closed: fewer may be a file that is cut off.
const MANY_RECORDS: usize = 10;

/// A dialect and what the text looks like in it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) dialect: Dialect,
    pub(super) look: Look,
    /// Records before the header that types or known names show to be titles.
    pub(super) titles: usize,
    /// Known names that the first record holds.
    named: usize,
}

/// What is known of the dialect, and what it is to fit.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) heads: &'a [Head<'a>],
    pub(super) known: &'a Known<'a>,
    /// With the defaults, and the comments that are looked for.
    pub(super) resolved: &'a Dialect,
    /// Whether the quote is to be found.
    quote_open: bool,
    /// Whether there may be titles.
    titles_open: bool,
}

impl Candidate {
    pub(super) fn is_table(&self) -> bool {
        self.look.is_table()
    }

    /// How good it is: larger is better. A table without a flaw comes before one
    /// below titles, and that before one with odd records.
    fn rank(&self) -> (usize, u8, (u64, u64, usize)) {
        let score = self.look.score();
        let tier = match () {
            () if self.look.is_table() => 3,
            () if self.titles > 0 => 2,
            () if score.0 > 0 => 1,
            () => 0,
        };
        (self.named, tier, score)
    }

    fn is_better_than(&self, other: &Candidate) -> bool {
        let mends = self.dialect.grammar.delimiter == other.dialect.grammar.delimiter
            && other.look.broken
            && !self.look.broken;
        self.rank() > other.rank() || self.rank() == other.rank() && mends
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(heads: &'a [Head<'a>], known: &'a Known<'a>, resolved: &'a Dialect) -> Self {
        let Known { given, infer_header, .. } = *known;
        Search {
            heads,
            known,
            resolved,
            quote_open: infer_header && given.quote_char.is_none(),
            titles_open: infer_header && given.skip_records.is_none() && given.header.is_none(),
        }
    }

    /// The same with other defaults.
    pub(super) fn with_resolved<'b>(&self, resolved: &'b Dialect) -> Search<'b>
    where
        'a: 'b,
    {
        Search { resolved, ..*self }
    }

    /// All combinations of what occurs in the text.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for terminator in self.terminators() {
            for delimiter in self.delimiters() {
                candidates.extend(self.with_quotes(Grammar {
                    delimiter,
                    terminator,
                    ..self.resolved.grammar
                }));
            }
        }
        candidates
    }

    /// The best of them, the first if several are; `None` without text.
    pub(super) fn best(&self, candidates: &[Candidate]) -> Option<Candidate> {
        let mut best: Option<&Candidate> = None;
        for candidate in candidates {
            let better = best.is_none_or(|best| candidate.is_better_than(best));
            if better && !self.has_idle_terminator(candidate) {
                best = Some(candidate);
            }
        }
        best.cloned()
    }

    /// What the text looks like by a grammar.
    pub(super) fn judged(&self, grammar: Grammar) -> Candidate {
        let dialect = self.resolved.with_grammar(grammar);
        let look = Look::of(self.heads, &dialect);
        let titles = if self.titles_open { self.titles(&dialect, &look) } else { 0 };
        let skipped = dialect.skipping(dialect.framing.skip_records + titles as u64);
        let named = if self.known.names.is_empty() { 0 } else { self.named(&skipped, &look) };
        Candidate { dialect, look, titles, named }
    }

    /// Records before the header: only where what stands below them is a table
    /// and its first record is a header for certain.
    fn titles(&self, dialect: &Dialect, look: &Look) -> usize {
        let Some(titles) = look.is_table_below() else { return 0 };
        let below = dialect.skipping(titles as u64);
        let certain = self.named(&below, look) > 0 || header::is_certain_header(self.heads, &below);
        if certain { titles } else { 0 }
    }

    /// How many of the known names stand in the first record; without a header,
    /// how many of the columns have a field.
    fn named(&self, dialect: &Dialect, look: &Look) -> usize {
        if !dialect.framing.header {
            return if look.fields.max(1) == self.known.names.len() { look.fields } else { 0 };
        }
        let Some(head) = self.heads.first() else { return 0 };
        let Some(values) = Records::of(head, &dialect.grammar).values(dialect.framing.skip_records as usize)
        else {
            return 0;
        };
        self.known.names.iter().filter(|name| values.iter().any(|value| value == name.as_bytes())).count()
    }

    /// A grammar with every quote and escape that may be meant. Quoting that is
    /// plainly there is not switched off for a better score: its quotes would
    /// become part of every value.
    fn with_quotes(&self, grammar: Grammar) -> Vec<Candidate> {
        let (mut plain_quotes, mut unclosed) = (0, false);
        let mut candidates = Vec::new();
        for (quote, escape) in self.quotes(grammar.delimiter) {
            let candidate = self.judged(Grammar { quote, escape, ..grammar });
            let look = &candidate.look;
            if quote == Some(b'"') {
                plain_quotes = plain_quotes.max(look.enclosed);
                unclosed |= look.unclosed;
            }
            let many = look.is_table() && look.records >= MANY_RECORDS;
            let meant = match quote {
                Some(b'\'') => plain_quotes == 0 && !look.broken && look.enclosed > 1,
                None => plain_quotes == 0 && (!unclosed || many),
                _ => true,
            };
            if meant || !self.quote_open {
                candidates.push(candidate);
            }
        }
        candidates
    }

    /// What was found with every other quote and escape, likely or not.
    pub(super) fn variants(&self, found: &Candidate) -> Vec<Candidate> {
        let found = found.dialect.grammar;
        let ours = (found.quote, found.escape);
        let quotes = if self.quote_open { self.quotes(found.delimiter) } else { Vec::new() };
        let others = quotes.into_iter().filter(|theirs| *theirs != ours);
        let judged = |(quote, escape)| self.judged(Grammar { quote, escape, ..found });
        others.map(judged).collect()
    }

    /// Whether a lone CR is taken for a terminator and is not a record terminator, or cuts
    /// the values of a single column.
    fn has_idle_terminator(&self, candidate: &Candidate) -> bool {
        let Candidate { dialect, look, .. } = candidate;
        dialect.grammar.terminator == Terminator::Any
            && self.known.given.line_terminator.is_none()
            && (look.fields == 0
                || !Look::of(
                    self.heads,
                    &dialect.with_grammar(Grammar { terminator: Terminator::Lf, ..dialect.grammar }),
                )
                .has_fewer_records(look))
    }

    fn terminators(&self) -> Vec<Terminator> {
        if self.known.given.line_terminator.is_some() {
            return vec![self.resolved.grammar.terminator];
        }
        let has_lf = self.heads.iter().any(|head| memchr::memchr(b'\n', head.text).is_some());
        let lone_cr = |head: &Head<'_>| {
            memchr::memchr_iter(b'\r', head.text).any(|at| head.text.get(at + 1) != Some(&b'\n'))
        };
        match (has_lf, self.heads.iter().any(lone_cr)) {
            (_, false) => vec![Terminator::Lf],
            (false, true) => vec![Terminator::Cr],
            // Of a text that both read equally well the first: then a lone CR is data.
            (true, true) => vec![Terminator::Lf, Terminator::Any],
        }
    }

    fn delimiters(&self) -> Vec<Delimiter> {
        let resolved = self.resolved.grammar;
        let taken = |delimiter: &Delimiter| {
            delimiter.single().is_some_and(|byte| [resolved.quote, resolved.comment].contains(&Some(byte)))
        };
        match self.known.given.delimiter {
            Some(_) => vec![resolved.delimiter],
            // Without any, the default.
            None => std::iter::once(resolved.delimiter)
                .chain(DELIMITERS.map(Delimiter::from).into_iter().filter(|d| self.occurs(d.as_bytes())))
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
    fn quotes(&self, delimiter: Delimiter) -> Vec<(Option<u8>, Escape)> {
        let Known { given, .. } = *self.known;
        let resolved = self.resolved.grammar;
        let mut quotes = vec![resolved.quote];
        if self.quote_open {
            quotes.extend(self.occurs(b"'").then_some(Some(b'\'')));
            quotes.extend(self.occurs(b"\"").then_some(None));
        }
        let escape_given = given.escape_char.is_some() || given.double_quote.is_some();
        let two = self.occurs(br"\\");
        let mut found = Vec::new();
        for quote in quotes {
            // An escape that is only found, not given, belongs to a quote.
            let keeps_escape = quote.is_some() || escape_given;
            let given = (quote, if keeps_escape { resolved.escape } else { Escape::Doubled });
            found.push(given);
            let escapes = |byte: u8| self.occurs(&[b'\\', byte]) || two && self.occurs(&[byte]);
            if let Some(byte) = quote.filter(|byte| !escape_given && escapes(*byte)) {
                found.push((Some(byte), Escape::Byte(b'\\')));
            }
        }
        let before_delimiter = || self.occurs(&[b"\\", delimiter.as_bytes()].concat());
        if self.quote_open && !escape_given && (two || before_delimiter()) {
            found.push((None, Escape::Byte(b'\\')));
        }
        found
    }

    fn occurs(&self, text: &[u8]) -> bool {
        self.heads.iter().any(|head| memchr::memmem::find(head.text, text).is_some())
    }

    /// The text as one column: with a delimiter that stands nowhere in it, and
    /// the quotes that suit it best. `None` if every delimiter does.
    pub(super) fn one_column(&self, found: &Candidate, all: &[Candidate]) -> Option<Candidate> {
        let unused = |delimiter: &Delimiter| !self.occurs(delimiter.as_bytes());
        let delimiters =
            std::iter::once(self.resolved.grammar.delimiter).chain(['\u{1f}', '\u{1e}'].map(Delimiter::from));
        let delimiter = delimiters.chain(DELIMITERS.map(Delimiter::from)).find(unused)?;
        let mut terminators = all.iter().map(|candidate| candidate.dialect.grammar.terminator);
        let terminator = terminators.rfind(|terminator| *terminator != Terminator::Any);
        let terminator = terminator.unwrap_or(found.dialect.grammar.terminator);
        let candidates = self.with_quotes(Grammar { delimiter, terminator, ..self.resolved.grammar });
        self.best(&candidates)
    }

    /// Whether a delimiter stands before a space wherever it stands, as
    /// punctuation does.
    pub(super) fn is_punctuation(&self, delimiter: Delimiter) -> bool {
        let delimiter = delimiter.as_bytes();
        let before_space = |text: &[u8]| {
            memchr::memmem::find_iter(text, delimiter)
                .all(|at| matches!(text.get(at + delimiter.len()), None | Some(b' ' | b'\r' | b'\n')))
        };
        self.heads.iter().all(|head| before_space(head.text))
    }
}
