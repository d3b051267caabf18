use super::*;
use crate::error::ErrorKind;
use crate::runtime::Cancel;
use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

fn batches() -> Vec<RecordBatch> {
    let fields = vec![Field::new("n", DataType::Int64, false), Field::new("text", DataType::Utf8, true)];
    let schema = Arc::new(Schema::new(fields));
    let batch = |first: i64| {
        let numbers = Int64Array::from_iter_values(first..first + 1000);
        let texts = (0..1000).map(|n| (n % 3 > 0).then(|| format!("{:x}", (first + n) * 7919)));
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(numbers), Arc::new(texts.collect::<StringArray>())];
        RecordBatch::try_new(schema.clone(), columns).unwrap()
    };
    vec![batch(0), batch(1000).slice(10, 0), batch(2000).slice(17, 500), batch(3000)]
}

fn spill(spill_directory: &SpillDirectory) -> Result<Spill> {
    let batches = batches();
    let mut spill = SpillWriter::create(&batches[0].schema(), spill_directory)?;
    batches.iter().try_for_each(|batch| spill.push(batch))?;
    spill.finish()
}

#[test]
fn batches_come_back_as_they_went() {
    let directory = tempfile::tempdir().unwrap();
    let spill_directory = SpillDirectory::new(Some(directory.path()), Cancel::default());
    let spill = spill(&spill_directory).unwrap();
    let uncompressed: usize = batches().iter().map(RecordBatch::get_array_memory_size).sum();
    assert!((1..uncompressed as u64).contains(&spill_directory.bytes()), "{} bytes", spill_directory.bytes());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has a name");
    let again: Vec<_> = spill.read().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(again, batches());
    assert_eq!(spill_directory.bytes(), 0);
}

#[test]
fn a_full_disk_names_the_directory_and_what_it_took() {
    let directory = tempfile::tempdir().unwrap();
    let spill_directory = SpillDirectory::with_room(Some(directory.path()), 9_000);
    let error = spill(&spill_directory).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Spill { .. }), "{error}");
    assert_eq!(error.kind().exit_code(), 7);
    let place = directory.path().display().to_string();
    assert!(error.to_string().contains(&place), "{error}");
    assert!(error.to_string().contains("bytes so far"), "{error}");
    assert!(error.what_to_do().unwrap().contains("engine.spill_directory"));
    assert_eq!(spill_directory.bytes(), 0, "nothing is left after an error");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = spill(&SpillDirectory::new(Some(&missing), Cancel::default())).unwrap_err();
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let spill_directory = SpillDirectory::new(Some(directory.path()), Cancel::default());
    let inner = spill_directory.clone();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _spool = spill(&inner).unwrap();
        panic!("with {} bytes on disk", inner.bytes());
    }));
    assert!(outcome.is_err());
    assert_eq!(spill_directory.bytes(), 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
