//! Names of the header that are blank or stand twice, and delimiters at the ends of records.

use crate::harness::{Workspace, readback};

/// The column names of a file or table, and its rows with `|` between values.
#[track_caller]
fn read(workspace: &Workspace, name: &str) -> (String, Vec<String>) {
    let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    let line = |row: Vec<Option<String>>| row.into_iter().map(text).collect::<Vec<_>>().join("|");
    let names =
        readback::query(&workspace.path(name), "SELECT string_agg(column_name, '|') FROM (DESCRIBE FROM t)");
    let rows = readback::query(&workspace.path(name), "SELECT COLUMNS(*)::VARCHAR FROM t ORDER BY ALL");
    (names.into_iter().map(line).collect(), rows.into_iter().map(line).collect())
}

/// A workspace with these inputs, `in/0.csv` and so on.
fn inputs(texts: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    for (number, text) in texts.iter().enumerate() {
        workspace.write(&format!("in/{number}.csv"), text);
    }
    workspace
}

/// What `convert` makes of inputs, in one task and what `infer` writes for a job that `check` and
/// `run` take in small ranges: the same.
#[track_caller]
fn reads(texts: &[&str], flags: &[&str], says: &[&str], names: &str, rows: &[&str]) {
    let workspace = inputs(texts);
    let convert = ["convert", "in/*.csv", "-o", "out.parquet"].iter().chain(flags);
    let _ = workspace.sawmill(convert).run().succeeds().says(says);
    let expected = (names.to_owned(), rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>());
    assert_eq!(read(&workspace, "out.parquet"), expected, "convert {texts:?}");
    for full in [&["--overwrite"][..], &["--overwrite", "--full"]] {
        let infer = ["infer", "in/*.csv", "-o", "schema.json"].iter().chain(flags).chain(full);
        let _ = workspace.sawmill(infer).run().succeeds().says(says);
    }
    let twice = match flags.iter().find(|flag| flag.ends_with("-duplicate-columns")) {
        Some(flag) if flag.starts_with("--first") => "source.duplicate_columns = \"first\"",
        Some(_) => "source.duplicate_columns = \"number\"",
        None => "",
    };
    workspace.write(
        "job.toml",
        format!("schema = \"schema.json\"\nsource.inputs = [\"in/*.csv\"]\n{twice}\ntargets = [{{ url = \"out/\" }}]\noutput.profile = \"standard\"\n"),
    );
    let _ = workspace.sawmill(["check", "job.toml"]).run().succeeds();
    let plan = ["plan", "job.toml", "--split-bytes", "8", "-o", "plan.json"];
    let _ = workspace.sawmill(plan).run().succeeds();
    let _ = workspace.sawmill(["task", "plan.json", "--task", "0", "-o", "task-0.json"]).run().succeeds();
    let _ = workspace.sawmill(["commit", "plan.json", "task-0.json"]).run().succeeds();
    assert_eq!(read(&workspace, "out"), expected, "run {texts:?}");
}

/// `convert` fails with this; then its remedy, instead of the flags, gives the table.
#[track_caller]
fn fails(texts: &[&str], flags: &[&str], says: &[&str], remedy: &[&str], names: &str, rows: &[&str]) {
    let workspace = inputs(texts);
    let convert = ["convert", "in/*.csv", "-o", "out.parquet"];
    let failed = workspace.sawmill(convert.iter().chain(flags)).run().exits_with(3).helps();
    let _ = failed.says(says).says(&[&remedy.join(" ")]);
    assert!(!workspace.path("out.parquet").exists(), "nothing is written");
    let _ = workspace.sawmill(convert.iter().chain(remedy)).run().succeeds();
    let expected = (names.to_owned(), rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>());
    assert_eq!(read(&workspace, "out.parquet"), expected, "{texts:?} {remedy:?}");
}

#[test]
fn a_blank_name_is_one_by_position_where_the_column_has_values() {
    // As pandas writes its index.
    let position =
        ["column \"column_1\" has no name in the header", "called by its position", "--blank-names drop"];
    reads(&[",a,b\n0,x,1.5\n1,y,2.5\n"], &[], &position, "column_1|a|b", &["0|x|1.5", "1|y|2.5"]);
    let quoted = "\"\";\"a\";\"b\"\n\"r1\";1;2\n\"r2\";3;4\n";
    reads(&[quoted], &[], &position, "column_1|a|b", &["r1|1|2", "r2|3|4"]);
    // A name that the header has itself stays that one's.
    reads(&["column_2,,a\n1,2,3\n"], &[], &["column_2_2"], "column_2|column_2_2|a", &["1|2|3"]);
    let workspace = inputs(&[",a\n0,1\n"]);
    let all_text =
        workspace.sawmill(["convert", "in/0.csv", "-o", "o.parquet", "--all-text"]).run().succeeds();
    let _ = all_text.says(&["column \"column_1\" has no name"]);
    assert_eq!(read(&workspace, "o.parquet"), ("column_1|a".to_owned(), vec!["0|1".to_owned()]));
    // A null is something, too.
    reads(&["a,b,\n1,2,\n3,4,NA\n"], &[], &["column \"column_3\""], "a|b|column_3", &["1|2|NULL", "3|4|NA"]);
    // As a name in another input.
    let texts = [",a\n,1\n", "column_1,a\nx,2\n"];
    reads(&texts, &[], &["\"column_1\""], "column_1|a", &["x|2", "NULL|1"]);
}

#[test]
fn a_blank_name_goes_where_the_column_is_empty_throughout() {
    let drop = ["column \"column_3\" has no name in the header", "is left out", "--blank-names position"];
    reads(&["a,b,\n1,2,\n3,4,\n"], &[], &drop, "a|b", &["1|2", "3|4"]);
    reads(&["a;b;\r\n1;2;\"\"\r\n3;4;\r\n"], &[], &drop, "a|b", &["1|2", "3|4"]);
    let middle = ["column \"column_2\"", "is left out"];
    reads(&["a,,b\n1,,2\n3,,4\n"], &[], &middle, "a|b", &["1|2", "3|4"]);
    let keep = ["--blank-names", "position"];
    reads(&["a,b,\n1,2,\n"], &keep, &["called by its position"], "a|b|column_3", &["1|2|NULL"]);
    reads(&["a,b\n1,2\n", "a,b,\n3,4,\n"], &[], &["column_3"], "a|b", &["1|2", "3|4"]);
}

#[test]
fn delimiters_at_the_ends_of_records_only_or_of_the_header_only_are_none() {
    let behind = ["is the empty field behind the last name", "is left out"];
    reads(&["A|B|C\n1|2|3|\n4|5|6|\n"], &[], &behind, "A|B|C", &["1|2|3", "4|5|6"]);
    reads(&["A,B\n1,2,\n"], &[], &behind, "A|B", &["1|2"]);
    let header = ["column \"column_3\" has no name in the header", "no field in its records"];
    reads(&["a,b,\n1,2\n3,4\n"], &[], &header, "a|b", &["1|2", "3|4"]);
    // Each input has its own ends.
    let texts = ["a,b\n1,2\n", "a,b,\n3,4,\n", "b,a\n6,5,\n", "a,b,\n7,8\n"];
    reads(&texts, &[], &["is left out"], "a|b", &["1|2", "3|4", "5|6", "7|8"]);
}

/// The odd record stands behind the first megabyte and before the first window into the rest, where
/// no sample looks.
fn long(header: &str, record: &str, odd: &str) -> String {
    let records = |bytes: usize| format!("{record}\n").repeat(bytes / record.len());
    format!("{header}\n{}{odd}\n{}", records(1_060_000), records(2_000_000))
}

#[test]
fn what_is_left_out_is_never_a_value() {
    let keep = ["--blank-names", "position"];
    let says = ["field 3 has no name in the header and must be empty, but holds \"x\"", "line 3, record 2"];
    let names = "a|b|column_3";
    for text in ["a,b\n1,2,\n3,4,x\n", "a,b,\n1,2,\n3,4,x\n"] {
        fails(&[text], &["--blank-names", "drop"], &says, &keep, names, &["1|2|NULL", "3|4|x"]);
        // What the sample shows is kept.
        reads(&[text], &[], &["so it is called by its position"], names, &["1|2|NULL", "3|4|x"]);
    }
    // Records of an input end alike.
    for text in ["a,b\n1,2,\n3,4\n", "a,b,\n1,2\n3,4,\n", "a,b,\n1,2,\n3,4\n", "a,b\n1,2\n3,4,\n"] {
        let workspace = inputs(&[text]);
        let failed = workspace.sawmill(["convert", "in/*.csv", "-o", "o.parquet", "-d", ","]).run();
        let _ = failed.exits_with(3).says(&["line 3, record 2", "are expected"]).helps();
    }
    // Far behind the sample, in a middle column, and in quotes over lines.
    for (header, record, last) in [
        ("one,,two", "filler of some length,,2", "1,x,2"),
        ("one,two", "filler of some length,2,", "1,2,\"x\ny\""),
    ] {
        let workspace = inputs(&[&long(header, record, last)]);
        let convert = ["convert", "in/*.csv", "-o", "o.parquet", "--all-text"];
        let failed = workspace.sawmill(convert).run().exits_with(3);
        let _ = failed.says(&["has no name in the header and must be empty", "--blank-names position"]);
        let kept = ["--blank-names", "position"];
        let _ = workspace.sawmill(convert.iter().chain(&kept)).run().succeeds();
        let held = readback::query(&workspace.path("o.parquet"), "SELECT count(*) FROM t WHERE one = '1'");
        assert_eq!(held, [[Some("1".to_owned())]]);
    }
}

#[test]
fn a_value_without_a_name_is_a_record_with_too_many_fields() {
    let workspace = inputs(&["a,,b\n1,,2\n3,x,4\n"]);
    let job = |errors: &str| {
        workspace.write(
            "job.toml",
            format!(
                "source.inputs = [\"in/*.csv\"]\nschema.fields = [{{ name = \"a\" }}, {{ name = \"b\" }}]\n\
                 targets = [{{ url = \"out/\" }}]\n{errors}\n"
            ),
        );
        let _ = std::fs::remove_dir_all(workspace.path("out"));
        workspace.sawmill(["run", "job.toml", "--json"]).run()
    };
    let says = [
        "field 2 has no name in the header and must be empty, but holds \"x\"",
        "line 3, record 2",
        "dialect.blankNames = \"position\"",
        "long_record",
    ];
    let _ = job("").exits_with(3).says(&says).helps();
    let report = job("errors.bad_record = \"reject\"").succeeds().json();
    assert_eq!((&report["totals"]["written"], &report["totals"]["rejected"]), (&1.into(), &1.into()));
    assert_eq!(report["findings"]["rejected"][0]["rule"], "ragged");
    let report = job("errors.long_record = \"truncate\"").succeeds().json();
    assert_eq!(report["findings"]["truncated"], 1);
    assert_eq!(read(&workspace, "out").1, ["1|2", "3|4"]);
    let hidden = job("errors = { bad_record = \"reject\", quarantine_values = false }").succeeds().json();
    assert!(!hidden.to_string().contains("\\\"x\\\""), "{hidden}");
}

/// With a schema that somebody declared, by name, by position, and without a header.
#[test]
fn a_schema_decides_which_fields_without_a_name_are_columns() {
    let run = |text: &str, columns: &str, rest: &str| {
        let workspace = inputs(&[text]);
        let fields = columns.split(' ').map(|name| format!("{{ name = \"{name}\" }}")).collect::<Vec<_>>();
        workspace.write(
            "job.toml",
            format!(
                "source.inputs = [\"in/*.csv\"]\nschema.fields = [{}]\ntargets = [{{ url = \"out/\" }}]\n{rest}\n",
                fields.join(", ")
            ),
        );
        let run = workspace.sawmill(["run", "job.toml"]).run();
        (workspace, run)
    };
    let line = "dialect = { delimiter = \",\", lineTerminator = \"\\n\" }";
    let no_header = "dialect = { delimiter = \",\", header = false }";
    for (text, columns, rest, note) in [
        ("a,b,\n1,2,\n", "a b", line, "field 3 without a name in the header is left out"),
        ("a,b\n1,2,\n", "a b", "", "field 3 without a name"),
        ("a,b,\n1,2\n", "b a", "", "the header ends in a delimiter that the records lack"),
        (",a\n1,2\n", "column_1 a", "", "field 1 without a name in the header is called \"column_1\""),
        ("x,y,\n1,2,\n", "a b", "source.match_columns = \"position\"", "field 3 without a name"),
        ("1,2,\n", "a b", no_header, "field 3 without a name"),
    ] {
        let (workspace, run) = run(text, columns, rest);
        let _ = run.succeeds().says(&[note]);
        let rows = read(&workspace, "out").1;
        let expected = if columns == "b a" { "2|1" } else { "1|2" };
        assert_eq!(rows, [expected], "{text:?} {columns}");
    }
    let no_names = "dialect.blankNames = \"fail\"";
    for (text, columns, rest, says) in [
        ("a,b,\n1,2,\n", "a b", no_names, "column 3 of the header has no name"),
        ("a,b\n1,2,\n", "a b", no_names, "3 fields where 2 are expected"),
        ("1,2,\n3,4,x\n", "a b", no_header, "must be empty, but holds \"x\""),
        ("a,b,\n1,2,\n", "a b", "dialect.blankNames = \"position\"", "does not know: \"column_3\""),
    ] {
        let (workspace, run) = run(text, columns, rest);
        let _ = run.exits_with(3).says(&[says]).helps();
        workspace.assert_untouched("out");
    }
    // Whoever leaves out what the schema does not know has no need of names.
    let (workspace, run) = run("a,\n1,x\n", "a", "source.extra_columns = \"ignore\"");
    let _ = run.succeeds();
    assert_eq!(read(&workspace, "out").1, ["1"]);
}

#[test]
fn names_that_stand_twice_are_told_with_both_places_and_a_way_out() {
    let text = "id,n,x,n\n1,2,3,4\n";
    let says = ["duplicate column \"n\" in the header: columns 2 and 4"];
    fails(&[text], &[], &says, &["--first-duplicate-columns"], "id|n|x", &["1|2|3"]);
    fails(&[text], &[], &says, &["--number-duplicate-columns"], "id|n|x|n_2", &["1|2|3|4"]);
    reads(&[text], &["--first-duplicate-columns"], &[], "id|n|x", &["1|2|3"]);
    reads(
        &[text, "n,n,x,id\n6,8,7,5\n"],
        &["--number-duplicate-columns"],
        &[],
        "id|n|x|n_2",
        &["1|2|3|4", "5|6|7|8"],
    );
    // A blank name before it is counted.
    let says = ["duplicate column \"n\" in the header: columns 2 and 3"];
    fails(&[",n,n\n,1,2\n"], &[], &says, &["--number-duplicate-columns"], "n|n_2", &["1|2"]);
    let workspace = inputs(&[text]);
    let failed = workspace.sawmill(["infer", "in/0.csv"]).run().exits_with(3);
    let _ = failed.says(&["columns 2 and 4", "--number-duplicate-columns"]).helps();
    let job = |rest: &str| {
        let schema =
            "schema.fields = [{ name = \"id\" }, { name = \"N\" }, { name = \"x\" }, { name = \"N_2\" }]";
        let schema =
            if rest.contains("first") { schema.replace(", { name = \"N_2\" }", "") } else { schema.into() };
        let places = "source.inputs = [\"in/*.csv\"]\ntargets = [{ url = \"out/\" }]";
        let dialect = "dialect.caseSensitiveHeader = false";
        workspace.write("job.toml", format!("{places}\n{schema}\n{dialect}\n{rest}\n"));
        workspace.sawmill(["run", "job.toml"]).run()
    };
    workspace.write("in/0.csv", text.replace("x,n", "x,N"));
    let key = "source.duplicate_columns = \"number\"";
    let _ = job("source.duplicate_columns = \"fail\"\nsource.missing_columns = \"null\"")
        .exits_with(3)
        .says(&["columns 2 and 4", key]);
    let _ = job(key).succeeds();
    assert_eq!(read(&workspace, "out").1, ["1|2|3|4"]);
}
