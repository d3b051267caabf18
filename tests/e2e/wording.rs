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
    // Of a quoted field, too, that its own limit would let pass.
    Case {
        text: "a,b\n1,\"a long text\"\n",
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
        says: "a quote where",
        names: ("--keep-stray-quotes", "`dialect.strayQuotes = \"keep\"`"),
        followed: (&["--keep-stray-quotes"], "dialect.strayQuotes = \"keep\"\n"),
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
    let _ = run.says(&["as columns, use --path-column 'p q'"]);
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

/// A type that was inferred is said to be, and each way out works as it is written.
#[test]
fn a_value_beyond_the_samples_tells_where_its_type_is_from() {
    let workspace = Workspace::new();
    let mut text = String::from("a b,w\n");
    for record in 0..150_000 {
        let value = if record == 30_000 { "n/k".to_owned() } else { record.to_string() };
        text.push_str(&format!("{value},{}\n", "x".repeat(30)));
    }
    workspace.write("in.csv", &text);
    let run = convert(&workspace, &[]).exits_with(3).says(&["line 30002", "\"n/k\" is not a valid int64"]);
    let run = run.says(&["inferred from samples", "--type 'a b=string', or --all-text for all columns"]);
    let run =
        run.says(&["`sawmill infer --full -o schema.json`", "give --schema schema.json;", "in --null if"]);
    assert!(!run.stderr.contains("`type"), "{run}");
    let run = job(&workspace, "").exits_with(3);
    let run = run.says(&[
        "inferred from samples",
        "`type = \"string\"` in a schema, or",
        "`schema = \"schema.json\"`",
    ]);
    assert!(!run.stderr.contains("--type") && !run.stderr.contains("--all-text"), "{run}");
    let full = ["infer", "--full", "-o", "schema.json", "in.csv", "--header", "--delimiter", ","];
    let _ = workspace.sawmill(full).run().succeeds();
    for flags in
        [&["--type", "a b=string"][..], &["--all-text"], &["--schema", "schema.json"], &["--null", "n/k"]]
    {
        let _ = convert(&workspace, &[flags, &["--overwrite"]].concat()).succeeds();
    }
    let _ = job(&workspace, "schema = \"schema.json\"\n").succeeds();
    // What was given is not called inferred.
    let given = convert(&workspace, &["--type", "a b=int64", "--overwrite"]).exits_with(3);
    assert!(
        !given.stderr.contains("inferred from") && given.stderr.contains("--on-bad-value reject"),
        "{given}"
    );
}

/// The limit that was hit is the one that is named.
#[test]
fn a_record_that_is_longer_than_the_sample() {
    let workspace = Workspace::new();
    workspace.write("in.csv", format!("{},b\n1,2\n", "a".repeat(2_200_000)));
    let run = convert(&workspace, &[]).exits_with(3);
    let run = run.says(&["the first 1,048,576 bytes of the input", "no complete header", "--schema"]);
    assert!(!run.stderr.contains("ends before"), "{run}");
    workspace.write("in.csv", format!("{},b\n1,2\n", "a".repeat(2_200_000)));
    let run = workspace
        .sawmill(["convert", "in.csv", "-o", "out.parquet", "--no-header", "--delimiter", ","])
        .run()
        .exits_with(3);
    let _ = run.says(&["no complete record", "describe the columns in a --schema"]);
    workspace
        .write("s.json", r#"{"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]}"#);
    let flags = ["--no-header", "--delimiter", ",", "--schema", "s.json"];
    let _ =
        workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"].iter().chain(&flags)).run().succeeds();
    assert_eq!(rows(&workspace, "out.parquet").len(), 2);
    workspace.write("in.csv", format!("a,b\n1,{}\n", "x".repeat(9 << 20)));
    let text = ["--overwrite", "--all-text"];
    let run = convert(&workspace, &text)
        .exits_with(3)
        .says(&["limit of 8,388,608 bytes", "raise --max-field-bytes"]);
    assert!(!run.stderr.contains("--max-record-bytes"), "{run}");
    let _ = convert(&workspace, &[&text[..], &["--max-field-bytes", "10000000"]].concat()).succeeds();
    let run = convert(&workspace, &[&text[..], &["--max-record-bytes", "2000000"]].concat()).exits_with(3);
    let _ = run.says(&["limit of 2,000,000 bytes", "raise --max-record-bytes"]);
}

/// Nobody reads a name of a kilobyte.
#[test]
fn long_names_and_values_are_cut() {
    let long = |letter: &str| letter.repeat(300);
    let cut = |letter: &str| format!("\"{}…\"", letter.repeat(100));
    let workspace = Workspace::new();
    let fields = format!(r#"{{"fields": [{{"name": "{}", "type": "integer"}}]}}"#, long("n"));
    workspace.write("s.json", fields);
    for (text, says) in [
        (format!("{}\n1\n", long("m")), vec!["has no column", "it has"]),
        (format!("{0},{1}\n1,1\n", long("n"), long("m")), vec!["does not know"]),
        (format!("{0},{0}\n1,1\n", long("n")), vec!["duplicate column"]),
        (format!("{}\n{}\n", long("n"), long("v")), vec!["column \"n", "is not a valid int64"]),
    ] {
        workspace.write("in.csv", text);
        let run = convert(&workspace, &["--schema", "s.json"]).exits_with(3).says(&says);
        let error = run.stderr.split("error: ").nth(1).expect("an error");
        let is_cut = ["n", "m", "v"].iter().any(|letter| error.contains(&cut(letter)));
        assert!(is_cut && ["n", "m", "v"].iter().all(|letter| !error.contains(&letter.repeat(101))), "{run}");
    }
}
