#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

//! Whole texts → the table that inference makes of them, or why it makes none;
//! and the texts that were once read wrongly without a word.

use super::schema::tests::inferred;
use super::*;
use crate::error::wording::by_flags;
use crate::parse::{Scanner, field_value};
use crate::spec::{Dialect, DialectSpec};

/// What a text was read as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// `None` without a header.
    pub(super) names: Option<Vec<String>>,
    pub(super) rows: Vec<Vec<String>>,
}

/// What happens to a text.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// A table, and the notes on it.
    Read(Table, Vec<String>),
    /// Inference names two readings: the message, and the flags of each.
    Refused(String, Vec<String>),
    /// A run fails at a record.
    Fails(String),
}

/// Infers and reads a text as `convert` does without a schema. `head_bytes` of
/// it are the sample.
pub(super) fn read_sampled(text: &[u8], given: &DialectSpec, head_bytes: usize) -> Outcome {
    let whole = text.len() <= head_bytes;
    let head = text[..text.len().min(head_bytes)].to_vec();
    let samples = [Sample { url: "file:///a.csv".into(), text: head, whole, windows: Vec::new() }];
    let (dialect, notes) = match inferred(&samples, given, true) {
        Ok((dialect, notes)) => (dialect, notes.iter().map(|note| by_flags(note)).collect()),
        Err(error) => {
            let remedy = by_flags(error.what_to_do().unwrap());
            let flags = remedy.strip_prefix("choose one: ").unwrap().split(", or ");
            return Outcome::Refused(by_flags(&error.to_string()), flags.map(str::to_owned).collect());
        }
    };
    match table(text, &dialect) {
        Ok(table) => Outcome::Read(table, notes),
        Err(problem) => Outcome::Fails(problem),
    }
}

pub(super) fn read(text: &str, given: &DialectSpec) -> Outcome {
    read_sampled(text.as_bytes(), given, SAMPLE_BYTES)
}

/// Every record, or the first thing that is wrong, as a run is.
fn table(text: &[u8], dialect: &Dialect) -> Result<Table, String> {
    let mut index = crate::parse::RecordIndex::default();
    Scanner::new(&dialect.grammar).scan(text, &mut index).map_err(|error| format!("{error:?}"))?;
    let mut scratch = Vec::new();
    let mut records = (dialect.framing.skip_records as usize..index.len()).map(|record| {
        let fields = index.record(record).iter();
        let value = |span| {
            String::from_utf8_lossy(field_value(&dialect.grammar, text, span, &mut scratch)).into_owned()
        };
        fields.map(value).collect::<Vec<_>>()
    });
    let names = if dialect.framing.header { records.next() } else { None };
    let mut table = Table { names, rows: Vec::new() };
    for (number, row) in records.enumerate() {
        let expected = table.names.as_ref().or(table.rows.first()).map_or(row.len(), Vec::len);
        if row.len() != expected {
            return Err(format!("record {} has {} fields, not {expected}", number + 1, row.len()));
        }
        table.rows.push(row);
    }
    // A header that names nothing, or one thing twice, is refused.
    let mut seen = std::collections::HashSet::new();
    match &table.names {
        Some(names) if names.iter().any(|name| name.is_empty() || !seen.insert(name)) => {
            Err(format!("the header {names:?} does not tell the columns apart"))
        }
        _ => Ok(table),
    }
}

/// What flags say, as they stand in a message.
pub(super) fn spec_of(flags: &str) -> DialectSpec {
    let mut spec = DialectSpec::default();
    let mut words = flags.split(' ').filter(|word| !word.is_empty());
    while let Some(flag) = words.next() {
        let mut value = || {
            let typed = words.next().unwrap();
            let typed = typed.trim_matches(if typed.starts_with('"') { '"' } else { '\'' });
            typed.replace(r"\t", "\t").replace(r"\u{1f}", "\u{1f}").replace(r"\u{1e}", "\u{1e}")
        };
        match flag {
            "--delimiter" => spec.delimiter = Some(value()),
            "--quote" => spec.quote_char = Some(value()),
            "--no-quote" => spec.quote_char = Some(String::new()),
            "--escape" => spec.escape_char = Some(value()),
            "--comment" => spec.comment_char = Some(value()),
            "--no-comment" => spec.comment_char = Some(String::new()),
            "--skip-records" => spec.skip_records = Some(value().parse().unwrap()),
            "--header" => spec.header = Some(true),
            "--no-header" => spec.header = Some(false),
            "--line-terminator" => {
                spec.line_terminator = Some(value().replace(r"\n", "\n").replace(r"\r", "\r"))
            }
            other => panic!("{other} is not a flag of the dialect"),
        }
    }
    spec
}

fn table_of(names: &[&str], rows: &[&[&str]]) -> Table {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    Table {
        names: (!names.is_empty()).then(|| texts(names)),
        rows: rows.iter().map(|row| texts(row)).collect(),
    }
}

#[track_caller]
fn reads_as(text: &str, flags: &str, expected: &Table, says: &[&str]) {
    match read(text, &spec_of(flags)) {
        Outcome::Read(table, notes) => {
            assert_eq!(table, *expected, "{text:?} {flags} {notes:?}");
            for part in says {
                assert!(notes.iter().any(|note| note.contains(part)), "{text:?}: no {part:?} in {notes:?}");
            }
            assert!(!says.is_empty() || notes.is_empty(), "{text:?}: {notes:?}");
        }
        other => panic!("{text:?} {flags}: {other:?}"),
    }
}

/// It is refused, each reading is told with what it gives, and the flags of one
/// give the expected table.
#[track_caller]
fn is_refused(text: &str, says: &[&str], flags: &str, expected: &Table) {
    let Outcome::Refused(message, readings) = read(text, &DialectSpec::default()) else {
        panic!("{text:?}: {:?}", read(text, &DialectSpec::default()));
    };
    for part in says {
        assert!(message.contains(part), "{text:?}: no {part:?} in {message:?}");
    }
    assert!(readings.iter().any(|reading| reading == flags), "{text:?}: {readings:?}");
    for reading in &readings {
        let again = read(text, &spec_of(reading));
        assert!(!matches!(again, Outcome::Refused(..)), "{text:?} {reading}: {again:?}");
        match again {
            Outcome::Read(table, _) if reading == flags => assert_eq!(table, *expected, "{text:?} {reading}"),
            other => assert!(reading != flags, "{text:?} {reading}: {other:?}"),
        }
    }
}

#[test]
fn a_guessed_comment_loses_no_record() {
    is_refused(
        "id,msg\n1,ok\n#2\n3,ok",
        &["passes over 1 line, the first \"#2\" on line 3", "fails on line 3 with 1 field"],
        "--comment '#' --delimiter ','",
        &table_of(&["id", "msg"], &[&["1", "ok"], &["3", "ok"]]),
    );
    let with_comments = table_of(&["a", "b"], &[&["1", "3"], &["6", "7"]]);
    is_refused(
        "# A comment\na;b\n1;3\n# 20;7\n6;7",
        &["reads 3 records of 2 columns, the first \"a\", \"b\"", "--no-comment"],
        "--comment '#' --delimiter ';'",
        &with_comments,
    );
    let says = ["2 lines are passed over", "\"# made\"", "--no-comment"];
    reads_as("# made\na,b\n1,3\n# and\n6,7\n", "", &with_comments, &says);
    reads_as("a,b\n1,3\n# and\n6,7\n", "", &with_comments, &["line 3: \"# and\"", "--no-comment"]);
}

#[test]
fn a_record_under_a_guessed_comment_mark_fails_far_beyond_the_sample() {
    let mut text = String::from("id,msg\n# generated\n");
    for id in 1..90_000 {
        text.push_str(&format!("{id},ok\n"));
    }
    text.push_str("#90000,lost\n90001,ok\n");
    let outcome = read_sampled(text.as_bytes(), &DialectSpec::default(), 100_000);
    assert!(
        matches!(&outcome, Outcome::Fails(why) if why.contains("CommentLikeRecord") && why.contains("line: 90001")),
        "{outcome:?}"
    );
    let said = read_sampled(text.as_bytes(), &spec_of("--comment '#'"), 100_000);
    assert!(matches!(said, Outcome::Read(table, _) if table.rows.len() == 90_000));
}

#[test]
fn one_column_of_text_is_not_cut_at_what_stands_in_its_values() {
    let paths = table_of(&["path"], &[&["/a;b"], &["/c;d"], &["/e;f"]]);
    let text = "path\n/a;b\n/c;d\n/e;f";
    let says = [
        "reads 4 records of 1 column, the first \"path\"",
        "3 records of 2 columns, the first \"/a\", \"b\"",
    ];
    is_refused(text, &says, "--delimiter ','", &paths);
    reads_as(text, "--header", &paths, &["one column of text", "--delimiter ';'"]);
    let mut lines = vec!["path"];
    lines.extend(["/v"; 7]);
    lines.extend(["/a;b"; 20]);
    let rows: Vec<&[&str]> = lines[1..].iter().map(std::slice::from_ref).collect();
    let expected = table_of(&["path"], &rows);
    is_refused(&lines.join("\n"), &["20 records of 2 columns"], "--delimiter ','", &expected);
    reads_as(&lines.join("\n"), "--header", &expected, &["one column of text"]);
    let mut text = String::from("comment\n");
    let rows: Vec<String> = (0..50).map(|row| format!("row {row}, note {row}")).collect();
    text.push_str(&rows.join("\n"));
    let rows: Vec<[&str; 1]> = rows.iter().map(|row| [row.as_str()]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    reads_as(&text, "", &table_of(&["comment"], &rows), &["one column of text", "--delimiter ','"]);
}

#[test]
fn marked_lines_around_a_record_are_told() {
    let total = ["# Total: 5", "5"];
    let rows: &[&[&str]] = &[&total, &["name", "city"], &total];
    let expected = Table { names: None, ..table_of(&[], rows) };
    let says = ["lines that begin with '#' are data (line 1: \"# Total: 5,5\")", "--comment '#'"];
    reads_as("# Total: 5,5\nname,city\n# Total: 5,5", "", &expected, &says);
}

#[test]
fn the_delimiter_is_what_divides_every_record() {
    reads_as(
        "name;amt\nParis                 ;  0,00\nRome                  ; 10,50",
        "",
        &table_of(
            &["name", "amt"],
            &[&["Paris                 ", "  0,00"], &["Rome                  ", " 10,50"]],
        ),
        &["the first record"],
    );
    for last in ["\t", "\t\n;", "\t\nTotal;6", ";", "Total;6"] {
        let outcome = read(&format!("name,qty\nbob,2\nann,4\n{last}\n"), &DialectSpec::default());
        assert!(
            matches!(&outcome, Outcome::Fails(why) if why.contains("record 3 has 1 fields, not 2")),
            "{outcome:?}"
        );
    }
    let mut text = String::from("99\tx\t\"good, bad\n");
    let mut rows = vec![vec!["99".to_owned(), "x".into(), "\"good, bad".into()]];
    for number in 0..40 {
        text.push_str(&format!("{number}\tp{number}\tok, fine\n"));
        rows.push(vec![number.to_string(), format!("p{number}"), "ok, fine".into()]);
    }
    reads_as(&text, "", &Table { names: None, rows }, &["quotes occur inside fields", "--quote"]);
}

#[test]
fn the_first_record_is_data_where_it_comes_again() {
    reads_as("T\nT\nT\n", "", &table_of(&[], &[&["T"], &["T"], &["T"]]), &["comes again below", "--header"]);
    reads_as(
        "red,apple\nblue,pear\nred,fig\n",
        "",
        &table_of(&[], &[&["red", "apple"], &["blue", "pear"], &["red", "fig"]]),
        &["is read as data", "--header"],
    );
    let table = table_of(&["name", "city"], &[&["bob", "Paris"], &["ann", "Rome"]]);
    reads_as(
        "name,city\nbob,Paris\nann,Rome\n",
        "",
        &table,
        &["(\"name\", \"city\") names the columns", "--no-header"],
    );
    reads_as("name,city\nbob,Paris\nann,Rome\n", "--header", &table, &[]);
    reads_as(
        "id,city\n1,Paris\n2,Rome\n",
        "",
        &table_of(&["id", "city"], &[&["1", "Paris"], &["2", "Rome"]]),
        &[],
    );
    reads_as("a,b\n", "", &table_of(&["a", "b"], &[]), &["there is no other record", "--no-header"]);
    reads_as("a,b\n", "--no-header", &table_of(&[], &[&["a", "b"]]), &[]);
    let years = table_of(&[], &[&["country", "2019", "2020"], &["x", "1.5", "2.5"]]);
    reads_as("country,2019,2020\nx,1.5,2.5\n", "", &years, &["values as well as names", "--header"]);
    reads_as(
        "n.a.,x\n5,y\n6,z\n",
        "",
        &table_of(&["n.a.", "x"], &[&["5", "y"], &["6", "z"]]),
        &["--no-header"],
    );
    let repeated = [&["1", "x"][..], &["id", "name"], &["2", "y"]];
    reads_as(
        "id,name\n1,x\nid,name\n2,y\n",
        "",
        &table_of(&["id", "name"], &repeated),
        &["record 3 is the same"],
    );
}

#[test]
fn titles_are_skipped_where_a_header_stands_below_them() {
    let table = table_of(&["id", "name"], &[&["1", "x"], &["2", "y"]]);
    let says = ["1 record is skipped", "line 1: \"Report 2024\"", "--skip-records 0"];
    reads_as("Report 2024\n\nid;name\n1;x\n2;y\n", "", &table, &says);
    // By the flags of the note, they are data.
    let lines = table_of(&["Report 2024"], &[&["id;name"], &["1;x"], &["2;y"]]);
    reads_as(
        "Report 2024\n\nid;name\n1;x\n2;y\n",
        r"--delimiter '\u{1f}' --skip-records 0",
        &lines,
        &["--no-header"],
    );
    let names = table_of(&["name", "city"], &[&["bob", "Paris"], &["ann", "Rome"]]);
    let text = "Report\nname;city\nbob;Paris\nann;Rome\n";
    is_refused(text, &["1 column", "2 columns"], "--delimiter ';' --skip-records 1", &names);
}

#[test]
fn other_readings_with_other_values_are_told() {
    for (text, says) in [
        ("x|y,1\nz|w,2\n", "--delimiter '|'"),
        ("a,b\n\"C:\\\\\",2\n", "--escape '\\'"),
        ("a,b\n'x',2\n'z',3\n", "--quote '\"'"),
        ("a,b\n'x',2\nz,3\n", "--quote \"'\""),
        ("a\n\"x\ny\"\nz\n", "--no-quote"),
        ("a\nx\ry\nz\n", "--line-terminator any"),
        ("a,b\nC:\\\\x,2\ny,3\n", "--no-quote --escape '\\'"),
        ("82,01\n20,94\n0,54", "each line as a whole may be one number"),
        ("ann^Paris^22,21\noak^Ada^18,44\nann^tin^91,57\nEOF,1", "--delimiter '^'"),
        ("# Total: 5,5", "--comment '#'"),
        ("# Total: 5,5\nname,city", "--comment '#'"),
        ("# 20;7\n#4;5\n#red;6", "--comment '#'"),
        ("\"2024-06-10\"\n# made by hand", "--comment '#'"),
        ("/zinc;bob|17,50", "--delimiter '|'"),
    ] {
        let Outcome::Read(_, notes) = read(text, &DialectSpec::default()) else { panic!("{text:?}") };
        assert!(notes.iter().any(|note| note.contains(says)), "{text:?}: {notes:?}");
    }
    // Part of numbers, dates and quoted texts, or of some records only.
    for text in ["1,5;2,5\n3,5;4,5\n", "a,b\n\"x;y\",1\n\"z;w\",2\n", "a,b\nx;y,1\nz,2\n"] {
        let Outcome::Read(_, notes) = read(text, &DialectSpec::default()) else { panic!("{text:?}") };
        assert!(!notes.iter().any(|note| note.contains("--delimiter")), "{text:?}: {notes:?}");
    }
}

/// Every record begins with the mark, or the header alone does.
#[test]
fn nobody_looks_for_comments_where_records_begin_so() {
    for text in ["# id,name\n1,x\n2,y\n", "#1;2\n#3;4\n", "tag,n\n#a,1\n#b,2\n"] {
        let Outcome::Read(_, notes) = read(text, &DialectSpec::default()) else { panic!("{text:?}") };
        assert!(!notes.iter().any(|note| note.contains("--comment")), "{text:?}: {notes:?}");
    }
}

/// Neither delimiter reads both, so both are told; one that reads all inputs is taken.
#[test]
fn inputs_with_different_delimiters_are_refused() {
    let inferred_of = |texts: &[&str], given: &DialectSpec| {
        let sample = |(at, text): (usize, &&str)| Sample {
            url: format!("file:///{at}.csv"),
            text: text.as_bytes().to_vec(),
            whole: true,
            ..Sample::default()
        };
        let samples: Vec<Sample> = texts.iter().enumerate().map(sample).collect();
        inferred(&samples, given, true)
    };
    let none = DialectSpec::default();
    for texts in [
        &["a,b\n1,2\n3,4\n", "a;b\n5;6\n7;8\n"][..],
        &["a,b\n1,2\n", "a\tb\n5\t6\n7\t8\n9\t0\n"],
        &["1,2\n3,4\n", "a,b\n1,2\n", "5|6\n7|8\n"],
    ] {
        let error = inferred_of(texts, &none).expect_err("no delimiter reads both");
        let last = format!("in file:///{}.csv it is", texts.len() - 1);
        assert!(error.to_string().starts_with("file:///0.csv: the delimiter here is \",\""), "{error}");
        assert!(error.to_string().contains(&last), "{error}");
        let given = DialectSpec { delimiter: Some(",".into()), ..DialectSpec::default() };
        assert!(inferred_of(texts, &given).is_ok());
    }
    // Something else is wrong, or nothing.
    for texts in [
        &["a,b\n1,x;y\n3,z\n", "a,b\n5,6\n"][..],
        &["a,b\n1,2\n3\n", "a,b\n5,6\n"],
        &["a,b\n1,2\n", "a;b\n"],
        &["a;b,c\n1;2,3\n", "a;b\n1;2\n"],
    ] {
        assert!(inferred_of(texts, &none).is_ok(), "{texts:?}");
    }
}

/// With another line end, the first line is a record like any other.
#[test]
fn a_line_that_names_the_delimiter_ends_as_lines_do() {
    let table = table_of(&["sep=", "\nb"], &[&["x", "2"], &["y", "4"]]);
    reads_as("sep=,\nb;x,2;y,4;", "--line-terminator ; --delimiter ,", &table, &["--no-header"]);
}

/// A title of the width of the data, over data without a header.
#[test]
fn titles_that_divide_like_the_data_are_told() {
    let says = ["spaces follow its delimiters only", "--skip-records 1 --no-header"];
    let text = "Sales, all regions\n905,3254\n6763,2246\n3759,5645\n";
    reads_as(
        text,
        "",
        &table_of(&["Sales", " all regions"], &[&["905", "3254"], &["6763", "2246"], &["3759", "5645"]]),
        &says,
    );
    let rows: [&[&str]; 3] = [&["905", "3254"], &["6763", "2246"], &["3759", "5645"]];
    reads_as(text, "--skip-records 1 --no-header", &table_of(&[], &rows), &[]);
    // Names that are padded as the values are.
    reads_as("id, v\n1, 2\n3, 4\n", "", &table_of(&["id", " v"], &[&["1", " 2"], &["3", " 4"]]), &[]);
}
