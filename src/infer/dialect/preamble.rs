//! What stands above the table: lines of text.

use super::Head;
use super::header::{cut, shown};
use super::records::Records;
use super::refusal::{Flag, flags};
use super::search::Candidate;
use crate::error::count::agree;
use crate::parse::{Delimiter, Grammar};
use crate::spec::DialectSpec;

/// Records to skip, with what they are.
pub(super) fn noted(
    heads: &[Head<'_>],
    found: &Candidate,
    given: &DialectSpec,
    notes: &mut Vec<String>,
) -> u64 {
    let titles = &found.look.titles;
    let first = titles.first().copied().unwrap_or(0);
    if let Some(other) = titles.iter().position(|records| *records != first) {
        notes.push(format!(
            "the records before the header differ in number, so none are skipped: {first} in {}, {} in {}",
            heads[0].url, titles[other], heads[other].url
        ));
        return found.dialect.framing.skip_records;
    }
    if found.titles == 0 {
        return found.dialect.framing.skip_records;
    }
    let records = Records::of(&heads[0], &found.dialect.grammar);
    let title = records.values(0).unwrap_or_default();
    let noun = agree(found.titles, "record is", "records are");
    // As data, a line of one field is of a table of one column.
    let one_column = title.len() == 1 && given.delimiter.is_none();
    let grammar = Grammar { delimiter: Delimiter::from('\u{1f}'), ..found.dialect.grammar };
    let data = found.dialect.with_grammar(grammar);
    let wanted: &[Flag] = if one_column { &[Flag::Delimiter, Flag::Skip] } else { &[Flag::Skip] };
    let line = records.raw(0).1;
    // With `skipRecords`, a first line such as `sep=;` is one of them.
    let skipped = found.titles as u32 + heads[0].lines_before;
    notes.push(format!(
        "{} {noun} skipped before the header, the first on line {line}: {}, as with `dialect.skipRecords = {skipped}` \
         (--skip-records {skipped}); if they are data, use {}",
        found.titles,
        if title.len() == 1 { format!("{:?}", cut(&title[0])) } else { shown(&title) },
        flags(&data, wanted)
    ));
    found.titles as u64
}
