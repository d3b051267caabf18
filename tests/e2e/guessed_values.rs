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
