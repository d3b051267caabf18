//! What to do about a fault, in a user's words.

use crate::error::InputProblem;
use crate::error::excerpt::excerpt;
use crate::error::wording::{settings, word};
use crate::rows::{Fault, Origin};

/// What to do about a fault that ends the run. `inferred`: its column, if the type of that was inferred.
pub(super) fn remedy(fault: &Fault, inferred: Option<&str>) -> String {
    match (&fault.problem, &fault.origin, inferred) {
        (InputProblem::PartitionValue { .. }, ..) => {
            let key = fault.column.as_deref().unwrap_or_default();
            format!(
                "shorten the value in a step of a job file, such as `{{ derive = {{ {key} = \"left({key}, 50)\" }} }}`, \
                 or choose other keys in `output.partition_by` (--partition-by)"
            )
        }
        (_, Origin::Row { policy_key }, _) => row_remedy(policy_key.as_deref()),
        (InputProblem::Value { .. }, Origin::Text { .. }, Some(column)) => inferred_remedy(column),
        (problem, Origin::Text { .. }, _) => text_remedy(problem).to_owned(),
    }
}

/// `policy_key` of the job says what happens to the row.
fn row_remedy(policy_key: Option<&str>) -> String {
    match policy_key {
        Some("errors.bad_value") => {
            "fix the record, or set such records aside: `errors.bad_value = \"reject\"` (--on-bad-value reject)"
                .to_owned()
        }
        Some(key) => format!("fix the record, or set such records aside: `{key} = \"reject\"` in the job file"),
        None => "limit the text that the expression makes, as in `repeat(x, least(n, 100))`".to_owned(),
    }
}

/// What to do about a value that no sample had the like of.
fn inferred_remedy(column: &str) -> String {
    let all = "--all-text for all columns";
    let flags = match excerpt(column).len() < column.len() {
        // Longer than anybody types.
        true => all.to_owned(),
        false => format!("--type {}, or {all}", word(&format!("{column}=string"))),
    };
    format!(
        "the type of the column was inferred from samples (the first 1 MiB of up to 16 inputs and windows into the rest), \
         which have no such value: use {}, or look at every record with `sawmill infer --full -o schema.json` and the \
         same inputs, and give `schema = \"schema.json\"` (--schema schema.json); name the text in `missingValues` in a \
         schema (--null) if it means null; `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside",
        settings([("type = \"string\"".to_owned(), flags, " in a schema")])
    )
}

/// The schema or the policies of the job say what a text has to be.
fn text_remedy(problem: &InputProblem) -> &'static str {
    match problem {
        InputProblem::Ragged { found, expected } if found < expected => {
            "is a delimiter or a quote missing or doubled in this record? \
             `errors.bad_record = \"reject\"` (--on-bad-record reject) sets such records aside, and \
             `errors.short_record = \"pad\"` (--on-short-record pad) reads the missing fields as null"
        }
        InputProblem::Ragged { .. } => {
            "is a delimiter or a quote missing or doubled in this record? \
             `errors.bad_record = \"reject\"` (--on-bad-record reject) sets such records aside, and \
             `errors.long_record = \"truncate\"` (--on-long-record truncate) leaves out the extra fields"
        }
        InputProblem::NamelessValue { .. } => {
            "`dialect.blankNames = \"position\"` (--blank-names position) names such fields `column_1`, `column_2`, … by \
             their position, which a given schema then has to have; or is a delimiter missing or doubled in this \
             record? `errors.long_record = \"reject\"` (--on-long-record reject) sets such records aside"
        }
        InputProblem::RequiredNull => {
            "fix the value, or remove `constraints.required` from the column in the schema; \
             `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside"
        }
        InputProblem::NulByte => {
            "CSV text cannot contain NUL; if the file is UTF-16, use `dialect.encoding = \"utf-16le\"` (--encoding utf-16le) or utf-16be; otherwise check whether the file is binary"
        }
        _ => {
            "fix the value; or give the column another `type` or `format`, \
             or name the text in `missingValues` in a schema (--null) if it means null; \
             `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside"
        }
    }
}
