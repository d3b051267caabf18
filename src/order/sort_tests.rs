use super::layout::row_bytes;
use super::*;
use crate::error::ErrorKind;
use crate::runtime::Cancel;
use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, UInt32Type};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::sync::LazyLock;

/// A row: its partition, three values to sort by, and when it came.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    path: String,
    number: Option<i64>,
    text: Option<String>,
    price: Option<i128>,
    arrival: u32,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("price", DataType::Decimal128(20, 2), true),
        Field::new("arrival", DataType::UInt32, false),
    ]))
}

/// Of all tests, so their numbers follow from threads and chance.
static PARTITIONS: LazyLock<Arc<Partitions>> = LazyLock::new(Arc::default);

/// Rows as the partitioner gives them: one batch for each partition, cut from one.
fn split(rows: &[Row]) -> Vec<PartitionRows> {
    let mut paths: Vec<&str> = Vec::new();
    rows.iter().for_each(|row| {
        if !paths.contains(&row.path.as_str()) {
            paths.push(&row.path);
        }
    });
    let grouped: Vec<&Row> =
        paths.iter().flat_map(|path| rows.iter().filter(move |row| row.path == **path)).collect();
    let prices = grouped.iter().map(|row| row.price).collect::<Decimal128Array>();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(grouped.iter().map(|row| row.number).collect::<Int64Array>()),
        Arc::new(grouped.iter().map(|row| row.text.as_deref()).collect::<StringArray>()),
        Arc::new(prices.with_precision_and_scale(20, 2).unwrap()),
        Arc::new(grouped.iter().map(|row| row.arrival).collect::<UInt32Array>()),
    ];
    let batch = RecordBatch::try_new(schema(), columns).unwrap();
    let mut start = 0;
    let cut = |path: &str| {
        let count = rows.iter().filter(|row| row.path == path).count();
        start += count;
        PartitionRows { partition: PARTITIONS.of_path(path), batch: batch.slice(start - count, count) }
    };
    paths.into_iter().map(cut).collect()
}

fn rows_of(sorted: &PartitionRows) -> Vec<Row> {
    let batch = &sorted.batch;
    assert_eq!(batch.schema(), schema());
    let (numbers, texts) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
    let prices = batch.column(2).as_primitive::<Decimal128Type>();
    let arrivals = batch.column(3).as_primitive::<UInt32Type>();
    let row = |row| Row {
        path: PARTITIONS.get(sorted.partition).path.clone(),
        number: numbers.is_valid(row).then(|| numbers.value(row)),
        text: texts.is_valid(row).then(|| texts.value(row).to_owned()),
        price: prices.is_valid(row).then(|| prices.value(row)),
        arrival: arrivals.value(row),
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Batches of `size` rows; checks what must hold of memory and of what comes out.
fn sort(rows: &[Row], columns: &[SortColumn], budget: u64, size: usize) -> Result<Vec<Row>> {
    let spill_directory = SpillDirectory::new(None, Cancel::default());
    let mut sorter = Sorter::new(&schema(), columns, PARTITIONS.clone(), budget, &spill_directory)?;
    for rows in rows.chunks(size) {
        for rows in split(rows) {
            sorter.push(rows)?;
            assert!(sorter.memory_bytes() <= budget, "{} of {budget}", sorter.memory_bytes());
        }
    }
    let mut sorted = Vec::new();
    let mut output = sorter.finish()?;
    while let Some(rows) = output.next().transpose()? {
        assert!((1..=OUTPUT_ROWS).contains(&rows.batch.num_rows()));
        sorted.extend(rows_of(&rows));
    }
    drop(output);
    assert_eq!(spill_directory.bytes(), 0);
    Ok(sorted)
}

fn compare<T: Ord>(a: &Option<T>, b: &Option<T>, by: &SortColumn) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if by.descending => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) if by.nulls_first => a.is_some().cmp(&b.is_some()),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// What it should do, with the stable sort of the standard library.
fn expected(mut rows: Vec<Row>, columns: &[SortColumn]) -> Vec<Row> {
    rows.sort_by(|a, b| {
        columns.iter().fold(a.path.as_bytes().cmp(b.path.as_bytes()), |order, by| {
            order.then_with(|| match by.column {
                0 => compare(&a.number, &b.number, by),
                1 => compare(&a.text, &b.text, by),
                _ => compare(&a.price, &b.price, by),
            })
        })
    });
    rows
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let path = prop::sample::select(vec!["", "k=b/", "k=a/", "k=%C3/", "k=a%2F/", "k=aa/"]);
    let number = prop::option::of(prop_oneof![-3i64..3, any::<i64>()]);
    let text = prop::option::of(prop_oneof!["[ab\0é]{0,3}", "samebegin[a-c]{0,12}"]);
    let price = prop::option::of(-200i128..200);
    prop::collection::vec((path, number, text, price), 0..200).prop_map(|rows| {
        let row = |(arrival, (path, number, text, price)): (u32, (&str, _, _, _))| Row {
            path: path.to_owned(),
            number,
            text,
            price,
            arrival,
        };
        (0..).zip(rows).map(row).collect()
    })
}

fn columns() -> impl Strategy<Value = Vec<SortColumn>> {
    let column = (0usize..3, any::<bool>(), any::<bool>());
    let column =
        column.prop_map(|(column, descending, nulls_first)| SortColumn { column, descending, nulls_first });
    prop::collection::vec(column, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_fits_and_however_it_is_cut_the_order_is_that_of_a_stable_sort(
        rows in rows(),
        columns in columns(),
        budget in prop_oneof![0u64..10_000, 10_000u64..100_000],
        size in 1usize..50,
    ) {
        let sorted = sort_unchecked(&rows, &columns, budget, size);
        prop_assert_eq!(sorted, expected(rows, &columns));
    }
}

/// As [`sort`], where single rows may be larger than the budget.
fn sort_unchecked(rows: &[Row], columns: &[SortColumn], budget: u64, size: usize) -> Vec<Row> {
    let mut sorter = Sorter::new(
        &schema(),
        columns,
        PARTITIONS.clone(),
        budget,
        &SpillDirectory::new(None, Cancel::default()),
    )
    .unwrap();
    rows.chunks(size).flat_map(split).for_each(|rows| sorter.push(rows).unwrap());
    sorter.finish().unwrap().flat_map(|rows| rows_of(&rows.unwrap())).collect()
}

const BY_NUMBER: [SortColumn; 1] = [SortColumn { column: 0, descending: false, nulls_first: true }];

fn numbered(count: u32, text: impl Fn(u32) -> Option<String>) -> Vec<Row> {
    let row = |arrival: u32| Row {
        path: format!("k={}/", arrival % 3),
        number: Some(i64::from(arrival.wrapping_mul(2_654_435_761) % 500)),
        text: text(arrival),
        price: None,
        arrival,
    };
    (0..count).map(row).collect()
}

#[test]
fn many_runs_are_merged_in_passes_within_the_budget() {
    let rows = numbered(5_000, |n| Some(format!("text {n}")));
    for budget in [1 << 13, 1 << 16, 1 << 24] {
        assert_eq!(sort(&rows, &BY_NUMBER, budget, 100).unwrap(), expected(rows.clone(), &BY_NUMBER));
    }
}

#[test]
fn what_a_merge_holds_fits_into_its_half_of_the_budget() {
    let budget = 1 << 20;
    let mut sorter = Sorter::new(
        &schema(),
        &BY_NUMBER,
        PARTITIONS.clone(),
        budget,
        &SpillDirectory::new(None, Cancel::default()),
    )
    .unwrap();
    let rows = numbered(20_000, |n| Some("x".repeat(n as usize % 200)));
    rows.chunks(500).flat_map(split).for_each(|rows| sorter.push(rows).unwrap());
    let mut sorted = sorter.finish().unwrap();
    let mut most = sorted.memory_bytes();
    while let Some(rows) = sorted.next().transpose().unwrap() {
        most = most.max(sorted.memory_bytes());
        assert!(row_bytes(&rows.batch) <= budget / 4, "one batch takes {}", row_bytes(&rows.batch));
    }
    assert!(most > 0 && most <= budget / 2, "{most} of {budget}");
}

#[test]
fn a_row_may_be_larger_than_the_budget() {
    let rows = numbered(60, |n| (n % 4 == 0).then(|| "wide ".repeat(4_000 + n as usize)));
    for size in [1, 7] {
        assert_eq!(sort_unchecked(&rows, &BY_NUMBER, 10_000, size), expected(rows.clone(), &BY_NUMBER));
    }
}

#[test]
fn thousands_of_partitions_come_in_the_order_of_their_paths() {
    let rows: Vec<Row> = numbered(6_000, |_| None)
        .into_iter()
        .map(|row| Row { path: format!("k={}/", row.arrival.wrapping_mul(7919) % 3_000), ..row })
        .collect();
    assert_eq!(sort_unchecked(&rows, &BY_NUMBER, 1 << 18, 500), expected(rows, &BY_NUMBER));
}

#[test]
fn no_rows_give_no_batches() {
    assert_eq!(sort(&[], &BY_NUMBER, 0, 1).unwrap(), []);
}

#[test]
fn columns_must_be_there() {
    let beyond = SortColumn { column: 4, descending: false, nulls_first: false };
    for columns in [&[][..], &[beyond]] {
        assert!(
            Sorter::new(
                &schema(),
                columns,
                PARTITIONS.clone(),
                1,
                &SpillDirectory::new(None, Cancel::default())
            )
            .is_err()
        );
    }
}

#[test]
fn a_full_disk_ends_it_and_leaves_nothing() {
    let rows = numbered(5_000, |n| Some(format!("text {n}")));
    // In the first run, in the tenth, and in the merge.
    for room in [500, 50_000, 100_000] {
        let spill_directory = SpillDirectory::with_room(None, room);
        let attempt = || {
            let mut sorter =
                Sorter::new(&schema(), &BY_NUMBER, PARTITIONS.clone(), 1 << 14, &spill_directory)?;
            rows.chunks(100).flat_map(split).try_for_each(|rows| sorter.push(rows))?;
            sorter.finish()?.try_for_each(|rows| rows.map(drop))
        };
        let error = attempt().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Spill { .. }), "{error}");
        assert_eq!(spill_directory.bytes(), 0);
    }
}

#[test]
fn a_merge_stops_when_it_is_asked_to() {
    let cancel = Cancel::default();
    let spill_directory = SpillDirectory::new(None, cancel.clone());
    let mut sorter =
        Sorter::new(&schema(), &BY_NUMBER, PARTITIONS.clone(), 1 << 14, &spill_directory).unwrap();
    let rows = numbered(5_000, |n| Some(format!("text {n}")));
    rows.chunks(100).flat_map(split).for_each(|rows| sorter.push(rows).unwrap());
    let rows = sorter.rows_by_partition();
    let counted: u64 = ["k=0/", "k=1/", "k=2/"].map(|path| rows.get(PARTITIONS.of_path(path))).iter().sum();
    assert_eq!(counted, 5_000);
    cancel.cancel();
    let error = sorter.finish().map(drop).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    assert_eq!(spill_directory.bytes(), 0);
}
