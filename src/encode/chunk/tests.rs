use super::*;
use arrow::array::*;
use arrow::compute::concat;
use arrow::datatypes::{Field, Schema as ArrowSchema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{BoundaryOrder, Compression, ZstdLevel};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::WriterPropertiesBuilder;
use parquet::file::writer::SerializedFileWriter;
use std::sync::Arc;

/// A file of one column and one row group, from arrays; with what the encoder was closed as.
fn file(arrays: &[ArrayRef], nullable: bool, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let field = Field::new("v", arrays[0].data_type().clone(), nullable);
    let schema = ArrowSchemaConverter::new().convert(&ArrowSchema::new(vec![field])).unwrap();
    let properties = Arc::new(properties.build());
    let mut encoder =
        ChunkEncoder::for_column(arrays[0].data_type(), &schema.column(0), &properties).unwrap();
    arrays.iter().for_each(|array| encoder.write(array).unwrap());
    let chunk = encoder.close().unwrap();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    group.append_column(&chunk.pages, chunk.close).unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// What another reader finds in it: the column, and the metadata with the page index.
fn read(file: Vec<u8>, data_type: &DataType) -> (ArrayRef, Arc<ParquetMetaData>) {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(bytes::Bytes::from(file), options).unwrap();
    let metadata = reader.metadata().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
    let columns: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(0).as_ref()).collect();
    let column = concat(&columns).unwrap();
    (arrow::compute::cast(&column, data_type).unwrap(), metadata)
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::SNAPPY)
}

fn small_pages() -> WriterPropertiesBuilder {
    properties().set_data_page_row_count_limit(700).set_dictionary_page_size_limit(2_000)
}

/// A value of each type by number.
fn arrays(values: &[Option<i64>]) -> Vec<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(
        values: &[Option<i64>],
        made: impl Fn(i64) -> T::Native,
    ) -> PrimitiveArray<T> {
        values.iter().map(|value| value.map(&made)).collect()
    }
    let texts: StringArray = values
        .iter()
        .map(|value| value.map(|n| format!("text of {n}{}", "é".repeat(n as usize & 63))))
        .collect();
    vec![
        Arc::new(of::<Int8Type>(values, |n| n as i8)),
        Arc::new(of::<Int16Type>(values, |n| n as i16)),
        Arc::new(of::<Int32Type>(values, |n| n as i32)),
        Arc::new(of::<Int64Type>(values, |n| n)),
        Arc::new(of::<UInt8Type>(values, |n| n as u8)),
        Arc::new(of::<UInt16Type>(values, |n| n as u16)),
        Arc::new(of::<UInt32Type>(values, |n| n as u32)),
        Arc::new(of::<UInt64Type>(values, |n| n as u64)),
        Arc::new(of::<Date32Type>(values, |n| n as i32)),
        Arc::new(of::<Time64MicrosecondType>(values, |n| n.rem_euclid(86_400_000_000))),
        Arc::new(of::<TimestampMillisecondType>(values, |n| n)),
        Arc::new(of::<TimestampMicrosecondType>(values, |n| n).with_timezone("UTC")),
        Arc::new(of::<TimestampNanosecondType>(values, |n| n)),
        Arc::new(
            of::<Decimal128Type>(values, |n| i128::from(n % 100_000_000))
                .with_precision_and_scale(9, 2)
                .unwrap(),
        ),
        Arc::new(
            of::<Decimal128Type>(values, |n| i128::from(n % (1 << 59)))
                .with_precision_and_scale(18, 4)
                .unwrap(),
        ),
        Arc::new(texts),
    ]
}

/// Few values, many, all different, runs, extremes, and nulls among them.
fn patterns() -> Vec<Vec<Option<i64>>> {
    let of = |count: i64, value: &dyn Fn(i64) -> Option<i64>| (0..count).map(value).collect::<Vec<_>>();
    vec![
        of(1, &|_| Some(7)),
        of(3, &|_| None),
        of(5_000, &|n| Some(n % 7)),
        of(9_000, &|n| Some(n.wrapping_mul(2_654_435_761) % 1_000_003)),
        of(6_000, &|n| (n % 3 > 0).then_some(n / 100)),
        of(4_500, &|n| (n / 50 % 2 == 0).then_some(n * n)),
        of(3_000, &|n| [Some(i64::MAX), None, Some(i64::MIN), Some(0), Some(-1)][n as usize % 5]),
    ]
}

#[test]
fn values_come_back_whatever_the_type_and_the_settings() {
    for values in patterns() {
        let nullable = values.iter().any(Option::is_none);
        for array in arrays(&values) {
            let plain = small_pages().set_dictionary_enabled(false);
            let zstd = small_pages().set_compression(Compression::ZSTD(ZstdLevel::default()));
            let none =
                properties().set_compression(Compression::UNCOMPRESSED).set_data_page_size_limit(3_000);
            for properties in [properties(), small_pages(), plain, zstd, none] {
                for nullable in [true, nullable] {
                    let (column, _) = read(
                        file(std::slice::from_ref(&array), nullable, properties.clone()),
                        array.data_type(),
                    );
                    assert_eq!(&column, &array, "{} {}", array.data_type(), values.len());
                }
            }
        }
    }
}

/// The bytes do not tell how the values were cut into arrays.
#[test]
fn arrays_may_be_cut_anywhere() {
    for values in patterns() {
        for array in arrays(&values) {
            let whole = file(std::slice::from_ref(&array), true, small_pages());
            for step in [1, 333, 1_024] {
                let cut = |start: usize| array.slice(start, step.min(array.len() - start));
                let pieces: Vec<ArrayRef> = (0..array.len()).step_by(step).map(cut).collect();
                assert_eq!(file(&pieces, true, small_pages()), whole, "{} {step}", array.data_type());
            }
        }
    }
}

/// Statistics are those that the parquet crate writes of the same column.
#[test]
fn statistics_are_those_of_the_parquet_crate() {
    for values in patterns() {
        for array in arrays(&values) {
            let (_, ours) = read(file(std::slice::from_ref(&array), true, properties()), array.data_type());
            let schema = Arc::new(ArrowSchema::new(vec![Field::new("v", array.data_type().clone(), true)]));
            let batch = RecordBatch::try_new(schema.clone(), vec![array.clone()]).unwrap();
            let mut theirs = Vec::new();
            let written = properties().build();
            let mut writer =
                parquet::arrow::ArrowWriter::try_new(&mut theirs, schema, Some(written)).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            let (_, theirs) = read(theirs, array.data_type());
            let of = |metadata: &ParquetMetaData| metadata.row_group(0).column(0).statistics().cloned();
            assert_eq!(of(&ours), of(&theirs), "{} {}", array.data_type(), values.len());
            let ours = &ours.column_index().unwrap()[0][0];
            let theirs = &theirs.column_index().unwrap()[0][0];
            if ours.num_pages() == theirs.num_pages() {
                assert_eq!(
                    format!("{ours:?}").contains("ASCENDING"),
                    format!("{theirs:?}").contains("ASCENDING")
                );
                assert_eq!(ours.null_counts(), theirs.null_counts());
            }
        }
    }
}

#[test]
fn pages_and_dictionaries_keep_their_limits() {
    let values: Vec<Option<i64>> = (0..20_000).map(|n| Some(n % 3_000)).collect();
    for array in arrays(&values) {
        let (_, metadata) = read(file(std::slice::from_ref(&array), true, small_pages()), array.data_type());
        let pages = metadata.offset_index().unwrap()[0][0].page_locations().clone();
        assert_eq!(pages.len(), 20_000usize.div_ceil(700), "{}", array.data_type());
        assert!(pages.windows(2).all(|pair| pair[1].first_row_index - pair[0].first_row_index == 700));
    }
    // In order, with an index that says so.
    let ascending: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5_000));
    let (_, metadata) = read(file(&[ascending], true, small_pages()), &DataType::Int64);
    let index = &metadata.column_index().unwrap()[0][0];
    assert_eq!(index.get_boundary_order(), Some(BoundaryOrder::ASCENDING));
}

/// Of what is never there twice, no dictionary is written.
#[test]
fn unique_values_have_no_dictionary() {
    let unique: Vec<Option<i64>> = (0..9_000).map(Some).collect();
    let few: Vec<Option<i64>> = (0..9_000).map(|n| Some(n % 100)).collect();
    for (values, has_one) in [(unique, false), (few, true)] {
        let array = &arrays(&values)[3];
        let (_, metadata) = read(file(std::slice::from_ref(array), true, properties()), array.data_type());
        assert_eq!(metadata.row_group(0).column(0).dictionary_page_offset().is_some(), has_one);
    }
}

#[test]
fn other_settings_are_left_to_the_parquet_crate() {
    let field = |data_type| Field::new("v", data_type, true);
    let takes = |data_type: DataType, properties: WriterPropertiesBuilder| {
        let schema =
            ArrowSchemaConverter::new().convert(&ArrowSchema::new(vec![field(data_type.clone())])).unwrap();
        ChunkEncoder::for_column(&data_type, &schema.column(0), &properties.build()).is_some()
    };
    assert!(takes(DataType::Int64, properties()));
    for data_type in [DataType::Boolean, DataType::Float64, DataType::Binary, DataType::Decimal128(30, 2)] {
        assert!(!takes(data_type, properties()));
    }
    for properties in [
        properties().set_writer_version(WriterVersion::PARQUET_2_0),
        properties().set_bloom_filter_enabled(true),
        properties().set_encoding(Encoding::DELTA_BINARY_PACKED),
        properties().set_compression(Compression::LZ4_RAW),
    ] {
        assert!(!takes(DataType::Int64, properties));
    }
}
