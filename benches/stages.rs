//! The compute stages one by one, on text like TPC-H lineitem.
//!
//! `cargo bench --bench stages`; figures are bytes of CSV text a second on one
//! thread, or rows a second for what looks at many blocks. Whole runs beside other engines: `benches/compare/`.

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use sawmill::order::{Deduplicator, Keep, SortColumn, Sorter, SpillDirectory, TaggedBatch};
use sawmill::parse::{Grammar, RecordIndex, Scanner};
use sawmill::partition::{PartitionId, PartitionRows};
use sawmill::rows::{BatchBuilder, Binding, DataRecords, Policies};
use sawmill::runtime::Cancel;
use sawmill::schema::{Column, Schema};
use sawmill::spec::{ColumnPolicies, Dialect, ErrorsSpec};
use sawmill::split::blocks::BlockCutter;
use sawmill::split::read::BLOCK_BYTES;
use sawmill::value::ColumnType;
use std::fmt::Write;
use std::sync::Arc;

fn main() {
    divan::main();
}

/// About one block of records; every tenth has a quoted field with escapes.
fn text() -> Vec<u8> {
    let mut text = String::new();
    let mut n = 1u64;
    while text.len() < BLOCK_BYTES - 200 {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (a, b) = (n >> 40, n >> 50);
        let quote = if a % 10 == 0 { "\"\"" } else { " " };
        writeln!(
            text,
            "{a},{b},{},{}.{:02},19{:02}-{:02}-{:02},TRUCK,\"regular{quote}deposits {a}\"",
            a % 7 + 1,
            a % 90_000,
            a % 100,
            92 + a % 7,
            a % 12 + 1,
            a % 28 + 1
        )
        .expect("a String takes everything");
    }
    text.into_bytes()
}

fn schema() -> Schema {
    let column = |(name, column_type): (&str, ColumnType)| Column::new(name, column_type);
    let columns = [
        ("orderkey", ColumnType::Int { bits: 64 }),
        ("partkey", ColumnType::Int { bits: 64 }),
        ("linenumber", ColumnType::Int { bits: 32 }),
        ("price", ColumnType::Decimal { precision: 15, scale: 2 }),
        ("shipdate", ColumnType::Date),
        ("shipmode", ColumnType::Text),
        ("comment", ColumnType::Text),
    ];
    Schema::new(columns.map(column).to_vec())
}

#[divan::bench]
fn cut(bencher: Bencher) {
    let text = text();
    let dialect = Dialect::default();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut cutter = BlockCutter::new(&dialect, BLOCK_BYTES);
        let mut blocks = Vec::new();
        cutter.push(&text, &mut Vec::new, &mut blocks).expect("the text is well-formed");
        cutter.finish(&mut Vec::new, &mut blocks).expect("the text is well-formed");
        blocks
    });
}

#[divan::bench]
fn scan(bencher: Bencher) {
    let text = text();
    let scanner = Scanner::new(&Grammar::default());
    let mut index = RecordIndex::default();
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| scanner.scan(divan::black_box(&text), &mut index).expect("the text is well-formed"));
}

#[divan::bench]
fn build(bencher: Bencher) {
    let (text, grammar, schema) = (text(), Grammar::default(), schema());
    let mut index = RecordIndex::default();
    Scanner::new(&grammar).scan(&text, &mut index).expect("the text is well-formed");
    let binding = Binding::by_position(&schema, schema.columns.len(), &[], ColumnPolicies::default())
        .expect("they match");
    let policies =
        Policies::of(&ErrorsSpec::default(), schema.columns.iter().map(|column| column.name.as_str()));
    let builder = BatchBuilder::new(&schema, &grammar, &binding, policies);
    let data = DataRecords { range: 0..index.len(), broken: &[] };
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| builder.build(divan::black_box(&text), &index, &data).expect("the values convert"));
}

const ROWS: i64 = 1 << 20;

/// `ROWS` rows of a number in no order and 20 bytes of text, 8,192 in a batch.
fn batches() -> Vec<RecordBatch> {
    let batch = |first: i64| {
        let numbers = (first..first + 8192).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64));
        let texts = (first..first + 8192).map(|n| Some(format!("regular deposit {n:08x}")));
        let columns: [(&str, ArrayRef); 2] = [
            ("number", Arc::new(numbers.collect::<Int64Array>())),
            ("text", Arc::new(texts.collect::<StringArray>())),
        ];
        RecordBatch::try_from_iter(columns).expect("the columns match")
    };
    (0..ROWS / 8192).map(|number| batch(number * 8192)).collect()
}

/// Half of the rows repeat a key. With 64 MiB of keys nothing waits on disk if
/// the first is kept; with 4 MiB most rows do; if the last is kept, all do.
#[divan::bench(args = [(Keep::First, 64 << 20), (Keep::First, 4 << 20), (Keep::Last, 64 << 20)], sample_count = 5)]
fn deduplicate(bencher: Bencher, (keep, key_bytes): (Keep, u64)) {
    let tagged = |(number, rows): (usize, RecordBatch)| {
        let keys = (0..8192u128).map(|row| (number as u128 * 8192 + row) % (ROWS as u128 / 2));
        let keys = keys.map(|key| Some((key + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)));
        TaggedBatch { keys: keys.collect(), rows, tag: 0 }
    };
    let batches: Vec<TaggedBatch> = batches().into_iter().enumerate().map(tagged).collect();
    bencher.counter(ItemsCount::new(ROWS as u64)).with_inputs(|| batches.clone()).bench_local_values(
        |batches| {
            let mut deduplicator =
                Deduplicator::new(keep, key_bytes, &SpillDirectory::new(None, Cancel::default()));
            for batch in batches {
                deduplicator.push(batch).expect("there is room");
            }
            deduplicator
                .finish()
                .expect("there is room")
                .map(|rows| rows.expect("it is read").removed)
                .sum::<u64>()
        },
    );
}

/// In memory, and from runs on disk.
#[divan::bench(args = [256 << 20, 16 << 20], sample_count = 5)]
fn sort(bencher: Bencher, budget_bytes: u64) {
    let batches = batches();
    let by_number = [SortColumn { column: 0, descending: false, nulls_first: false }];
    bencher.counter(ItemsCount::new(ROWS as u64)).bench_local(|| {
        let schema = batches[0].schema();
        let spill_directory = SpillDirectory::new(None, Cancel::default());
        let sorter = Sorter::new(&schema, &by_number, Arc::default(), budget_bytes, &spill_directory);
        let mut sorter = sorter.expect("numbers have an order");
        for batch in &batches {
            let rows = PartitionRows { partition: PartitionId::ROOT, batch: batch.clone() };
            sorter.push(rows).expect("there is room");
        }
        sorter
            .finish()
            .expect("there is room")
            .map(|rows| rows.expect("it is read").batch.num_rows())
            .sum::<usize>()
    });
}
