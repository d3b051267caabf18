//! The JSON Schemas in `schemas/` are those of the types.
//!
//! `UPDATE_SCHEMAS=1 cargo test --test schemas` writes them anew.

use sawmill::spanned::{json_schema, json_schema_of_output};
use sawmill::{commit, documents, job, report, spec};

#[test]
fn schemas_are_those_of_the_types() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in [
        ("job", job::job_json_schema()),
        ("table-schema", spec::table_schema_json_schema()),
        ("plan", json_schema::<documents::Plan>()),
        ("task-report", json_schema::<documents::TaskReport>()),
        ("intent", json_schema::<commit::Intent>()),
        ("lease", json_schema::<commit::Lease>()),
        ("changes", json_schema::<commit::Changes>()),
        ("logged-entry", json_schema_of_output::<report::LoggedEntry>()),
        ("log-entry", json_schema::<commit::Entry>()),
        ("checkpoint", json_schema::<commit::History>()),
        ("applied", json_schema::<commit::Applied>()),
        ("published", json_schema::<commit::PublishedNote>()),
        ("manifest", json_schema::<documents::Manifest>()),
        ("audit", json_schema_of_output::<report::WithError<commit::Audit>>()),
        ("recovered", json_schema_of_output::<commit::Recovered>()),
        ("caught-up", json_schema_of_output::<report::WithError<commit::CaughtUp>>()),
        ("promoted", json_schema_of_output::<report::WithError<commit::Promoted>>()),
        ("epoch", json_schema::<commit::Epoch>()),
        ("garbage", json_schema_of_output::<commit::Garbage>()),
        ("run-report", json_schema_of_output::<report::RunReport>()),
        ("failure-report", json_schema_of_output::<report::FailureReport>()),
    ] {
        let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let text = format!("{schema:#}\n");
        if update {
            std::fs::write(&path, &text).expect("schemas/ is writable");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "{path} is old; run the test with UPDATE_SCHEMAS=1");
    }
}
