//! A text that could not be read → settings that read it, each tried on the text.
//!
//! What is offered was read from the start of the text to behind the place of
//! the failure, with what the rest of the settings leave to inference inferred
//! again, as the next run would. Of settings that read it, those come first that
//! lose nothing, leave no lines of records inside quotes, and give fields that
//! look as if they had been cut in the right places.

mod change;
mod trial;

use super::dialect::{Known, delimiters_in, infer_dialect, is_usual, shown};
use super::notes::{null_setting, type_flag};
use super::words::null_token;
use super::{Sample, infer_schema};
use crate::error::InputProblem;
use crate::error::count::count;
use crate::error::wording::settings;
use crate::parse::{Delimiter, Trim};
use crate::spec::{DialectSpec, EncodingName};
use crate::value::ColumnType;
use change::{Change, Settings};
use trial::TrialReading;

/// Text behind the last whole record of a text that is cut off, at most.
const CUT_BYTES: usize = 64 << 10;

/// Failures up to here are read with several settings changed at once, too.
const PAIRED_BYTES: usize = 64 << 10;

/// Text behind such a failure that is read first.
const NEAR_BYTES: usize = 4 << 10;

/// Records before the header, and after the data, that are tried to be left out.
const MAX_SKIPPED: usize = 12;
const MAX_FOOTER: u64 = 3;

/// Remedies that are told.
const TOLD: usize = 3;

/// Marks of comments that are tried.
const MARKS: [u8; 6] = [b'#', b'%', b';', b'!', b'*', b'/'];

/// Delimiters of several bytes that are tried.
const LONG_DELIMITERS: [&str; 6] = ["||", "::", "~~", "|~|", "^|^", "\u{a6}"];

/// A text that a run failed at.
#[derive(Debug, Clone)]
pub struct Failing<'a> {
    /// From its start to behind the place of the failure.
    pub sample: Sample,
    /// The place, in bytes of the text.
    pub at: usize,
    /// What was wrong.
    pub problem: &'a InputProblem,
    /// What the text would be in other encodings, where it is
    /// not of its own.
    pub decoded: Vec<(EncodingName, Sample)>,
}

/// What the job says.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Of the dialect.
    pub given: &'a DialectSpec,
    /// Names of the columns, where a schema says them.
    pub names: &'a [String],
    /// As [`Known::infer_header`](super::Known::infer_header).
    pub infers: bool,
    /// Whether a name may stand twice in the header.
    pub takes_duplicates: bool,
    /// Whether records may be set aside, which is then not tried again.
    pub rejects: bool,
    /// Whether fields that a record lacks are null.
    pub pads: bool,
    /// Whether fields that a record has too many are left out.
    pub truncates: bool,
    /// Whether values may be told.
    pub tells_values: bool,
    /// Null in every column.
    pub null_tokens: &'a [String],
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Settings that read the text, the best first, each with what it gives, as one sentence.
    Reads(String),
    /// No setting that is known here reads it.
    Nothing,
    /// What is wrong lies outside of what is looked at here, or there was no time.
    Unclear,
}

/// Settings, and how they read the text.
#[derive(Debug, Clone)]
struct Remedy {
    changes: Vec<Change>,
    reading: TrialReading,
}

/// Reads the text with what may be meant. `may_go_on` is asked before each try.
pub fn remedies(failing: &Failing<'_>, words: &Words<'_>, may_go_on: &dyn Fn() -> bool) -> Tried {
    let base = Settings {
        dialect: words.given.clone(),
        takes_duplicates: words.takes_duplicates,
        leaves_duplicates_out: false,
        rejects: words.rejects,
        pads: words.pads,
        truncates: words.truncates,
    };
    let mut found = of_encodings(failing, &base, words);
    if failing.decoded.is_empty() {
        // What is wrong lies outside of what is looked at here.
        if trial::read(failing, &base, words).is_some() {
            return Tried::Unclear;
        }
        found.extend(of_changes(failing, &base, words, may_go_on));
    }
    if !may_go_on() {
        return Tried::Unclear;
    }
    found.sort_by_key(|remedy| std::cmp::Reverse(remedy.rank(is_in_doubt(failing))));
    let mut told: Vec<&Remedy> = Vec::new();
    for remedy in &found {
        // The same table by another way says nothing new.
        let is_known = |other: &&Remedy| {
            other.reading.first == remedy.reading.first && other.reading.records == remedy.reading.records
        };
        if told.len() < TOLD && !told.iter().any(is_known) {
            told.push(remedy);
        }
    }
    let told: Vec<String> = told.into_iter().map(|remedy| remedy.told(words.tells_values)).collect();
    if told.is_empty() { Tried::Nothing } else { Tried::Reads(told.join("; or ")) }
}

/// What reads a value that does not fit the type that was inferred of its column: the type of all of
/// the text, or a null; `None` if the value stands further down.
pub fn value_remedies(failing: &Failing<'_>, words: &Words<'_>, column: &str) -> Option<String> {
    let InputProblem::Value { value, expected, .. } = failing.problem else { return None };
    let resolved = words.given.resolve().ok()?;
    let known =
        Known { given: words.given, resolved: &resolved, names: words.names, infer_header: words.infers };
    let samples = std::slice::from_ref(&failing.sample);
    let (dialect, _) = infer_dialect(samples, &known).ok()?;
    let of_column = |null_tokens: &[String]| {
        let schema = infer_schema(samples, &dialect, null_tokens).ok()?.schema;
        let column = schema.columns.into_iter().find(|inferred| inferred.source_name == column)?;
        Some(column.column_type)
    };
    let found = of_column(words.null_tokens)?;
    let null = || {
        format!(
            "{} reads {value:?} as null, and the column is {expected}",
            null_setting(std::iter::once(value.as_str()))
        )
    };
    if found.to_string() == *expected {
        // As inference would have done, had the value stood in the sample.
        return null_token(value.as_bytes()).map(|_| null());
    }
    let typed = type_flag(column, &found.to_string());
    let typed = format!("{typed} reads all values of the column to beyond this place");
    let tokens: Vec<String> = words.null_tokens.iter().chain([value]).cloned().collect();
    let is_odd = || of_column(&tokens).is_some_and(|without| without.to_string() == *expected);
    Some(if found == ColumnType::Text && is_odd() { format!("{typed}; or {}", null()) } else { typed })
}

fn of_encodings(failing: &Failing<'_>, base: &Settings, words: &Words<'_>) -> Vec<Remedy> {
    let tried = failing.decoded.iter().filter_map(|(label, sample)| {
        let change = Change::Encoding(label.clone());
        let decoded = Failing { sample: sample.clone(), decoded: Vec::new(), ..failing.clone() };
        let reading = trial::read(&decoded, &change.applied(base.clone()), words)?;
        is_plausible(&sample.text).then_some(Remedy { changes: vec![change], reading })
    });
    tried.collect()
}

/// Whether the text may be one column as well as several.
fn is_in_doubt(failing: &Failing<'_>) -> bool {
    matches!(failing.problem, InputProblem::TwoReadings { .. })
}

/// Whether a text may be what was meant, and not the letters of another encoding.
fn is_plausible(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{1e}' | '\u{1f}');
    // Every text has delimiters, digits or names of ASCII; the bytes of one that are paired have none.
    let ascii = text.bytes().filter(|byte| (b' '..=b'~').contains(byte)).count();
    text.contains(['\n', '\r']) && text.chars().all(is_text) && 10 * ascii >= text.chars().count()
}

fn of_changes(
    failing: &Failing<'_>,
    base: &Settings,
    words: &Words<'_>,
    may_go_on: &dyn Fn() -> bool,
) -> Vec<Remedy> {
    let changes = candidates(failing, words);
    let read_of = |failing: &Failing<'_>, changes: &[&Change]| {
        let settings = changes.iter().fold(base.clone(), |settings, change| change.applied(settings));
        may_go_on().then(|| trial::read(failing, &settings, words)).flatten()
    };
    let tried = |changes: &[&Change]| {
        let reading = read_of(failing, changes)?;
        // Quotes that are not quotes can close far below.
        let merges = reading.swallows && changes.iter().any(|change| change.joins_lines());
        (!merges)
            .then(|| Remedy { changes: changes.iter().map(|change| (*change).clone()).collect(), reading })
    };
    let mut found: Vec<Remedy> = changes.iter().filter_map(|change| tried(&[change])).collect();
    let setting_aside = || {
        let is_long = matches!(failing.problem, InputProblem::Ragged { found, expected } if found > expected);
        let rejects = (!base.rejects).then_some(&Change::RejectRecords);
        let truncates = (is_long && !base.truncates).then_some(&Change::TruncateLongRecords);
        rejects.into_iter().chain(truncates).filter_map(|change| tried(&[change]))
    };
    let is_settled = |found: &[Remedy]| {
        !is_in_doubt(failing) && found.iter().any(Remedy::is_whole)
            || found.iter().any(|remedy| remedy.is_whole() && remedy.reading.typed > 0)
    };
    if is_settled(&found) || failing.at > PAIRED_BYTES {
        found.extend(setting_aside());
        return found;
    }
    // Most combinations fail where one setting did, which a short text shows.
    let near = failing.near();
    let tried = |changes: &[&Change]| {
        let passes = near.as_ref().is_none_or(|near| read_of(near, changes).is_some());
        passes.then(|| tried(changes)).flatten()
    };
    for (at, one) in changes.iter().enumerate() {
        let others = changes[at + 1..].iter().filter(|other| !one.excludes(other));
        found.extend(others.filter_map(|other| tried(&[one, other])).filter(Remedy::is_whole));
    }
    if !is_settled(&found) {
        // Titles above and a footer below hide the delimiter, too.
        let of = |is: fn(&Change) -> bool| changes.iter().filter(move |change| is(change));
        for delimiter in of(|change| matches!(change, Change::Delimiter(_))) {
            for skip in of(|change| matches!(change, Change::SkipRecords(_))) {
                let footers = of(|change| matches!(change, Change::FooterRecords(_)));
                let all = footers.filter_map(|footer| tried(&[delimiter, skip, footer]));
                found.extend(all.filter(Remedy::is_whole));
            }
        }
    }
    found.extend(setting_aside());
    found
}

/// How many lines may be titles: those after which lines have other delimiters.
fn title_counts(text: &[u8]) -> Vec<u64> {
    let lines = text.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
    let delimiters = delimiters_in(text);
    let shape = |line: &[u8]| -> Vec<usize> {
        let times = |delimiter: &Delimiter| memchr::memmem::find_iter(line, delimiter.as_bytes()).count();
        delimiters.iter().map(times).collect()
    };
    let shapes: Vec<_> = lines.take(MAX_SKIPPED + 1).map(shape).collect();
    let changes = shapes.windows(2).zip(1..).filter(|(pair, _)| pair[0] != pair[1]);
    changes.map(|(_, count)| count).collect()
}

/// What may be meant, of what the job does not say.
fn candidates(failing: &Failing<'_>, words: &Words<'_>) -> Vec<Change> {
    let (text, given) = (&failing.sample.text, words.given);
    let occurs = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let begins_line =
        |mark: u8| text.first() == Some(&mark) || occurs(&[b'\n', mark]) || occurs(&[b'\r', mark]);
    let mut changes = Vec::new();
    if given.quote_char.is_none() {
        changes.extend(occurs(b"\"").then_some(Change::NoQuote));
        changes.extend(occurs(b"'").then_some(Change::Quote(b'\'')));
        changes.extend((given.escape_char.is_none() && occurs(b"\\")).then_some(Change::Escape(b'\\')));
    } else if given.quote_char.as_deref() != Some("\"") {
        changes.extend(occurs(b"\"").then_some(Change::Quote(b'"')));
    }
    if given.trim.is_none() && given.quote_char.as_deref() != Some("") {
        changes.extend([Trim::Left, Trim::Right, Trim::Both].map(Change::Trim));
    }
    if given.unescaped_quotes.is_none() && given.quote_char.as_deref() != Some("") {
        changes.extend(occurs(b"\"").then_some(Change::UnescapedQuotes));
    }
    if given.stray_quotes.is_none() && given.quote_char.as_deref() != Some("") {
        changes.push(Change::KeepStrayQuotes);
    }
    let resolved = given.delimiter.as_deref();
    let long = LONG_DELIMITERS.iter().filter(|long| occurs(long.as_bytes()));
    let long = long.filter_map(|long| Delimiter::new(long));
    let delimiters = delimiters_in(text).into_iter().chain(long);
    // Where the doubt is between columns and none, what stands in sentences divides them by chance.
    let delimiters = delimiters.filter(|found| !is_in_doubt(failing) || is_usual(*found));
    changes.extend(delimiters.filter(|found| Some(found.as_str()) != resolved).map(Change::Delimiter));
    match given.comment_char.as_deref() {
        None => {
            let marks = MARKS.into_iter().filter(|mark| begins_line(*mark));
            changes.extend(marks.map(Change::Comment));
            changes.extend(words.infers.then_some(Change::NoComment));
        }
        Some("") => {}
        Some(_) => changes.push(Change::NoComment),
    }
    if given.skip_records.is_none() {
        changes.extend(title_counts(text).into_iter().map(Change::SkipRecords));
    }
    if given.footer_records.is_none() && failing.sample.whole {
        changes.extend((1..=MAX_FOOTER).map(Change::FooterRecords));
    }
    if matches!(failing.problem, InputProblem::DuplicateColumn { .. }) {
        changes.extend([Change::NumberDuplicates, Change::FirstOfDuplicates]);
        changes.extend(given.header.is_none().then_some(Change::NoHeader));
    }
    if resolved.is_none() && is_in_doubt(failing) {
        let unused = ["\u{1f}", "\u{1e}"].into_iter().find(|unused| !occurs(unused.as_bytes()));
        changes.extend(unused.and_then(Delimiter::new).map(Change::Delimiter));
    }
    if matches!(failing.problem, InputProblem::Ragged { found, expected } if found < expected) {
        changes.push(Change::PadShortRecords);
    }
    if let InputProblem::TooManyFields { limit } = failing.problem {
        changes.extend([4, 16, 64].map(|times| Change::MaxFields(limit * times)));
    }
    changes
}

impl Failing<'_> {
    /// The same with less text behind the place; `None` if there is not more.
    fn near(&self) -> Option<Self> {
        let rest = self.sample.text.get(self.at + NEAR_BYTES..)?;
        let end = self.at + NEAR_BYTES + memchr::memchr2(b'\r', b'\n', rest)? + 1;
        let text = self.sample.text[..end].to_vec();
        Some(Failing { sample: Sample { text, whole: false, ..self.sample.clone() }, ..self.clone() })
    }
}

impl Remedy {
    /// Whether all of every record is read.
    fn is_whole(&self) -> bool {
        self.reading.rejected + self.reading.taken_in + self.reading.truncated == 0
    }

    /// How good it is: larger is better. That there are several columns counts
    /// where there is no doubt that there are.
    fn rank(&self, may_be_one_column: bool) -> impl Ord + use<> {
        let TrialReading {
            rejected,
            taken_in,
            truncated,
            passed_over,
            swallows,
            typed,
            score,
            records,
            header,
            ..
        } = self.reading;
        let changes = self.changes.len();
        let least = |count: usize| std::cmp::Reverse(count);
        let cuts = may_be_one_column || score.2 > 1;
        let lost = least(if may_be_one_column { passed_over } else { 0 });
        (
            !swallows,
            cuts,
            least(rejected + taken_in + truncated),
            least(truncated),
            typed,
            lost,
            score.0,
            header,
            least(passed_over),
            records,
            least(changes),
            score,
        )
    }

    fn told(&self, tells_values: bool) -> String {
        let TrialReading {
            records, columns, whole, rejected, taken_in, truncated, passed_over, first, ..
        } = &self.reading;
        let settings = settings(self.changes.iter().map(|change| {
            let (key, flag) = change.told();
            (key, flag, "")
        }));
        let more = if *whole { "" } else { " to beyond this place" };
        let all = if *rejected + *taken_in == 0 && *records > 1 { "all " } else { "" };
        let mut told = format!(
            "{settings} reads {all}{}{more} with {}",
            count(*records, "record"),
            count(*columns, "column"),
        );
        if tells_values {
            told.push_str(&format!(", the first {}", shown(first)));
        }
        if *passed_over > 0 {
            told.push_str(&format!(", and treats {} as not being data", count(*passed_over, "line")));
        }
        if *truncated > 0 {
            told.push_str(&format!(", and leaves fields out of {}", count(*truncated, "record")));
        }
        if *taken_in > 0 {
            told.push_str(&format!(
                ", and sets aside the {} that the quote encloses",
                count(*taken_in, "line")
            ));
        }
        if *rejected > 0 {
            told.push_str(&format!(", and sets {} aside", count(*rejected, "record")));
        }
        told
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]
mod tests;
