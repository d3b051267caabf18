//! Rows → rows of each partition.

use crate::error::excerpt::excerpt;
use crate::error::{ErrorKind, InputProblem, Result};
use crate::partition::keys;
use crate::partition::partitions::{Partition, PartitionId, Partitions};
use crate::rows::{Fault, Origin};
use crate::schema::{Schema, WrittenKey};
use crate::spec::{PartitionKey, ValuePolicy};
use crate::value::hive::{NULL_DIRECTORY, escape};
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{Row, RowConverter, Rows, SortField};
use std::collections::HashMap;
use std::sync::Arc;

/// How long the directories of a partition may be, in bytes as they stand in a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathLimits {
    /// One directory, `key=value`.
    pub directory: usize,
    /// All of them, each with its slash.
    pub path: usize,
}

impl Default for PathLimits {
    /// None.
    fn default() -> Self {
        PathLimits { directory: usize::MAX, path: usize::MAX }
    }
}

/// Why rows have no partition.
#[derive(Debug)]
pub enum SplitError {
    /// A kernel failed.
    Arrow(ArrowError),
    /// Of a value that makes a directory longer than a target takes. Its `record` is
    /// the first row of the batch that has it.
    Fault(Box<Fault>),
}

impl From<ArrowError> for SplitError {
    fn from(error: ArrowError) -> Self {
        SplitError::Arrow(error)
    }
}

/// Rows of one partition, with the columns that go into its files.
#[derive(Debug, Clone)]
pub struct PartitionRows {
    /// Where they belong.
    pub partition: PartitionId,
    /// At least one row.
    pub batch: RecordBatch,
}

/// Groups rows by partition.
#[derive(Debug)]
pub struct Partitioner {
    keys: Vec<keys::Key>,
    /// Makes bytes of the values of the keys.
    converter: RowConverter,
    /// Columns of the batch that go into the files.
    file_columns: Vec<usize>,
    limits: PathLimits,
    partitions: Arc<Partitions>,
}

impl Partitioner {
    /// Checks the keys against the schema. Errors name `output.partition_by`.
    pub fn new(schema: &Schema, partition_by: &[PartitionKey]) -> Result<Self> {
        let keys = keys::resolve(schema, partition_by)?;
        let file_columns = (0..schema.columns.len())
            .filter(|&column| !keys.iter().any(|key| key.replaces_column() == Some(column)))
            .collect::<Vec<_>>();
        if file_columns.is_empty() {
            return Err(keys::invalid("every column is a partition key, so the files would have none")
                .remedy("leave at least one column out of `output.partition_by` (--partition-by)"));
        }
        let fields = keys.iter().map(|key| SortField::new(key.data_type())).collect();
        let converter = RowConverter::new(fields)
            .map_err(|cause| ErrorKind::Compute { step: "grouping rows by partition", cause })?;
        let (limits, partitions) = (PathLimits::default(), Arc::default());
        Ok(Partitioner { keys, converter, file_columns, limits, partitions })
    }

    /// The same for targets that take no longer paths than these.
    #[must_use]
    pub fn with_limits(self, limits: PathLimits) -> Self {
        Partitioner { limits, ..self }
    }

    /// The partitions that rows were found to belong to.
    pub fn partitions(&self) -> &Arc<Partitions> {
        &self.partitions
    }

    /// The keys, as the log of a table has them; `schema` as in [`Partitioner::new`].
    pub fn written(&self, schema: &Schema) -> Vec<WrittenKey> {
        self.keys.iter().map(|key| key.written(schema)).collect()
    }

    /// The part of `schema` that goes into the files.
    pub fn file_schema(&self, schema: &SchemaRef) -> SchemaRef {
        Arc::new(schema.project(&self.file_columns).expect("indices come from the same schema"))
    }

    /// Groups the rows of `batch`, partitions in the order in which they first
    /// come up.
    ///
    /// # Errors
    /// The first value that makes a path longer than the limits.
    pub fn split(&self, batch: &RecordBatch) -> Result<Vec<PartitionRows>, SplitError> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let file_batch = batch.project(&self.file_columns)?;
        if self.keys.is_empty() {
            return Ok(vec![PartitionRows { partition: PartitionId::ROOT, batch: file_batch }]);
        }
        let values: Vec<ArrayRef> =
            self.keys.iter().map(|key| key.values(batch)).collect::<Result<_, ArrowError>>()?;
        let rows = self.converter.convert_columns(&values)?;
        let groups = Groups::of(&rows);
        let keys: Vec<&[u8]> = groups.first_rows.iter().map(|&row| rows.row(row).data()).collect();
        let partition = |group: usize| self.partition_of(&values, groups.first_rows[group]);
        let ids = self.partitions.of_keys(&keys, partition).map_err(SplitError::Fault)?;
        let sorted = match groups.first_rows.len() {
            1 => file_batch,
            _ => take_record_batch(&file_batch, &groups.order)?,
        };
        let mut start = 0;
        let mut result = Vec::with_capacity(groups.first_rows.len());
        for (partition, rows) in ids.into_iter().zip(groups.sizes) {
            result.push(PartitionRows { partition, batch: sorted.slice(start, rows) });
            start += rows;
        }
        Ok(result)
    }

    fn partition_of(&self, values: &[ArrayRef], row: usize) -> Result<Partition, Box<Fault>> {
        let mut partition = Partition::default();
        for (key, values) in self.keys.iter().zip(values) {
            let text = (!values.is_null(row)).then(|| keys::text(values.as_ref(), row));
            // Hive keeps no empty values: they share the directory of null.
            let directory = match text.as_deref() {
                None | Some("") => NULL_DIRECTORY.to_owned(),
                Some(text) => escape(text),
            };
            partition.path.push_str(&format!("{}={directory}/", escape(key.name())));
            partition.values.insert(key.name().to_owned(), text.filter(|text| !text.is_empty()));
        }
        self.check_length(&partition, row).map(|()| partition)
    }

    fn check_length(&self, partition: &Partition, row: usize) -> Result<(), Box<Fault>> {
        let PathLimits { directory, path } = self.limits;
        let too_long = |position: usize, bytes, limit, is_path| {
            let key = self.keys[position].name();
            let value = partition.values.get(key).cloned().flatten().unwrap_or_default();
            let value = excerpt(&value).into_owned();
            Box::new(Fault {
                record: row as u32,
                column: Some(key.to_owned()),
                // Of a path that is too long, the longest directory is to blame.
                problem: InputProblem::PartitionValue { value, bytes, limit, is_path },
                policy: ValuePolicy::Fail,
                origin: Origin::Row { policy_key: None },
            })
        };
        // One directory for each key: what is escaped has no slash.
        let directories = partition.path.split_terminator('/').map(str::len).enumerate();
        if let Some((position, bytes)) = directories.clone().find(|(_, bytes)| *bytes > directory) {
            return Err(too_long(position, bytes, directory, false));
        }
        match directories.max_by_key(|(_, bytes)| *bytes) {
            Some((longest, _)) if partition.path.len() > path => {
                Err(too_long(longest, partition.path.len(), path, true))
            }
            _ => Ok(()),
        }
    }
}

/// A stable counting sort of rows by group.
struct Groups {
    first_rows: Vec<usize>,
    sizes: Vec<usize>,
    /// Rows of the first group, then of the second, …
    order: UInt32Array,
}

impl Groups {
    fn of(rows: &Rows) -> Self {
        let mut ids: HashMap<Row<'_>, u32> = HashMap::new();
        let (mut first_rows, mut sizes, mut group_of) =
            (Vec::new(), Vec::new(), Vec::with_capacity(rows.num_rows()));
        let mut previous = None;
        for (position, row) in rows.iter().enumerate() {
            // Neighbours tend to share a partition; a compare is cheaper than a hash.
            let id = match previous {
                Some((same, id)) if same == row => id,
                _ => *ids.entry(row).or_insert_with(|| {
                    first_rows.push(position);
                    sizes.push(0);
                    (sizes.len() - 1) as u32
                }),
            };
            previous = Some((row, id));
            sizes[id as usize] += 1;
            group_of.push(id);
        }
        let mut next = Vec::with_capacity(sizes.len());
        let mut start = 0u32;
        for &size in &sizes {
            next.push(start);
            start += size as u32;
        }
        let mut order = vec![0u32; group_of.len()];
        for (row, &group) in group_of.iter().enumerate() {
            let place = &mut next[group as usize];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        Groups { first_rows, sizes, order: order.into() }
    }
}

#[cfg(test)]
mod tests;
