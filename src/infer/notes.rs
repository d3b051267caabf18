//! What a person should know of the columns that were found.

use super::column::Doubt;
use super::odd::OddValue;
use super::types::Place;
use crate::error::count::agree;
use crate::error::excerpt::excerpt_of;
use crate::error::lists;
use crate::error::wording::{settings, text, word};
use crate::value::ColumnType;

/// Notes that are told.
const TOLD: usize = 20;

/// What a person should know of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnNote {
    /// Name of the column in the inputs.
    pub column: String,
    /// What follows the name of the column. Notes with the same text are one.
    pub text: String,
    /// Whether it is about the name, and not about the type.
    pub is_of_name: bool,
}

/// The notes as lines: one for all columns of which the same is to be said.
pub fn lines(notes: &[ColumnNote]) -> Vec<String> {
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    for note in notes {
        match texts.iter_mut().find(|(text, _)| *text == note.text) {
            Some((_, columns)) => columns.push(&note.column),
            None => texts.push((&note.text, vec![&note.column])),
        }
    }
    let line = |(text, columns): (&str, Vec<&str>)| {
        let noun = agree(columns.len(), "column", "columns");
        format!("{noun} {}{text}", lists::quoted(columns))
    };
    let left_out = texts.len().saturating_sub(TOLD);
    let mut lines: Vec<String> = texts.into_iter().take(TOLD).map(line).collect();
    if left_out > 0 {
        lines.push(format!("and {left_out} more notes on columns"));
    }
    lines
}

impl Doubt {
    /// What it means and what to do.
    pub(super) fn text(self) -> &'static str {
        match self {
            Doubt::NoValues => "no field of it has a value in what was read, so its type is string",
            Doubt::AmbiguousDates => {
                "the dates do not show whether day or month comes first, so they stay string; \
                 use `type = \"date\"` and `format = \"%d/%m/%Y\"` in a schema (--type COLUMN=date:%d/%m/%Y), or \
                 %m/%d/%Y"
            }
            Doubt::MixedDates => {
                "the day comes first in some dates and the month in others, so they stay string"
            }
            Doubt::AmbiguousMarks => {
                "numbers like 1,234 do not show whether the comma marks thousands or a fraction, so they stay \
                 string; describe them in the file of `schema` (--schema): `type = \"integer\"` and `groupChar = \",\"`, or \
                 `type = \"number\"` and `decimalChar = \",\"`"
            }
            Doubt::Codes => {
                "what is not whole is written like 12E4, as codes are, so they stay string; \
                 if they are numbers, use `type = \"number\"` in a schema (--type COLUMN=number)"
            }
            Doubt::NoUnit => {
                "no unit of time holds all digits of all timestamps (nanoseconds reach from 1677 to 2262), so they \
                 stay string"
            }
            Doubt::CompactDates => {
                "the integers look like dates; if they are, use `type = \"date\"` and `format = \"%Y%m%d\"` in a \
                 schema (--type COLUMN=date:%Y%m%d)"
            }
        }
    }
}

/// A value in quotes, cut off where it is long.
pub(super) fn quoted(value: &[u8]) -> String {
    format!("{:?}", excerpt_of(value))
}

/// What says the type of a column.
pub(super) fn type_flag(column: &str, name: &str) -> String {
    settings([type_setting(column, name)])
}

/// A setting with its flag, and where it stands.
type Setting = (String, String, &'static str);

fn type_setting(column: &str, name: &str) -> Setting {
    (format!("type = {}", text(name)), flag("--type", &format!("{column}={name}")), " in a schema")
}

/// A flag with its value, which may look like a flag.
fn flag(name: &str, value: &str) -> String {
    // `-` alone is not a flag.
    let between = if value.len() > 1 && value.starts_with('-') { '=' } else { ' ' };
    format!("{name}{between}{}", word(value))
}

/// What says that these texts are null.
pub(super) fn null_setting<'t>(tokens: impl Iterator<Item = &'t str>) -> String {
    let (texts, flags): (Vec<_>, Vec<_>) = tokens.map(|token| (text(token), flag("--null", token))).unzip();
    let keys = format!("missingValues = [{}]", texts.join(", "));
    settings([(keys, flags.join(" "), " in a schema")])
}

/// `"NA" is read as null`: tokens with the places where they stand first.
pub(super) fn nulls_taken(column: &str, tokens: &[(String, String)]) -> String {
    let list: Vec<_> = tokens.iter().map(|(token, place)| format!("{token:?} (first {place})")).collect();
    let verb = agree(tokens.len(), "is", "are");
    format!("{} {verb} read as null; {} keeps text", list.join(", "), type_flag(column, "string"))
}

/// The same in a column of text, where they are kept.
pub(super) fn nulls_in_text(tokens: &[(String, String)]) -> String {
    let list: Vec<_> = tokens.iter().map(|(token, place)| format!("{token:?} (first {place})")).collect();
    let (verb, noun) = if tokens.len() == 1 { ("looks", "a null") } else { ("look", "nulls") };
    format!(
        "{} {verb} like {noun}, but may be text; for nulls, {}",
        list.join(", "),
        null_setting(tokens.iter().map(|(token, _)| token.as_str()))
    )
}

/// Words that are taken for true and false.
pub(super) fn words_taken(column: &str, yes: &[String], no: &[String], first: &str) -> String {
    let list = |words: &[String]| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join("/");
    format!(
        "{} and {} are read as true and false (first {first}); {} keeps them as they are",
        list(yes),
        list(no),
        type_flag(column, "string")
    )
}

/// A number with an exponent.
pub(super) fn exponent_taken(column: &str, value: &[u8], place: &str) -> String {
    format!(
        "{} ({place}) is read as a number with an exponent; {} keeps such values as they are",
        quoted(value),
        type_flag(column, "string")
    )
}

/// A header that ends in a delimiter which its records lack.
pub(super) fn header_trails(url: &str) -> String {
    format!(
        " has no name in the header of {url} and no field in its records: the header ends in a delimiter that they \
         lack, so there is no such column"
    )
}

/// A column without a name; `filled` is the first place where it is not empty.
pub(super) fn blank_name(url: &str, behind: bool, goes: bool, filled: Option<&str>) -> String {
    let what = match behind {
        true => format!("is the empty field behind the last name in {url}, whose records end in a delimiter"),
        false => format!("has no name in the header of {url}"),
    };
    match (goes, filled) {
        (true, None) => format!(
            " {what}, and is empty in what was read, so it is left out; a value in it would be a bad record; to keep \
             it, `dialect.blankNames = \"position\"` (--blank-names position)"
        ),
        (true, Some(place)) => format!(
            " {what}, and is to be left out, but is not empty ({place}): a run fails there; to keep it, `dialect.blankNames = \"position\"` \
             (--blank-names position)"
        ),
        (false, _) => format!(
            " {what}, so it is called by its position; to leave it out where it is empty throughout, `dialect.blankNames = \"drop\"` (--blank-names drop)"
        ),
    }
}

/// Values with space around them.
pub(super) fn padded(value: &[u8], place: &str, without: ColumnType) -> String {
    format!(
        "spaces or tabs surround values, such as {} {place}, which makes them string; without them it is {without}: \
         `dialect.trim = \"both\"` (--trim both)",
        quoted(value)
    )
}

/// Which records of its input an odd value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordPosition {
    /// The first of the data.
    First,
    /// The last.
    Last,
    /// Any other, or not known.
    Within,
}

/// The few values that make text of a column.
pub(super) fn odd(
    column: &str,
    odd: &[OddValue],
    standing: RecordPosition,
    fitting: (u64, ColumnType),
    shown: impl Fn(&Place) -> String,
) -> String {
    let list: Vec<String> = odd
        .iter()
        .map(|odd| {
            let times = if odd.count > 1 { format!(", {} times", odd.count) } else { String::new() };
            format!("{} ({}{times})", quoted(&odd.value), shown(&odd.place))
        })
        .collect();
    let (count, other) = fitting;
    let values = agree(count, "value is", "values are");
    let verb = agree(odd.len(), "makes", "make");
    let nulls = || {
        let texts: Vec<_> = odd.iter().map(|odd| String::from_utf8_lossy(&odd.value)).collect();
        null_setting(texts.iter().map(AsRef::as_ref))
    };
    let rejects = ("errors.bad_value = \"reject\"".to_owned(), "--on-bad-value reject".to_owned(), "");
    let reject = settings([type_setting(column, &other.to_string()), rejects]);
    let first = &odd[0].value[..];
    let advice = match (first, standing) {
        _ if odd.iter().all(|odd| odd.value == column.as_bytes()) => {
            format!("it is the name of the column: a header among the data, whose record {reject} leaves out")
        }
        _ if first.starts_with("\u{feff}".as_bytes()) => {
            format!(
                "a byte order mark in the middle of a file is left over from joining files: give them one by one, or {reject}"
            )
        }
        _ if matches!(other, ColumnType::Int { .. }) && odd.iter().all(|odd| is_long_integer(&odd.value)) => {
            format!("as a number of more digits than an integer has, {}", type_flag(column, "decimal(38,0)"))
        }
        (_, RecordPosition::First) if odd.len() == 1 => {
            format!(
                "for a line of units or a second header, `dialect.headerRows = 2` (--header-rows 2); for a null, {}",
                nulls()
            )
        }
        (_, RecordPosition::Last) if odd.len() == 1 => {
            format!(
                "for a total or another footer, `dialect.footerRecords = 1` (--footer-records 1); for a null, {}",
                nulls()
            )
        }
        _ => format!("for nulls, {}; otherwise {reject}", nulls()),
    };
    format!("{} {verb} it string; the other {count} {values} {other}: {advice}", list.join(", "))
}

/// Whether a whole number fits a decimal and no integer.
fn is_long_integer(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    (19..=38).contains(&digits.len()) && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit)
}
