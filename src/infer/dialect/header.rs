//! Whether the first record names the columns.

use super::Head;
use super::records::Records;
use crate::infer::column::{Evidence, looks_like_data};
use crate::spec::Dialect;
use crate::value::ColumnType;

/// Records that a first record is compared with.
const COMPARED_RECORDS: usize = 1000;

/// Words for a value that is not known. One of them above numbers is a value
/// as likely as a name.
const UNKNOWN: [&str; 9] =
    ["n.a.", "n.a", "unknown", "missing", "nil", "tbd", "error", "undefined", "not available"];

/// What a first record is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum First {
    /// Some value in it does not fit the type of the values below and none does.
    Names,
    /// Some value in it fits the type of the values below.
    Data,
    /// Nothing decides, or two things decide differently; `names` is what it is read as.
    Either { names: bool, why: String },
}

/// A column below the first record.
#[derive(Debug, Clone, Default)]
struct Below {
    evidence: Evidence,
    /// Whether what the first record says of it comes again.
    recurs: bool,
}

/// Whether the first record names the columns. Where that is not certain, a
/// note says what it was taken for, and the flag that decides otherwise: text
/// without a header looks the same as text with one.
pub(super) fn has_header(
    heads: &[Head<'_>],
    dialect: &Dialect,
    known: &[String],
    notes: &mut Vec<String>,
) -> bool {
    let Some(head) = heads.first() else { return true };
    let records = Records::of(head, &dialect.grammar);
    let Some(names) = records.values(dialect.framing.skip_records as usize) else { return true };
    let is_known = |name: &&Vec<u8>| known.iter().any(|known| known.as_bytes() == name.as_slice());
    if 2 * names.iter().filter(is_known).count() > names.len() {
        return true;
    }
    match judged(&names, &records, heads, dialect) {
        First::Names => {
            if reads_like_a_sentence(&names, &records, dialect.framing.skip_records as usize) {
                let without = dialect.framing.skip_records + 1;
                notes.push(format!(
                    "the first record ({}) names the columns, though spaces follow its delimiters only, as in a \
                     sentence; if it is a title above data without a header, use `dialect.skipRecords = {without}` \
                     and `dialect.header = false` (--skip-records {without} --no-header)",
                    shown(&names)
                ));
            }
            true
        }
        First::Data => false,
        First::Either { names: is_header, why } => {
            let (taken, flag) = match is_header {
                true => ("names the columns", "if it is data, use `dialect.header = false` (--no-header)"),
                false => {
                    ("is read as data", "if it names the columns, use `dialect.header = true` (--header)")
                }
            };
            notes.push(format!("the first record ({}) {taken}: {why}; {flag}", shown(&names)));
            is_header
        }
    }
}

/// Whether names begin with a space where no value below does.
fn reads_like_a_sentence(names: &[Vec<u8>], records: &Records<'_>, header: usize) -> bool {
    let is_spaced = |value: &Vec<u8>| value.first() == Some(&b' ');
    let spaced: Vec<usize> = (1..names.len()).filter(|column| is_spaced(&names[*column])).collect();
    let below = (header + 1..records.len()).take(COMPARED_RECORDS);
    !spaced.is_empty()
        && below
            .filter_map(|record| records.values(record))
            .all(|values| spaced.iter().all(|column| !values.get(*column).is_some_and(is_spaced)))
}

/// How many columns have a type other than text, over all records of the first
/// head after the header, or without one.
pub(super) fn typed_columns(heads: &[Head<'_>], dialect: &Dialect) -> usize {
    let Some(head) = heads.first() else { return 0 };
    let records = Records::of(head, &dialect.grammar);
    let first = dialect.framing.skip_records as usize;
    let Some(names) = records.values(first) else { return 0 };
    let is_header = has_header(heads, dialect, &[], &mut Vec::new());
    let mut columns = vec![Evidence::default(); names.len()];
    for values in (first + usize::from(is_header)..records.len()).filter_map(|record| records.values(record))
    {
        columns.iter_mut().zip(&values).for_each(|(column, value)| column.observe(value, false));
    }
    columns.iter().filter(|column| is_typed(column)).count()
}

/// Whether types show that this record names the columns.
pub(super) fn is_certain_header(heads: &[Head<'_>], dialect: &Dialect) -> bool {
    let Some(head) = heads.first() else { return false };
    let records = Records::of(head, &dialect.grammar);
    let names = records.values(dialect.framing.skip_records as usize);
    names.is_some_and(|names| judged(&names, &records, &heads[..1], dialect) == First::Names)
}

fn judged(names: &[Vec<u8>], records: &Records<'_>, heads: &[Head<'_>], dialect: &Dialect) -> First {
    let first = dialect.framing.skip_records as usize;
    let (columns, repeated) = below(names, records, first);
    let either = |names: bool, why: &str| First::Either { names, why: why.into() };
    let is_data = names.iter().any(|name| looks_like_data(name));
    if records.len() == first + 1 && repeated.is_none() {
        return match is_data || names.iter().all(Vec::is_empty) {
            true => First::Data,
            false => either(true, "there is no other record"),
        };
    }
    let (mut fitting, mut unfit) = (Vec::new(), Vec::new());
    for (column, name) in columns.iter().zip(names).filter(|(_, name)| !name.is_empty()) {
        match fits(column.evidence.clone(), name) {
            Some(true) => fitting.push(name),
            Some(false) => unfit.push(name),
            None => {}
        }
    }
    // Numbers that are names of columns as a rule: years, and the numbers of all columns.
    let numbered = names.len() > 1 && names.iter().enumerate().all(|(at, name)| is_number_of(at, name));
    let are_names = |named: &[&Vec<u8>]| numbered || named.iter().all(|name| is_year(name));
    let recurs = columns.iter().any(|column| column.recurs);
    match (unfit.is_empty(), fitting.is_empty()) {
        (false, true) => match repeated {
            Some(record) => either(true, &format!("record {} is the same", record - first + 1)),
            None if recurs => {
                either(true, "it does not fit the types below, though some of it comes again there")
            }
            None if unfit.iter().all(|name| is_weak(name)) => {
                either(true, "it does not fit the types below, but may hold values that are not known")
            }
            None => First::Names,
        },
        (is_fit, false) => match are_names(&fitting) {
            true => either(!is_fit, "its numbers may be values as well as names"),
            false => First::Data,
        },
        (true, true) if names.iter().all(Vec::is_empty) => First::Data,
        (true, true) if is_data => {
            let numbers: Vec<_> = names.iter().filter(|name| looks_like_data(name)).collect();
            match are_names(&numbers) {
                true => either(false, "its numbers may be values as well as names"),
                false => First::Data,
            }
        }
        (true, true) if recurs || repeated.is_some() => either(false, "some of it comes again below"),
        (true, true) if heads.len() > 1 && all_begin_with(names, heads, dialect) => First::Names,
        (true, true) => either(true, "nothing distinguishes it from the records below"),
    }
}

/// The columns below the first record, and the first record that is the same
/// as it, which is in none of them.
fn below(names: &[Vec<u8>], records: &Records<'_>, first: usize) -> (Vec<Below>, Option<usize>) {
    let mut columns = vec![Below::default(); names.len()];
    let mut repeated = None;
    for record in (first + 1..records.len()).take(COMPARED_RECORDS) {
        let Some(values) = records.values(record) else { continue };
        if values == names {
            repeated = repeated.or(Some(record));
            continue;
        }
        for ((column, value), name) in columns.iter_mut().zip(&values).zip(names) {
            column.evidence.observe(value, false);
            column.recurs |= !name.is_empty() && value == name;
        }
    }
    (columns, repeated)
}

fn is_typed(column: &Evidence) -> bool {
    column.settle().column_type != ColumnType::Text
}

/// Whether a name would be a value of its column; `None` if anything would.
fn fits(mut column: Evidence, name: &[u8]) -> Option<bool> {
    if !is_typed(&column) {
        return None;
    }
    column.observe(name, false);
    Some(is_typed(&column))
}

/// Whether every input begins with these names: files rarely begin with the same data
/// each time.
fn all_begin_with(names: &[Vec<u8>], heads: &[Head<'_>], dialect: &Dialect) -> bool {
    let first = dialect.framing.skip_records as usize;
    heads[1..].iter().all(|head| Records::of(head, &dialect.grammar).values(first).as_deref() == Some(names))
}

fn is_year(name: &[u8]) -> bool {
    matches!(name, [b'1', b'9', a, b] | [b'2', b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// Whether a name is the number of its column, from 0 or from 1.
fn is_number_of(position: usize, name: &[u8]) -> bool {
    let number = std::str::from_utf8(name).ok().and_then(|name| name.parse::<usize>().ok());
    number == Some(position) || number == Some(position + 1)
}

/// Whether a name may as well be a value that somebody could not write as a
/// number: `n.a.`, `***`, `12 kg`.
fn is_weak(name: &[u8]) -> bool {
    let begins_with_letter = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let is_unknown = |word: &&str| word.as_bytes().eq_ignore_ascii_case(name);
    !begins_with_letter || UNKNOWN.iter().any(is_unknown)
}

/// The first values of a record, for a note.
pub(crate) fn shown(values: &[Vec<u8>]) -> String {
    const SHOWN: usize = 4;
    let mut texts: Vec<String> = values.iter().take(SHOWN).map(|value| format!("{:?}", cut(value))).collect();
    if values.len() > SHOWN {
        texts.push("…".into());
    }
    texts.join(", ")
}

/// The beginning of a text, for a note.
pub(super) fn cut(text: &[u8]) -> String {
    const SHOWN: usize = 30;
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
