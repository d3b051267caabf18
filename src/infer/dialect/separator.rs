//! A first line such as `sep=;`, which names the delimiter.

use super::Known;
use crate::infer::Sample;
use crate::parse::{Delimiter, Opening, SeparatorLine, Terminator};
use crate::spec::{Dialect, DialectSpec};

/// The line, if the sample begins with one that is passed over. Without a
/// terminator, any line end is one.
pub(super) fn line(
    sample: &Sample,
    dialect: &Dialect,
    terminator: Option<Terminator>,
) -> Option<SeparatorLine> {
    match Opening::of(&sample.text, terminator) {
        Opening::Separator(line) if dialect.framing.separator_line => Some(line),
        _ => None,
    }
}

/// The delimiter that the first such line names, where none is given, and a note on what is made of it.
pub(super) fn named(samples: &[Sample], known: &Known<'_>) -> (Option<Delimiter>, Option<String>) {
    let lines = samples
        .iter()
        .filter_map(|sample| Some((&sample.url, line(sample, known.resolved, known.terminator())?)));
    let lines: Vec<_> = lines.collect();
    let Some((url, line)) = lines.first() else { return (None, None) };
    let other = lines.iter().find(|(_, other)| other.delimiter != line.delimiter);
    let differs = match other {
        Some((url, other)) => format!("; {url} begins with {:?}, which is not taken", other.text()),
        None => String::new(),
    };
    let spec = DialectSpec { delimiter: Some(line.delimiter.clone()), ..known.given.clone() };
    let delimiter = match &known.given.delimiter {
        // What is a quote or a comment, too, is not a delimiter.
        None => spec.resolve().ok().map(|dialect| dialect.grammar.delimiter),
        Some(_) => None,
    };
    let taken = delimiter.unwrap_or(known.resolved.grammar.delimiter);
    let what = match (delimiter, &known.given.delimiter) {
        (Some(_), _) => "names the delimiter".to_owned(),
        (None, Some(_)) if taken.as_str() == line.delimiter => "names the delimiter that is given".to_owned(),
        (None, Some(_)) => {
            format!("names the delimiter, but {:?} is given, and taken", taken.as_str())
        }
        (None, None) => "names an invalid delimiter".to_owned(),
    };
    let note = format!(
        "the first line of {url}, {:?}, {what}{differs}; it is passed over; if it is a record, use \
         `dialect.separatorLine = false` (--no-separator-line)",
        line.text()
    );
    (delimiter, Some(note))
}
