//! What stands before and after the data: titles, footers, and the trailer that counts.

use crate::harness::Workspace;
use crate::harness::readback;
use crate::harness::report::Report;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

const SCHEMA: &str =
    r#"{ "fields": [{ "name": "id", "type": "int32" }, { "name": "name", "type": "string" }] }"#;

/// Three footer records; the last says how many data records there are.
const TRAILER: &str = "footerRecords = 3\ntrailerCount = { field = 2, marker = \"TRL\" }\nskipRecords = 1\n";

/// A job over `in/*`, with lines for `[dialect]` and for other tables.
fn job(workspace: &Workspace, dialect: &str, rest: &str) {
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        format!(
            "schema = \"schema.json\"\nsource.inputs = [\"in/*\"]\n[dialect]\nlineTerminator = \"\\n\"\n{dialect}\n\
             [[targets]]\nurl = \"out/\"\n{rest}\n"
        ),
    );
}

/// Blocks are cut at 512 KiB, so the data takes three and the footer, whose
/// records the dialect would refuse in the data, the end of two.
fn landed(records: u32, stated: u32) -> Vec<u8> {
    let mut text = String::from("Sales \"2024\" report\nid,name\n");
    (0..records).for_each(|id| text.push_str(&format!("{id},\"the name of {id}\"\n")));
    let long = "-".repeat(300_000);
    text.push_str(&format!("end of \"data\"{long}\n\n{long},\"sum\" of it\nTRL,{stated}\n\n"));
    text.into_bytes()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn footers_are_found_across_blocks() {
    for (name, content) in [("a.csv", landed(40_000, 40_000)), ("a.csv.gz", gzip(&landed(40_000, 40_000)))] {
        let workspace = Workspace::new();
        workspace.write(&format!("in/{name}"), content);
        job(&workspace, TRAILER, "");
        let report = Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
        assert_eq!((report.totals.read, report.totals.written), (40_000, 40_000), "{name}");
        let rows =
            readback::query(&workspace.path("out"), "SELECT count(*), min(id), max(id), max(name) FROM t");
        let expected = ["40000", "0", "39999", "the name of 9999"];
        assert_eq!(rows, [expected.map(|value| Some(value.to_owned())).to_vec()], "{name}");
    }
}

#[test]
fn every_input_of_every_task_has_its_own_footer() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", landed(40_000, 40_000));
    workspace.write("in/b.csv", landed(3, 3));
    workspace.write("in/c.csv.gz", gzip(&landed(20_000, 20_000)));
    job(&workspace, TRAILER, "");
    let split = ["plan", "job.toml", "--tasks", "2", "-o", "plan.json"];
    let _ = workspace.sawmill(split).run().succeeds();
    for task in ["0", "1"] {
        let out = format!("report-{task}.json");
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", &out]).run().succeeds();
    }
    let commit = ["commit", "plan.json", "report-0.json", "report-1.json", "--json"];
    let report = Report::of(workspace.sawmill(commit).run());
    let read: Vec<u64> = report.inputs.iter().map(|input| input.counts.read).collect();
    assert_eq!((read, report.totals.written), (vec![40_000, 3, 20_000], 60_003));
}

#[test]
fn rejected_records_are_counted_by_the_trailer_and_footers_are_not_rejected() {
    let workspace = Workspace::new();
    let text = String::from_utf8(landed(40_000, 40_000)).unwrap();
    let text = text.replace("39999,\"the", "39999,the \"last\"").replace("\n20000,", "\nx,");
    workspace.write("in/a.csv", text);
    job(&workspace, TRAILER, "[errors]\nbad_record = \"reject\"\nbad_value = \"reject\"");
    let report = Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
    assert_eq!((report.totals.read, report.totals.written, report.totals.rejected), (40_000, 39_998, 2));
}

/// What is tolerated of titles and footers is not of the records between them.
#[test]
fn headers_and_data_are_held_against_the_dialect() {
    let clean = String::from_utf8(landed(40_000, 40_000)).unwrap();
    for (from, to, line) in [
        ("id,name", "id,na\"me", "line 2"),
        ("\n0,\"", "\n0,a\"", "line 3"),
        ("\n39999,\"", "\n39999,a\"", "line 40002"),
    ] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", clean.replacen(from, to, 1));
        job(&workspace, TRAILER, "");
        let says = [line, "quote"];
        let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&says).helps();
        workspace.assert_untouched("out");
    }
}

/// The columns' types are found in what the run would read.
#[test]
fn titles_and_footers_say_nothing_of_types() {
    let workspace = Workspace::new();
    workspace.write("in.csv", landed(3, 3));
    let dialect = ["--skip-records", "1", "--footer-records", "3", "--quote", "\"", "--delimiter", ","];
    let infer = ["infer", "in.csv"].into_iter().chain(dialect);
    let schema = workspace.sawmill(infer.clone()).run().succeeds();
    let types: Vec<_> =
        schema.json()["schema"]["fields"].as_array().unwrap().iter().map(|f| f["type"].clone()).collect();
    assert_eq!(types.len(), 2, "{schema}");
    assert!(types[0].as_str().unwrap().starts_with("int"), "{schema}");

    let data = String::from_utf8(landed(3, 3)).unwrap().replace("\n2,\"", "\n2,a\"");
    workspace.write("in.csv", data);
    let _ = workspace.sawmill(infer).run().exits_with(3).says(&["line 5", "quote"]);
}

#[test]
fn footers_that_are_not_there_fail_the_run() {
    for (content, dialect, says) in [
        (&b"id,name\n1,one\n2,two\n"[..], "trailerCount = { field = 1 }", "the trailer says 2 records"),
        (b"id,name\n1,one\nx,two\n", "trailerCount = { field = 1 }", "\"x\" is not a number of records"),
        (b"id,name\n", "trailerCount = { field = 1 }", "no record follows the header"),
        (b"", "trailerCount = { field = 1 }", "the input is empty"),
        (b"id,name\n1,one\n", "footerRecords = 2", "it has 2 records, and 1 follows the header"),
    ] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", content);
        job(&workspace, dialect, "");
        let run = ["run", "job.toml", "--set", "source.empty_input=allow"];
        let _ = workspace.sawmill(run).run().exits_with(3).says(&[says, "a.csv"]).helps();
        workspace.assert_untouched("out");
    }
}

#[test]
fn blank_lines_without_end_are_not_held() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", format!("id,name\n1,one\n{}", "\n".repeat(3 << 20)));
    job(&workspace, "footerRecords = 1\nmaxRecordBytes = 1000000\nmaxFieldBytes = 1000000", "");
    let says = ["more than 1,000,000 bytes of blank lines", "dialect.footerRecords"];
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&says).helps();
    workspace.assert_untouched("out");
}

#[test]
fn check_takes_an_empty_input_as_the_run_does() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "");
    workspace.write("in/b.csv", "id,name\n1,one\n1\n");
    let allow = "source.empty_input=allow";
    job(&workspace, "footerRecords = 1", "");
    let _ = workspace.sawmill(["check", "job.toml", "--set", allow]).run().succeeds();
    let refused = workspace.sawmill(["check", "job.toml"]).run().exits_with(3);
    let _ = refused.says(&["a.csv", "source.empty_input"]).helps();
    job(&workspace, "trailerCount = { field = 1 }", "");
    let refused = workspace.sawmill(["check", "job.toml", "--set", allow]).run().exits_with(3);
    let _ = refused.says(&["a.csv", "the trailer is missing: the input is empty"]).helps();
}
