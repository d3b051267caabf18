//! Whether a run wrote many small files, and what makes them fewer.
use crate::documents::{ManifestFile, Plan};
use crate::spec::{DatePart, PartitionKey};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Files of a run below which there is no warning: a small table in a file for each of its
/// partitions is as it should be, and readers open about so many at once.
const MANY_FILES: usize = 100;

/// To open a file on S3 and read its footer takes two to three requests of some 30 ms each, in
/// which a connection moves several MiB: a reader that meets files below this size mostly waits.
/// What Redshift Spectrum wants (100 MB to 1 GB) would be too much to ask of every table.
const SMALL_BYTES: u64 = 1 << 20;

/// A run that wrote many small files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SmallFiles {
    /// Files that the run wrote, in each target.
    pub files: usize,
    /// Partitions that they are in.
    pub partitions: usize,
    /// Half of the files are of this size or smaller.
    pub median_bytes: u64,
    /// What leads to fewer and larger files, with the keys of the job file.
    pub remedies: Vec<String>,
}

impl SmallFiles {
    /// `None` where files are few or large enough.
    pub(super) fn look(plan: &Plan, files: &[ManifestFile]) -> Option<Self> {
        let median_bytes = median_of_many_small(files.iter().map(|file| file.bytes).collect())?;
        let partitions: BTreeSet<_> = files.iter().map(|file| &file.partition).collect();
        let partitions = partitions.len();
        let remedies = [by_keys(plan, files), Some(by_run(plan, files.len(), partitions))];
        let remedies = remedies.into_iter().flatten().collect();
        Some(SmallFiles { files: files.len(), partitions, median_bytes, remedies })
    }
}

/// The median of these sizes where they are many and most are small; the upper one of two.
fn median_of_many_small(mut sizes: Vec<u64>) -> Option<u64> {
    if sizes.len() < MANY_FILES {
        return None;
    }
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable(middle);
    (*median < SMALL_BYTES).then_some(*median)
}

/// Fewer partitions: by the key that has most values.
fn by_keys(plan: &Plan, files: &[ManifestFile]) -> Option<String> {
    let mut values: BTreeMap<&str, BTreeSet<&Option<String>>> = BTreeMap::new();
    for (key, value) in files.iter().flat_map(|file| &file.partition) {
        values.entry(key).or_default().insert(value);
    }
    let of = |key: &PartitionKey| {
        let found = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.name()));
        found.map_or(0, |(_, values)| values.len())
    };
    let widest = plan.job.output.partition_by.iter().max_by_key(|key| of(key))?;
    let (name, count) = (widest.name(), of(widest));
    let is_temporal = |column: &str| {
        let field = plan.schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(column));
        let name = field.and_then(|field| field.field_type.as_deref()).unwrap_or_default();
        name.starts_with("date") || name.starts_with("timestamp")
    };
    let months = |column: &str| format!("take `year({column})` and `month({column})` instead");
    let instead = match widest {
        PartitionKey::Derived(key) if key.part == DatePart::Date => months(&key.column),
        PartitionKey::Column(column) if is_temporal(column) => months(column),
        _ => "leave it out, or take a coarser one".to_owned(),
    };
    Some(format!(
        "use fewer or coarser keys in `output.partition_by` (--partition-by): {name:?} has {} here; {instead}",
        crate::error::count::count(count, "value")
    ))
}

/// Fewer files in each partition, whatever made them many; otherwise more rows for each file.
fn by_run(plan: &Plan, files: usize, partitions: usize) -> String {
    let tasks = plan.tasks.iter().filter(|task| !task.splits.is_empty()).count();
    let (output, engine) = (&plan.job.output, &plan.job.engine);
    if 2 * files < 3 * partitions {
        "read more input in each run, so run less often: each run writes at least one file in every partition \
         that it has rows for"
            .to_owned()
    } else if tasks > 1 {
        format!(
            "plan fewer tasks (`sawmill plan --tasks`): each of the {tasks} writes at least one file in every \
             partition that it has rows for"
        )
    } else if output.target_file_bytes < 2 * SMALL_BYTES {
        format!("raise `output.target_file_bytes` in a job file; it is {}", output.target_file_bytes)
    } else if output.sort_by.is_empty() {
        format!(
            "sort the rows, `output.sort_by` in a job file, so that those of a partition come together: as they come now, files \
             end early for lack of memory (engine.open_files_bytes = {}, engine.max_open_files = {})",
            engine.open_files_bytes, engine.max_open_files
        )
    } else {
        format!(
            "raise `engine.open_files_bytes` in a job file; it is {}: what does not fit ends files early",
            engine.open_files_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::median_of_many_small;

    #[test]
    fn only_many_small_files_are_worth_a_word() {
        const MIB: u64 = 1 << 20;
        for (count, bytes, expected) in [
            (0, 0, None),
            (1, 10, None),
            // A year in months, two years in months, a quarter in days.
            (12, 1_000, None),
            (24, 50_000, None),
            (92, 10_000, None),
            (100, 10_000, Some(10_000)),
            (25_303, 10_000, Some(10_000)),
            (25_303, MIB, None),
            (25_303, 200 * MIB, None),
        ] {
            assert_eq!(median_of_many_small(vec![bytes; count]), expected, "{count} of {bytes} bytes");
        }
        // The last file of each of 200 partitions is what remains.
        let sizes = [300 * MIB, 10_000].repeat(200);
        assert_eq!(median_of_many_small(sizes), None);
        let sizes = [300 * MIB, 10_000, 20_000].repeat(200);
        assert_eq!(median_of_many_small(sizes), Some(20_000));
    }
}
