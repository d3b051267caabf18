//! What names the rows that a plan writes, so that they are written once.

use crate::documents::{Input, Plan};
use crate::spec::{Dialect, ErrorsSpec, OutputSpec, SourceSpec};
use sha2::{Digest, Sha256};

/// Hash of everything that decides which rows are written, and where, of their types and names; SHA-256
/// in hexadecimal.
pub(super) fn job_key(plan: &Plan) -> String {
    let mut job = plan.job.clone();
    // Threads and part sizes do not change which rows are written, budgets only in which files.
    job.engine = Default::default();
    job.commit = Default::default();
    // Neither do these: the name, what the schema file is called and where the
    // credentials are from. Schema and inputs are hashed as they were found.
    job.name.clear();
    job.schema = None;
    let SourceSpec { match_columns, path_columns, .. } = job.source;
    job.source = SourceSpec { match_columns, path_columns, ..SourceSpec::of(Vec::new()) };
    // What only decides whether a run fails: those that did not wrote the same.
    let ErrorsSpec { bad_value, columns, bad_record, short_record, long_record, .. } = job.errors;
    job.errors =
        ErrorsSpec { bad_value, columns, bad_record, short_record, long_record, ..ErrorsSpec::default() };
    // Of the output, what says which rows are where and of which types.
    let OutputSpec { profile, column_names, layout, partition_by, timestamps, decimals, .. } = job.output;
    job.output = OutputSpec {
        profile,
        column_names,
        layout,
        partition_by,
        timestamps,
        decimals,
        ..OutputSpec::default()
    };
    // The key is looked for in the log of these very targets; a single file has no log.
    job.targets.clear();
    // Nor does which of two files of the same size and time it was.
    let inputs = plan.inputs.iter().map(|input| Input { identity: None, ..input.clone() });
    let dialect = hashed_dialect(&plan.dialect);
    let identity = serde_json::json!({
        "format": plan.format,
        "job": job,
        "dialect": dialect,
        "encoding": plan.encoding,
        "schema": plan.schema,
        "salts": plan.salts,
        "single_file": plan.single_file,
        "replaces": plan.replaces,
        "inputs": inputs.collect::<Vec<_>>(),
        // What came through a pipe cannot be told from what comes next time.
        "attempt": plan.inputs.iter().any(|input| !input.is_pinned()).then_some(&plan.attempt),
    });
    hex::encode(Sha256::digest(identity.to_string().as_bytes()))
}

/// A dialect as keys have always been made of it: the log of a table holds them.
fn hashed_dialect(dialect: &Dialect) -> serde_json::Value {
    let mut value = serde_json::json!(dialect);
    if let Some(members) = value.as_object_mut() {
        // The limits came last when framing and grammar were one.
        for limit in ["max_field_bytes", "max_record_bytes", "max_fields"] {
            if let Some(value) = members.shift_remove(limit) {
                members.insert(limit.into(), value);
            }
        }
        // As it was before there was the choice; the last member takes its place.
        if dialect.framing.separator_line {
            members.swap_remove("separator_line");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_same_dialect_stay_the_same() {
        let members = r#""delimiter":",","quote":34,"escape":"doubled","terminator":"lf","stray_quotes":"error","comment":null,"trim":"none","skip_initial_space":false,"header":true,"header_rows":1,"header_join":" ","max_fields":16384,"skip_records":0,"skip_records_after_header":0,"footer_records":0,"trailer_count":null,"invalid_bytes":"error","max_field_bytes":8388608,"max_record_bytes":16777216"#;
        assert_eq!(hashed_dialect(&Dialect::default()).to_string(), format!("{{{members}}}"));
    }
}
