//! `infer` on files as they come: what it finds is a schema file that `run`
//! takes as it is, and the values are those that were meant.

use crate::harness::moto::Region;
use crate::harness::{Workspace, readback};
use serde_json::{Value, json};

/// Infers, runs a job with what was found, and gives the file and the rows.
#[track_caller]
fn through(files: &[(&str, Vec<u8>)], flags: &[&str], says: &[&str]) -> (Value, Vec<Vec<Option<String>>>) {
    let workspace = Workspace::new();
    for (name, content) in files {
        workspace.write(&format!("in/{name}"), content);
    }
    let infer = ["infer", "in/*", "-o", "schema.json"].iter().chain(flags);
    let _ = workspace.sawmill(infer).run().succeeds().says(says);
    let printed = workspace.sawmill(["infer", "in/*"].iter().chain(flags)).run().succeeds().json();
    let found: Value =
        serde_json::from_slice(&std::fs::read(workspace.path("schema.json")).unwrap()).unwrap();
    assert_eq!(found, printed, "the same inputs give the same schema");
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\n[source]\ninputs = [\"in/*\"]\n[[targets]]\nurl = \"out/\"\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let sql = "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM t ORDER BY 1";
    (found, readback::query(&workspace.path("out"), sql))
}

fn rows<const N: usize>(rows: &[[&str; N]]) -> Vec<Vec<Option<String>>> {
    let value = |text: &&str| (*text != "NULL").then(|| (*text).to_owned());
    rows.iter().map(|row| row.iter().map(value).collect()).collect()
}

fn field(found: &Value, position: usize) -> Value {
    found["schema"]["fields"][position].clone()
}

#[test]
fn a_german_spreadsheet() {
    let text = "Umsätze 2024;;;\r\n;;;\r\nNr;Datum;Betrag;Müller?\r\n\
                1;31.01.2024;1.234,50;ja\r\n2;01.02.2024;-7,25;nein\r\n3;;NA;\"a;b\"\r\n";
    let latin: Vec<u8> = text.chars().map(|character| character as u8).collect();
    let (found, read) = through(
        &[("umsatz.csv", latin)],
        &[],
        &["windows-1252", "the first byte that shows it is e4, at byte 3", "2 records are skipped"],
    );
    assert_eq!(
        found["dialect"],
        json!({ "delimiter": ";", "skipRecords": 2, "encoding": "windows-1252" }),
        "{found}"
    );
    assert_eq!(field(&found, 1), json!({ "name": "Datum", "type": "date", "format": "%d.%m.%Y" }));
    assert_eq!(
        field(&found, 2),
        json!({ "name": "Betrag", "type": "number", "missingValues": ["", "NA"],
                "decimalChar": ",", "groupChar": "." })
    );
    assert_eq!(
        read,
        rows(&[
            ["1", "2024-01-31", "1234.5", "ja"],
            ["2", "2024-02-01", "-7.25", "nein"],
            ["3", "NULL", "NULL", "a;b"],
        ])
    );
}

#[test]
fn an_american_export_with_comments_and_backslashes() {
    let text = "# exported by hand\nid|ok|seen|note\n1|Y|1/31/2024 5:00:00 PM|'a|b'\n\
                2|N|2/1/2024 11:59:59 AM|'it\\'s'\n";
    let (found, read) = through(&[("export.txt", text.into())], &[], &[]);
    assert_eq!(
        found["dialect"],
        json!({
            "delimiter": "|", "quoteChar": "'", "escapeChar": "\\", "commentChar": "#", "guessedCommentFields": 4
        }),
        "{found}"
    );
    assert_eq!(
        read,
        rows(&[["1", "true", "2024-01-31 17:00:00", "a|b"], ["2", "false", "2024-02-01 11:59:59", "it's"],])
    );
}

#[test]
fn what_must_not_be_guessed_stays_text() {
    let text = "zip,code,when,amount,empty\n01234,12345678901234567890,01/02/2024,\"1,234\",\n\
                98765,12345678901234567891,03/04/2024,\"5,678\",\n";
    let (found, read) = through(
        &[("a.csv", text.into())],
        &[],
        &["day or month", "thousands", "\"empty\": no field of it has a value"],
    );
    for position in 0..5 {
        assert_eq!(field(&found, position)["type"], "string", "{found}");
    }
    assert_eq!(read[0], rows(&[["01234", "12345678901234567890", "01/02/2024", "1,234", "NULL"]])[0]);
}

#[test]
fn a_type_that_changes_from_file_to_file_is_said() {
    let files = [("1.csv", b"n\n1\n2\n".to_vec()), ("2.csv", b"n\n3\n4.5\n".to_vec())];
    let says = ["\"n\" is int64 in", "1.csv, but \"4.5\" in", "2.csv, record 2, line 3, makes it float64"];
    for flags in [&[][..], &["--full"]] {
        let (found, read) = through(&files, flags, &says);
        assert_eq!(field(&found, 0)["type"], "number");
        assert_eq!(read, rows(&[["1.0"], ["2.0"], ["3.0"], ["4.5"]]));
    }
}

#[test]
fn utf_16_without_a_mark_and_a_separator_that_is_no_letter() {
    let text = "id\u{1f}näme\r1\u{1f}é\r2\u{1f}ü\r";
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (found, read) = through(&[("a.csv", utf16)], &[], &["UTF-16LE"]);
    assert_eq!(
        found["dialect"],
        json!({ "delimiter": "\u{1f}", "lineTerminator": "\r", "encoding": "utf-16le" })
    );
    assert_eq!(read, rows(&[["1", "é"], ["2", "ü"]]));
}

#[test]
fn standard_input_is_looked_at_once() {
    let workspace = Workspace::new();
    let run =
        workspace.sawmill(["infer", "-", "--full"]).stdin(b"caf\xe9,n\nx,1\n".to_vec()).run().succeeds();
    let found = run.says(&["windows-1252"]).json();
    assert_eq!(found["dialect"]["encoding"], "windows-1252");
    assert_eq!(field(&found, 0)["name"], "café");
}

/// One bad byte in UTF-8 is damage, and `run` and `convert` guess no encoding at all.
#[test]
fn damage_is_no_encoding() {
    let workspace = Workspace::new();
    workspace.write("damaged.csv", b"n\xc3\xa4me\n\xc3\xbc\nx\xffy\n");
    workspace.write("latin.csv", b"name\ncaf\xe9\n");
    for arguments in [
        &["infer", "damaged.csv"][..],
        &["convert", "damaged.csv", "-o", "o/"],
        &["convert", "latin.csv", "-o", "o/"],
    ] {
        let _ = workspace.sawmill(arguments).run().exits_with(3).says(&["not valid UTF-8", "line "]).helps();
    }
}

#[test]
fn an_empty_input_has_no_columns() {
    let workspace = Workspace::new();
    workspace.write("empty.csv", "");
    let _ = workspace.sawmill(["infer", "empty.csv"]).run().exits_with(3).says(&["has no bytes"]).helps();
}

/// A table of about so many bytes: integers, but `odd` in the last records.
fn long_table(bytes: usize, note: &str, odd: &str) -> String {
    let mut text = String::from("id,amount,note\n");
    for id in 0.. {
        let amount = if text.len() + 50_000 < bytes { "1200" } else { odd };
        text.push_str(&format!("{id},{amount},{note}\n"));
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// Wherever it is stored, and `convert` then reads what stands there.
#[test]
fn what_stands_far_down_a_file_is_found() {
    let workspace = Workspace::new();
    let bucket = Region::home().bucket("windows");
    let note = "nothing but a text that takes some room and stands in no quotes at all ".repeat(3);
    for (odd, expected) in [("12.5", "number"), ("none of it", "string")] {
        let file = workspace.write("a.csv", long_table(20 << 20, &note, odd));
        let says = ["\"amount\" is int64 in", "at first", odd, "in the record at byte 20"];
        let local = workspace.sawmill(["infer", "a.csv"]).run().succeeds().says(&says).json();
        assert_eq!(field(&local, 1)["type"], expected, "{local}");
        bucket.put("a.csv", &file);
        let url = bucket.url("a.csv");
        let stored = ["infer", &url, "--region", bucket.region.name, "--endpoint", &bucket.region.endpoint];
        assert_eq!(workspace.sawmill(stored).run().succeeds().says(&says).json(), local);
    }
    workspace.write("a.csv", long_table(20 << 20, &note, "12.5"));
    let _ = workspace.sawmill(["convert", "a.csv", "-o", "out/"]).run().succeeds();
    let sql = "SELECT CAST(min(amount) AS VARCHAR), CAST(max(amount) AS VARCHAR) FROM t";
    assert_eq!(readback::query(&workspace.path("out"), sql), rows(&[["12.5", "1200.0"]]));
}

/// Lines inside quotes look like records, wherever a file is entered.
#[test]
fn lines_inside_quotes_are_no_records() {
    let workspace = Workspace::new();
    for note in ["\"x\n0.5,y,z\nabc,\"\"d\"\",f\n\"", "\"\n7.5,8.5,\n\"", "\",\n,\""] {
        workspace.write("a.csv", long_table(3 << 20, note, "1300"));
        let sampled = workspace.sawmill(["infer", "a.csv"]).run().succeeds().json();
        let full = workspace.sawmill(["infer", "a.csv", "--full"]).run().succeeds().json();
        assert_eq!(sampled, full, "{note:?}");
        assert_eq!(field(&sampled, 1)["type"], "integer", "{note:?}");
    }
}
