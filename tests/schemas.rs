//! The JSON Schemas in `schemas/` are those of the types.
//!
//! `UPDATE_SCHEMAS=1 cargo test --test schemas` writes them anew.

use sawmill::document::json_schema;
use sawmill::{commit, job, plan, report, schema, task};

#[test]
fn schemas_are_those_of_the_types() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in [
        ("job", job::job_json_schema()),
        ("table-schema", schema::table_schema_json_schema()),
        ("plan", json_schema::<plan::Plan>()),
        ("task-report", json_schema::<task::TaskReport>()),
        ("manifest", json_schema::<commit::Manifest>()),
        ("run-report", json_schema::<report::RunReport>()),
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
