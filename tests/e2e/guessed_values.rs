//! What values are taken for without a schema: nothing of a file is lost on the way
//! to its types, and what a person would want to know is said.

use crate::harness::{Workspace, readback};

/// Converts one file and gives what DuckDB reads of it, with the types of its columns.
#[track_caller]
fn converted(text: &str, flags: &[&str], says: &[&str]) -> (Vec<String>, Vec<String>) {
    let workspace = Workspace::new();
    workspace.write("in.csv", text);
    let arguments = ["convert", "in.csv", "-o", "out.parquet"].iter().chain(flags);
    let _ = workspace.sawmill(arguments).run().succeeds().says(says);
    read(&workspace, "out.parquet")
}

/// Rows with `|` between values, in the order of the file, and the types.
#[track_caller]
fn read(workspace: &Workspace, name: &str) -> (Vec<String>, Vec<String>) {
    let value = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    let line = |row: Vec<Option<String>>| row.into_iter().map(value).collect::<Vec<_>>().join("|");
    let rows = readback::query(&workspace.path(name), "SELECT COLUMNS(*)::VARCHAR FROM t");
    let types = readback::query(&workspace.path(name), "SELECT column_type FROM (DESCRIBE FROM t)");
    (rows.into_iter().map(line).collect(), types.into_iter().map(line).collect())
}

/// As MySQL and Hive write tables: no quotes, `\` escapes, `\N` is null.
#[test]
fn a_null_with_an_escape_is_null_and_its_text_is_text() {
    let dump = "id\tname\tn\n1\t\\N\t5\n2\ta\\\tb\t\\N\n3\t\\\\N\t7\n\\N\tN\\\\\t\\N\n";
    let expected = ["1|NULL|5", "2|a\tb|NULL", "3|\\N|7", "NULL|N\\|NULL"];
    let flags = ["-d", r"\t", "--no-quote", "--escape", r"\", "--null", r"\N"];
    let (rows, types) = converted(dump, &flags, &[]);
    assert_eq!(rows, expected);
    assert_eq!(types, ["BIGINT", "VARCHAR", "BIGINT"]);

    let workspace = Workspace::new();
    workspace.write("in.csv", dump);
    let dialect = "[dialect]\ndelimiter = \"\\t\"\nquoteChar = \"\"\nescapeChar = \"\\\\\"\n";
    let fields = r#"{"name": "id", "type": "integer"}, {"name": "name"}, {"name": "n", "type": "integer"}"#;
    for (name, schema, null) in [
        ("schema", format!(r#"{{"missingValues": ["\\N"], "fields": [{fields}]}}"#), ""),
        ("both", format!(r#"{{"fields": [{fields}]}}"#), "nullSequence = \"\\\\N\"\n"),
        ("inferred", String::new(), "nullSequence = \"\\\\N\"\n"),
    ] {
        let place = if schema.is_empty() { "" } else { "schema = \"schema.json\"\n" };
        workspace.write("schema.json", schema);
        let job = format!(
            "{place}[source]\ninputs = [\"in.csv\"]\n{dialect}{null}[[targets]]\nurl = \"{name}/\"\n"
        );
        workspace.write("job.toml", job);
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
        assert_eq!(read(&workspace, name).0, expected, "{name}");
    }
}

/// What the user says is null says nothing of the type of a column.
#[test]
fn null_tokens_that_are_given_leave_a_column_its_type() {
    let (rows, types) = converted(
        "n,d,t\n1,n.a.,x\nn.a.,2024-01-31,n.a.\n\"n.a.\",n.a.,\"n.a.\"\n",
        &["--null", "n.a."],
        &[],
    );
    assert_eq!(types, ["BIGINT", "DATE", "VARCHAR"]);
    // Quotes make a text of it only where a text can be.
    assert_eq!(rows, ["1|NULL|x", "NULL|2024-01-31|NULL", "NULL|NULL|n.a."]);
}

/// Wherever it stands among the inputs, and however many places the table goes to.
#[test]
fn an_empty_input_makes_no_second_file() {
    let workspace = Workspace::new();
    workspace.write("b/1.csv", "id,v\n1,2\n");
    for (name, files) in [("last", ["a.csv", "c.csv"]), ("first", ["c.csv", "0.csv"])] {
        workspace.write(&format!("{name}/{}", files[0]), "id,v\n1,2\n");
        workspace.write(&format!("{name}/{}", files[1]), "");
        let inputs = format!("{name}/*.csv");
        let out = format!("{name}.parquet");
        let convert = ["convert", &inputs, "-o", &out, "--allow-empty"];
        let _ = workspace.sawmill(convert).run().succeeds();
        assert_eq!(read(&workspace, &out).0, ["1|2"]);
    }
    // Nor does it make one task more than the plan is asked for.
    let job = "[source]\ninputs = [\"last/*.csv\"]\nempty_input = \"allow\"\n[[targets]]\nurl = \"out/\"\n";
    workspace.write("job.toml", job);
    for tasks in ["1", "2"] {
        let plan = workspace.sawmill(["plan", "job.toml", "--tasks", tasks]).run().succeeds().json();
        assert_eq!(plan["tasks"].as_array().unwrap().len().to_string(), tasks);
    }
}

/// Fractions that need nanoseconds beside years that these do not reach.
#[test]
fn timestamps_get_a_type_that_holds_them() {
    let says = ["\"t\": no unit of time holds all digits of all timestamps"];
    let text = "t\n2024-01-31 05:00:00.1234567\n9999-12-31 00:00:00\n0001-01-01 00:00:00\n";
    let (rows, types) = converted(text, &[], &says);
    assert_eq!(types, ["VARCHAR"]);
    assert_eq!(rows, text.lines().skip(1).collect::<Vec<_>>());
    let (rows, types) =
        converted("t\n2024-01-31 05:00:00.1230000\n9999-12-31 00:00:00\n0001-01-01 00:00:00\n", &[], &[]);
    assert_eq!(types, ["TIMESTAMP"]);
    assert_eq!(rows, ["2024-01-31 05:00:00.123", "9999-12-31 00:00:00", "0001-01-01 00:00:00"]);
}

/// Line ends that were translated twice, and a CR that ends no line.
#[test]
fn carriage_returns_are_where_they_belong() {
    let twice = "id,name\r\r\n1,x\r\r\n2,\"y\r\r\nz\"\r\r\n\r\r\n3,w\r\r\n";
    let (rows, types) = converted(twice, &[], &[]);
    assert_eq!(rows, ["1|x", "2|y\r\r\nz", "3|w"]);
    assert_eq!(types, ["BIGINT", "VARCHAR"]);
    let (rows, _) = converted("text\none\rof it\ntwo\n", &["--header"], &[]);
    assert_eq!(rows, ["one\rof it", "two"]);
    // With a schema, too, and of a job.
    let workspace = Workspace::new();
    workspace.write("in.csv", twice);
    let fields = "[{ name = \"id\", type = \"integer\" }, { name = \"name\", type = \"string\" }]";
    let job =
        format!("schema.fields = {fields}\nsource.inputs = [\"in.csv\"]\ntargets = [{{ url = \"out/\" }}]\n");
    workspace.write("job.toml", job);
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert_eq!(read(&workspace, "out").0, ["1|x", "2|y\r\r\nz", "3|w"]);
}

/// `12E4` may be an id, and `2020111` may be of January or of November.
#[test]
fn what_only_looks_like_a_number_or_a_date_is_none() {
    let says = ["columns \"id\", \"unit\": what is not whole is written like 12E4"];
    let (rows, types) = converted("id,unit,x\n12E4,1,1e-3\n32E0,2e4,2.5\n1234,3,7e9\n", &[], &says);
    assert_eq!(types, ["VARCHAR", "VARCHAR", "DOUBLE"]);
    assert_eq!(rows[0], "12E4|1|0.001");
    let workspace = Workspace::new();
    workspace.write("in.csv", "day\n20200111\n2020111\n");
    let field = "schema.fields = [{ name = \"day\", type = \"date\", format = \"%Y%m%d\" }]\n";
    workspace.write(
        "job.toml",
        format!("{field}source.inputs = [\"in.csv\"]\ntargets = [{{ url = \"out/\" }}]\n"),
    );
    let says = ["line 3", "\"2020111\" is not a valid date in the format \"%Y%m%d\""];
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&says);
}

/// Files of one source get one type, whatever their last digits.
#[test]
fn numbers_with_a_fraction_have_the_same_type_in_every_file() {
    for text in ["1.50\n2.25", "1.25\n2.75", "1.5\n2.5", "1.0\n2.00", "10.10\n3"] {
        assert_eq!(converted(&format!("v\n{text}\n"), &[], &[]).1, ["DOUBLE"], "{text}");
    }
    let (rows, types) = converted("v\n12345678901234567.25\n1.00\n", &[], &[]);
    assert_eq!(
        (rows, types),
        (vec!["12345678901234567.25".into(), "1.00".into()], vec!["DECIMAL(38,2)".into()])
    );
}

/// Amounts are floats where nothing else is known, and a table knows.
#[test]
fn amounts_take_the_decimals_of_the_table() {
    let workspace = Workspace::new();
    workspace.write("1.csv", "id,amount\n1,1.50\n");
    workspace.write("2.csv", "id,amount\n2,7.25\n3,8\n");
    workspace.write("3.csv", "id,amount\n4,1.125\n");
    workspace.write(
        "schema.json",
        r#"{"fields": [{"name": "id", "type": "integer"}, {"name": "amount", "type": "decimal(9,2)"}]}"#,
    );
    let _ = workspace.sawmill(["convert", "1.csv", "-o", "out/", "--schema", "schema.json"]).run().succeeds();
    let append = |file: &str| workspace.sawmill(["convert", file, "-o", "out/", "--append"]).run();
    let run = append("2.csv").succeeds();
    assert!(!run.stderr.contains("looks like"), "{run}");
    let mut rows = read(&workspace, "out").0;
    rows.sort();
    assert_eq!(rows, ["1|1.50", "2|7.25", "3|8.00"]);
    let _ = append("3.csv").exits_with(3).says(&["line 2", "\"1.125\" is not a valid decimal(9,2)"]);
}

/// Data lines below `v,w`; what is said of `v`; flags, and what they make of its values and its type.
type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str], &'a str);

/// Each note of `convert`, and what its flag gives where it is followed to the letter.
#[test]
fn notes_name_the_place_and_the_flag_that_decides_otherwise() {
    let cases: [Case<'_>; 8] = [
        (
            "1,a\nn.a.,b\n3,c\n4,d\n",
            "(record 2, line 3 of",
            &["--null", "n.a."],
            &["1", "NULL", "3", "4"],
            "BIGINT",
        ),
        ("1,a\n2,b\nTotal,3\n", "--footer-records 1", &["--footer-records", "1"], &["1", "2"], "BIGINT"),
        (
            "1,a\nv,w\n2,b\n3,c\n",
            "--type v=int64 --on-bad-value reject",
            &["--type", "v=int64", "--on-bad-value", "reject"],
            &["1", "2", "3"],
            "BIGINT",
        ),
        ("1,a\n 2,b\n3 ,c\n", "--trim both", &["--trim", "both"], &["1", "2", "3"], "BIGINT"),
        ("Y,a\nN,b\n", "--type v=string", &["--type", "v=string"], &["Y", "N"], "VARCHAR"),
        ("1,a\n-,b\n", "--type v=string", &["--type", "v=string"], &["1", "-"], "VARCHAR"),
        ("1.5,a\n2e3,b\n", "--type v=string", &["--type", "v=string"], &["1.5", "2e3"], "VARCHAR"),
        (
            "01/02/2024,a\n03/04/2024,b\n",
            "--type COLUMN=date:%d/%m/%Y",
            &["--type", "v=date:%d/%m/%Y"],
            &["2024-02-01", "2024-04-03"],
            "DATE",
        ),
    ];
    for (text, says, flags, expected, column_type) in cases {
        let text = format!("v,w\n{text}");
        let _ = converted(&text, &["--header"], &["column \"v\": ", says]);
        let (rows, types) = converted(&text, &[&["--header"], flags].concat(), &[]);
        let first: Vec<_> = rows.iter().map(|row| row.split('|').next().unwrap()).collect();
        assert_eq!((first, types[0].as_str()), (expected.to_vec(), column_type), "{text}");
    }
    let (rows, types) = converted("w,h\nkg,cm\n1,2\n3,4\n", &["--header-rows", "2"], &[]);
    assert_eq!(
        (rows, types),
        (vec!["1|2".to_owned(), "3|4".into()], vec!["BIGINT".to_owned(), "BIGINT".into()])
    );
    // What is given is not told.
    let workspace = Workspace::new();
    workspace.write("in.csv", "v,w\n1,x\nNA,NA\n");
    let flags = ["convert", "in.csv", "-o", "x.parquet", "--null", "NA", "-q"];
    let _ = workspace.sawmill(flags).run().succeeds().says_nothing();
    let _ = workspace
        .sawmill(["convert", "in.csv", "-o", "y.parquet", "--type", "u=string"])
        .run()
        .exits_with(2)
        .helps();
}

/// Inference starts from the types that the log of a table keeps.
#[test]
fn a_table_gives_its_types_and_misfits_are_told() {
    let workspace = Workspace::new();
    workspace.write("1.csv", "id,amount,code\n1,1.5,x\n");
    workspace.write("2.csv", "id,amount,code,more\n2,7,12,1\nthree,8,13,NA\n");
    let _ = workspace.sawmill(["convert", "1.csv", "-o", "out/"]).run().succeeds();
    let run = workspace.sawmill(["infer", "2.csv", "--table", "out/"]).run().succeeds();
    let says = [
        "the column \"id\" looks like `string` in the samples and is `int64` in the table",
        "the first that shows it is \"three\" (record 2, line 3 of",
        "column \"more\": \"NA\"",
    ];
    let run = run.says(&says);
    assert!(!run.stderr.contains("column \"id\": "), "{run}");
    let types: Vec<_> = run.json()["schema"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["type"].clone())
        .collect();
    assert_eq!(types, ["integer", "number", "string", "integer"]);
    let append = ["convert", "2.csv", "-o", "out/", "--append", "--schema-change", "add_columns"];
    let _ = workspace.sawmill(append).run().exits_with(3).says(&says);
    // Of a job that has no schema, too.
    workspace.write("in/2.csv", "id,amount,code\n2,7,12\n");
    workspace.write(
        "job.toml",
        "[source]\ninputs = [\"in/*.csv\"]\nincremental = true\n[output]\nmode = \"append\"\nprofile = \"standard\"\n[[targets]]\nurl = \"out/\"\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let mut rows = read(&workspace, "out").0;
    rows.sort();
    assert_eq!(rows, ["1|1.5|x", "2|7.0|12"]);
    let _ = workspace.sawmill(["infer", "2.csv", "--table", "none/"]).run().exits_with(2).helps();
}
