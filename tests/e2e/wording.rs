//! Messages name settings as the command has them: flags for `convert` and `infer`, keys for
//! commands that take a job file; and what they advise works as it is written.

use crate::harness::{Run, Workspace, readback};

/// Text of `in.csv`; flags of `convert` and the same in a job; what both say; flag and key that the
/// help names; flags and job in which they are followed, and the rows that come out.
struct Case<'a> {
    text: &'a str,
    settings: (&'a [&'a str], &'a str),
    says: &'a str,
    names: (&'a str, &'a str),
    followed: (&'a [&'a str], &'a str),
    rows: &'a [&'a str],
}

const CASES: &[Case<'_>] = &[
    Case {
        text: "a,b\n1,a long text\n",
        settings: (&["--max-field-bytes", "5"], "dialect.maxFieldBytes = 5\n"),
        says: "larger than the limit of 5 bytes",
        names: ("--max-field-bytes", "`dialect.maxFieldBytes`"),
        followed: (&["--max-field-bytes", "50"], "dialect.maxFieldBytes = 50\n"),
        rows: &["1|a long text"],
    },
    Case {
        text: "a,b\n1,a long text\n",
        settings: (&["--max-record-bytes", "8"], "dialect.maxRecordBytes = 8\n"),
        says: "larger than the limit of 8 bytes",
        names: ("--max-record-bytes", "`dialect.maxRecordBytes`"),
        followed: (&["--max-record-bytes", "50"], "dialect.maxRecordBytes = 50\n"),
        rows: &["1|a long text"],
    },
    Case {
        text: "a,b\n1,x\n2,y,z\n3,z\n4,u\n",
        settings: (&[], ""),
        says: "3 fields where 2",
        names: ("--on-bad-record reject", "`errors.bad_record = \"reject\"`"),
        followed: (&["--on-bad-record", "reject"], "errors.bad_record = \"reject\"\n"),
        rows: &["1|x", "3|z", "4|u"],
    },
    Case {
        text: "a,b\n1,x\n2,y,z\n3,z\n4,u\n",
        settings: (&[], ""),
        says: "3 fields where 2",
        names: ("--on-long-record truncate", "`errors.long_record = \"truncate\"`"),
        followed: (&["--on-long-record", "truncate"], "errors.long_record = \"truncate\"\n"),
        rows: &["1|x", "2|y", "3|z", "4|u"],
    },
    Case {
        text: "a,b\n1,x\n2\n3,z\n4,u\n",
        settings: (&[], ""),
        says: "1 field where 2",
        names: ("--on-short-record pad", "`errors.short_record = \"pad\"`"),
        followed: (&["--on-short-record", "pad"], "errors.short_record = \"pad\"\n"),
        rows: &["1|x", "2|NULL", "3|z", "4|u"],
    },
    Case {
        text: "a,b\n1,x \"y\"\n",
        settings: (&["--quote", "\""], "dialect.quoteChar = '\"'\n"),
        says: "a quote stands",
        names: ("--no-quote", "`dialect.quoteChar = \"\"`"),
        followed: (&["--no-quote"], "dialect.quoteChar = \"\"\n"),
        rows: &["1|x \"y\""],
    },
    Case {
        text: "a,b\n",
        settings: (&[], ""),
        says: "no records",
        names: ("--allow-empty", "`source.empty_input = \"allow\"`"),
        followed: (&["--allow-empty"], "source.empty_input = \"allow\"\n"),
        rows: &[],
    },
];

fn rows(workspace: &Workspace, table: &str) -> Vec<String> {
    let joined = |row: Vec<Option<String>>| {
        row.into_iter().map(|value| value.unwrap_or("NULL".into())).collect::<Vec<_>>().join("|")
    };
    readback::query(&workspace.path(table), "SELECT * FROM t").into_iter().map(joined).collect()
}

fn convert(workspace: &Workspace, flags: &[&str]) -> Run {
    let fixed = ["convert", "in.csv", "-o", "out.parquet", "--header", "--delimiter", ","];
    workspace.sawmill(fixed.iter().chain(flags)).run()
}

fn job(workspace: &Workspace, settings: &str) -> Run {
    let fixed = "dialect.header = true\ndialect.delimiter = \",\"\nsource.inputs = [\"in.csv\"]\n";
    workspace.write("job.toml", format!("{fixed}{settings}targets = [{{ url = \"out/\" }}]\n"));
    workspace.sawmill(["run", "job.toml"]).run()
}

/// The help of a failure.
fn help(run: &Run) -> &str {
    run.stderr.split("help: ").nth(1).unwrap_or_else(|| panic!("no help: {run}"))
}

#[test]
fn each_command_names_what_it_has_and_it_works() {
    for case in CASES {
        let workspace = Workspace::new();
        workspace.write("in.csv", case.text);
        let run = convert(&workspace, case.settings.0).exits_with(3).says(&[case.says]);
        let advice = help(&run);
        assert!(advice.contains(case.names.0), "{run}");
        assert!(
            !advice.contains("dialect.") && !advice.contains("errors.") && !advice.contains("source."),
            "{run}"
        );
        let run = job(&workspace, case.settings.1).exits_with(3).says(&[case.says]);
        let advice = help(&run);
        assert!(advice.contains(case.names.1) && !advice.contains("--"), "{run}");
        let _ = convert(&workspace, case.followed.0).succeeds();
        assert_eq!(rows(&workspace, "out.parquet"), case.rows, "{}", case.names.0);
        let _ = job(&workspace, case.followed.1).succeeds();
        if !case.rows.is_empty() {
            assert_eq!(rows(&workspace, "out"), case.rows, "{}", case.names.1);
        }
    }
}

/// Documents and log lines for programs have the same words.
#[test]
fn programs_read_the_same_names() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\n1,x\n2\n3,-\n");
    let flags = ["--json", "--log-format", "json", "--null", "x"];
    let run = convert(&workspace, &flags).exits_with(3);
    let remedy = run.json()["error"]["remedy"].as_str().expect("a remedy").to_owned();
    assert!(remedy.contains("--on-bad-record reject") && !remedy.contains("errors."), "{remedy}");
    let lines: Vec<serde_json::Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    let text = run.stderr.as_str();
    assert!(told.iter().any(|told| told.contains("--null -")) && !text.contains("missingValues"), "{run}");
    assert!(lines.iter().any(|line| line["help"] == remedy.as_str()), "{run}");
}

/// Notes on what was inferred, too: a job has no flags for types and nulls, but a schema.
#[test]
fn notes_name_what_the_command_has() {
    let workspace = Workspace::new();
    workspace.write("in/p q=1/in.csv", "v,w\n1,a\nv,w\n2,-\n3,c\n");
    workspace.write("in.csv", "v,w\n1,a\nv,w\n2,-\n3,c\n");
    let run = convert(&workspace, &[]).succeeds();
    let _ = run.says(&["--type v=int64 --on-bad-value reject leaves out", "for nulls, --null -"]);
    let run = workspace.sawmill(["infer", "in/"]).run().succeeds();
    let run = run.says(&["--type v=int64 --on-bad-value reject of `convert` leaves out"]);
    let _ = run.says(&["as columns, say --path-column 'p q'"]);
    let run = job(&workspace, "").succeeds();
    assert!(!run.stderr.contains("--"), "{run}");
    let _ = run.says(&[
        "`type = \"int64\"` in a schema and `errors.bad_value = \"reject\"` leaves out",
        "for nulls, `missingValues = [\"-\"]` in a schema",
    ]);
}

/// Mistakes among the flags are placed at the flags.
#[test]
fn mistakes_of_flags_name_flags() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\n1,x\n");
    for command in [&["convert", "in.csv", "-o", "out.parquet"][..], &["infer", "in.csv"]] {
        let run = workspace.sawmill([command, &["--delimiter", ",", "--quote", ","]].concat()).run();
        let _ = run
            .exits_with(2)
            .says(&["the command line: --quote", "help: give --quote and --delimiter different"]);
    }
}
