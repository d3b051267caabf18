//! The first line `sep=;` of files that spreadsheets wrote.

use crate::harness::{Workspace, readback};

#[track_caller]
fn rows(workspace: &Workspace, name: &str) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    let line = |row: Vec<Option<String>>| row.into_iter().map(text).collect::<Vec<_>>().join("|");
    let rows = readback::query(&workspace.path(name), "SELECT COLUMNS(*)::VARCHAR FROM t ORDER BY ALL");
    rows.into_iter().map(line).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// By `convert`, and by `run` with what `infer` wrote, in small ranges.
#[test]
fn a_line_that_names_the_delimiter_is_understood() {
    let quoted = "\"sep=;\"\r\n\"a,x\";b\r\n1,5;2\r\n";
    for (bytes, expected) in [
        (b"sep=;\na,x;b\n1,5;2\n".to_vec(), "1,5|2"),
        (b"SEP=;\r\na,x;b\r\n1,5;2\r\n".to_vec(), "1,5|2"),
        (b"\xef\xbb\xbfsep=;\na,x;b\n1,5;2\n".to_vec(), "1,5|2"),
        (quoted.as_bytes().to_vec(), "1,5|2"),
        (utf16(quoted), "1,5|2"),
        (b"sep=\t\na\tb\n1;2\tx\n".to_vec(), "1;2|x"),
        (b"sep=\\t\na\tb\n1;2\tx\n".to_vec(), "1;2|x"),
        (b"sep=,\ra,b\r1;2,x\r".to_vec(), "1;2|x"),
    ] {
        let workspace = Workspace::new();
        workspace.write("in.csv", &bytes);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let run = workspace.sawmill(["convert", "in.csv", "-o", "o.parquet", "--all-text"]).run().succeeds();
        let _ = run.says(&[
            "names the delimiter",
            "--no-separator-line",
            "skipped   1 record before the data, on line 1",
        ]);
        assert_eq!(rows(&workspace, "o.parquet"), [expected], "{shown:?}");
        let infer = ["infer", "in.csv", "-o", "schema.json"];
        let _ = workspace.sawmill(infer).run().succeeds().says(&["names the delimiter"]);
        let job = "schema = \"schema.json\"\nsource.inputs = [\"in.csv\"]\ntargets = [{ url = \"out/\" }]\n";
        workspace.write("job.toml", job);
        let _ = workspace.sawmill(["check", "job.toml"]).run().succeeds();
        let plan = ["plan", "job.toml", "--split-bytes", "4", "-o", "plan.json"];
        let _ = workspace.sawmill(plan).run().succeeds();
        let _ = workspace.sawmill(["task", "plan.json", "--task", "0", "-o", "task-0.json"]).run().succeeds();
        let _ = workspace.sawmill(["commit", "plan.json", "task-0.json"]).run().succeeds();
        assert_eq!(
            readback::query(&workspace.path("out"), "SELECT count(*) FROM t"),
            [[Some("1".to_owned())]]
        );
    }
}

#[test]
fn each_input_may_have_it_and_places_are_those_of_the_file() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "a;b\n1;2\n");
    workspace.write("in/b.csv", "sep=;\na;b\n3;4\n");
    let arguments = ["convert", "in/*.csv", "-o", "o.parquet"];
    let report = workspace.sawmill(arguments.iter().chain(&["--json"])).run().succeeds().json();
    assert_eq!(rows(&workspace, "o.parquet"), ["1|2", "3|4"]);
    let second = &report["inputs"][1];
    assert_eq!((&second["read"], &second["not_data"]["skipped"]["count"]), (&1.into(), &1.into()));
    assert_eq!(second["not_data"]["skipped"]["bytes"], 6);
    workspace.write("s.json", r#"{"fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}"#);
    workspace.write("in/b.csv", "sep=;\na;b\n3;4\nx;5\n");
    let run = workspace.sawmill(["convert", "in/b.csv", "-o", "x.parquet", "--schema", "s.json"]).run();
    let _ = run.exits_with(3).says(&["line 4, record 2", "\"x\" is not a valid"]);
}

#[test]
fn what_is_given_wins() {
    let workspace = Workspace::new();
    let convert = |text: &str, flags: &[&str]| {
        workspace.write("in.csv", text);
        let arguments = ["convert", "in.csv", "-o", "o.parquet", "--overwrite"];
        workspace.sawmill(arguments.iter().chain(flags)).run()
    };
    // Another delimiter, with the line and without.
    let comma = ["--delimiter", ","];
    let run = convert("sep=;\na,b\n1,2\n", &comma).succeeds();
    let _ = run.says(&["\"sep=;\", names the delimiter, but \",\" is given"]);
    assert_eq!(rows(&workspace, "o.parquet"), ["1|2"]);
    let job = "source.inputs = [\"in.csv\"]\nschema.fields = [{ name = \"a\" }, { name = \"b\" }]\n\
               dialect = { delimiter = \",\", lineTerminator = \"\\n\" }\ntargets = [{ url = \"out/\" }]\n";
    workspace.write("job.toml", job);
    let run = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let _ = run.says(&["begins with \"sep=;\", but the delimiter \",\" is given"]);
    assert_eq!(rows(&workspace, "out"), ["1|2"]);
    // A record it is where that is said, or skipped records count it, or a schema names it.
    let _ = convert("sep=;\na;b\n1;2\n", &["--skip-records", "1", "-d", ";"]).succeeds();
    assert_eq!(rows(&workspace, "o.parquet"), ["1|2"]);
    let _ = convert("sep=;\nabc\n", &["--no-separator-line", "--no-header", "-d", "|"]).succeeds();
    assert_eq!(rows(&workspace, "o.parquet"), ["abc", "sep=;"]);
    workspace.write("s.json", r#"{"fields": [{"name": "sep=;"}]}"#);
    let _ = convert("sep=;\nabc\n", &["--schema", "s.json", "-d", "|"]).succeeds();
    assert_eq!(rows(&workspace, "o.parquet"), ["abc"]);
}
