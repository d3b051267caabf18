//! Where in an input something is wrong, and what to do about it.

use crate::documents::Input;
use crate::error::{Error, InputProblem, Location};
use crate::spec::Framing;

/// What to do about an input without records.
pub const EMPTY_REMEDY: &str = "if an input without records is right, use `source.empty_input = \"allow\"` (--allow-empty); otherwise check what delivers it";

/// What to do about a NUL in the header.
pub const NUL_NAME_REMEDY: &str = "column names cannot contain NUL; if the file is UTF-16, use `dialect.encoding = \"utf-16le\"` (--encoding utf-16le) or utf-16be; otherwise check whether the file is binary, or fix the header";

/// What to do about a name that the header has twice.
pub const DUPLICATE_REMEDY: &str = "read the first of them with `source.duplicate_columns = \"first\"` (--first-duplicate-columns), or all, the others as `name_2`, with `source.duplicate_columns = \"number\"` (--number-duplicate-columns); or fix the header";

/// What to do about a blank name in the header where that is to fail.
pub const UNNAMED_REMEDY: &str = "name such columns by position with `dialect.blankNames = \"position\"` (--blank-names position), or leave them out where they are empty throughout with `dialect.blankNames = \"drop\"` (--blank-names drop); or fix the header";

pub(super) fn no_header(input: &Input) -> Error {
    Error::input(InputProblem::NoHeader, Location::object(&input.url))
        .remedy("check `dialect.skipRecords` (--skip-records) and `dialect.headerRows` (--header-rows) against the file")
}

/// The number of the data record after `records_before` records; `None` if
/// that is none, but a skipped record or the header.
pub fn data_record(records_before: u64, framing: &Framing) -> Option<u64> {
    (records_before + 1).checked_sub(framing.preamble_records()).filter(|&number| number > 0)
}

/// A header that does not fit, with what to do about it.
pub fn header_error(problem: InputProblem, input: &Input) -> Error {
    let mut location = Location::object(&input.url);
    location.column = match &problem {
        InputProblem::PathColumnMissing { name }
        | InputProblem::PathColumnInHeader { name }
        | InputProblem::PathValue { name, .. } => Some(name.clone()),
        _ => None,
    };
    if let InputProblem::MissingColumns { missing, found } = &problem
        && let Some(remedy) = other_delimiter(missing, found)
    {
        return Error::input(problem, location).remedy(remedy);
    }
    let remedy = match problem {
        InputProblem::PathColumnMissing { .. } => {
            "name only inputs that lie in such a directory; let columns that are not required be null with `source.missing_columns = \"null\"` (--null-missing-columns)"
        }
        InputProblem::PathColumnInHeader { .. } => {
            "leave the column out of `source.path_columns` (--path-column) to read the values of the records, or read those of the path with `source.extra_columns = \"ignore\"` (--ignore-extra-columns)"
        }
        InputProblem::PathValue { .. } => {
            "give the column another `type` in the schema (`string` takes any), or leave the input out"
        }
        InputProblem::ExtraColumns { .. } => {
            "add the columns to the schema, or leave them out with `source.extra_columns = \"ignore\"` (--ignore-extra-columns)"
        }
        InputProblem::MissingColumns { .. } => {
            "fix the schema or the input; let columns that are not required be null with `source.missing_columns = \"null\"` (--null-missing-columns); is `dialect.delimiter` (--delimiter) right, and `dialect.header` (--header)?"
        }
        InputProblem::DuplicateColumn { .. } => DUPLICATE_REMEDY,
        InputProblem::UnnamedColumn { .. } => UNNAMED_REMEDY,
        InputProblem::ReorderedColumns { .. } => {
            "fix the input or the schema, or allow it with `source.column_order = \"any\"` in the job file"
        }
        _ => {
            "fix the header, or match by position with `source.match_columns = \"position\"` (--match-columns position)"
        }
    };
    Error::input(problem, location).remedy(remedy)
}

/// What to do where inputs may have different delimiters: the header is one name, or
/// one is missing, that holds what divides names elsewhere.
fn other_delimiter(missing: &[String], found: &[String]) -> Option<String> {
    let usual = |name: &String| [",", ";", "\t", "|"].into_iter().find(|delimiter| name.contains(delimiter));
    let (delimiter, whose) = match found {
        [name] => (usual(name)?, "such inputs".to_owned()),
        _ => missing
            .iter()
            .find_map(|name| Some((usual(name)?, format!("inputs with the header {name:?}"))))?,
    };
    let typed = if delimiter == "\t" { r"\t" } else { delimiter };
    Some(format!(
        "if {delimiter:?} is the delimiter of {whose}, give these a run of their own with \
         `dialect.delimiter = \"{typed}\"` (--delimiter '{typed}'); `output.mode = \"append\"` (--append) adds their rows \
         to the table of the others; otherwise fix the schema or the input, or let columns that are not required be \
         null with `source.missing_columns = \"null\"` (--null-missing-columns)"
    ))
}
