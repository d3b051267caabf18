//! The options of `output`, each seen by a second reader of the files.

use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::readback::{self, ChunkFacts, Footer, Table};
use crate::harness::report::Report;
use std::path::PathBuf;

const SCHEMA: &str = r#"
[[fields]]
name = "id"
type = "int32"
[[fields]]
name = "name"
type = "string"
[[fields]]
name = "price"
type = "decimal(8,2)"
[[fields]]
name = "total"
type = "decimal(15,4)"
[[fields]]
name = "sold_at"
type = "timestamp(us,UTC)"
[[fields]]
name = "shop"
type = "string"
"#;

const HEADER: &str = "id,name,price,total,sold_at,shop\n";
const ROWS: &str = "1,one,1.50,-2.5000,2024-02-29T12:30:00.123456Z,north\n\
                    2,two,,3.0000,1969-12-31T23:59:59.999999Z,north\n\
                    3,,-999999.99,99999999999.9999,0001-01-01T00:00:00Z,north\n";

/// A run of these records with more settings of `[output]`.
fn sawmill(workspace: &Workspace, records: &str, output: &str) -> crate::harness::Run {
    workspace.write("in.csv", format!("{HEADER}{records}"));
    workspace.write("schema.toml", SCHEMA);
    workspace.write(
        "job.toml",
        format!(
            "name = \"sales\"\nschema = \"schema.toml\"\n[source]\ninputs = [\"in.csv\"]\nempty_input = \"allow\"\n\
             [[targets]]\nurl = \"out/\"\n[output]\n{output}\n"
        ),
    );
    workspace.sawmill(["run", "job.toml", "--json"]).run()
}

fn written(workspace: &Workspace, records: &str, output: &str) -> PathBuf {
    Report::of(sawmill(workspace, records, output));
    workspace.path("out")
}

fn footer(directory: &std::path::Path) -> Footer {
    let mut footers = Footer::of(directory);
    assert_eq!(footers.len(), 1, "{footers:?}");
    footers.remove(0)
}

#[test]
fn columns_have_settings_of_their_own() {
    let workspace = Workspace::new();
    let output = "compression = \"gzip\"\n[output.columns.ID]\ncompression = \"zstd(5)\"\nbloom_filter = true\n\
                  [output.columns.name]\ndictionary = false\nbloom_filter = { fpp = 0.001, ndv = 100 }\n\
                  [output.columns.price]\nstatistics = \"none\"\n[output.columns.total]\nstatistics = \"chunk\"\n";
    let directory = written(&workspace, ROWS, output);
    let Footer { columns, .. } = footer(&directory);
    let codec = |name: &str| columns[name].codecs.join(",");
    assert_eq!((codec("id"), codec("name")), ("ZSTD".to_owned(), "GZIP".to_owned()));
    let has_dictionary = |name: &str| columns[name].encodings.iter().any(|e| e.contains("DICTIONARY"));
    assert_eq!((has_dictionary("id"), has_dictionary("name")), (true, false));
    let statistics = |name: &str| (columns[name].has_statistics, columns[name].has_page_index);
    assert_eq!(statistics("id"), (true, true));
    assert_eq!(statistics("total"), (true, false));
    assert_eq!(statistics("price"), (false, false));

    let file = directory.join(&workspace.visible("out")[0]);
    let excludes = |column: &str, value: &str| {
        let sql = format!(
            "SELECT bloom_filter_excludes FROM parquet_bloom_probe('{}', '{column}', {value})",
            file.display()
        );
        readback::query(&directory, &sql)[0][0].clone().unwrap()
    };
    assert_eq!((excludes("id", "2").as_str(), excludes("id", "7777").as_str()), ("False", "True"));
    assert_eq!((excludes("name", "'two'").as_str(), excludes("name", "'x'").as_str()), ("False", "True"));
    assert_eq!(excludes("shop", "'nowhere'"), "False", "it has no filter");
}

#[test]
fn pages_and_dictionaries_have_limits() {
    let records: String =
        (0..3_000).map(|n| format!("{n},{n:0>200},1.00,1,2024-01-01T00:00:00Z,s\n")).collect();
    let pages = |output: &str| {
        let workspace = Workspace::new();
        let directory = written(&workspace, &records, output);
        let file = std::fs::File::open(directory.join(&workspace.visible("out")[0])).unwrap();
        let policy = parquet::file::metadata::PageIndexPolicy::Required;
        let reader = parquet::file::metadata::ParquetMetaDataReader::new().with_page_index_policy(policy);
        let metadata = reader.parse_and_finish(&file).unwrap();
        let pages = |column: usize| metadata.offset_index().unwrap()[0][column].page_locations().len();
        (pages(0), pages(1), footer(&directory).columns["name"].encodings.clone())
    };
    let (ids, names, encodings) = pages("");
    assert_eq!((ids, names), (1, 1));
    assert!(!encodings.contains(&"PLAIN_DICTIONARY".to_owned()) || encodings.contains(&"PLAIN".to_owned()));
    assert_eq!(pages("page_rows = 1000").0, 3);
    assert!(pages("page_bytes = 100000\n[output.columns.name]\ndictionary = false").1 > 4);
    assert!(
        pages("page_bytes = 100000\ndictionary_page_bytes = 10000").1 > 4,
        "the dictionary is full early"
    );
}

#[test]
fn sorting_is_declared_without_partition_keys() {
    let workspace = Workspace::new();
    let output = "partition_by = [\"shop\"]\nsort_by = [\"shop\", \"total desc nulls first\", \"id\"]";
    // Of one row, which any order fits.
    let directory = written(&workspace, ROWS.lines().next().unwrap(), output);
    assert_eq!(footer(&directory).sorting, [[(3, true, true), (0, false, false)]]);
}

/// The schema says `Id`, the files of profile spectrum `id`: either names the column.
#[test]
fn rows_are_in_the_order_that_is_declared_however_it_is_spelled() {
    for (sort_by, descending, expected) in
        [("Id", false, "1 2 3 4"), ("id desc", true, "4 3 2 1"), ("ID", false, "1 2 3 4")]
    {
        let workspace = Workspace::new();
        workspace.write("in.csv", "Id,name\n3,c\n1,a\n4,d\n2,b\n");
        workspace.write(
            "job.toml",
            format!(
                "schema = {{ fields = [{{ name = \"Id\", type = \"int32\" }}, {{ name = \"name\", type = \"string\" }}] }}\n\
                 [source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n[output]\nsort_by = [\"{sort_by}\"]\n"
            ),
        );
        Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
        let directory = workspace.path("out");
        assert_eq!(footer(&directory).sorting, [[(0, descending, false)]], "{sort_by}");
        let rows = readback::query(&directory, "SELECT id FROM t");
        let ids: Vec<String> = rows.into_iter().flatten().flatten().collect();
        assert_eq!(ids.join(" "), expected, "{sort_by}");
    }
}

#[test]
fn names_in_settings_are_those_of_the_output() {
    for (output, key, close) in [
        ("sort_by = [\"id\", \"nmae\"]", "output.sort_by[1]", "did you mean `name`?"),
        ("[output.columns.prize]\ndictionary = false", "output.columns.prize", "did you mean `price`?"),
        (
            "partition_by = [\"shop\"]\n[output.columns.shop]\ndictionary = false",
            "output.columns.shop",
            "partition key",
        ),
        ("[output.columns.id]\nencoding = \"delta_binary_packed\"", "output.columns.id.encoding", "standard"),
        ("compression = \"lz4\"", "output.compression", "Spectrum"),
        ("sort_by = [\"id\", \"ID desc\"]", "output.sort_by[1]", "leave it out"),
    ] {
        let workspace = Workspace::new();
        let _ = sawmill(&workspace, ROWS, output).exits_with(2).says(&[key, close]).helps();
        workspace.assert_untouched("out");
    }
}

#[test]
fn timestamps_and_decimals_have_two_forms() {
    let plain = Workspace::new();
    let plain = written(&plain, ROWS, "").parent().map(|_| Table::of_parquet(&plain.path("out"))).unwrap();
    let workspace = Workspace::new();
    let directory = written(&workspace, ROWS, "timestamps = \"int96\"\ndecimals = \"fixed\"");
    let Footer { columns, .. } = footer(&directory);
    let form = |name: &str| {
        let ChunkFacts { physical, length, .. } = &columns[name];
        (physical.clone(), *length)
    };
    assert_eq!(form("sold_at"), ("INT96".to_owned(), 0));
    assert_eq!(form("price"), ("FIXED_LEN_BYTE_ARRAY".to_owned(), 4));
    assert_eq!(form("total"), ("FIXED_LEN_BYTE_ARRAY".to_owned(), 7));
    let table = Table::of_parquet(&directory);
    for name in ["price", "total", "id"] {
        assert_eq!(table.columns[name], plain.columns[name]);
    }
    let instants = "SELECT epoch_us(sold_at) FROM t ORDER BY id";
    let instants: Vec<_> = readback::query(&directory, instants).into_iter().flatten().flatten().collect();
    assert_eq!(instants, ["1709209800123456", "-1", "-62135596800000000"]);
    if let Some(spark) = readback::spark(&directory) {
        assert_eq!(
            (spark.types["sold_at"].as_str(), spark.types["total"].as_str()),
            ("timestamp", "decimal(15,4)")
        );
        assert_eq!((spark.rows, spark.nulls["price"]), (3, 1));
    }
}

#[test]
fn decimals_are_integers_by_default() {
    let workspace = Workspace::new();
    let Footer { columns, .. } = footer(&written(&workspace, ROWS, ""));
    assert_eq!((columns["price"].physical.as_str(), columns["total"].physical.as_str()), ("INT32", "INT64"));
    assert_eq!(columns["sold_at"].physical, "INT64");
}

#[test]
fn footers_say_where_the_rows_come_from() {
    let workspace = Workspace::new();
    let directory = written(&workspace, ROWS, "[output.metadata]\nowner = \"sales team\"");
    let sql = format!(
        "SELECT decode(key), decode(value) FROM parquet_kv_metadata('{}')",
        directory.join(&workspace.visible("out")[0]).display()
    );
    let pairs: std::collections::BTreeMap<_, _> = readback::query(&directory, &sql)
        .into_iter()
        .map(|pair| (pair[0].clone().unwrap(), pair[1].clone().unwrap()))
        .collect();
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(directory.join("_SUCCESS")).unwrap()).unwrap();
    assert_eq!((pairs["owner"].as_str(), pairs["sawmill.job"].as_str()), ("sales team", "sales"));
    assert_eq!(manifest["job_key"], pairs["sawmill.job_key"].as_str());
    assert!(pairs["sawmill.engine"].starts_with("sawmill "));
    let json = |key: &str| serde_json::from_str::<serde_json::Value>(&pairs[key]).unwrap();
    assert_eq!(
        (json("sawmill.ledger")["read"].as_u64(), json("sawmill.ledger")["written"].as_u64()),
        (Some(3), Some(3))
    );
    let source = &json("sawmill.sources")[0];
    assert!(source["url"].as_str().unwrap().ends_with("/in.csv"), "{source}");
    assert_eq!(source["bytes"].as_u64(), Some((HEADER.len() + ROWS.len()) as u64));
    assert!(!pairs.values().any(|value| value.contains(manifest["attempt"].as_str().unwrap())));
}

#[test]
fn a_run_without_rows_does_what_it_is_told() {
    let workspace = Workspace::new();
    let directory = written(&workspace, "", "");
    let Footer { rows, row_groups, columns, .. } = footer(&directory);
    assert_eq!((rows, row_groups, columns.len()), (0, 0, 6));
    assert_eq!(readback::query(&directory, "SELECT count(*) FROM t")[0][0].as_deref(), Some("0"));

    let none: [String; 0] = [];
    for output in ["empty = \"write_nothing\"", "partition_by = [\"shop\"]"] {
        let workspace = Workspace::new();
        let report = Report::of(sawmill(&workspace, "", output));
        assert_eq!((report.status.as_str(), workspace.visible("out")), ("committed", none.to_vec()));
        assert!(workspace.path("out/_SUCCESS").exists());
    }
    let workspace = Workspace::new();
    let _ = sawmill(&workspace, "", "empty = \"fail\"").exits_with(3).says(&["output.empty"]).helps();
    workspace.assert_untouched("out");
}

/// 20 MB of text that hardly compresses, in waves of 8 MiB.
#[test]
fn files_are_even() {
    let workspace = Workspace::new();
    let mut state = 1u64;
    let mut record = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{n},{state:016x}{:016x},1.00,{}.5,2024-01-01T00:00:00Z,s\n", state.rotate_left(21), n % 1000)
    };
    let records: String = (0..250_000).map(&mut record).collect();
    let mut target = 2_000_000;
    for sort_by in ["[]", "[\"id\"]"] {
        let output = format!(
            "mode = \"append\"\nsort_by = {sort_by}\ntarget_file_bytes = {target}\nmax_row_group_rows = 5000\n"
        );
        let report = Report::of(sawmill(&workspace, &records, &output));
        let sizes: Vec<u64> = report.files.iter().map(|file| file.bytes).collect();
        let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
        assert!(sizes.len() > 3 && most < target * 8 / 5, "{sort_by}: {sizes:?}");
        assert!(least * 2 > most, "{sort_by}: the last is no tail: {sizes:?}");
        // A fifth would be left over if files of the same rows ended at the target.
        target = sizes.iter().sum::<u64>() * 5 / 21;
    }
}

#[test]
fn a_text_that_redshift_cannot_hold_fails_before_anything_is_visible() {
    let long = "x".repeat(65_536);
    let records = format!("1,{long},1.00,1,2024-01-01T00:00:00Z,s\n");
    let workspace = Workspace::new();
    let run = sawmill(&workspace, &records, "").exits_with(6);
    let _ = run.says(&["text_length", "\"name\"", "65536", "varchar(65535)"]).helps();
    workspace.assert_untouched("out");

    // Declared so, it is a bad value like any other.
    let workspace = Workspace::new();
    workspace.write("in.csv", format!("id,name\n1,{long}\n2,{}\n", &long[1..]));
    let fields = "{ name = \"id\", type = \"int32\" }, { name = \"name\", type = \"varchar(65535)\" }";
    let job = format!(
        "schema = {{ fields = [{fields}] }}\nerrors = {{ bad_value = \"reject\" }}\n\
         source.inputs = [\"in.csv\"]\ntargets = [{{ url = \"out/\" }}]\n"
    );
    workspace.write("job.toml", job);
    let report = Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
    assert_eq!((report.totals.written, report.totals.rejected), (1, 1));

    let workspace = Workspace::new();
    Report::of(sawmill(&workspace, &records, "profile = \"standard\""));
}

#[test]
fn reports_of_tasks_say_what_is_in_the_columns() {
    let workspace = Workspace::new();
    workspace.write("in.csv", format!("{HEADER}{ROWS}"));
    workspace.write("schema.toml", SCHEMA);
    let job = "schema = \"schema.toml\"\n[source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n";
    workspace.write("job.toml", job);
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).run().succeeds();
    let _ = workspace.sawmill(["task", "plan.json", "--task", "0", "-o", "0.json"]).run().succeeds();
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(workspace.path("0.json")).unwrap()).unwrap();
    let columns = report["files"][0]["columns"].as_array().unwrap();
    let facts = |position: usize| {
        let column = &columns[position];
        let text = |key: &str| column[key].as_str().unwrap_or("-").to_owned();
        (text("name"), text("min"), text("max"), column["nulls"].as_u64(), column["max_value_bytes"].as_u64())
    };
    let of = |name: &str, min: &str, max: &str, nulls, longest| {
        (name.to_owned(), min.to_owned(), max.to_owned(), Some(nulls), longest)
    };
    assert_eq!(facts(0), of("id", "1", "3", 0, None));
    assert_eq!(facts(1), of("name", "one", "two", 1, Some(3)));
    assert_eq!(facts(2), of("price", "-999999.99", "1.50", 1, None));
    assert_eq!(facts(4), of("sold_at", "0001-01-01T00:00:00Z", "2024-02-29T12:30:00.123456Z", 0, None));
}

#[test]
fn a_key_that_s3_cannot_hold_is_refused() {
    let workspace = Workspace::new();
    let bucket = Region::home().bucket("keys");
    workspace.write("in.csv", format!("id,key\n1,short\n2,{}\n", "x".repeat(1_000)));
    let target = bucket.target("a/prefix/of/the/table/");
    workspace.write(
        "job.toml",
        format!("[source]\ninputs = [\"in.csv\"]\n{target}[output]\npartition_by = [\"key\"]\n"),
    );
    let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(3);
    let _ = run.says(&["line 3", "column \"key\"", "S3 leaves", "output.partition_by"]).helps();
    bucket.assert_untouched();
}
