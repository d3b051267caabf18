//! Generated dirty files through the whole engine: every record ends where it
//! must, whatever the plan, and the account says so.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails where it unwraps")]

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use sawmill::commit::{Outcome, Table, Verified};
use sawmill::documents::{ManifestFile, RecordCounts};
use sawmill::job::load_str;
use sawmill::plan::{self, PlanOptions};
use sawmill::runtime::Runtime;
use sawmill::spanned::DocumentFormat;
use sawmill::spec::JobSpec;
use sawmill::task;
use std::fs::File;
use std::path::Path;

/// What a generated record is, and so where it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    /// Its text holds delimiters, quotes and line ends.
    Quoted,
    BadId,
    NoId,
    TooShort,
    TooLong,
    StrayQuote,
    /// The price becomes null by policy.
    BadPrice,
    /// A filter leaves it out.
    Unwanted,
    /// As the one with the same id before.
    Repeated,
}

const KINDS: [Kind; 10] = [
    Kind::Good,
    Kind::Quoted,
    Kind::BadId,
    Kind::NoId,
    Kind::TooShort,
    Kind::TooLong,
    Kind::StrayQuote,
    Kind::BadPrice,
    Kind::Unwanted,
    Kind::Repeated,
];

impl Kind {
    fn text(self, id: usize, terminator: &str) -> String {
        let fields = match self {
            Kind::Good => format!("{id},plain,1.50"),
            Kind::Quoted => format!("{id},\"a,\"\"b\"\"{terminator}c\",2.50"),
            Kind::BadId => format!("x{id},plain,1.50"),
            Kind::NoId => ",plain,1.50".to_owned(),
            Kind::TooShort => format!("{id},plain"),
            Kind::TooLong => format!("{id},plain,1.50,more"),
            Kind::StrayQuote => format!("{id},pl\"ain,1.50"),
            Kind::BadPrice => format!("{id},plain,dear"),
            Kind::Unwanted => format!("{id},unwanted,1.50"),
            Kind::Repeated => "0,repeated,9.99".to_owned(),
        };
        fields + terminator
    }
}

/// Files of records; ids are unique but for those repeated, which have 0.
#[derive(Debug, Clone)]
struct Dirt {
    files: Vec<Vec<Kind>>,
    terminator: &'static str,
    split_bytes: Option<u64>,
    tasks: u32,
}

fn dirt() -> impl Strategy<Value = Dirt> {
    let kind = proptest::sample::select(&KINDS[..]);
    let files = proptest::collection::vec(proptest::collection::vec(kind, 1..40), 1..4);
    (files, prop_oneof![Just("\n"), Just("\r\n")], proptest::option::of(1u64..200), 1u32..4)
        .prop_map(|(files, terminator, split_bytes, tasks)| Dirt { files, terminator, split_bytes, tasks })
}

const JOB: &str = r#"
source.inputs = ["in/*.csv"]
targets = [{ url = "one/" }, { url = "other/" }]
transforms = [{ filter = "name <> 'unwanted'" }]
[errors]
all_rejected = "allow"
bad_value = "reject"
bad_record = "reject"
columns.price = "null"
[[schema.fields]]
name = "id"
type = "int32"
constraints.required = true
[[schema.fields]]
name = "name"
[[schema.fields]]
name = "price"
type = "decimal(9,2)"
"#;

fn job(directory: &Path, text: &str) -> JobSpec {
    load_str(text, DocumentFormat::Toml, "job.toml", directory, &|_| None, &[]).unwrap()
}

/// The values of an integer column in the files of a target, in their order.
fn ids(root: &Path, keys: &[String], column: &str) -> Vec<i64> {
    let mut ids = Vec::new();
    for key in keys {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(root.join(key)).unwrap()).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name(column).unwrap();
            match column.as_primitive_opt::<Int32Type>() {
                Some(values) => ids.extend(values.values().iter().map(|&id| i64::from(id))),
                None => ids.extend(column.as_primitive::<Int64Type>().values()),
            }
            assert_eq!(column.null_count(), 0);
        }
    }
    ids
}

/// Plans, runs every task, commits; the counts and what the targets hold.
fn run(directory: &Path, job: JobSpec, dirt: &Dirt) -> (RecordCounts, Vec<i64>, Vec<i64>, u64) {
    let runtime = Runtime::new(2).unwrap();
    let options = PlanOptions { tasks: dirt.tasks, split_bytes: dirt.split_bytes, ..PlanOptions::default() };
    let plan = plan::build(job, &options, &runtime).unwrap().plan;
    let table = runtime.block_on(Table::open(&plan.job)).unwrap();
    let stage = |task| task::stage(&plan, task, &table.staging_stores(), &runtime, None).unwrap();
    let reports: Vec<_> = plan.tasks.iter().map(stage).collect();
    assert_eq!(runtime.budget().held(), 0, "every lease is given back");
    let verified = Verified::check(&plan, &reports).unwrap();
    let manifest = runtime.block_on(async {
        let history = table.history().await.unwrap();
        let Outcome::Decided(decided, history) = verified.decide(&table, history).await.unwrap() else {
            panic!("nobody else is there")
        };
        table.finish(*decided, history).await.unwrap()
    });
    let keys = |files: &[ManifestFile]| files.iter().map(|file| file.key.clone()).collect::<Vec<_>>();
    let (files, quarantine) = (keys(&manifest.files), keys(&manifest.quarantine));
    for key in files.iter().chain(&quarantine) {
        let read = |target: &str| std::fs::read(directory.join(target).join(key)).unwrap();
        assert_eq!(read("one"), read("other"), "{key}");
    }
    let nulled = reports.iter().filter_map(|report| report.findings.nulled.get("price")).sum();
    let offsets = ids(&directory.join("one"), &quarantine, "byte_offset");
    (manifest.records, ids(&directory.join("other"), &files, "id"), offsets, nulled)
}

/// Writes the files; the records with their ids and byte offsets.
fn write(directory: &Path, dirt: &Dirt) -> Vec<(Kind, usize, usize)> {
    let mut records = Vec::new();
    std::fs::create_dir_all(directory.join("in")).unwrap();
    for (number, kinds) in dirt.files.iter().enumerate() {
        let mut text = format!("id,name,price{}", dirt.terminator);
        for &kind in kinds {
            let id = records.len() + 1;
            records.push((kind, id, text.len()));
            text.push_str(&kind.text(id, dirt.terminator));
        }
        std::fs::write(directory.join(format!("in/{number}.csv")), text).unwrap();
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_record_ends_where_it_must(dirt in dirt()) {
        let directory = tempfile::Builder::new().prefix("ledger-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let records = write(directory.path(), &dirt);
        let (counts, written, rejected, nulled) = run(directory.path(), job(directory.path(), JOB), &dirt);

        let is_rejected = |kind: Kind| matches!(
            kind,
            Kind::BadId | Kind::NoId | Kind::TooShort | Kind::TooLong | Kind::StrayQuote
        );
        let count = |of: &dyn Fn(Kind) -> bool| records.iter().filter(|(kind, ..)| of(*kind)).count() as u64;
        prop_assert!(counts.balance());
        prop_assert_eq!(counts.read, records.len() as u64);
        prop_assert_eq!(counts.rejected, count(&is_rejected));
        prop_assert_eq!(counts.filtered, count(&|kind| kind == Kind::Unwanted));
        prop_assert_eq!(nulled, count(&|kind| kind == Kind::BadPrice));
        let expected: Vec<i64> = records
            .iter()
            .filter(|(kind, ..)| !is_rejected(*kind) && *kind != Kind::Unwanted)
            .map(|&(kind, id, _)| if kind == Kind::Repeated { 0 } else { id as i64 })
            .collect();
        prop_assert_eq!(written, expected, "rows keep the order of the inputs");
        let first_fault = |kind: Kind, id: usize, offset: usize| match kind {
            // The place of the stray quote itself.
            Kind::StrayQuote => offset + id.to_string().len() + 3,
            _ => offset,
        };
        let expected: Vec<i64> = records
            .iter()
            .filter(|(kind, ..)| is_rejected(*kind))
            .map(|&(kind, id, offset)| first_fault(kind, id, offset) as i64)
            .collect();
        prop_assert_eq!(rejected, expected, "places in the inputs, never in a split");
    }

    #[test]
    fn duplicates_are_left_out_and_counted(dirt in dirt(), keep_last in any::<bool>()) {
        // Which of two tasks comes first nobody can say while they run.
        let dirt = Dirt { tasks: 1, ..dirt };
        let directory = tempfile::Builder::new().prefix("ledger-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let records = write(directory.path(), &dirt);
        let keep = if keep_last { "last" } else { "first" };
        let step = format!("[{{ filter = \"name <> 'unwanted'\" }}, {{ deduplicate = {{ key = [\"id\"], keep = \"{keep}\" }} }}]");
        let text = JOB.replace("[{ filter = \"name <> 'unwanted'\" }]", &step);
        let (counts, written, ..) = run(directory.path(), job(directory.path(), &text), &dirt);

        let repeated = records.iter().filter(|(kind, ..)| *kind == Kind::Repeated).count() as u64;
        prop_assert!(counts.balance());
        prop_assert_eq!(counts.deduplicated, repeated.saturating_sub(1));
        let kept: Vec<_> = records
            .iter()
            .filter(|(kind, ..)| matches!(kind, Kind::Good | Kind::Quoted | Kind::BadPrice | Kind::Repeated))
            .map(|&(kind, id, _)| if kind == Kind::Repeated { 0 } else { id as i64 })
            .collect();
        let chosen = if keep_last { kept.iter().rposition(|&id| id == 0) } else { kept.iter().position(|&id| id == 0) };
        let expected: Vec<i64> = kept
            .iter()
            .enumerate()
            .filter(|(position, id)| **id != 0 || Some(*position) == chosen)
            .map(|(_, &id)| id)
            .collect();
        prop_assert_eq!(written, expected);
    }
}
