//! Files that nobody knows anything about: the right table comes out, or a
//! message whose flags, taken to the letter, give the right table.

use crate::harness::report::Report;
use crate::harness::{Run, Workspace, readback};

fn rows(workspace: &Workspace) -> Vec<String> {
    let joined = |row: Vec<Option<String>>| {
        row.into_iter().map(|value| value.unwrap_or("NULL".into())).collect::<Vec<_>>().join("|")
    };
    let read = readback::query(&workspace.path("out.parquet"), "SELECT * FROM t");
    read.into_iter().map(joined).collect()
}

/// Converts as a shell would run it: `flags` are as they were printed.
#[track_caller]
fn convert(workspace: &Workspace, flags: &str) -> Run {
    let script = format!("exec \"$0\" \"$@\" {flags}");
    workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"]).within(&["sh", "-c", &script]).run()
}

/// What `convert` gives for a text and flags.
#[track_caller]
fn gives(text: &str, flags: &str, says: &[&str], expected: &[&str]) {
    let workspace = Workspace::new();
    workspace.write("in.csv", text);
    let _ = convert(&workspace, flags).succeeds().says(says);
    assert_eq!(rows(&workspace), expected, "{text:?} {flags}");
}

/// `convert` and `infer` refuse a text, both name `flags`, and with them the
/// rows are those expected.
#[track_caller]
fn is_refused(text: &str, says: &[&str], flags: &str, expected: &[&str]) {
    let workspace = Workspace::new();
    workspace.write("in.csv", text);
    let says: Vec<&str> = says.iter().copied().chain([flags]).collect();
    let _ = convert(&workspace, "").exits_with(3).says(&says).helps();
    let _ = workspace.sawmill(["infer", "in.csv"]).run().exits_with(3).says(&says).helps();
    gives(text, flags, &[], expected);
}

#[test]
fn lines_that_may_be_comments() {
    let says = ["\"#2\" on line 3", "--no-comment"];
    is_refused("id,msg\n1,ok\n#2\n3,ok", &says, "--comment '#' --delimiter ','", &["1|ok", "3|ok"]);
    let text = "# A comment\na;b\n1;3\n# 20;7\n6;7";
    let without = "--no-comment --delimiter ';' --skip-records 1";
    is_refused(text, &["--comment '#'"], without, &["1|3", "# 20|7", "6|7"]);
    is_refused(text, &["--no-comment"], "--comment '#' --delimiter ';'", &["1|3", "6|7"]);
}

/// Far beyond what was looked at, a record begins with the mark that was guessed.
#[test]
fn a_record_under_a_guessed_comment_mark() {
    let workspace = Workspace::new();
    let mut text = String::from("id,msg\n# generated\n");
    (1..50_000).for_each(|id| text.push_str(&format!("{id},{}\n", "ok".repeat(40))));
    text.push_str("#50000,ok\n");
    workspace.write("in.csv", &text);
    let says = [
        "in.csv: line 50002, record 50000",
        "the 2 fields of a record",
        "1 line is passed over",
        "# generated",
    ];
    let _ = convert(&workspace, "").exits_with(3).says(&says).helps();
    workspace.assert_untouched("out.parquet");
    let _ = convert(&workspace, "--comment '#'").succeeds();
    assert_eq!(rows(&workspace).len(), 49_999);
    // With every line data, the comment is a record of one field.
    let workspace = Workspace::new();
    workspace.write("in.csv", &text);
    let _ = convert(&workspace, "--no-comment").exits_with(3).says(&["line 2", "1 field where 2"]).helps();
}

/// The schema file of `infer` says what was guessed and what was said.
#[test]
fn a_guess_stays_a_guess_in_the_schema_file() {
    let workspace = Workspace::new();
    let mut text = String::from("id,msg\n# generated\n");
    (1..50_000).for_each(|id| text.push_str(&format!("{id},{}\n", "ok".repeat(40))));
    workspace.write("in.csv", format!("{text}#50000,ok\n"));
    let _ = workspace.sawmill(["infer", "in.csv", "-o", "schema.json"]).run().succeeds();
    let _ = convert(&workspace, "--schema schema.json").exits_with(3).says(&["line 50002", "--comment"]);
    let _ = convert(&workspace, "--schema schema.json --comment '#'").succeeds();
    assert_eq!(rows(&workspace).len(), 49_999);
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,msg\n1,ok\n#2\n3,ok");
    let infer = ["infer", "in.csv", "-o", "schema.json", "--no-comment", "--no-header", "--delimiter", "|"];
    let _ = workspace.sawmill(infer).run().succeeds();
    let _ = convert(&workspace, "--schema schema.json").succeeds();
    assert_eq!(rows(&workspace), ["id,msg", "1,ok", "#2", "3,ok"]);
}

/// What is said of the columns has to fit.
#[test]
fn without_a_header_a_schema_says_how_many_fields_there_are() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "1,5;2,5;3\n4,5;5,5;6\n");
    for (names, expected) in [(&["a", "b", "c"][..], "1,5|2,5|3"), (&["p", "q", "r"], "1,5|2,5|3")] {
        let fields: Vec<_> =
            names.iter().map(|name| serde_json::json!({ "name": name, "type": "string" })).collect();
        workspace.write("schema.json", serde_json::json!({ "fields": fields }).to_string());
        let _ = convert(&workspace, "--schema schema.json --no-header --overwrite").succeeds();
        assert_eq!(rows(&workspace)[0], expected);
    }
    // By commas there are three, too: "a;b", "c;d" and "e".
    workspace.write("in.csv", "a;b,c;d,e\nf;g,h;i,j\n");
    let fields = ["x", "y", "z"].map(|name| serde_json::json!({ "name": name, "type": "string" }));
    workspace.write("schema.json", serde_json::json!({ "fields": fields }).to_string());
    let _ = convert(&workspace, "--schema schema.json --no-header --overwrite").succeeds();
    assert_eq!(rows(&workspace)[0], "a;b|c;d|e");
}

/// Nothing reads both: each is given a run of its own, and the second adds to the first.
#[test]
fn inputs_with_different_delimiters() {
    let workspace = Workspace::new();
    workspace.write("p.csv", "a,b\n1,2\n3,4\n");
    workspace.write("q.csv", "a;b\n5;6\n7;8\n");
    let says = ["p.csv: the delimiter here is \",\", and in file://", "q.csv it is \";\"", "--append"];
    let both = workspace.sawmill(["convert", "p.csv", "q.csv", "-o", "out/"]).run();
    let _ = both.exits_with(3).says(&says).says(&["--delimiter ','", "--delimiter ';'"]).helps();
    let _ = workspace.sawmill(["infer", "p.csv", "q.csv"]).run().exits_with(3).says(&says).helps();
    workspace.assert_untouched("out");
    // The same where the delimiter of one is given.
    let comma = ["--delimiter", ","];
    let both = workspace.sawmill(["convert", "p.csv", "q.csv", "-o", "out/"].into_iter().chain(comma)).run();
    let _ =
        both.exits_with(3).says(&["inputs with the header \"a;b\"", "--delimiter ';'", "--append"]).helps();
    let first = ["convert", "p.csv", "-o", "out/"];
    let _ = workspace.sawmill(first.into_iter().chain(comma)).run().succeeds();
    let second = ["convert", "q.csv", "-o", "out/", "--delimiter", ";", "--append"];
    let _ = workspace.sawmill(second).run().succeeds();
    let read = readback::query(&workspace.path("out"), "SELECT a, b FROM t ORDER BY a");
    let read: Vec<String> = read.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
    assert_eq!(read, ["12", "34", "56", "78"]);
}

#[test]
fn one_column_of_text() {
    let text = "path\n/a;b\n/c;d\n/e;f";
    let says = ["1 column, the first \"path\"", "2 columns, the first \"/a\", \"b\""];
    is_refused(text, &says, "--delimiter ','", &["/a;b", "/c;d", "/e;f"]);
    gives(text, "--header", &["one column of text"], &["/a;b", "/c;d", "/e;f"]);
    let text = "comment\nrow 0, note 0\nrow 1, note 1\nrow 2, note 2\n";
    let rows = ["row 0, note 0", "row 1, note 1", "row 2, note 2"];
    gives(text, "", &["one column of text", "--delimiter ','"], &rows);
    gives("one\ntwo\nthree\n", "", &["--no-header"], &["two", "three"]);
}

#[test]
fn the_delimiter_is_what_divides_every_record() {
    let text = "name;amt\nParis                 ;  0,00\nRome                  ; 10,50";
    gives(text, "", &[], &["Paris                 |  0,00", "Rome                  | 10,50"]);
    for last in ["\t", ";", "Total;6"] {
        let workspace = Workspace::new();
        workspace.write("in.csv", format!("name,qty\nbob,2\nann,4\n{last}\n"));
        let says = ["line 4, record 3", "1 field where 2"];
        let _ = convert(&workspace, "").exits_with(3).says(&says).helps();
        let _ = convert(&workspace, "--footer-records 1").succeeds();
        assert_eq!(self::rows(&workspace), ["bob|2", "ann|4"]);
    }
    let mut text = String::from("99\tx\t\"good, bad\n");
    let mut expected = vec!["99|x|\"good, bad".to_owned()];
    for number in 0..50 {
        text.push_str(&format!("{number}\tp{number}\tok, fine\n"));
        expected.push(format!("{number}|p{number}|ok, fine"));
    }
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    gives(&text, "", &["--quote '\"'"], &expected);
}

#[test]
fn a_first_record_that_may_be_data() {
    gives("T\nT\nT\n", "", &["comes again below", "--header"], &["T", "T", "T"]);
    gives("bob,Paris\nann,Rome\n", "", &["\"bob\", \"Paris\"", "--no-header"], &["ann|Rome"]);
    gives("bob,Paris\nann,Rome\n", "--no-header", &[], &["bob|Paris", "ann|Rome"]);
    let workspace = Workspace::new();
    workspace.write("in.csv", "bob,Paris\n");
    let _ = convert(&workspace, "").exits_with(3).says(&["no other record", "--no-header"]).helps();
    let _ = convert(&workspace, "--no-header").succeeds();
    assert_eq!(rows(&workspace), ["bob|Paris"]);
}

/// A schema says what the columns are called, and so which record names them
/// and what divides it.
#[test]
fn a_schema_decides_what_is_near() {
    for (fields, text, expected) in [
        (&["path"][..], "path\n/a;b\n/c;d\n/e;f", &["/a;b", "/c;d", "/e;f"][..]),
        (&["name", "city"], "Report\nname;city\nbob;Paris\nann;Rome\n", &["bob|Paris", "ann|Rome"]),
        (&["x|y", "n"], "n,x|y\nz,a|b\n", &["a|b|z"]),
        (&["a", "b"], "a,b\na,x\n", &["a|x"]),
    ] {
        let workspace = Workspace::new();
        workspace.write("in.csv", text);
        let fields: Vec<_> =
            fields.iter().map(|name| serde_json::json!({ "name": name, "type": "string" })).collect();
        workspace.write("schema.json", serde_json::json!({ "fields": fields }).to_string());
        let _ = convert(&workspace, "--schema schema.json").succeeds();
        assert_eq!(rows(&workspace), expected, "{text:?}");
    }
}

#[test]
fn a_cr_before_every_line_end() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\r\r\n1,2\r\r\n3,4\r\r\n");
    let run = convert(&workspace, "--json");
    assert_eq!(Report::of(run).totals.read, 2);
    assert_eq!(rows(&workspace), ["1|2", "3|4"]);
}
