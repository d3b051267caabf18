//! Quotes that are never closed, and unescaped quotes inside quotes:
//! what fails, what is set aside, and what the message advises.

use crate::harness::readback;
use crate::harness::{Run, Workspace};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const SCHEMA: &str = r#"{ "fields": [
    { "name": "id", "type": "int32" }, { "name": "name", "type": "string" }
] }"#;

const UNCLOSED: &str = "id,name\n1,one\n2,\"two\n3,three\n4,four\n";

/// A job over `in/*` with one target; `rest` is the end of it.
fn job(workspace: &Workspace, rest: &str) {
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        format!(
            "schema = \"schema.json\"\nsource.inputs = [\"in/*\"]\ntargets = [{{ url = \"out/\" }}]\n{rest}\n"
        ),
    );
}

fn quarantined(workspace: &Workspace, columns: &str) -> Vec<Vec<Option<String>>> {
    let directory = workspace.path("out/_sawmill/quarantine");
    let files = workspace.files("out/_sawmill/quarantine");
    let [file] = &files[..] else { panic!("{files:?}") };
    readback::query(&directory.join(file), &format!("SELECT {columns} FROM t"))
}

fn rows(workspace: &Workspace, output: &str) -> Vec<String> {
    let rows = readback::query(&workspace.path(output), "SELECT * FROM t ORDER BY 1");
    rows.into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("|"))
        .collect()
}

fn counts(run: &Run) -> [u64; 3] {
    let report = run.json();
    let count = |key: &str| report["totals"][key].as_u64().unwrap();
    [count("read"), count("written"), count("rejected")]
}

#[test]
fn an_unclosed_quote_is_set_aside_with_all_that_it_takes_in() {
    for packed in [false, true] {
        let workspace = Workspace::new();
        match packed {
            false => workspace.write("in/a.csv", UNCLOSED),
            true => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(UNCLOSED.as_bytes()).unwrap();
                workspace.write("in/a.csv", encoder.finish().unwrap())
            }
        };
        workspace.write("in/b.csv", "id,name\n9,nine\n");
        job(&workspace, "errors.bad_record = \"reject\"");
        let run = workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().says(&[
            "a.csv: the quote at line 3, character 3 is never closed: the 3 lines from line 3 to the end, 22 bytes, are set aside as one record",
        ]);
        assert_eq!(counts(&run), [3, 2, 1]);
        assert_eq!(rows(&workspace, "out"), ["1|one", "9|nine"]);
        let found = quarantined(
            &workspace,
            "line, record, rule, byte_offset, decode(raw), contains(message, 'lines 3 to 5 (bytes 14 to 36) are one record')",
        );
        let raw = "2,\"two\n3,three\n4,four\n";
        let expected = ["3", "2", "quote", "16", raw, "True"].map(|text| Some(text.to_owned()));
        assert_eq!(found, [expected]);
    }
}

/// Of what is larger than any record the beginning is kept, and all is counted;
/// however the input is split.
#[test]
fn what_an_unclosed_quote_takes_in_may_be_larger_than_a_record() {
    let workspace = Workspace::new();
    let lines = |from: u32, to: u32| (from..to).map(|id| format!("{id},é{id}\n")).collect::<String>();
    let before = format!("id,name\n{}", lines(0, 50_000));
    let text = format!("{before}x,\"{}", lines(50_000, 200_000));
    workspace.write("in/a.csv", &text);
    job(&workspace, "errors.bad_record = \"reject\"\ndialect.maxRecordBytes = 1001");
    let plan = ["plan", "job.toml", "--tasks", "3", "--split-bytes", "100000", "-o", "plan.json"];
    let _ = workspace.sawmill(plan).run().succeeds();
    let mut commit = vec!["commit".to_owned(), "plan.json".to_owned(), "--json".to_owned()];
    for task in ["0", "1", "2"] {
        let out = format!("report-{task}.json");
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", &out]).run().succeeds();
        commit.push(out);
    }
    let run = workspace.sawmill(commit).run().succeeds();
    assert_eq!(counts(&run), [50_001, 50_000, 1]);
    let input = &run.json()["inputs"][0];
    let not_data: u64 = ["skipped", "header", "comments", "blank", "footer"]
        .iter()
        .filter_map(|kind| input["not_data"][kind]["bytes"].as_u64())
        .sum();
    assert_eq!(input["text_bytes"], text.len());
    assert_eq!(input["data_bytes"].as_u64().unwrap() + not_data, text.len() as u64);

    let found = quarantined(&workspace, "line, record, octet_length(raw), message, decode(raw)");
    let [line, record, kept, message, raw] = &found[0][..] else { panic!("{found:?}") };
    assert_eq!((line.as_deref(), record.as_deref()), (Some("50002"), Some("50001")));
    // No part of a character.
    let kept: usize = kept.as_deref().unwrap().parse().unwrap();
    assert!((998..=1001).contains(&kept) && text[before.len()..].starts_with(raw.as_deref().unwrap()));
    let extent = format!("lines 50002 to 200001 (bytes {} to {}) are one record", before.len(), text.len());
    let message = message.as_deref().unwrap();
    assert!(message.contains(&extent), "{message}");
    let kept = format!("the first {}{:03} bytes are kept", if kept < 1000 { "" } else { "1," }, kept % 1000);
    assert!(message.contains(&kept), "{message}");
}

/// The place is that of the quote, and each way out is one.
#[test]
fn the_advice_about_an_unclosed_quote_works() {
    let workspace = Workspace::new();
    workspace.write("a.csv", UNCLOSED);
    let convert = |input: &str, flags: &[&str]| {
        let arguments = ["convert", input, "-o", "out.parquet", "--overwrite"];
        workspace.sawmill(arguments.iter().chain(flags)).run()
    };
    let says = [
        "a.csv: line 3, record 2, column \"name\"",
        "from character 3 of the line",
        "lines 3 to 5 (bytes 14 to 36) are one record",
        "--on-bad-record reject",
        "--no-quote",
        "close the quote or take it out",
    ];
    let _ = convert("a.csv", &[]).exits_with(3).says(&says).helps();
    let _ = convert("a.csv", &["--on-bad-record", "reject"]).succeeds().says(&["1 rejected", "3 lines"]);
    assert_eq!(rows(&workspace, "out.parquet"), ["1|one"]);
    let _ = convert("a.csv", &["--no-quote"]).succeeds();
    assert_eq!(rows(&workspace, "out.parquet"), ["1|one", "2|\"two", "3|three", "4|four"]);
    workspace.write("closed.csv", UNCLOSED.replace("\"two", "\"two\""));
    workspace.write("out.csv", UNCLOSED.replace("\"two", "two"));
    for repaired in ["closed.csv", "out.csv"] {
        let _ = convert(repaired, &[]).succeeds();
        assert_eq!(rows(&workspace, "out.parquet"), ["1|one", "2|two", "3|three", "4|four"], "{repaired}");
    }
}

/// Where it cannot be set aside, nothing advises to.
#[test]
fn a_quote_that_takes_in_header_or_footer_fails() {
    for (text, dialect, place) in [
        ("id,\"name\n1,one\n2,two\n", "", "line 1"),
        (UNCLOSED, "dialect.footerRecords = 1", "line 3, record 2"),
        ("\"title\nid,name\n1,one\n", "dialect.skipRecords = 1", "line 1"),
    ] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", text);
        job(&workspace, &format!("errors.bad_record = \"reject\"\n{dialect}"));
        let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(3);
        let run = run.says(&[place, "a quoted field that begins here is never closed"]).helps();
        assert!(!run.stderr.contains("bad_record"), "{run}");
        workspace.assert_untouched("out");
    }
}

const UNESCAPED: &str = "id,stop,line\r\n1,\"Lahr \"Vis-à-Vis\" Bus\",x\r\n2,\"a \"\",b\",y\r\n3,\"one\r\ntwo \"2\"\",z\r\n4,\"\",\"6\" pipe\"\r\n";

/// The message names the flag, and the flag gives the table; what `infer` finds
/// with it is what a run reads.
#[test]
fn quotes_that_nobody_escaped_are_read_by_a_flag() {
    let workspace = Workspace::new();
    // By the rule, the two quotes at the end of record 3 would be one.
    workspace.write("a.csv", UNESCAPED.replace("\"2\"\"", "\"2\" x\""));
    let convert = |flags: &[&str]| {
        let arguments = ["convert", "a.csv", "-o", "out.parquet", "--overwrite", "--delimiter", ","];
        workspace.sawmill(arguments.iter().chain(flags)).run()
    };
    let says = ["line 2, record 1", "--unescaped-quotes"];
    let _ = convert(&["--quote", "\""]).exits_with(3).says(&says).helps();
    let _ = convert(&["--quote", "\"", "--unescaped-quotes"]).succeeds();
    let expected = ["1|Lahr \"Vis-à-Vis\" Bus|x", "2|a \",b|y", "3|one\r\ntwo \"2\" x|z", "4||6\" pipe"];
    assert_eq!(rows(&workspace, "out.parquet"), expected);

    // The other flag is another rule.
    let _ = convert(&["--quote", "\"", "--keep-stray-quotes", "--all-text"]);
    let kept = rows(&workspace, "out.parquet");
    assert_eq!(kept[0], "1|Lahr Vis-à-Vis\" Bus\"|x");

    let infer = ["infer", "a.csv", "-o", "schema.json", "-d", ",", "--quote", "\"", "--unescaped-quotes"];
    let _ = workspace.sawmill(infer).run().succeeds();
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\nsource.inputs = [\"a.csv\"]\ntargets = [{ url = \"table/\" }]\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert_eq!(rows(&workspace, "table"), expected);
    let _ = convert(&["--unescaped-quotes", "--no-quote"]).exits_with(2);
}

/// Splits are cut where records end by the same rule, and what is wrong is set
/// aside as ever.
#[test]
fn quotes_that_nobody_escaped_are_read_in_splits() {
    let workspace = Workspace::new();
    let record = |id: u32| match id % 50_000 {
        40_000 => format!("{id},b\"are\r\n"),
        _ => format!("{id},\"stop \"{id}\" and\r\n{id},\" \"no record\" or\r\n\" at all\"\r\n"),
    };
    let text = (0..100_000).map(record).collect::<String>();
    workspace.write("in/a.csv", format!("id,name\r\n{text}5,\"open\" end\r\n"));
    job(&workspace, "errors.bad_record = \"reject\"\ndialect.unescapedQuotes = true");
    let plan = ["plan", "job.toml", "--tasks", "3", "--split-bytes", "100000", "-o", "plan.json"];
    let _ = workspace.sawmill(plan).run().succeeds();
    for task in ["0", "1", "2"] {
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", "task.json"]).run().succeeds();
    }
    let run = workspace.sawmill(["commit", "plan.json", "--json"]).run().succeeds();
    assert_eq!(counts(&run), [100_001, 99_998, 3]);
    let sums = readback::query(
        &workspace.path("out"),
        "SELECT count(*), sum(id), count(*) FILTER (name = format('stop \"{}\" and\r\n{},\" \"no record\" or\r\n\" at all', id, id)) FROM t",
    );
    let sum: u64 = (0..100_000_u64).filter(|id| id % 50_000 != 40_000).sum();
    let expected = ["99998".to_owned(), sum.to_string(), "99998".to_owned()].map(Some);
    assert_eq!(sums, [expected]);
}
