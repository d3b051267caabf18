//! Whether lines that begin with `#` are comments.
//!
//! A comment is passed over without a word in every record after the sample, so
//! a mark is guessed only where the lines that have it look like comments and
//! have other fields than a record; and then a later one with the fields of a
//! record is an error ([`Grammar::guessed_comment_fields`]).

use super::header::{self, cut, typed_columns};
use super::records::Records;
use super::refusal::{Flag, Reading, Refusal};
use super::search::{Candidate, Search};
use super::{COMMENT, Head};
use crate::error::count::agree;
use crate::parse::Grammar;
use crate::parse::comment::fields_of;

/// The best with comments or without them, and the candidates it was taken from.
pub(super) fn decided(
    search: &Search<'_>,
    found: Candidate,
    all: Vec<Candidate>,
    notes: &mut Vec<String>,
) -> Result<(Candidate, Vec<Candidate>), Refusal> {
    let heads = search.heads;
    let grammar = Grammar { comment: Some(COMMENT), ..search.resolved.grammar };
    let resolved = search.resolved.with_grammar(grammar);
    let taken = grammar.delimiter.as_bytes().contains(&COMMENT) || grammar.quote == Some(COMMENT);
    if taken || !heads.iter().any(has_marked_line) {
        return Ok((found, all));
    }
    let with_search = search.with_resolved(&resolved);
    let with_all = with_search.candidates();
    let Some(mut with) = with_search.best(&with_all) else { return Ok((found, all)) };
    let marked: Vec<_> =
        heads.iter().flat_map(|head| Records::of(head, &with.dialect.grammar).comments()).collect();
    let Some(&(first, line)) = marked.first() else { return Ok((found, all)) };
    let fields = with.look.fields as u64;
    let like_records = marked.iter().any(|(text, _)| fields_of(&with.dialect.grammar, text) == fields);
    match judged(search, &found, &with, &marked, like_records) {
        Judgement::Near => Err(refused(&found, &with)),
        Judgement::Data => {
            // Where every record begins so and in the same way, but for a header above them, or the header
            // alone, comments would not be looked for.
            let skipped = found.dialect.skipping(found.titles as u64);
            let has_header = header::has_header(heads, &skipped, search.known.names, &mut Vec::new());
            let all_lead = heads.iter().all(leads);
            let prose = marked.iter().filter(|(text, _)| is_prose(text)).count();
            let above = usize::from(has_header && !heads.iter().any(leads));
            let records = found.look.records;
            let every =
                records > 1 && marked.len() + above >= records && (prose == 0 || prose == marked.len());
            let header_alone = has_header && like_records && marked.len() == heads.len() && all_lead;
            if !every && !header_alone {
                notes.push(format!(
                    "lines that begin with '#' are data (line {line}: {:?}); if they are comments, use \
                     `dialect.commentChar = \"#\"` (--comment '#')",
                    cut(first)
                ));
            }
            Ok((found, all))
        }
        Judgement::Comments => {
            let noun = agree(marked.len(), "line is", "lines are");
            notes.push(format!(
                "{} {noun} passed over as comments, the first on line {line}: {:?}, as with \
                 `dialect.commentChar = \"#\"` (--comment '#'); if they are data, use `dialect.commentChar = \"\"` \
                 (--no-comment)",
                marked.len(),
                cut(first)
            ));
            with.dialect.grammar.guessed_comment_fields = Some(fields);
            Ok((with, with_all))
        }
    }
}

/// What the marked lines are.
enum Judgement {
    Comments,
    Data,
    /// Either.
    Near,
}

/// `like_records`: some marked line has the fields of a record.
fn judged(
    search: &Search<'_>,
    found: &Candidate,
    with: &Candidate,
    marked: &[(&[u8], u32)],
    like_records: bool,
) -> Judgement {
    let heads = search.heads;
    let is_table = |candidate: &Candidate| candidate.is_table() || candidate.titles > 0;
    match (like_records, is_table(found)) {
        _ if !is_table(with) => Judgement::Data,
        // The table has no need of comments, but they are none of its records.
        (false, _) if found.is_table() => Judgement::Near,
        (false, _) if !heads.iter().all(leads) && !marked.iter().all(|(text, _)| is_prose(text)) => {
            Judgement::Near
        }
        (false, _) => Judgement::Comments,
        (true, true) if typed_with(heads, with) <= typed_with(heads, found) => Judgement::Data,
        (true, _) => Judgement::Near,
    }
}

fn refused(found: &Candidate, with: &Candidate) -> Refusal {
    let titles = found.dialect.skipping(found.titles as u64);
    let without: &[Flag] = match found.titles {
        0 => &[Flag::Comment, Flag::Delimiter],
        _ => &[Flag::Comment, Flag::Delimiter, Flag::Skip],
    };
    Refusal::Near {
        why: "lines that begin with '#' may be comments, or data",
        readings: Box::new([
            Reading::new(&with.dialect, &[Flag::Comment, Flag::Delimiter]),
            Reading::new(&titles, without),
        ]),
    }
}

fn has_marked_line(head: &Head<'_>) -> bool {
    memchr::memchr_iter(COMMENT, head.text).any(|at| at == 0 || matches!(head.text[at - 1], b'\n' | b'\r'))
}

fn leads(head: &Head<'_>) -> bool {
    head.text.first() == Some(&COMMENT)
}

fn typed_with(heads: &[Head<'_>], candidate: &Candidate) -> usize {
    let dialect = candidate.dialect.skipping(candidate.titles as u64);
    typed_columns(heads, &dialect)
}

/// Whether this cannot be a value: `# text`, `##`, `#!`.
fn is_prose(comment: &[u8]) -> bool {
    comment.get(1).is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte.is_ascii())
}
