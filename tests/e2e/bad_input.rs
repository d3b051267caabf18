//! What is wrong is said with its place and a remedy, ends with the exit code
//! of its class, and leaves nothing behind in any target.

use crate::harness::{Workspace, readback};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const SCHEMA: &str = r#"{ "fields": [
    { "name": "id", "type": "int32", "constraints": { "required": true } },
    { "name": "name", "type": "string" },
    { "name": "price", "type": "decimal(7,2)" }
] }"#;

/// Runs a job over `in/*.csv` with two local targets. `dialect` is the body of
/// that table. Whatever goes wrong, both targets stay as they were.
#[track_caller]
fn fails(workspace: &Workspace, dialect: &str, code: i32, says: &[&str]) {
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        format!(
            "schema = \"schema.json\"\n[source]\ninputs = [\"in/*.csv\"]\n[dialect]\n{dialect}\n\
             [[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"other/\"\n"
        ),
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(code).says(says).helps();
    workspace.assert_untouched("one");
    workspace.assert_untouched("other");
}

/// A good file first: what it gave must not be left behind either.
#[track_caller]
fn data_fails(content: &[u8], dialect: &str, says: &[&str]) {
    let workspace = Workspace::new();
    workspace.write("in/a-good.csv", "id,name,price\n1,one,1.00\n");
    workspace.write("in/bad.csv", content);
    let texts: Vec<&str> = ["in/bad.csv"].into_iter().chain(says.iter().copied()).collect();
    fails(&workspace, dialect, 3, &texts);
}

macro_rules! bad_data {
    ($($name:ident: $content:expr, $dialect:expr => [$($says:expr),+ $(,)?];)+) => {$(
        #[test]
        fn $name() {
            data_fails($content.as_ref(), $dialect, &[$($says),+]);
        }
    )+};
}

bad_data! {
    empty_file: "", "" => ["the input is empty: it has no bytes"];
    header_only: "id,name,price\n", "" => ["the input has a header but no records"];
    missing_column: "id,name\n1,one\n", "" => ["the header has no column \"price\"; it has \"id\", \"name\""];
    extra_column: "id,name,price,note\n1,one,1.00,x\n", "" =>
        ["the header has columns that the schema does not know: \"note\""];
    name_twice: "id,name,price,name\n1,one,1.00,x\n", "" => ["duplicate column \"name\" in the header"];
    record_too_short: "id,name,price\n1,one,1.00\n2,two\n", "" =>
        ["bad.csv: line 3, record 2", "the record has 2 fields where 3 are expected"];
    record_too_long: "id,name,price\n1,one,1.00,x\n", "" =>
        ["bad.csv: line 2, record 1", "the record has 4 fields where 3 are expected"];
    value_that_does_not_convert: "id,name,price\n1,one,1.00\ntwo,two,2.00\n", "" =>
        ["bad.csv: line 3, record 2, column \"id\"", "\"two\" is not a valid int32"];
    value_out_of_range: "id,name,price\n2147483648,one,1.00\n", "" =>
        ["bad.csv: line 2, record 1, column \"id\"", "\"2147483648\" is not a valid int32"];
    decimal_that_would_be_rounded: "id,name,price\n1,one,1.005\n", "" =>
        ["line 2, record 1, column \"price\"", "\"1.005\" is not a valid decimal(7,2)"];
    first_of_two_bad_records: "id,name,price\n1,one,x\ny,two,2.00\n", "" =>
        ["line 2, record 1, column \"price\""];
    lines_and_records_differ: "id,name,price\r\n1,\"a\r\nb\",1.00\r\nx,c,1.00\r\n", "" =>
        ["line 4, record 2, column \"id\""];
    nothing_where_something_is_required: "id,name,price\n,one,1.00\n", "" =>
        ["line 2, record 1, column \"id\"", "a column that the schema calls required has no value"];
    quote_that_never_closes: "id,name,price\n1,one,1.00\n2,\"two,2.00\n3,three,3.00\n", "" =>
        ["bad.csv: line 3", "a quoted field that begins here is never closed"];
    quote_inside_a_field: "id,name,price\n1,o\"ne,1.00\n", "" =>
        ["bad.csv: line 2, record 1", "a quote where none is allowed"];
    nul_byte: "id,name,price\n1,o\0e,1.00\n", "" => ["bad.csv: line 2", "the text contains a NUL byte"];
    invalid_utf_8: b"id,name,price\n1,\xff\xfe,1.00\n", "" => ["bad.csv: line 2", "not valid UTF-8"];
    utf_8_that_breaks_off: b"id,name,price\n1,one,1.00\xe2\x82", "" => ["bad.csv: line 2", "not valid UTF-8"];
    field_over_the_limit: format!("id,name,price\n1,{},1.00\n", "x".repeat(1_001)), "maxFieldBytes = 1000" =>
        ["bad.csv: line 2", "a field is larger than the limit of 1,000 bytes"];
    quoted_field_over_the_limit: format!("id,name,price\n1,\"{}\",1.00\n", "x,\n".repeat(50_000)), "maxFieldBytes = 1000" =>
        ["bad.csv: line 2", "a field is larger than the limit of 1,000 bytes"];
    record_over_the_limit: format!("id,name,price\n1,{},1.00\n", "x".repeat(900)), "maxRecordBytes = 500" =>
        ["bad.csv: line 2", "a record is larger than the limit of 500 bytes"];
    gzip_that_breaks_off: &gzip_of_many_records()[..2_000], "" => ["the gzip stream is cut off"];
    gzip_that_is_damaged: damaged(gzip_of_many_records()), "" => ["the gzip stream is damaged"];
    zstd_that_breaks_off: &zstd::encode_all(&many_records()[..], 1).unwrap()[..2_000], "" =>
        ["the zstd stream is cut off"];
    bzip2_that_breaks_off: &bzip2_of_many_records()[..2_000], "" => ["the bzip2 stream is cut off"];
    xz_that_breaks_off: &liblzma::encode_all(&many_records()[..], 1).unwrap()[..2_000], "" =>
        ["bad.csv", "the xz stream is cut off"];
    zip_archive: b"PK\x03\x04\x14\0\0\0", "" => ["the input is compressed with zip, which is not supported"];
    lzma_stream: b"\x5d\0\0\x80\0\xff\xff\xff", "" => ["compressed with lzma, which is not supported"];
}

fn many_records() -> Vec<u8> {
    // Numbers that no codec makes much smaller: the stream has a middle to cut at.
    let mut state = 1_u64;
    let mut text = String::from("id,name,price\n");
    for id in 0..2_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{id},{state:x},{}.00\n", state >> 50));
    }
    text.into_bytes()
}

fn gzip_of_many_records() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&many_records()).unwrap();
    encoder.finish().unwrap()
}

fn bzip2_of_many_records() -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(&many_records()).unwrap();
    encoder.finish().unwrap()
}

/// Another checksum at the end: all bytes arrive, and are not what was packed.
fn damaged(mut stream: Vec<u8>) -> Vec<u8> {
    let checksum = stream.len() - 8;
    stream[checksum] ^= 0xff;
    stream
}

#[test]
fn an_empty_or_header_only_input_may_be_allowed() {
    for content in ["", "id,name,price\n"] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", "id,name,price\n1,one,1.00\n");
        workspace.write("in/b.csv", content);
        workspace.write("schema.json", SCHEMA);
        let job =
            "schema = \"schema.json\"\n[source]\ninputs = [\"in/*.csv\"]\n[[targets]]\nurl = \"one/\"\n";
        workspace.write("job.toml", job);
        let allow = ["run", "job.toml", "--set", "source.empty_input=allow", "--json"];
        let report = crate::harness::report::Report::of(workspace.sawmill(allow).run());
        assert_eq!((report.totals.read, report.inputs.len()), (1, 2));
    }
}

#[test]
fn no_match_for_a_glob() {
    let workspace = Workspace::new();
    workspace.write("in/note.txt", "");
    fails(&workspace, "", 4, &["in/*.csv"]);
}

#[test]
fn missing_file() {
    let workspace = Workspace::new();
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\n[source]\ninputs = [\"gone.csv\"]\n[[targets]]\nurl = \"one/\"\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(4).says(&["gone.csv"]).helps();
    workspace.assert_untouched("one");
}

/// What differs between the columns of an input and the schema's is said, and
/// may be allowed.
#[test]
fn columns_that_differ_are_a_matter_of_policy() {
    for (content, policy, says, rows) in [
        (
            "id,name\n1,one\n",
            "missing_columns = \"null\"",
            "the header has no column \"price\"",
            [["1", "one", ""]],
        ),
        (
            "id,name,price,name\n1,one,1.00,two\n",
            "duplicate_columns = \"first\"",
            "duplicate column \"name\"",
            [["1", "one", "1.00"]],
        ),
    ] {
        let workspace = Workspace::new();
        workspace.write("in/a.csv", content);
        workspace.write("schema.json", SCHEMA);
        let job = |policy: &str| {
            format!(
                "schema = \"schema.json\"\n[source]\ninputs = [\"in/*.csv\"]\n{policy}\n[[targets]]\nurl = \"one/\"\n"
            )
        };
        workspace.write("strict.toml", job(""));
        let _ =
            workspace.sawmill(["run", "strict.toml"]).run().exits_with(3).says(&[says, "source."]).helps();
        workspace.write("job.toml", job(policy));
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
        let sql = "SELECT coalesce(CAST(COLUMNS(*) AS VARCHAR), '') FROM t";
        let expected = rows.map(|row| row.map(|text| Some(text.to_owned())).to_vec());
        assert_eq!(readback::query(&workspace.path("one"), sql), expected);
    }
}

#[test]
fn a_required_column_may_not_be_missing() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "name,price\none,1.00\n");
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\n[source]\ninputs = [\"in/*.csv\"]\nmissing_columns = \"null\"\n[[targets]]\nurl = \"one/\"\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&["no column \"id\""]).helps();
    workspace.assert_untouched("one");
}

#[test]
fn columns_in_another_order_may_be_refused() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "name,id,price\none,1,1.00\n");
    workspace.write("schema.json", SCHEMA);
    let set = ["run", "job.toml", "--set", "source.column_order=same"];
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\n[source]\ninputs = [\"in/*.csv\"]\n[[targets]]\nurl = \"one/\"\n",
    );
    let _ =
        workspace.sawmill(set).run().exits_with(3).says(&["in a different order: \"name\", \"id\""]).helps();
    workspace.assert_untouched("one");
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
}

#[test]
fn an_input_that_unpacks_out_of_proportion_is_refused() {
    let workspace = Workspace::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"id,name,price\n").unwrap();
    encoder.write_all(&b"1,one,1.00\n".repeat(2 << 20)).unwrap();
    workspace.write("in/a.csv.gz", encoder.finish().unwrap());
    workspace.write("schema.json", SCHEMA);
    workspace.write(
        "job.toml",
        "schema = \"schema.json\"\n[source]\ninputs = [\"in/*\"]\nmax_expansion_ratio = 20\n[[targets]]\nurl = \"one/\"\n",
    );
    let says = ["unpacks to more than 20 times its size", "source.max_expansion_ratio"];
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&says).helps();
    workspace.assert_untouched("one");
}
