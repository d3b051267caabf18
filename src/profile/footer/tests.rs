use super::*;
use crate::spec::PartitionKey;
use arrow::datatypes::{DataType, Field};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::Int32Type;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{PrimitiveTypeBuilder, Type};
use std::sync::Arc;

fn preflight(fields: Vec<Field>) -> Preflight {
    let schema = Schema::new(fields);
    Preflight::new(&schema, &schema, &OutputSpec::default())
}

fn integers() -> Preflight {
    preflight(vec![Field::new("n", DataType::Int32, false)])
}

fn required(name: &str, physical: PhysicalType) -> PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED)
}

fn with_logical(physical: PhysicalType, logical: LogicalType) -> Type {
    required("n", physical).with_logical_type(Some(logical)).build().unwrap()
}

/// A file of these columns without rows.
pub(crate) fn empty_file(columns: Vec<Type>) -> ParquetMetaData {
    let fields = columns.into_iter().map(Arc::new).collect();
    let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
    let properties = Arc::new(WriterProperties::default());
    SerializedFileWriter::new(std::io::sink(), Arc::new(schema), properties).unwrap().close().unwrap()
}

/// A file of three integers.
fn file_of_integers(properties: WriterPropertiesBuilder) -> ParquetMetaData {
    let column = required("n", PhysicalType::INT32).build().unwrap();
    let schema = Type::group_type_builder("schema").with_fields(vec![Arc::new(column)]).build().unwrap();
    let mut writer =
        SerializedFileWriter::new(std::io::sink(), Arc::new(schema), Arc::new(properties.build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[1, 2, 3], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap()
}

#[track_caller]
fn assert_broken(preflight: &Preflight, file: &ParquetMetaData, expected: Rule) {
    assert_error(preflight.check("part-0.parquet", file, &[]).unwrap_err(), expected);
}

#[track_caller]
fn assert_error(error: Error, expected: Rule) {
    match error.kind() {
        ErrorKind::Preflight { rule, .. } => assert_eq!(*rule, expected.id(), "{error}"),
        _ => panic!("{error}"),
    }
    assert!(error.to_string().contains(expected.id()) && error.what_to_do().is_some(), "{error}");
    assert_eq!(error.kind().exit_code(), 6);
}

#[test]
fn what_spectrum_reads_passes() {
    for properties in [
        WriterProperties::builder(),
        WriterProperties::builder().set_compression(Compression::SNAPPY),
        WriterProperties::builder().set_compression(Compression::ZSTD(Default::default())),
        WriterProperties::builder().set_dictionary_enabled(false),
    ] {
        integers().check("f", &file_of_integers(properties), &[]).unwrap();
    }
}

#[test]
fn pages_encodings_and_codecs_are_those_that_spectrum_documents() {
    let builder = WriterProperties::builder;
    let version_2 = builder().set_writer_version(WriterVersion::PARQUET_2_0);
    assert_broken(&integers(), &file_of_integers(version_2), Rule::PageVersion);
    let delta = builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BINARY_PACKED);
    assert_broken(&integers(), &file_of_integers(delta), Rule::Encoding);
    let lz4 = builder().set_compression(Compression::LZ4_RAW);
    assert_broken(&integers(), &file_of_integers(lz4), Rule::Codec);
}

#[test]
fn types_without_a_name_in_spectrum_are_refused() {
    use PhysicalType::{FIXED_LEN_BYTE_ARRAY, INT32, INT64};
    let uuid = required("n", FIXED_LEN_BYTE_ARRAY).with_length(16).with_logical_type(Some(LogicalType::Uuid));
    for column in [
        with_logical(INT32, LogicalType::integer(32, false)),
        with_logical(INT32, LogicalType::integer(8, true)),
        with_logical(INT64, LogicalType::integer(64, false)),
        with_logical(INT32, LogicalType::time(false, TimeUnit::MILLIS)),
        with_logical(INT64, LogicalType::timestamp(true, TimeUnit::NANOS)),
        with_logical(INT64, LogicalType::timestamp(true, TimeUnit::MILLIS)),
        uuid.build().unwrap(),
        required("n", FIXED_LEN_BYTE_ARRAY).with_length(4).build().unwrap(),
        Type::group_type_builder("n")
            .with_repetition(Repetition::REQUIRED)
            .with_fields(vec![Arc::new(required("m", INT32).build().unwrap())])
            .build()
            .unwrap(),
    ] {
        assert_broken(&integers(), &empty_file(vec![column]), Rule::ReadableType);
    }
}

#[test]
fn types_are_those_of_the_table() {
    let nullable = Type::primitive_type_builder("n", PhysicalType::INT32);
    for column in [
        required("n", PhysicalType::INT64),
        nullable.with_repetition(Repetition::OPTIONAL),
        required("n", PhysicalType::INT32).with_logical_type(Some(LogicalType::Date)),
    ] {
        let file = empty_file(vec![column.build().unwrap()]);
        assert_broken(&integers(), &file, Rule::DeclaredType);
    }
    let decimals = preflight(vec![Field::new("n", DataType::Decimal128(20, 2), false)]);
    let decimal = |precision, length| {
        let logical = LogicalType::decimal(2, precision);
        let column = required("n", PhysicalType::FIXED_LEN_BYTE_ARRAY).with_length(length);
        let column = column.with_logical_type(Some(logical)).with_precision(precision).with_scale(2);
        empty_file(vec![column.build().unwrap()])
    };
    decimals.check("f", &decimal(20, 9), &[]).unwrap();
    assert_broken(&decimals, &decimal(21, 9), Rule::DeclaredType);
    assert_broken(&decimals, &decimal(20, 16), Rule::DecimalLength);
}

#[test]
fn names_are_those_that_spectrum_takes() {
    let of_names = |names: &[&str]| {
        let column = |name: &&str| required(name, PhysicalType::INT32).build().unwrap();
        empty_file(names.iter().map(column).collect())
    };
    let long = "n".repeat(128);
    for (names, rule) in [
        (&["N"][..], Rule::NameCase),
        (&[&long], Rule::NameLength),
        (&["n", "n"], Rule::NameTwice),
        (&["m"], Rule::Columns),
        (&["n", "m"], Rule::Columns),
    ] {
        assert_broken(&integers(), &of_names(names), rule);
    }
    let many: Vec<String> = (0..=MAX_COLUMNS).map(|n| format!("c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_broken(&integers(), &of_names(&many), Rule::ColumnCount);

    let fields = ["n", "k"].map(|name| Field::new(name, DataType::Int32, false));
    let (table, file) = (Schema::new(fields.to_vec()), Schema::new(vec![fields[0].clone()]));
    let output = OutputSpec {
        partition_by: vec![PartitionKey::Column("k".into()), "d=year(n)".parse().unwrap()],
        ..OutputSpec::default()
    };
    let preflight = Preflight::new(&table, &file, &output);
    preflight.check("f", &of_names(&["n"]), &[]).unwrap();
    assert_broken(&preflight, &of_names(&["n", "k"]), Rule::PartitionColumn);
    assert_broken(&preflight, &of_names(&["n", "d"]), Rule::PartitionColumn);
}

#[test]
fn texts_are_no_longer_than_a_varchar() {
    let texts = preflight(vec![Field::new("n", DataType::Utf8, false)]);
    let file = empty_file(vec![with_logical(PhysicalType::BYTE_ARRAY, LogicalType::String)]);
    texts.check("f", &file, &[Some(MAX_TEXT_BYTES)]).unwrap();
    let error = texts.check("f", &file, &[Some(MAX_TEXT_BYTES + 1)]).unwrap_err();
    assert!(error.what_to_do().unwrap().contains("varchar(65535)"));
    assert_error(error, Rule::TextLength);
}
