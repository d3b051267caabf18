//! Commands and flags: what each reads, prints and writes.

use crate::flights::{TARGETS, expected};
use crate::harness::readback::{self, Layout, Table};
use crate::harness::report::Report;
use crate::harness::{Run, Workspace, testdata};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;

/// What a user gets who converts one text with these options.
fn convert(input: impl AsRef<[u8]>, options: &[&str]) -> (Workspace, Run) {
    let workspace = Workspace::new();
    workspace.write("in.csv", input);
    let run = workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"].iter().chain(options)).run();
    (workspace, run)
}

/// Rows of `out.parquet` as text, nulls as `NULL`.
fn rows(workspace: &Workspace) -> Vec<String> {
    readback::query(&workspace.path("out.parquet"), "SELECT * FROM t")
        .into_iter()
        .map(|row| row.into_iter().map(|value| value.unwrap_or("NULL".into())).collect::<Vec<_>>().join("|"))
        .collect()
}

macro_rules! converts {
    ($($name:ident: $input:expr, $options:expr => $rows:expr;)+) => {$(
        #[test]
        fn $name() {
            let (workspace, run) = convert($input, &$options);
            let _ = run.succeeds();
            assert_eq!(rows(&workspace), $rows);
        }
    )+};
}

converts! {
    convert_finds_out_the_rest: "id;name;price\n1;one;1.5\n2;\"t;wo\";2.5\n", [] => ["1|one|1.5", "2|t;wo|2.5"];
    convert_all_text: "id,n\n007,1.50\n", ["--all-text"] => ["007|1.50"];
    convert_with_a_delimiter: "a|b\n1,5|2\n", ["--all-text", "--delimiter", "|"] => ["1,5|2"];
    convert_with_a_tab: "a\tb\nx\ty\n", ["--all-text", "--delimiter", "\t"] => ["x|y"];
    convert_with_a_quote: "a,b\n'x,y',z\n", ["--all-text", "--delimiter", ",", "--quote", "'"] => ["x,y|z"];
    convert_without_quotes: "a,b\n\"x,y\"\n", ["--all-text", "--delimiter", ",", "--no-quote"] => ["\"x|y\""];
    convert_with_an_escape: "a,b\n\"x\\\"y\",z\n", ["--all-text", "--delimiter", ",", "--escape", "\\"] => ["x\"y|z"];
    convert_without_a_header: "1,one\n2,two\n", ["--all-text", "--no-header"] => ["1|one", "2|two"];
    convert_after_skipped_records: "export of today\na,b\n1,2\n", ["--all-text", "--delimiter", ",", "--header", "--skip-records", "1"] => ["1|2"];
    convert_latin_1: b"a,b\nM\xfcnchen,1\n", ["--all-text", "--encoding", "windows-1252"] => ["München|1"];
    convert_utf_16: utf_16("a,b\nMünchen,1\n"), ["--all-text"] => ["München|1"];
    convert_a_byte_order_mark: "\u{feff}a,b\n1,2\n", ["--all-text"] => ["1|2"];
    convert_null_tokens: "a,b\nNA,-\n\"NA\",x\n", ["--all-text", "--null", "NA", "--null", "-"] => ["NULL|NULL", "NA|x"];
    convert_crlf_and_no_last_terminator: "a,b\r\n1,2\r\n3,4", ["--all-text"] => ["1|2", "3|4"];
    convert_line_breaks_in_fields: "a,b\n\"1\n2\",3\n", ["--all-text"] => ["1\n2|3"];
    convert_blank_lines: "a,b\n1,2\n\n3,4\n", ["--all-text"] => ["1|2", "3|4"];
}

fn utf_16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn convert_with_schema_partitions_and_codec() {
    let workspace = Workspace::new();
    let (input, schema) = (testdata("flights/flights-2013-h1.csv"), testdata("flights/schema.json"));
    let run = workspace
        .sawmill(
            ["convert".as_ref(), input.as_os_str(), "--schema".as_ref(), schema.as_os_str()]
                .into_iter()
                .chain(
                    ["-o", "out/", "--partition-by", "origin", "--compression", "zstd", "--json"]
                        .map(AsRef::as_ref),
                ),
        )
        .run();
    let report = Report::of(run);
    assert_eq!((report.totals.written, report.files.len()), (1_979, 3));
    Table::of_parquet(&workspace.path("out")).assert_same_values(&expected(&[input]));
    assert_eq!(Layout::of(&workspace.path("out")).codecs, ["ZSTD"]);
}

#[test]
fn convert_reads_standard_input_and_compressed_files_alike() {
    let input = fs::read(testdata("flights/flights-2013-h1.csv")).unwrap();
    let expected = expected(&[testdata("flights/flights-2013-h1.csv")]);
    let schema = testdata("flights/schema.json");
    let schema = ["--schema", schema.to_str().unwrap()];

    let workspace = Workspace::new();
    let piped = ["convert", "-", "-o", "piped.parquet"];
    let _ = workspace.sawmill(piped.iter().chain(&schema)).stdin(input.clone()).run().succeeds();
    Table::of_parquet(&workspace.path("piped.parquet")).assert_same_values(&expected);

    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let xz = |bytes: &[u8]| liblzma::encode_all(bytes, 1).unwrap();
    let (head, tail) = input.split_at(100_001);
    for (name, bytes) in [
        ("one.csv.gz", gzip(&input)),
        ("two-members.csv.gz", [gzip(head), gzip(tail)].concat()),
        ("one.csv.zst", zstd::encode_all(&input[..], 3).unwrap()),
        (
            "two-frames.csv.zst",
            [zstd::encode_all(head, 3).unwrap(), zstd::encode_all(tail, 3).unwrap()].concat(),
        ),
        ("no-extension", gzip(&input)),
        // A stream for each block, as pbzip2 writes them; streams with padding, as xz takes them.
        ("blocks.csv.bz2", [bzip2(head), bzip2(tail)].concat()),
        ("padded.csv.xz", [xz(head), vec![0; 8], xz(tail)].concat()),
    ] {
        workspace.write(name, bytes);
        let output = format!("{name}.parquet");
        let run = workspace.sawmill(["convert", name, "-o", &output].iter().chain(&schema)).run();
        let _ = run.succeeds();
        Table::of_parquet(&workspace.path(&output)).assert_same_values(&expected);
    }
}

#[test]
fn infer_prints_what_run_takes() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id;when;name\n1;2024-02-29;a\n2;2024-03-01;b\n");
    let run = workspace.sawmill(["infer", "in.csv"]).run().succeeds();
    let found = run.json();
    assert_eq!(found["dialect"]["delimiter"], ";");
    let types: Vec<_> =
        found["schema"]["fields"].as_array().unwrap().iter().map(|field| &field["type"]).collect();
    assert!(
        matches!(types[..], [id, when, name] if id != "string" && when == "date" && name == "string"),
        "{found}"
    );

    let _ = workspace.sawmill(["infer", "in.csv", "--full", "-o", "found.json"]).run().succeeds();
    let written: Value = serde_json::from_slice(&fs::read(workspace.path("found.json")).unwrap()).unwrap();
    assert_eq!(written["schema"]["fields"], found["schema"]["fields"]);
    let job = "schema = \"found.json\"\n[source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n";
    workspace.write("job.toml", job);
    assert_eq!(Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run()).totals.written, 2);
}

#[test]
fn check_and_dry_run_write_nothing() {
    let workspace = Workspace::with_flights();
    let before = workspace.files("");
    let _ = workspace.sawmill(["check", "testdata/flights/job.toml"]).run().succeeds();
    let run = workspace.sawmill(["run", "testdata/flights/job.toml", "--dry-run", "--json"]).run().succeeds();
    assert_eq!(run.json()["status"], "planned");
    assert_eq!(workspace.files(""), before);
}

#[test]
fn flags_win_over_the_job_file() {
    let workspace = Workspace::with_flights();
    let input = "testdata/flights/flights-2013-h2.csv";
    let arguments =
        ["run", "testdata/flights/job.toml", "--input", input, "--set", "output.compression=zstd(3)"];
    let more = ["--set", "targets[1].url=../../out/elsewhere/", "--json"];
    let report = Report::of(workspace.sawmill(arguments.into_iter().chain(more)).run());
    assert_eq!(report.totals.read, 2_031);
    assert_eq!(Layout::of(&workspace.path("out/elsewhere")).codecs, ["ZSTD"]);
    workspace.assert_untouched(TARGETS[1]);
}

#[test]
fn logs_are_json_on_demand() {
    let workspace = Workspace::with_flights();
    let job = "testdata/flights/job.toml";
    let good = workspace.sawmill(["run", job, "--log-format", "json"]).run().succeeds();
    fs::remove_file(workspace.path("testdata/flights/schema.json")).unwrap();
    let bad = workspace.sawmill(["run", job, "--log-format", "json"]).run().exits_with(2);
    for run in [&good, &bad] {
        for line in run.stderr.lines() {
            assert!(
                serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()),
                "{line:?}: {run}"
            );
        }
    }
    assert!(bad.stderr.contains("schema.json"), "{bad}");
}

#[test]
fn help_and_version() {
    let workspace = Workspace::new();
    let version = workspace.sawmill(["--version"]).run().succeeds();
    assert!(version.stdout.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let help = workspace.sawmill(["--help"]).run().succeeds();
    for command in [
        "run", "convert", "infer", "check", "plan", "task", "commit", "recover", "log", "verify", "catchup",
        "promote", "gc",
    ] {
        assert!(help.stdout.contains(command), "{command} is missing: {help}");
        let help = workspace.sawmill([command, "--help"]).run().succeeds();
        assert!(help.stdout.contains("Usage: sawmill"), "{help}");
        // What is common to all stands behind what the command is about, and is short.
        let (own, common) = help.stdout.split_once("\nOptions of every command:\n").unwrap();
        let flags = ["--quiet", "--verbose", "--color", "--log-format", "--threads"];
        assert!(flags.iter().all(|flag| common.contains(flag) && !own.contains(flag)), "{help}");
        assert!(!common.contains("Possible values:"), "{help}");
    }
}

#[test]
fn convert_does_not_overwrite() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\n1,2\n");
    let there = workspace.write("out.parquet", "something else");
    let run = workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"]).run();
    let _ = run.fails().says(&["out.parquet"]).helps();
    assert_eq!(fs::read(Path::new(&there)).unwrap(), b"something else");
}

/// What somebody has edited is not lost to a second `infer`.
#[test]
fn infer_does_not_overwrite() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "a,b\n1,2\n");
    let schema = workspace.write("schema.json", "edited by hand");
    let infer =
        |more: &[&str]| workspace.sawmill(["infer", "in.csv", "-o", "schema.json"].iter().chain(more)).run();
    let _ = infer(&[]).exits_with(5).says(&["schema.json already exists", "--overwrite"]).helps();
    assert_eq!(fs::read(&schema).unwrap(), b"edited by hand");
    let _ = infer(&["--overwrite"]).succeeds();
    let written: Value = serde_json::from_slice(&fs::read(&schema).unwrap()).unwrap();
    assert_eq!(written["schema"]["fields"].as_array().map(Vec::len), Some(2));
    assert_eq!(workspace.files(""), ["in.csv", "schema.json"]);
}

/// Pandas' default output has a header without a name in front.
#[test]
fn a_header_with_unusable_names_is_not_taken_for_data() {
    let fail = ["--blank-names", "fail"];
    for (content, flags, says) in [
        (",id\n0,17\n", &fail[..], "column 1 of the header has no name"),
        ("a,a\n1,2\n", &[], "duplicate column \"a\""),
    ] {
        let workspace = Workspace::new();
        workspace.write("in.csv", content);
        let run = workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"].iter().chain(flags)).run();
        let _ = run.exits_with(3).says(&["in.csv", says]).helps();
    }
}

#[test]
fn an_escape_without_quotes_is_kept() {
    let workspace = Workspace::new();
    workspace.write("a.csv", "a,b\np\\,q,x\\\\y\n");
    let flags = ["--no-quote", "--escape", "\\"];
    let _ = workspace.sawmill(["convert", "a.csv", "-o", "a.parquet"].iter().chain(&flags)).run().succeeds();
    let rows = crate::harness::readback::query(&workspace.path("a.parquet"), "SELECT a, b FROM t");
    assert_eq!(rows, [[Some("p,q".to_owned()), Some("x\\y".to_owned())]]);
}
