//! Bad values and records: policies, the quarantine, budgets, and the account.

use crate::harness::Workspace;
use crate::harness::readback;

const SCHEMA: &str = r#"{ "fields": [
    { "name": "id", "type": "int32", "constraints": { "required": true } },
    { "name": "name", "type": "string" },
    { "name": "price", "type": "decimal(7,2)" }
] }"#;

/// Line 3 has a bad id, 4 none, 5 too few fields, 6 too many, 7 a bad price, 8
/// a stray quote.
const DIRTY: &str = "id,name,price\n1,one,1.00\nx,two,2.00\n,three,3.00\n4,four\n5,five,5.00,V\n\
                     6,six,dear\n7,se\"ven,7.00\n8,eight,8.00\n";

/// A job over `in/*.csv` with two local targets; `rest` is the end of it.
fn job(workspace: &Workspace, rest: &str) {
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        format!(
            "schema = \"schema.json\"\nsource.inputs = [\"in/*.csv\"]\n\
             targets = [{{ url = \"one/\" }}, {{ url = \"other/\" }}]\n{rest}\n"
        ),
    );
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn rejects_are_kept_with_their_place_in_every_target() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,name,price\n100,hundred,1.00\n");
    workspace.write("in/b.csv", DIRTY);
    job(&workspace, "errors = { bad_value = \"reject\", bad_record = \"reject\" }");
    let report = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().json();
    let records = |of: &serde_json::Value, key: &str| of[key].as_u64().unwrap();
    let totals = &report["totals"];
    assert_eq!((records(totals, "read"), records(totals, "written"), records(totals, "rejected")), (9, 3, 6));
    let second = &report["inputs"][1];
    assert_eq!((records(second, "read"), records(second, "rejected")), (8, 6));

    let name = |target: &str| {
        let files = workspace.files(target);
        files.into_iter().find(|name| name.starts_with("_sawmill/quarantine/_rejects=")).unwrap()
    };
    let quarantine = workspace.path("one").join(name("one"));
    let rows = readback::query(
        &quarantine,
        "SELECT line, record, \"column\", rule, decode(raw), parse_filename(source), byte_offset FROM t ORDER BY line",
    );
    let row = |line: &str, record: &str, column: Option<&str>, rule: &str, raw: &str, offset: &str| {
        let column = column.map(str::to_owned);
        vec![text(line), text(record), column, text(rule), text(raw), text("b.csv"), text(offset)]
    };
    let offset = |field: &str| DIRTY.find(field).unwrap().to_string();
    let expected = [
        row("3", "2", Some("id"), "type", "x,two,2.00", &offset("x,two")),
        row("4", "3", Some("id"), "required", ",three,3.00", &offset(",three")),
        row("5", "4", None, "ragged", "4,four", &offset("4,four")),
        row("6", "5", None, "ragged", "5,five,5.00,V", &offset("5,five")),
        row("7", "6", Some("price"), "type", "6,six,dear", &offset("dear")),
        row("8", "7", None, "quote", "7,se\"ven,7.00", &offset("\"ven")),
    ];
    assert_eq!(rows, expected);

    let table = readback::query(&workspace.path("other"), "SELECT id, name, price FROM t ORDER BY id");
    let ids: Vec<_> = table.iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(ids, ["1", "8", "100"]);
    let read = |target: &str| std::fs::read(workspace.path(target).join(name(target))).unwrap();
    assert_eq!((name("one"), read("one")), (name("other"), read("other")));
    assert_eq!(report["quarantine"][0]["rows"], 6);
}

/// More text than a wave takes, so that the budget is looked at in between.
#[test]
fn a_small_budget_of_memory_leaves_the_quarantine_one_file() {
    let workspace = Workspace::new();
    let record = |n: u64| format!("x{:016x},{n},1.00\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    workspace.write("in/a.csv", format!("id,name,price\n{}", (0..400_000).map(record).collect::<String>()));
    let rest =
        "errors = { bad_value = \"reject\", all_rejected = \"allow\" }\nengine.open_files_bytes = 1000000";
    job(&workspace, rest);
    let report = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().json();
    let quarantine = report["quarantine"].as_array().unwrap();
    assert_eq!((quarantine.len(), &quarantine[0]["rows"]), (1, &400_000.into()));
}

#[test]
fn a_person_is_told_what_was_wrong() {
    let workspace = Workspace::new();
    workspace.write("in/b.csv", DIRTY);
    job(
        &workspace,
        "errors = { bad_value = \"reject\", bad_record = \"reject\", columns = { price = \"null\" } }",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&[
        "8 read = 3 written + 0 filtered + 5 rejected + 0 deduplicated",
        "1 × type in \"id\": \"x\" is not a valid int32",
        "b.csv: line 3, record 2, column \"id\"",
        "2 × ragged: the record has 2 fields where 3 are expected",
        "nulled    1 bad value of \"price\"",
        "_sawmill/quarantine/_rejects=00000-",
    ]);
}

#[test]
fn lenient_policies_pad_truncate_and_null() {
    let workspace = Workspace::new();
    workspace.write("in/b.csv", DIRTY);
    let rest = "errors = { bad_value = \"null\", bad_record = \"reject\", short_record = \"pad\", \
                long_record = \"truncate\", quarantine = false }";
    job(&workspace, rest);
    let report = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().json();
    assert_eq!(report["findings"]["nulled"]["price"], 1);
    assert_eq!((&report["findings"]["padded"], &report["findings"]["truncated"]), (&1.into(), &1.into()));
    let rows = readback::query(&workspace.path("one"), "SELECT id, price FROM t ORDER BY id");
    let expected = [
        [text("1"), text("1.00")],
        [text("4"), None],
        [text("5"), text("5.00")],
        [text("6"), None],
        [text("8"), text("8.00")],
    ];
    assert_eq!(rows, expected);
    assert!(!workspace.files("one").iter().any(|name| name.contains("quarantine")), "it was switched off");
}

#[test]
fn budgets_fail_the_run_and_say_why() {
    for (budget, says) in [
        ("max_rejected = 5", "6 of 9 records were rejected, more than `errors.max_rejected = 5`"),
        ("max_rejected_share = 0.5", "more than `errors.max_rejected_share = 0.5`"),
        (
            "max_rejected_per_input = 1",
            "b.csv: 6 of 8 records were rejected, more than `errors.max_rejected_per_input = 1`",
        ),
        ("max_rejected_share_per_input = 0.7", "6 of 8 records were rejected"),
        ("min_rows = 4", "`errors.min_rows = 4` allows: read 9 = written 3"),
        ("max_rows = 2", "`errors.max_rows = 2` allows: read 9 = written 3"),
    ] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", "id,name,price\n100,hundred,1.00\n");
        workspace.write("in/b.csv", DIRTY);
        job(&workspace, &format!("errors = {{ bad_value = \"reject\", bad_record = \"reject\", {budget} }}"));
        let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&[says]).helps();
        workspace.assert_untouched("one");
        workspace.assert_untouched("other");
    }
}

#[test]
fn budgets_hold_over_tasks_of_several_processes() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", DIRTY);
    workspace.write("in/b.csv", DIRTY);
    job(&workspace, "errors = { bad_value = \"reject\", bad_record = \"reject\", max_rejected = 11 }");
    let _ = workspace.sawmill(["plan", "job.toml", "--tasks", "2", "-o", "plan.json"]).run().succeeds();
    for task in ["0", "1"] {
        let report = format!("report-{task}.json");
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", &report]).run().succeeds();
    }
    let _ = workspace
        .sawmill(["commit", "plan.json", "report-0.json", "report-1.json"])
        .run()
        .exits_with(3)
        .says(&["12 of 16 records were rejected, more than `errors.max_rejected = 11`"]);
    assert!(workspace.visible("one").is_empty());
}

#[test]
fn policies_name_columns_that_are_there() {
    let workspace = Workspace::new();
    workspace.write("in/b.csv", DIRTY);
    job(&workspace, "errors.columns = { prise = \"null\" }");
    let _ = workspace
        .sawmill(["run", "job.toml"])
        .run()
        .exits_with(2)
        .says(&["errors.columns.prise", "did you mean `price`?"]);
}

#[test]
fn every_unique_key_counts_by_itself() {
    let workspace = Workspace::new();
    // The second record repeats an id, the fourth an e-mail; the `b` of the
    // rejected second does not count against the fifth.
    workspace.write("in/a.csv", "id,email\n1,a\n1,b\n2,c\n3,c\n4,b\n5,d\n");
    workspace.write(
        "job.toml",
        "source.inputs = [\"in/*.csv\"]\ntargets = [{ url = \"one/\" }]\nerrors.bad_value = \"reject\"\n\
         schema.fields = [{ name = \"id\", type = \"int32\", constraints.unique = true },\n\
                          { name = \"email\", constraints.unique = true }]\n",
    );
    let report = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().json();
    assert_eq!((&report["totals"]["written"], &report["totals"]["rejected"]), (&4.into(), &2.into()));
    let ids = readback::query(&workspace.path("one"), "SELECT id FROM t ORDER BY id");
    assert_eq!(ids, [[text("1")], [text("2")], [text("4")], [text("5")]]);
    let key = report["quarantine"][0]["key"].as_str().unwrap();
    let rows = readback::query(
        &workspace.path("one").join(key),
        "SELECT record, \"column\", rule, decode(raw) FROM t ORDER BY record",
    );
    let row =
        |record: &str, column: &str, raw: &str| vec![text(record), text(column), text("unique"), text(raw)];
    assert_eq!(rows, [row("2", "id", "1,b"), row("4", "email", "3,c")]);
}

#[test]
fn keys_are_compared_in_one_task() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,name,price\n1,a,1.00\n");
    workspace.write("in/b.csv", "id,name,price\n1,a,1.00\n");
    job(&workspace, "transforms = [{ deduplicate = { key = [\"id\"] } }]");
    let _ = workspace
        .sawmill(["plan", "job.toml", "--tasks", "2", "-o", "plan.json"])
        .run()
        .exits_with(2)
        .says(&["the key (id) is compared over all records"])
        .helps();
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["1 written", "1 deduplicated"]);
}

#[test]
fn tasks_have_the_salt_of_the_plan() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,name,price\n1,a,1.00\n");
    job(&workspace, "transforms = [{ hash = { columns = [\"name\"], salt_env = \"SALT\" } }]");
    let plan = |salt| workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).env("SALT", salt).run();
    let _ = plan("one salt").succeeds();
    let task = |salt| workspace.sawmill(["task", "plan.json", "-o", "report.json"]).env("SALT", salt).run();
    let _ = task("another").exits_with(2).says(&["SALT"]).helps();
    let _ = task("one salt").succeeds();
    assert!(!std::fs::read_to_string(workspace.path("plan.json")).unwrap().contains("one salt"));
}

#[test]
fn values_can_be_kept_out_of_the_quarantine() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,name,price\n1,a,secret-1\n2,b,2.00\n");
    job(&workspace, "errors = { bad_value = \"reject\", quarantine_values = false }");
    let run = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds();
    let report = run.json();
    let key = report["quarantine"][0]["key"].as_str().unwrap();
    let rows = readback::query(&workspace.path("one").join(key), "SELECT line, raw IS NULL, message FROM t");
    assert_eq!(rows, [[text("2"), text("True"), text("\"…\" is not a valid decimal(7,2)")]]);
    for file in workspace.files("one") {
        let content = std::fs::read(workspace.path("one").join(&file)).unwrap();
        assert!(!content.windows(8).any(|part| part == b"secret-1"), "a value stands in {file}");
    }
}

#[test]
fn convert_has_policies_by_flag() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,day\n1,a\nx,b\n3,\"c\"d\n4,e\n");
    workspace.write(
        "s.json",
        r#"{"fields": [{"name": "id", "type": "integer"}, {"name": "day", "type": "string"}]}"#,
    );
    let convert = |output: &str, flags: &[&str]| {
        let arguments = ["convert", "in.csv", "-o", output, "--schema", "s.json"];
        workspace.sawmill(arguments.iter().chain(flags)).run()
    };
    let reject = ["--on-bad-value", "reject", "--on-bad-record", "reject"];
    let _ = convert("one.parquet", &reject).succeeds().says(&["2 rejected", "line 3, record 2"]);
    let _ = convert("table", &["--on-bad-value", "null", "--on-bad-record", "reject"]).succeeds();
    assert!(workspace.files("table").iter().any(|file| file.starts_with("_sawmill/quarantine/")));
    let few = [&reject[..], &["--max-rejected", "1"]].concat();
    let _ = convert("few.parquet", &few).exits_with(3).says(&["more than --max-rejected 1 allows"]).helps();
    let _ = convert("none.parquet", &["--on-bad-value", "ignore"]).exits_with(2).says(&["`null`"]);
}

/// A policy to reject is for some records: an input of which nothing is left is not what the job
/// takes it for.
#[test]
fn an_input_that_is_rejected_whole_fails_the_run() {
    let reject = "errors = { bad_value = \"reject\", bad_record = \"reject\"";
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,name,price\n100,hundred,1.00\nx,x,1.00\n");
    workspace.write("in/b.csv", "id,name,price\n\nx,two,2.00\ny,three,3.00\n4,four\n");
    job(&workspace, &format!("{reject} }}"));
    let all =
        ["nothing is left of the input, as all its 3 records were rejected", "\"x\" is not a valid int32"];
    let run = workspace.sawmill(["run", "job.toml"]).run();
    let _ = run.exits_with(3).says(&all).says(&["b.csv: line 3, record 1, column \"id\""]).helps();
    workspace.assert_untouched("one");
    workspace.assert_untouched("other");
    // The place is that of the input, whichever input or task broke the same rule first.
    let _ = workspace.sawmill(["plan", "job.toml", "--tasks", "2", "-o", "plan.json"]).run().succeeds();
    for task in ["0", "1"] {
        let report = format!("task-{task}.json");
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", &report]).run().succeeds();
    }
    let commit = workspace.sawmill(["commit", "plan.json", "task-0.json", "task-1.json"]).run();
    let _ = commit.exits_with(3).says(&all).says(&["b.csv: line 3, record 1"]).helps();

    let clear = || ["one", "other"].map(|target| std::fs::remove_dir_all(workspace.path(target)).unwrap());
    for allowed in ["all_rejected = \"allow\"", "max_rejected = 4", "max_rejected_share_per_input = 1.0"] {
        clear();
        job(&workspace, &format!("{reject}, {allowed} }}"));
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["1 written", "4 rejected"]);
    }
    clear();
    // What a filter leaves out was not rejected.
    job(&workspace, &format!("{reject} }}\ntransforms = [{{ filter = \"id > 100\" }}]"));
    workspace.write("in/b.csv", "id,name,price\nx,two,2.00\n4,four,1.00\n");
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
}

#[test]
fn convert_names_the_flag_that_lets_all_be_rejected() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\n1\n");
    for output in ["one.parquet", "table"] {
        let arguments =
            ["convert", "in.csv", "-o", output, "--schema", "s.json", "--on-bad-record", "reject"];
        workspace.write("s.json", r#"{"fields": [{"name": "a"}, {"name": "b"}]}"#);
        let failed = workspace.sawmill(arguments).run();
        let says =
            ["its only record was rejected; the first here: the record has 1 field", "line 2, record 1"];
        let _ = failed.exits_with(3).says(&says).says(&["--allow-all-rejected"]).helps();
        assert!(!workspace.path(output).join("_SUCCESS").exists() && !workspace.path(output).is_file());
        let allowed = [&arguments[..], &["--allow-all-rejected"]].concat();
        let _ = workspace.sawmill(allowed).run().succeeds().says(&["1 rejected"]);
    }
}
