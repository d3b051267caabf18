//! Two readings of the same text that are near, with the flags of each.

use super::Head;
use super::header::shown;
use super::records::Records;
use crate::error::count::count;
use crate::error::wording::{settings, text, word};
use crate::error::{Error, InputProblem, Location};
use crate::parse::{Delimiter, Escape, Grammar, Terminator};
use crate::spec::Dialect;

/// A flag that decides a part of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Delimiter,
    Quote,
    Escape,
    Comment,
    Skip,
    Terminator,
}

/// One way to read the text.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) dialect: Dialect,
    /// The flags that choose it.
    pub(super) flags: Vec<Flag>,
}

/// Why nothing was decided.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// Two readings are near.
    Near { why: &'static str, readings: Box<[Reading; 2]> },
    /// Two inputs have different delimiters.
    Differ { urls: [String; 2], delimiters: [Delimiter; 2] },
}

impl Reading {
    pub(super) fn new(dialect: &Dialect, flags: &[Flag]) -> Self {
        Reading { dialect: dialect.clone(), flags: flags.to_vec() }
    }

    /// What it makes of the first input's head.
    fn told(&self, head: Option<&Head<'_>>) -> String {
        let flags = flags(&self.dialect, &self.flags);
        let Some(head) = head else { return flags };
        let records = Records::of(head, &self.dialect.grammar);
        let first = self.dialect.framing.skip_records as usize;
        let Some(values) = records.values(first) else { return format!("{flags} reads no record") };
        let fields = commonest(&records, first);
        let more = if head.whole { "" } else { " in the sample" };
        let mut told = format!(
            "{flags} reads {} of {}{more}, the first {}",
            count(records.len() - first, "record"),
            count(fields, "column"),
            shown(&values)
        );
        let odd =
            (first..records.len()).find(|&record| records.fields(record).map(<[_]>::len) != Some(fields));
        if let Some((odd, found)) = odd.and_then(|odd| Some((odd, records.fields(odd)?.len()))) {
            told.push_str(&format!(
                ", and fails on line {} with {}",
                records.raw(odd).1,
                count(found, "field")
            ));
        }
        let left_out = records.comments();
        if let Some((text, line)) = left_out.first() {
            let text = super::header::cut(text);
            told.push_str(&format!(
                ", and passes over {}, the first {text:?} on line {line}",
                count(left_out.len(), "line")
            ));
        }
        told
    }
}

impl Refusal {
    pub(super) fn into_error(self, heads: &[Head<'_>]) -> Error {
        let (why, readings) = match self {
            Refusal::Near { why, readings } => (why, readings),
            Refusal::Differ { urls, delimiters } => return differ(urls, delimiters),
        };
        let [one, other] = &*readings;
        let first = heads.first();
        let problem =
            InputProblem::TwoReadings { why: why.into(), one: one.told(first), other: other.told(first) };
        let location = Location::object(first.map_or("", |head| head.url));
        let [one, other] = [one, other].map(|reading| flags(&reading.dialect, &reading.flags));
        Error::input(problem, location).remedy(format!("choose one: {one}, or {other}"))
    }
}

fn differ([url, other_url]: [String; 2], [one, other]: [Delimiter; 2]) -> Error {
    let said =
        |delimiter: Delimiter| flags(&Grammar { delimiter, ..Grammar::default() }.into(), &[Flag::Delimiter]);
    let remedy = format!(
        "give the inputs of each delimiter a run of their own, with {} or {}; `output.mode = \"append\"` (--append) adds \
         the rows of the second to the table of the first",
        said(one),
        said(other)
    );
    let (one, other) = (one.as_str().to_owned(), other.as_str().to_owned());
    let problem = InputProblem::DifferentDelimiters { one, url: other_url, other };
    Error::input(problem, Location::object(&url)).remedy(remedy)
}

fn commonest(records: &Records<'_>, first: usize) -> usize {
    let mut by_fields = std::collections::BTreeMap::<usize, usize>::new();
    for fields in (first..records.len()).filter_map(|record| records.fields(record)) {
        *by_fields.entry(fields.len()).or_default() += 1;
    }
    by_fields.into_iter().max_by_key(|(_, records)| *records).map_or(1, |(fields, _)| fields)
}

/// The settings that say these parts of a dialect.
pub(super) fn flags(dialect: &Dialect, wanted: &[Flag]) -> String {
    settings(wanted.iter().map(|flag| {
        let (key, value, flag) = said(dialect, *flag);
        (format!("dialect.{key} = {value}"), flag, "")
    }))
}

/// Key, value and flag of a part of a dialect.
fn said(dialect: &Dialect, flag: Flag) -> (&'static str, String, String) {
    let valued = |key, value: &str, flag: &str| (key, text(value), format!("{flag} {}", quoted(value)));
    let character = |key, byte: u8, flag: &str| valued(key, &char::from(byte).to_string(), flag);
    match flag {
        Flag::Delimiter => valued("delimiter", dialect.grammar.delimiter.as_str(), "--delimiter"),
        Flag::Quote => match dialect.grammar.quote {
            Some(quote) => character("quoteChar", quote, "--quote"),
            None => ("quoteChar", text(""), "--no-quote".into()),
        },
        Flag::Escape => match dialect.grammar.escape {
            Escape::Byte(byte) => character("escapeChar", byte, "--escape"),
            // As a quote that escapes itself is doubled.
            Escape::Doubled => character("escapeChar", dialect.grammar.quote.unwrap_or(b'"'), "--escape"),
        },
        Flag::Comment => match dialect.grammar.comment {
            Some(comment) => character("commentChar", comment, "--comment"),
            None => ("commentChar", text(""), "--no-comment".into()),
        },
        Flag::Skip => {
            let records = dialect.framing.skip_records;
            ("skipRecords", records.to_string(), format!("--skip-records {records}"))
        }
        Flag::Terminator => {
            let (value, typed) = match dialect.grammar.terminator {
                Terminator::Lf => ("\n", r"'\n'"),
                Terminator::Cr => ("\r", r"'\r'"),
                Terminator::Any => ("any", "any"),
                Terminator::Byte(byte) => return character("lineTerminator", byte, "--line-terminator"),
            };
            ("lineTerminator", text(value), format!("--line-terminator {typed}"))
        }
    }
}

/// As a shell takes it, with codes for what cannot be typed.
pub(crate) fn quoted(text: &str) -> String {
    let mut typed = String::new();
    for character in text.chars() {
        match character {
            '\t' => typed.push_str(r"\t"),
            _ if character.is_control() => typed.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            _ => typed.push(character),
        }
    }
    match typed.contains('\'') {
        false => format!("'{typed}'"),
        // Of what means something in double quotes, too, each quote is taken out.
        true if typed.contains(['$', '`', '"', '\\']) => word(&typed),
        true => format!("\"{typed}\""),
    }
}
