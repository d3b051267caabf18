//! Names of inputs, directories and columns: what is hidden, what is not UTF-8, what stands in paths.

use crate::harness::{Workspace, readback};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

#[test]
fn globs_pass_over_hidden_names_as_prefixes_do() {
    let workspace = Workspace::new();
    for name in ["a.csv", "d/b.csv", "_temporary/0/t.csv", ".git/g.csv", "d/_x.csv"] {
        workspace.write(&format!("in/{name}"), format!("name\n{name}\n"));
    }
    for (input, rows) in [("in/", 2), ("in/**/*.csv", 2), ("in/d/_*.csv", 1), ("in/_temporary/**", 1)] {
        let report =
            workspace.sawmill(["convert", input, "--all-text", "-o", "out.parquet", "--overwrite", "--json"]);
        let report = report.run().succeeds().json();
        assert_eq!(report["totals"]["written"], rows, "{input}");
    }
    let _ = workspace.sawmill(["convert", "in/d/_y*", "-o", "o.parquet"]).run().exits_with(4);
}

#[test]
fn files_whose_names_are_not_utf8_are_read() {
    let workspace = Workspace::new();
    let path = workspace.write("in/x", "").with_file_name(OsStr::from_bytes(b"caf\xe9.csv"));
    std::fs::remove_file(workspace.path("in/x")).unwrap();
    std::fs::write(&path, "id\n1\n2\n").unwrap();
    for input in [OsString::from("in/"), "in/*.csv".into(), path.into_os_string()] {
        let words = [
            "convert".into(),
            input.clone(),
            "-o".into(),
            "out.parquet".into(),
            "--overwrite".into(),
            "--json".into(),
        ];
        let report = workspace.sawmill::<OsString>(words).run().succeeds().json();
        assert_eq!(report["totals"]["written"], 2, "{input:?}");
        assert!(report.to_string().contains("caf%E9.csv"), "{report}");
    }
    std::fs::write(workspace.path("in").join(OsStr::from_bytes(b"caf\xe9.csv")), "id\n1\nx,y\n").unwrap();
    let _ = workspace
        .sawmill(["convert", "in/", "-o", "o.parquet", "--delimiter", ","])
        .run()
        .exits_with(3)
        .says(&["in/caf%E9.csv"]);
}

/// The rows of a file or table, values as text.
fn rows(workspace: &Workspace, place: &str, columns: &str) -> Vec<String> {
    let sql = format!("SELECT {columns} FROM t ORDER BY id");
    let rows = readback::query(&workspace.path(place), &sql);
    let text = |row: Vec<Option<String>>| {
        row.into_iter().map(|value| value.unwrap_or("NULL".into())).collect::<Vec<_>>().join("|")
    };
    rows.into_iter().map(text).collect()
}

/// Inputs as a partitioned table has them.
fn partitioned(workspace: &Workspace) {
    for (directory, records) in [
        ("day=2024-01-01/kind=a%2Fb", "id,v\n1,x\n2,y\n"),
        ("day=2024-01-02/kind=__HIVE_DEFAULT_PARTITION__", "id,v\n3,z\n"),
    ] {
        workspace.write(&format!("in/{directory}/part.csv"), records);
    }
}

#[test]
fn directories_that_could_be_columns_are_told_and_the_advice_makes_them_columns() {
    let workspace = Workspace::new();
    partitioned(&workspace);
    let told = workspace.sawmill(["convert", "in/", "-o", "a.parquet"]).run().succeeds();
    let _ = told.says(&["`day=2024-01-01/`, `kind=a/b/`", "--path-column day --path-column kind"]);
    let _ = workspace
        .sawmill(["infer", "in/"])
        .run()
        .succeeds()
        .says(&["use --path-column day --path-column kind"]);
    let words = ["convert", "in/", "-o", "b.parquet", "--path-column", "day", "--path-column", "kind"];
    let run = workspace.sawmill(words).run().succeeds();
    assert!(!run.stderr.contains("--path-column"), "{run}");
    let found = rows(&workspace, "b.parquet", "id, v, day, kind");
    assert_eq!(found, ["1|x|2024-01-01|a/b", "2|y|2024-01-01|a/b", "3|z|2024-01-02|NULL"]);
    let schema =
        workspace.sawmill(["infer", "in/", "--path-column", "day", "--full"]).run().succeeds().json();
    assert_eq!(schema["schema"]["fields"][2]["type"], "date", "{schema}");
}

#[test]
fn path_columns_take_types_from_the_schema_and_make_partitions() {
    let workspace = Workspace::new();
    partitioned(&workspace);
    let job = |fields: &str, rest: &str| {
        let _ = std::fs::remove_dir_all(workspace.path("out"));
        workspace.write(
            "job.toml",
            format!(
                "source.inputs = [\"in/\"]\nsource.path_columns = [\"day\", \"kind\"]\ntargets = [{{ url = \"out/\" }}]\n\
                 schema.fields = [{{ name = \"id\", type = \"int32\" }}, {{ name = \"v\" }}{fields}]\n{rest}\n"
            ),
        );
        workspace.sawmill(["run", "job.toml"])
    };
    let date = ", { name = \"date\", sourceName = \"day\", type = \"date\" }";
    let _ = job(date, "output.partition_by = [\"date\"]").run().succeeds();
    let directories = workspace.visible("out");
    assert!(directories.iter().any(|file| file.starts_with("date=2024-01-02/")), "{directories:?}");
    let found = rows(&workspace, "out", "id, kind, date");
    assert_eq!(found, ["1|a/b|2024-01-01", "2|a/b|2024-01-01", "3|NULL|2024-01-02"]);
    // A value that does not fit fails with its place, whatever the policy.
    let number = ", { name = \"day\", type = \"integer\" }";
    for run in [job(number, "errors.bad_value = \"reject\""), job(number, "")] {
        let _ =
            run.run().exits_with(3).says(&["\"2024-01-01\" in the path of the input is not a valid", "day"]);
    }
    // A column of the path is none that the records have to have, where a dialect is guessed either.
    let fields =
        r#"{"fields": [{"name": "id", "type": "int32"}, {"name": "v"}, {"name": "day", "type": "date"}]}"#;
    workspace.write("schema.json", fields);
    let words = ["convert", "in/", "-o", "s.parquet", "--schema", "schema.json", "--path-column", "day"];
    let _ = workspace.sawmill(words).run().succeeds();
    assert_eq!(rows(&workspace, "s.parquet", "id, day"), ["1|2024-01-01", "2|2024-01-01", "3|2024-01-02"]);
    workspace.write("in/loose.csv", "id,v\n9,q\n");
    let _ = job(date, "").run().exits_with(3).says(&["has no directory `day=…`", "in/loose.csv"]);
    let _ = job(date, "source.missing_columns = \"null\"").run().succeeds();
    let _ = workspace.sawmill(["check", "job.toml"]).run().succeeds();
}

#[test]
fn a_column_is_in_the_header_or_in_the_path() {
    let workspace = Workspace::new();
    workspace.write("in/p=7/a.csv", "id,p\n1,x\n");
    let convert = |flags: &[&str]| {
        let words = ["convert", "in/", "-o", "o.parquet", "--overwrite", "--path-column", "p"];
        workspace.sawmill(words.iter().chain(flags)).run()
    };
    let _ = convert(&[]).exits_with(3).says(&["the header has a column \"p\"", "--ignore-extra-columns"]);
    let _ = convert(&["--ignore-extra-columns"]).succeeds();
    assert_eq!(rows(&workspace, "o.parquet", "id, p"), ["1|7"]);
    // The other advice: without the flag, the records say it, and nothing is told.
    let run = workspace.sawmill(["convert", "in/", "-o", "o.parquet", "--overwrite"]).run().succeeds();
    assert!(!run.stderr.contains("--path-column"), "{run}");
    assert_eq!(rows(&workspace, "o.parquet", "id, p"), ["1|x"]);
    // Without a header, columns of the path take no field.
    workspace.write("bare/p=8/a.csv", "1,x\n2,y\n");
    let words = ["convert", "bare/", "-o", "o.parquet", "--overwrite", "--path-column", "p", "--no-header"];
    let _ = workspace.sawmill(words).run().succeeds();
    let found = rows(&workspace, "o.parquet", "column_1 AS id, column_2, p");
    assert_eq!(found, ["1|x|8", "2|y|8"]);
}

#[test]
fn names_that_readers_refuse_are_told_and_the_advice_renames_them() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,order id,a.b,a;b,Plain\n1,2,3,4,5\n");
    let convert = |flags: &[&str]| {
        let words = ["convert", "in.csv", "-o", "o.parquet", "--overwrite", "--profile", "spectrum"];
        workspace.sawmill(words.iter().chain(flags)).run()
    };
    let told = convert(&[]).succeeds().says(&[
        "\"order id\" (Athena, Spark before 3.3)",
        "\"a.b\" (Athena)",
        "\"a;b\" (Athena, Spark before 3.3)",
        "--column-names plain",
    ]);
    assert!(!told.stderr.contains("\"plain\" ("), "{told}");
    let renamed = convert(&["--column-names", "plain"]).succeeds();
    let renamed =
        renamed.says(&["\"order id\" to \"order_id\"", "\"a.b\" to \"a_b\"", "\"a;b\" to \"a_b_2\""]);
    assert!(!renamed.stderr.contains("refuse"), "{renamed}");
    assert_eq!(rows(&workspace, "o.parquet", "id, order_id, a_b, a_b_2, plain"), ["1|2|3|4|5"]);
    // Other readers take any name, and nothing is told.
    let standard = workspace.sawmill(["convert", "in.csv", "-o", "s.parquet"]).run().succeeds();
    assert!(!standard.stderr.contains("refuse"), "{standard}");

    // What the catalog itself does not take is refused, and the advice holds.
    workspace.write("in.csv", "id,\"line\nend\"\n1,2\n");
    let _ =
        convert(&[]).exits_with(2).says(&["AWS Glue takes no control characters", "--column-names plain"]);
    let _ = convert(&["--column-names", "plain"]).succeeds();
    assert_eq!(rows(&workspace, "o.parquet", "id, line_end"), ["1|2"]);
}

#[test]
fn keys_of_the_job_name_plain_columns() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,order id\n1,b\n2,a\n");
    workspace.write(
        "job.toml",
        "source.inputs = [\"in.csv\"]\ntargets = [{ url = \"out/\" }]\n\
         output.column_names = \"plain\"\noutput.partition_by = [\"order_id\"]\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert_eq!(rows(&workspace, "out", "id, order_id"), ["1|b", "2|a"]);
    // The same names again are the same run.
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["nothing to do"]);
}

#[test]
fn a_name_with_nul_is_refused_as_a_value_is() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,a\0b\n1,2\n");
    workspace.write("schema.json", r#"{"fields": [{"name": "id"}, {"name": "ab", "sourceName": "ab"}]}"#);
    for flags in [&[][..], &["--all-text"], &["--schema", "schema.json", "--header"]] {
        let run = workspace.sawmill(["convert", "in.csv", "-o", "o.parquet"].iter().chain(flags)).run();
        let _ = run.exits_with(3).says(&["the text contains a NUL byte", "column names cannot contain NUL"]);
    }
    workspace.write("nul.json", r#"{"fields": [{"name": "id"}, {"name": "a\u0000b"}]}"#);
    let run = workspace.sawmill(["convert", "in.csv", "-o", "o.parquet", "--schema", "nul.json"]).run();
    let _ = run.exits_with(2).says(&["contains a NUL", "fields[1].name"]);
}

#[test]
fn a_partition_value_that_no_directory_holds_is_an_error_with_its_place() {
    let workspace = Workspace::new();
    let long = "é".repeat(127);
    workspace.write("in.csv", format!("id,k\n1,short\n2,{}\n3,{long}\n", &long[..252]));
    let job = |rest: &str| {
        let _ = std::fs::remove_dir_all(workspace.path("out"));
        workspace.write(
            "job.toml",
            format!(
                "source.inputs = [\"in.csv\"]\ntargets = [{{ url = \"out/\" }}]\n\
                 output.partition_by = [\"k\"]\n{rest}\n"
            ),
        );
        workspace.sawmill(["run", "job.toml"]).run()
    };
    let place = &["line 4", "record 3", "column \"k\"", "éé", "256 bytes", "255"];
    let _ = job("").exits_with(3).says(place).helps();
    workspace.assert_untouched("out");
    // Rows that wait for others are found, too.
    let _ = job("transforms = [{ deduplicate = { key = [\"id\"], keep = \"last\" } }]")
        .exits_with(3)
        .says(&["column \"k\""]);
    // The advice, to the letter.
    let _ = job("transforms = [{ derive = { k = \"left(k, 50)\" } }]").succeeds();
    assert_eq!(rows(&workspace, "out", "id"), ["1", "2", "3"]);
    let _ = workspace
        .sawmill(["convert", "in.csv", "-o", "c/", "--partition-by", "k"])
        .run()
        .exits_with(3)
        .says(&["--partition-by"]);
}
