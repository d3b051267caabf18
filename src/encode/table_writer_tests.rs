use super::*;
use crate::error::ErrorKind;
use crate::runtime::{Budget, Cancel};
use crate::spec::{Layout, OutputSpec};
use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;

/// No targets: what is written goes nowhere, and is counted.
struct Bench {
    tee: TeeFactory,
    _runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let tee = TeeFactory::new(
            Vec::new(),
            runtime.handle().clone(),
            &Budget::default(),
            1 << 20,
            &Cancel::default(),
        );
        Bench { tee, _runtime: runtime }
    }

    fn writer(&self, names: FileNames, limits: CutLimits) -> TableWriter<'_> {
        TableWriter::new(shape(), limits, names, NoRows::WriteNothing, &self.tee, PARTITIONS.clone()).unwrap()
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

fn shape() -> FileShape {
    let output = OutputSpec { compression: "none".parse().unwrap(), ..OutputSpec::default() };
    FileShape::new(&schema(), schema(), &output).unwrap()
}

const LIMITS: CutLimits = CutLimits {
    max_row_group_rows: 10_000,
    max_row_group_bytes: u64::MAX,
    target_file_bytes: u64::MAX,
    open_files_bytes: u64::MAX,
    part_bytes: u64::MAX,
    max_open_files: 100,
};

fn parts() -> FileNames {
    FileNames::Parts { layout: Layout::Direct, task: 0, attempt: "a".into(), max_key_bytes: usize::MAX }
}

/// Of all tests.
static PARTITIONS: LazyLock<Arc<Partitions>> = LazyLock::new(Arc::default);

/// Rows that no dictionary makes smaller, about 8 bytes each.
fn rows(path: &str, count: i64) -> PartitionRows {
    let numbers = (0..count).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64));
    let batch = RecordBatch::try_new(schema(), vec![Arc::new(numbers.collect::<Int64Array>())]).unwrap();
    PartitionRows { partition: PARTITIONS.of_path(path), batch }
}

#[test]
fn footers_say_what_was_handed_over_however_groups_are_cut() {
    let bench = Bench::new();
    for (max_row_group_rows, max_row_group_bytes, target_file_bytes, open_files_bytes) in [
        (10_000, u64::MAX, u64::MAX, u64::MAX),
        (7, u64::MAX, u64::MAX, u64::MAX),
        (u32::MAX as usize, 30_000, 100_000, u64::MAX),
        (3_000, 20_000, 50_000, 40_000),
        (9_000, u64::MAX, u64::MAX, 1),
    ] {
        let limits = CutLimits {
            max_row_group_rows,
            max_row_group_bytes,
            target_file_bytes,
            open_files_bytes,
            ..LIMITS
        };
        let mut writer = bench.writer(parts(), limits);
        for wave in 0..6 {
            let rows = [rows("k=1/", 5_000 * (wave % 3)), rows("k=2/", 11), rows("k=1/", 1)];
            writer.write(rows, Consumed::default()).unwrap();
        }
        let files = writer.finish(RecordCounts::default()).unwrap();
        let of = |path: &str| -> u64 {
            files.iter().filter(|file| file.key.starts_with(path)).map(|file| file.rows).sum()
        };
        assert_eq!((of("k=1/"), of("k=2/")), (30_006, 66));
    }
}

#[test]
fn a_row_group_of_other_rows_than_were_counted_fails_its_file() {
    let bench = Bench::new();
    let shape = shape();
    for (told, fails) in [(3, false), (2, true), (4, true)] {
        let mut columns = shape.row_group_factory().unwrap().encoders().unwrap();
        columns[0].write(shape.schema().field(0), rows("", 3).batch.column(0)).unwrap();
        let columns = columns.into_iter().map(|column| column.close().unwrap()).collect();
        let tee = bench.tee.begin("part-7.parquet").unwrap();
        let mut file = OpenFile::create(7, "part-7.parquet".into(), tee, &shape).unwrap();
        file.append(columns, told).unwrap();
        let finished = file
            .finish(&Partition::default(), &shape, ledger(0, &RecordCounts::default()))
            .map(|file| file.rows);
        match finished {
            Ok(rows) => assert!(!fails && rows == 3),
            Err(error) => {
                assert!(fails && matches!(error.kind(), ErrorKind::Accounting { .. }), "{error}");
                assert!(error.to_string().contains("part-7.parquet"), "{error}");
            }
        }
    }
}

#[test]
fn a_single_file_is_never_ended_early() {
    let bench = Bench::new();
    let limits = CutLimits { open_files_bytes: 1_000, ..LIMITS };
    let mut writer = bench.writer(FileNames::Single("all.parquet".into()), limits);
    for _ in 0..5 {
        writer.write([rows("", 9_000)], Consumed::default()).unwrap();
    }
    let files = writer.finish(RecordCounts::default()).unwrap();
    let facts: Vec<_> = files.iter().map(|file| (file.key.as_str(), file.rows, file.row_groups)).collect();
    assert_eq!(facts, [("all.parquet", 45_000, 5)], "row groups end early, the file does not");
}

#[test]
fn known_rows_make_files_even_in_each_partition() {
    let bench = Bench::new();
    // 112 kB are one file and 224 kB are two, or there are rests of 12 and 24 kB.
    let limits = CutLimits { max_row_group_rows: 1_000, target_file_bytes: 100_000, ..LIMITS };
    for (known, even) in [(true, true), (false, false)] {
        let mut writer = bench.writer(parts(), limits.clone());
        if known {
            let mut rows = ByPartition::default();
            *rows.get_mut(PARTITIONS.of_path("k=1/")) = 14_000;
            *rows.get_mut(PARTITIONS.of_path("k=2/")) = 28_000;
            writer.expect(rows);
        }
        for (path, waves) in [("k=1/", 14), ("k=2/", 28)] {
            for _ in 0..waves {
                writer.write([rows(path, 1_000)], Consumed::default()).unwrap();
            }
        }
        let files = writer.finish(RecordCounts::default()).unwrap();
        for path in ["k=1/", "k=2/"] {
            let sizes: Vec<u64> =
                files.iter().filter(|file| file.key.starts_with(path)).map(|file| file.bytes).collect();
            let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
            assert_eq!(least * 3 > most * 2, even, "{path} {known}: {sizes:?}");
        }
    }
}
