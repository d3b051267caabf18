use super::*;
use crate::schema::Column;
use crate::spec::{DatePart, DerivedKey};
use crate::value::ColumnType;
use arrow::array::{Date32Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema};

fn schema(columns: &[(&str, ColumnType)]) -> Schema {
    let columns = columns.iter().map(|&(name, column_type)| Column::new(name, column_type)).collect();
    Schema::new(columns)
}

fn batch() -> RecordBatch {
    let fields = vec![
        Field::new("day", DataType::Date32, true),
        Field::new("carrier", DataType::Utf8, true),
        Field::new("n", DataType::Int32, true),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Date32Array::from(vec![Some(15_706), Some(15_737), None, Some(15_706)])),
        Arc::new(StringArray::from(vec![Some("AA/1"), Some(""), Some("UA"), Some("AA/1")])),
        Arc::new(Int32Array::from(vec![1, 2, 3, 4])),
    ];
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).unwrap()
}

const TYPES: [(&str, ColumnType); 3] =
    [("day", ColumnType::Date), ("carrier", ColumnType::Text), ("n", ColumnType::Int { bits: 32 })];

fn derived(name: &str, column: &str, part: DatePart) -> PartitionKey {
    PartitionKey::Derived(DerivedKey { name: name.into(), column: column.into(), part })
}

#[test]
fn rows_keep_their_order_inside_partitions_and_keys_leave_the_files() {
    let keys = [derived("month", "day", DatePart::Month), PartitionKey::Column("carrier".into())];
    let partitioner = Partitioner::new(&schema(&TYPES), &keys).unwrap();
    let groups = partitioner.split(&batch()).unwrap();
    let partitions: Vec<_> = groups.iter().map(|g| partitioner.partitions().get(g.partition)).collect();
    let paths: Vec<_> = partitions.iter().map(|partition| partition.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "month=1/carrier=AA%2F1/",
            "month=2/carrier=__HIVE_DEFAULT_PARTITION__/",
            "month=__HIVE_DEFAULT_PARTITION__/carrier=UA/"
        ]
    );
    let numbers = groups[0].batch.column_by_name("n").unwrap();
    assert_eq!(numbers.as_ref(), &Int32Array::from(vec![1, 4]) as &dyn Array);
    assert!(groups[0].batch.column_by_name("day").is_some());
    assert!(groups[0].batch.column_by_name("carrier").is_none());
    assert_eq!(partitions[0].values["carrier"].as_deref(), Some("AA/1"));
}

#[test]
fn partitions_are_known_again_by_their_paths_in_every_batch() {
    let partitioner = Partitioner::new(&schema(&TYPES), &[PartitionKey::Column("carrier".into())]).unwrap();
    let ids = |texts: Vec<Option<&str>>| -> Vec<PartitionId> {
        let numbers: Vec<i32> = (0..texts.len() as i32).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(numbers.clone())),
            Arc::new(StringArray::from(texts)),
            Arc::new(Int32Array::from(numbers)),
        ];
        let batch = RecordBatch::try_new(batch().schema(), columns).unwrap();
        partitioner.split(&batch).unwrap().iter().map(|group| group.partition).collect()
    };
    let first = ids(vec![Some("b"), Some("a"), None]);
    let second = ids(vec![Some(""), Some("a"), Some("c"), Some("b")]);
    // Null and empty text share a directory.
    assert_eq!([second[0], second[1], second[3]], [first[2], first[1], first[0]]);
    assert!(!first.contains(&second[2]) && !first.contains(&PartitionId::ROOT));
    let ranks = partitioner.partitions().ranks();
    let path = |id: &PartitionId| partitioner.partitions().get(*id).path.clone();
    let mut all = [vec![PartitionId::ROOT], second].concat();
    all.sort_by_key(|id| ranks[id.index()]);
    assert!(all.is_sorted_by_key(path), "{all:?}");
}

#[test]
fn no_keys_is_one_partition_without_a_directory() {
    let partitioner = Partitioner::new(&schema(&TYPES), &[]).unwrap();
    let groups = partitioner.split(&batch()).unwrap();
    assert_eq!((groups.len(), groups[0].partition), (1, PartitionId::ROOT));
    assert_eq!(*partitioner.partitions().get(PartitionId::ROOT), Partition::default());
    assert_eq!(groups[0].batch.num_columns(), 3);
}

#[test]
fn keys_that_cannot_work_are_refused() {
    let column = |name: &str| PartitionKey::Column(name.into());
    for (keys, expected) in [
        (vec![column("nope")], "there is no column \"nope\""),
        (vec![column("day"), column("day")], "duplicate partition key"),
        (vec![derived("year", "n", DatePart::Year)], "only dates and timestamps have parts"),
        (vec![derived("hour", "day", DatePart::Hour)], "has no hour"),
        (vec![derived("n", "day", DatePart::Year)], "name of a column"),
        (vec![column("day"), column("carrier"), column("n")], "every column is a partition key"),
    ] {
        let error = Partitioner::new(&schema(&TYPES), &keys).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("output.partition_by"), "{error}");
    }
}

#[test]
fn directory_names_are_escaped_as_hive_does() {
    for (value, expected) in [
        ("plain-1.5", "plain-1.5"),
        ("a/b", "a%2Fb"),
        ("..", "%2E."),
        ("_hidden", "%5Fhidden"),
        ("50%", "50%25"),
        ("k=v", "k%3Dv"),
        ("tab\there", "tab%09here"),
        ("Zürich", "Zürich"),
    ] {
        assert_eq!(escape(value), expected);
    }
}

#[test]
fn values_that_make_longer_paths_than_the_limits_are_found_with_their_row() {
    let keys = [derived("month", "day", DatePart::Month), PartitionKey::Column("carrier".into())];
    let split = |directory, path| {
        let limits = PathLimits { directory, path };
        Partitioner::new(&schema(&TYPES), &keys).unwrap().with_limits(limits).split(&batch())
    };
    for (directory, path, expected) in [
        (34, 44, None),
        (34, 43, Some((2, "month", "", 44, 43, true))),
        (33, 44, Some((1, "carrier", "", 34, 33, false))),
        (13, 44, Some((0, "carrier", "AA/1", 14, 13, false))),
    ] {
        let found = match split(directory, path) {
            Err(SplitError::Fault(fault)) => Some((fault.record, fault.column, fault.problem)),
            Err(SplitError::Arrow(error)) => panic!("{error}"),
            Ok(_) => None,
        };
        let expected = expected.map(|(row, key, value, bytes, limit, is_path)| {
            let problem = InputProblem::PartitionValue { value: String::from(value), bytes, limit, is_path };
            (row, Some(String::from(key)), problem)
        });
        assert_eq!(found, expected, "{directory} {path}");
    }
}
