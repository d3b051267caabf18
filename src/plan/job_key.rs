//! What names the rows that a plan writes, so that they are written once.

use crate::documents::{Input, Plan};
use crate::spec::{ErrorsSpec, OutputSpec, SourceSpec};
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
    // As it was before there was the choice.
    let mut dialect = serde_json::json!(plan.dialect);
    if let Some(members) = dialect.as_object_mut().filter(|_| plan.dialect.separator_line) {
        members.remove("separator_line");
    }
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
