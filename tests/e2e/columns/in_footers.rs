//! What the log says of the columns of a table, beside what the footers of its files say.

use super::{FIELDS, job, refuses, run, sawmill, three_days};
use crate::harness::Workspace;

/// As a commit of an older version is, or of one that lies.
fn edit_first_commit(workspace: &Workspace, edit: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let entry = "one/_sawmill/log/00000000000000000001.json";
    let text = std::fs::read(workspace.path(entry)).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&text).unwrap();
    edit(document.as_object_mut().unwrap());
    workspace.write(entry, document.to_string());
}

/// Every type, as its footers have it: the log says the same of it.
#[test]
fn footers_have_the_types_of_the_log() {
    let types = [
        "boolean",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "decimal(1,0)",
        "decimal(9,2)",
        "decimal(18,3)",
        "decimal(38,10)",
        "date",
        "timestamp(s)",
        "timestamp(ms)",
        "timestamp(us)",
        "timestamp(us,UTC)",
        "string",
        "varchar(9)",
        "binary",
    ];
    let others = ["time", "timestamp(ns)", "timestamp(ns,UTC)"];
    for (profile, types) in [("spectrum", types.to_vec()), ("standard", [&types[..], &others].concat())] {
        for forms in ["", "output.timestamps = \"int96\"\noutput.decimals = \"fixed\"\n"] {
            let workspace = Workspace::new();
            let names: Vec<String> = (0..types.len()).map(|number| format!("c{number}")).collect();
            let fields: Vec<(&str, &str)> =
                names.iter().map(String::as_str).zip(types.iter().copied()).collect();
            let header = names.join(",");
            // A row of nulls will do, beside one column with a value.
            for day in ["1", "2"] {
                let row = format!("true{}", ",".repeat(types.len() - 1));
                workspace.write(&format!("in/{day}.csv"), format!("{header}\n{row}\n"));
            }
            job(&workspace, &fields, &format!("output.profile = {profile:?}\n{forms}"));
            let _ = run(&workspace, "1", &[]).succeeds();
            let _ = sawmill(&workspace, &["verify", "job.toml"], "1").succeeds();
            // The same by the footer alone.
            edit_first_commit(&workspace, |commit| drop(commit.remove("schema")));
            let verify = sawmill(&workspace, &["verify", "job.toml"], "1").succeeds();
            assert!(!verify.stderr.contains("of before"), "{verify}");
            let _ = run(&workspace, "2", &[]).succeeds();
            let verify = sawmill(&workspace, &["verify", "job.toml"], "1").succeeds();
            assert!(!verify.stderr.contains("of before"), "{verify}");
        }
    }
}

#[test]
fn tables_of_before_the_log_knew_columns_are_told_by_a_footer() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "output.partition_by = [\"name\"]\n");
    let _ = run(&workspace, "1", &[]).succeeds();
    edit_first_commit(&workspace, |commit| {
        assert!(commit.remove("schema").is_some() && commit.remove("input_marks").is_some());
    });
    let _ = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
    let wide = "schema.fields[1].type=int64";
    refuses(&workspace, "2", &[wide], &["\"amount\" is `int32` in the table", "`int64`"]);
    refuses(
        &workspace,
        "2",
        &["output.partition_by=[\"id\"]"],
        &["partition keys of the table are [\"name\"]"],
    );
    let _ = run(&workspace, "2", &[]).succeeds();
    refuses(&workspace, "3", &[wide], &["\"amount\" is `int32` in the table", "`int64`"]);
    let _ = run(&workspace, "3", &[]).succeeds();
    let _ = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
}

#[test]
fn verify_holds_every_footer_against_the_columns_of_the_log() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    let verify = || sawmill(&workspace, &["verify", "job.toml"], "1");
    let _ = verify().succeeds();
    edit_first_commit(&workspace, |commit| {
        commit["schema"]["columns"][1]["type"] = "string".into();
    });
    let _ = verify()
        .exits_with(9)
        .helps()
        .says(&["its column \"amount\" is `int32`, that of the table `string`"]);
    edit_first_commit(&workspace, |commit| {
        commit["schema"]["columns"][1]["type"] = "int32".into();
        commit["schema"]["partition_by"] = serde_json::json!([{ "name": "day", "values": "string" }]);
    });
    let _ = verify().exits_with(9).says(&["partition keys are none, those of the table \"day\""]);
}
