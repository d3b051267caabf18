//! The compute stages one by one, on text like TPC-H lineitem.
//!
//! `cargo bench --bench stages`; figures are bytes of CSV text a second on one
//! thread. Whole runs beside other engines: `benches/compare/`.

use divan::Bencher;
use divan::counter::BytesCount;
use sawmill::batch::{BatchBuilder, Binding};
use sawmill::job::ExtraColumns;
use sawmill::parse::{Dialect, RecordIndex, Scanner};
use sawmill::schema::{Column, ColumnType, Schema};
use sawmill::split::blocks::BlockCutter;
use sawmill::split::read::BLOCK_BYTES;
use std::fmt::Write;

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
    let columns = [
        ("orderkey", ColumnType::Int { bits: 64 }),
        ("partkey", ColumnType::Int { bits: 64 }),
        ("linenumber", ColumnType::Int { bits: 32 }),
        ("price", ColumnType::Decimal { precision: 15, scale: 2 }),
        ("shipdate", ColumnType::Date),
        ("shipmode", ColumnType::Text),
        ("comment", ColumnType::Text),
    ];
    Schema::new(columns.map(|(name, column_type)| Column::new(name, column_type)).to_vec())
}

#[divan::bench]
fn cut(bencher: Bencher) {
    let text = text();
    let dialect = Dialect { header: false, ..Dialect::default() };
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
    let scanner = Scanner::new(&Dialect::default());
    let mut index = RecordIndex::default();
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| scanner.scan(divan::black_box(&text), &mut index).expect("the text is well-formed"));
}

#[divan::bench]
fn build(bencher: Bencher) {
    let (text, dialect, schema) = (text(), Dialect::default(), schema());
    let mut index = RecordIndex::default();
    Scanner::new(&dialect).scan(&text, &mut index).expect("the text is well-formed");
    let binding =
        Binding::by_position(&schema, schema.columns.len(), ExtraColumns::Fail).expect("they match");
    let builder = BatchBuilder::new(&schema, &dialect, &binding);
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| builder.build(divan::black_box(&text), &index, 0).expect("the values convert"));
}
