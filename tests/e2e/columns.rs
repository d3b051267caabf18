//! What further runs may change of the columns, types and partition keys of a table.

mod in_footers;

use crate::harness::python::Helper;
use crate::harness::readback::{self, Table};
use crate::harness::{Run, Workspace};
use serde_json::json;

/// A job that appends `in/${DAY}.csv` to two places; `schema` are fields, or nothing to infer them.
fn job(workspace: &Workspace, schema: &[(&str, &str)], more: &str) {
    let fields = schema.iter().map(|(name, kind)| format!("{{ name = {name:?}, type = {kind:?} }}"));
    let schema = match schema {
        [] => String::new(),
        _ => format!("schema = {{ fields = [{}] }}\n", fields.collect::<Vec<_>>().join(", ")),
    };
    workspace.write(
        "job.toml",
        format!(
            "{schema}source.inputs = [\"in/${{DAY}}.csv\"]\ntargets = [{{ url = \"one/\" }}, {{ url = \"two/\" }}]\n\
             output.mode = \"append\"\n{more}"
        ),
    );
}

fn sawmill(workspace: &Workspace, arguments: &[&str], day: &str) -> Run {
    workspace.sawmill(arguments).env("DAY", day).run()
}

fn run(workspace: &Workspace, day: &str, set: &[&str]) -> Run {
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    sawmill(workspace, &[&["run", "job.toml"], &set[..]].concat(), day)
}

/// The values of both tables, as text.
#[track_caller]
fn assert_rows(workspace: &Workspace, sql: &str, expected: &[&[&str]]) {
    for target in ["one", "two"] {
        let found = readback::query(&workspace.path(target), sql);
        let text = |row: &Vec<Option<String>>| {
            row.iter().map(|value| value.clone().unwrap_or_else(|| "-".into())).collect::<Vec<_>>()
        };
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), expected, "{target}");
        assert!(workspace.staged(target).is_empty());
    }
}

/// What a refused run leaves: nothing.
#[track_caller]
fn refuses(workspace: &Workspace, day: &str, set: &[&str], says: &[&str]) {
    let before = workspace.files("one");
    let _ = run(workspace, day, set).exits_with(5).helps().says(says);
    assert_eq!(workspace.files("one"), before);
}

const FIELDS: [(&str, &str); 3] = [("id", "int32"), ("amount", "int32"), ("name", "string")];

fn three_days() -> Workspace {
    let workspace = Workspace::new();
    for day in 1..=3 {
        workspace.write(&format!("in/{day}.csv"), format!("id,amount,name\n{day},{day}0,n{day}\n"));
    }
    workspace
}

#[test]
fn another_type_is_refused_and_each_way_out_works() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    let text = [FIELDS[0], ("amount", "string"), FIELDS[2]];
    job(&workspace, &text, "");
    let says = [
        "the column \"amount\" is `int32` in the table, and `string` in the job",
        "cast = { amount = \"int32\" }",
    ];
    for verb in ["check", "plan"] {
        let _ = sawmill(&workspace, &[verb, "job.toml"], "2").exits_with(5).helps().says(&says);
    }
    for set in [&[][..], &["output.schema_change=widen"]] {
        refuses(&workspace, "2", set, &says);
    }
    let cast = "transforms=[{ cast = { amount = \"int32\" } }]";
    let _ = run(&workspace, "2", &[cast]).succeeds();
    let wide = [FIELDS[0], ("amount", "int64"), FIELDS[2]];
    job(&workspace, &wide, "");
    refuses(
        &workspace,
        "3",
        &[],
        &["`int32` in the table, and `int64` in the job", "schema_change = \"widen\""],
    );
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", &[&["1", "10"], &["2", "20"]]);
    job(&workspace, &text, "");
    refuses(&workspace, "3", &[], &["`sawmill run --reprocess` with all of its inputs"]);
    let all = ["run", "job.toml", "--reprocess", "--input", "in/1.csv", "--input", "in/2.csv"];
    let _ = sawmill(&workspace, &all, "3").succeeds();
    let _ = run(&workspace, "3", &[]).succeeds();
    let _ = sawmill(&workspace, &["verify", "job.toml", "--deep"], "3").succeeds();
    assert_eq!(Table::of_parquet(&workspace.path("one")).types["amount"], "VARCHAR");
}

#[test]
fn a_type_that_was_widened_stays_so_for_every_later_run() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    let wide = [FIELDS[0], ("amount", "int64"), FIELDS[2]];
    workspace.write("in/2.csv", "id,amount,name\n2,20000000000,n2\n");
    job(&workspace, &wide, "");
    let _ = run(&workspace, "2", &["output.schema_change=widen"]).succeeds();
    // A job that has not heard of it: what it did is done, and what is new is written as the table has it.
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds().says(&["nothing to do"]);
    refuses(&workspace, "3", &[], &["`int64` in the table, and `int32` in the job"]);
    let _ = run(&workspace, "3", &["output.schema_change=widen"]).succeeds();
    let verify = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
    let _ = verify.says(&["1 file written before the table's columns changed", "--reprocess"]);
    // Nothing reads the older file as it stands beside the others but by its own type.
    job(&workspace, &wide, "");
    let all = [
        "run",
        "job.toml",
        "--input",
        "in/1.csv",
        "--input",
        "in/2.csv",
        "--input",
        "in/3.csv",
        "--reprocess",
    ];
    let _ = sawmill(&workspace, &all, "1").succeeds();
    let verify = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
    assert!(!verify.stderr.contains("of before"), "{verify}");
    let expected: &[&[&str]] = &[&["1", "10"], &["2", "20000000000"], &["3", "30"]];
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", expected);
    let seen = readback::arrow(&workspace.path("one"));
    assert_eq!((seen.rows, seen.types["amount"].as_str()), (3, "int64"));
    assert_eq!(Table::of_parquet(&workspace.path("two")).types["amount"], "BIGINT");
}

#[test]
fn other_partition_keys_are_refused_whatever_may_change() {
    let workspace = Workspace::new();
    for day in 1..=2 {
        let row = format!("{day},a,2024-01-0{day},2023-05-0{day}\n");
        workspace.write(&format!("in/{day}.csv"), format!("id,k,sold,sent\n{row}"));
    }
    let fields = [("id", "int32"), ("k", "string"), ("sold", "date"), ("sent", "date")];
    job(
        &workspace,
        &fields,
        "output.partition_by = [\"k\", \"year(sold)\"]\noutput.schema_change = \"widen\"\n",
    );
    let _ = run(&workspace, "1", &[]).succeeds();
    let help = "output.partition_by = [\"k\", \"year(sold)\"]";
    for keys in
        ["[]", "[\"k\"]", "[\"year(sold)\", \"k\"]", "[\"k\", \"year(sent)\"]", "[\"k\", \"month(sold)\"]"]
    {
        let keys = format!("output.partition_by={keys}");
        refuses(&workspace, "2", &[&keys], &["partition keys of the table", help]);
        // Those of other partitions would stay as they are.
        refuses(
            &workspace,
            "2",
            &[&keys, "output.mode=overwrite_partitions"],
            &["partition keys of the table"],
        );
    }
    let as_number = "schema.fields[1].type=int32";
    workspace.write("in/2.csv", "id,k,sold,sent\n2,7,2024-01-02,2023-05-02\n");
    refuses(
        &workspace,
        "2",
        &[as_number],
        &["the partition key \"k\" has values of type `string`", "cast = { k = \"string\" }"],
    );
    let cast = "transforms=[{ cast = { k = \"string\" } }]";
    let _ = run(&workspace, "2", &[as_number, cast]).succeeds();
    let expected: &[&[&str]] = &[&["1", "a", "2024"], &["2", "7", "2024"]];
    assert_rows(&workspace, "SELECT id, k, year FROM t ORDER BY id", expected);
}

#[test]
fn columns_come_by_word_and_go_as_nulls() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    // In another order, and without one.
    workspace.write("in/2.csv", "name,id\nn2,2\n");
    job(&workspace, &[FIELDS[2], FIELDS[0]], "");
    let _ = run(&workspace, "2", &[]).succeeds().says(&["its rows will have nulls there: \"amount\""]);
    let expected: &[&[&str]] = &[&["1", "10", "n1"], &["2", "-", "n2"]];
    assert_rows(&workspace, "SELECT id, amount, name FROM t ORDER BY id", expected);
    assert_eq!(Table::of_parquet(&workspace.path("one")).types["amount"], "INTEGER");
    // With one more.
    workspace.write("in/3.csv", "id,amount,name,paid\n3,30,n3,2024-01-03\n");
    let more = [&FIELDS[..], &[("paid", "date")]].concat();
    job(&workspace, &more, "");
    refuses(
        &workspace,
        "3",
        &[],
        &["columns that the table does not have: \"paid\"", "\"add_columns\"", "drop = [\"paid\"]"],
    );
    let _ = run(&workspace, "3", &["transforms=[{ drop = [\"paid\"] }]"]).succeeds();
    workspace.write("in/4.csv", "id,amount,name,paid\n4,40,n4,2024-01-04\n");
    let _ = run(&workspace, "4", &["output.schema_change=add_columns"]).succeeds();
    // For those that lack it, it is null from now on.
    workspace.write("in/5.csv", "id,amount,name\n5,50,n5\n");
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "5", &[]).succeeds();
    let expected: &[&[&str]] = &[&["3", "-"], &["4", "2024-01-04"], &["5", "-"]];
    for target in ["one", "two"] {
        let files = format!("{}/**/*.parquet", workspace.path(target).display());
        let sql = format!(
            "SELECT id, paid FROM read_parquet('{files}', union_by_name = true) WHERE id > 2 ORDER BY id"
        );
        let found = readback::query(&workspace.path(target), &sql);
        let text = |row: &Vec<Option<String>>| {
            row.iter().map(|v| v.clone().unwrap_or("-".into())).collect::<Vec<_>>()
        };
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), expected);
    }
    let verify = sawmill(&workspace, &["verify", "job.toml", "--deep", "--json"], "1").succeeds();
    assert_eq!(verify.json()["outdated"], 3, "{verify}");
}

#[test]
fn a_column_that_may_have_been_renamed_is_asked_for() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    let renamed = [FIELDS[0], ("total", "int32"), FIELDS[2]];
    workspace.write("in/2.csv", "id,total,name\n2,20,n2\n");
    workspace.write("in/3.csv", "id,total,name\n3,30,n3\n");
    job(&workspace, &renamed, "");
    let says = ["the column \"amount\"", "\"total\"", "renamed", "rename = { total = \"amount\" }"];
    for set in [&[][..], &["output.schema_change=add_columns"], &["output.schema_change=widen"]] {
        refuses(&workspace, "2", set, &says);
    }
    let _ = run(&workspace, "2", &["transforms=[{ rename = { total = \"amount\" } }]"]).succeeds();
    let nulls =
        "transforms=[{ derive = { amount = \"CAST(NULL AS VARCHAR)\" } }, { cast = { amount = \"int32\" } }]";
    let _ = run(&workspace, "3", &[nulls, "output.schema_change=add_columns"]).succeeds();
    let expected: &[&[&str]] = &[&["1", "10"], &["2", "20"], &["3", "-"]];
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", expected);
}

#[test]
fn what_the_table_requires_is_there() {
    let workspace = three_days();
    let required = "schema.fields[1].constraints={ required = true }";
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[required]).succeeds();
    refuses(&workspace, "2", &[], &["\"amount\" has no nulls in the table", "required = true", "widen"]);
    workspace.write("in/3.csv", "id,name\n3,n3\n");
    job(&workspace, &[FIELDS[0], FIELDS[2]], "");
    refuses(&workspace, "3", &[], &["no column \"amount\", which the table requires", "derive"]);
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "2", &["output.schema_change=widen"]).succeeds();
    job(&workspace, &[FIELDS[0], FIELDS[2]], "");
    let _ = run(&workspace, "3", &[]).succeeds();
    let expected: &[&[&str]] = &[&["1", "10"], &["2", "20"], &["3", "-"]];
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", expected);
}

/// What the samples of one input say of a type is a guess.
#[test]
fn inferred_types_are_those_of_the_table() {
    let workspace = Workspace::new();
    workspace.write("in/1.csv", "id,price,zip,day\n1,1.5,01234,mon\n");
    workspace.write("in/2.csv", "id,price,zip,day\n2,7,12345,2\n");
    workspace.write("in/3.csv", "id,price,zip,day\n3,3,1,3\n4,dear,2,3\n");
    let convert = |day: &str, more: &[&str]| {
        let input = format!("in/{day}.csv");
        let arguments = ["convert", &input, "-o", "one", "-o", "two", "--append", "--partition-by", "day"];
        workspace.sawmill(arguments.iter().chain(more)).run()
    };
    let _ = convert("1", &[]).succeeds();
    let _ = convert("2", &[]).succeeds();
    let _ = convert("2", &[]).succeeds().says(&["nothing to do"]);
    let looks = "\"price\" looks like `string` in the samples and is `float64` in the table";
    let _ = convert("3", &[]).exits_with(3).helps().says(&[
        "3.csv",
        "record 2",
        "column \"price\"",
        "dear",
        looks,
    ]);
    let expected: &[&[&str]] = &[&["1", "1.5", "01234", "mon"], &["2", "7.0", "12345", "2"]];
    assert_rows(&workspace, "SELECT id, price, zip, day FROM t ORDER BY id", expected);
    workspace.write("in/4.csv", "id,price,zip,day,extra\n5,8,9,x,1\n");
    let refused = convert("4", &[]).exits_with(5).helps();
    let _ = refused.says(&["columns that the table does not have: \"extra\"", "--schema-change add_columns"]);
    let _ = convert("4", &["--schema-change", "add_columns"]).succeeds();
    let _ = sawmill(&workspace, &["convert", "in/4.csv", "-o", "x", "--schema-change", "widen"], "")
        .exits_with(2);
}

/// Only what is written as it was read takes the type of the table: what a step reads, it reads as before.
#[test]
fn what_a_step_makes_keeps_the_type_of_its_expression() {
    let workspace = Workspace::new();
    workspace.write("in/1.csv", "id,day,price\n1,31/12/2024,1.5\n");
    workspace.write("in/2.csv", "id,day,price\n2,30/12/2024,2\n");
    workspace.write("in/3.csv", "id,day,price\n3,29/12/2024,3\n");
    let steps = "transforms = [{ derive = { day = \"to_date(day, '%d/%m/%Y')\" } }]\n";
    // Declared, or the column would be a date by its format.
    let fields = [("id", "int32"), ("day", "string"), ("price", "number")];
    job(&workspace, &fields, steps);
    let _ = run(&workspace, "1", &[]).succeeds();
    let _ = run(&workspace, "2", &[]).succeeds();
    // Inferred, it is read by its format and needs no step; what is left of the steps stands.
    let net = "transforms=[{ derive = { half = \"price / 2\" } }, { drop = [\"half\"] }]";
    job(&workspace, &[], "");
    let _ = run(&workspace, "3", &[net]).succeeds();
    let expected: &[&[&str]] =
        &[&["1", "2024-12-31", "1.5"], &["2", "2024-12-30", "2.0"], &["3", "2024-12-29", "3.0"]];
    assert_rows(&workspace, "SELECT id, day, price FROM t ORDER BY id", expected);
}

/// Deliveries that differ in ways that are nobody's intention: order, a column, what samples look like.
#[test]
fn every_reader_reads_what_was_added() {
    let workspace = Workspace::new();
    workspace.write("in/1.csv", "id,price,zip,day\n1,1.5,01234,mon\n");
    workspace.write("in/2.csv", "day,zip,price,id\ntue,12345,7,2\n");
    workspace.write("in/3.csv", "id,day,zip\n3,tue,9\n");
    job(&workspace, &[], "output.partition_by = [\"day\"]\n");
    for day in ["1", "2", "3"] {
        let _ = run(&workspace, day, &[]).succeeds();
    }
    let root = workspace.path("one").display().to_string();
    let mut calls = vec![
        format!("pl.scan_parquet({root:?} + '/**/*.parquet', hive_partitioning=True)"),
        format!("ds.dataset({root:?}, partitioning='hive')"),
        format!("pd.read_parquet({root:?})"),
        format!(
            "duckdb.sql(\"SELECT * FROM read_parquet('{root}/**/*.parquet', hive_partitioning = true)\")"
        ),
    ];
    if readback::spark_is_wanted() {
        calls.push(format!("spark.read.parquet({root:?})"));
    }
    let mut readers = Helper::start("readers.py");
    for text in calls {
        assert_eq!(readers.ask("call", json!({ "text": text })), json!(3), "{text}");
    }
}

/// Both are planned before either is decided.
#[test]
fn of_runs_that_overlap_with_different_types_one_gets_in() {
    let workspace = three_days();
    let stage = |name: &str, day: &str, kind: &str, change: &str| {
        job(
            &workspace,
            &[FIELDS[0], ("amount", kind), FIELDS[2]],
            &format!("output.schema_change = {change:?}\n"),
        );
        let _ = sawmill(&workspace, &["plan", "job.toml", "-o", &format!("{name}.json")], day).succeeds();
        let _ = sawmill(&workspace, &["task", &format!("{name}.json")], day).succeeds();
    };
    let commit = |name: &str| sawmill(&workspace, &["commit", &format!("{name}.json")], "");
    let abort = |name: &str| sawmill(&workspace, &["commit", "--abort", &format!("{name}.json")], "");
    stage("new", "1", "int32", "fail");
    stage("other", "2", "string", "widen");
    let _ = commit("new").succeeds();
    let _ = commit("other").exits_with(8).helps().says(&["\"amount\" is `int32` in the table", "run again"]);
    let _ = abort("other").succeeds();
    refuses(&workspace, "2", &[], &["\"amount\" is `int32` in the table"]);
    // One that was right when it was planned.
    stage("narrow", "2", "int32", "widen");
    stage("wide", "3", "int64", "widen");
    let _ = commit("wide").succeeds();
    let _ = commit("narrow").exits_with(8).helps().says(&["\"amount\" is `int64` in the table", "run again"]);
    let _ = abort("narrow").succeeds();
    job(&workspace, &FIELDS, "output.schema_change = \"widen\"\n");
    let _ = run(&workspace, "2", &[]).succeeds();
    let expected: &[&[&str]] = &[&["1", "10"], &["2", "20"], &["3", "30"]];
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", expected);
    let _ = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
}

#[test]
fn a_table_that_is_written_anew_may_have_anything() {
    let workspace = three_days();
    job(&workspace, &FIELDS, "");
    let _ = run(&workspace, "1", &[]).succeeds();
    let other = [FIELDS[0], ("amount", "string")];
    workspace.write("in/2.csv", "id,amount\n2,b\n");
    job(&workspace, &other, "");
    let _ = run(&workspace, "2", &["output.mode=overwrite_partitions"]).succeeds();
    assert_rows(&workspace, "SELECT id, amount FROM t", &[&["2", "b"]]);
    // From here on that is the table.
    workspace.write("in/3.csv", "id,amount\n3,c\n");
    let _ = run(&workspace, "3", &[]).succeeds();
    refuses(&workspace, "1", &["schema.fields[1].type=int32"], &["\"amount\" is `string` in the table"]);
    // And by versions: all of them are replaced, keys and all.
    let keys = "output.partition_by=[\"id\"]";
    let again =
        ["run", "job.toml", "--input", "in/2.csv", "--input", "in/3.csv", "--reprocess", "--set", keys];
    let _ = sawmill(&workspace, &again, "1").succeeds();
    let _ = sawmill(&workspace, &["verify", "job.toml", "--deep"], "1").succeeds();
    assert_rows(&workspace, "SELECT id, amount FROM t ORDER BY id", &[&["2", "b"], &["3", "c"]]);
}
