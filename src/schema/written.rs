//! What the files of a table have in common, and what another run may change of it.
//!
//! [`WrittenSchema`] is kept in the log of the table. [`evolve`] is the one place that says
//! whether a run may add its files: before it stages them, and again when it decides.

use crate::error::lists::quoted;
use crate::error::wording::settings;
use crate::spec::SchemaChange;
use crate::value::{ColumnType, TypeNameError};
use arrow::datatypes::TimeUnit;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashMap;

/// Columns and partition keys of the files of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenSchema {
    /// The columns in the files, in their order.
    pub columns: Vec<WrittenColumn>,
    /// Partition keys, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<WrittenKey>,
}

/// A column as it stands in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenColumn {
    /// Its name.
    pub name: String,
    /// Its type, as schema files spell it.
    #[serde(rename = "type", serialize_with = "write_type", deserialize_with = "read_type")]
    #[schemars(with = "String")]
    pub column_type: ColumnType,
    /// Whether timestamps are stored as INT96.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub int96: bool,
    /// Whether there is a value in each row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// A partition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenKey {
    /// Name of the key in directories.
    pub name: String,
    /// What its values are: the type of the column that it replaces, as `int64`, or what it is derived from, as `year(sold_at)`; absent where nothing but directories tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
}

fn write_type<S: Serializer>(column_type: &ColumnType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(column_type)
}

fn read_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ColumnType, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(|error: TypeNameError| serde::de::Error::custom(error.message))
}

impl WrittenSchema {
    /// Every column by its name: looking through the list for each column of
    /// another takes time with their square.
    pub fn by_name(&self) -> HashMap<&str, &WrittenColumn> {
        by_name(&self.columns)
    }

    /// The types that columns of a job have to have for their values to stand in this table
    /// as they are: in files or in the names of directories.
    pub fn types(&self) -> HashMap<&str, ColumnType> {
        let of_keys =
            self.partition_by.iter().filter_map(|key| Some((key.name.as_str(), key.column_type()?)));
        // What was stored as INT96 does not say which type it had.
        let of_files = self.columns.iter().filter(|column| !column.int96);
        of_keys.chain(of_files.map(|column| (column.name.as_str(), column.column_type))).collect()
    }

    /// Whether a file has all columns of this table, as they are.
    pub fn is_of(&self, file: &[WrittenColumn]) -> bool {
        self.columns.len() == file.len() && self.mismatch(file).is_none()
    }

    /// What a file with these columns has that files of this table have not. A column
    /// that it lacks is null.
    pub fn mismatch(&self, file: &[WrittenColumn]) -> Option<String> {
        let ours = self.by_name();
        for found in file {
            let name = &found.name;
            match ours.get(name.as_str()) {
                None => return Some(format!("it has a column {name:?}, which the table does not have")),
                Some(column) if !column.has_type_of(found) => {
                    let (found, column) = (found.type_name(), column.type_name());
                    return Some(format!("its column {name:?} is `{found}`, that of the table `{column}`"));
                }
                Some(column) if column.required && !found.required => {
                    return Some(format!("its column {name:?} may be null, that of the table may not"));
                }
                Some(_) => {}
            }
        }
        let file = by_name(file);
        let is_lacking = |column: &&WrittenColumn| !file.contains_key(column.name.as_str());
        let lacking = self.columns.iter().filter(|column| column.required).find(is_lacking)?;
        Some(format!("it lacks the column {:?}, which the table requires", lacking.name))
    }
}

fn by_name(columns: &[WrittenColumn]) -> HashMap<&str, &WrittenColumn> {
    columns.iter().map(|column| (column.name.as_str(), column)).collect()
}

impl WrittenColumn {
    fn has_type_of(&self, other: &WrittenColumn) -> bool {
        // INT96 has nanoseconds and no zone, whatever the values were before.
        (self.column_type == other.column_type && self.int96 == other.int96) || (self.int96 && other.int96)
    }

    /// The type, for people.
    pub fn type_name(&self) -> String {
        match self.int96 {
            true => format!("{} as INT96", self.column_type),
            false => self.column_type.to_string(),
        }
    }
}

impl WrittenKey {
    fn column_type(&self) -> Option<ColumnType> {
        self.values.as_ref()?.parse().ok()
    }

    /// Whether the same rows are in the same directories.
    fn is(&self, other: &WrittenKey) -> bool {
        let is_integer = |key: &WrittenKey| {
            matches!(key.column_type(), Some(ColumnType::Int { .. } | ColumnType::UInt { .. }))
        };
        let same_values = match (&self.values, &other.values) {
            (Some(one), Some(another)) => one == another || (is_integer(self) && is_integer(other)),
            _ => true,
        };
        self.name == other.name && same_values
    }

    /// As `output.partition_by` has it.
    fn spelling(&self) -> String {
        match &self.values {
            Some(values) if self.column_type().is_none() => match values.split_once('(') {
                Some((part, _)) if part == self.name => values.clone(),
                _ => format!("{}={values}", self.name),
            },
            _ => self.name.clone(),
        }
    }
}

/// Why files of a job cannot stand beside those of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Other partition keys.
    #[error("the partition keys of the table are {}, those of the job {}", spelled(table), spelled(job))]
    Keys {
        /// Those of the table.
        table: Vec<WrittenKey>,
        /// Those of the job.
        job: Vec<WrittenKey>,
    },
    /// The values of a key have another type.
    #[error("the partition key {name:?} has values of type `{table}` in the table, and `{job}` in the job")]
    KeyType {
        /// Name of the key.
        name: String,
        /// In the table.
        table: ColumnType,
        /// In the job.
        job: ColumnType,
    },
    /// Another type.
    #[error("the column {name:?} is `{}` in the table, and `{}` in the job", table.type_name(), job.type_name())]
    Type {
        /// Name of the column.
        name: String,
        /// As the table has it.
        table: WrittenColumn,
        /// As the job has it.
        job: WrittenColumn,
    },
    /// Nulls in a column without nulls.
    #[error("the column {name:?} has no nulls in the table, and may have some in the job")]
    Nulls {
        /// Name of the column.
        name: String,
    },
    /// A column that may not be null is not there.
    #[error("the job has no column {name:?}, which the table requires")]
    Missing {
        /// Name of the column.
        name: String,
    },
    /// Columns that the table has not.
    #[error("the job has columns that the table does not have: {}", quoted(names))]
    New {
        /// Their names.
        names: Vec<String>,
    },
    /// Columns on either side that the other has not.
    #[error(
        "the table has the column {:?}, which the job does not have, and the job has {}, which the table does not have: it may \
         have been renamed", missing.name, quoted(new)
    )]
    Renamed {
        /// Of the table.
        missing: WrittenColumn,
        /// Of the job.
        new: Vec<String>,
    },
}

/// Keys as a list of TOML, to be copied.
fn spelled(keys: &[WrittenKey]) -> String {
    format!("{:?}", keys.iter().map(WrittenKey::spelling).collect::<Vec<_>>())
}

/// What always remains.
const ELSEWHERE: &str =
    "write to another place, or the whole table anew: `sawmill run --reprocess` with all of its inputs";

impl Misfit {
    /// What to do: a way for each that works as it is written.
    pub fn remedy(&self) -> String {
        match self {
            Misfit::Keys { table, .. } => {
                let keys = format!("output.partition_by = {}", spelled(table));
                let flags: Vec<_> =
                    table.iter().map(|key| format!("--partition-by '{}'", key.spelling())).collect();
                let flags =
                    if flags.is_empty() { "convert: no --partition-by".into() } else { flags.join(" ") };
                format!("use {}, as the table has it, or {ELSEWHERE}", settings([(keys, flags, "")]))
            }
            Misfit::KeyType { name, table, .. } => format!(
                "make it a `{table}`: `type` in the schema, or a step `cast = {{ {} = \"{table}\" }}`; or \
                 {ELSEWHERE}",
                bare(name)
            ),
            Misfit::Type { table, job, .. } if differ_in_form_only(table, job) => format!(
                "use `output.timestamps = \"{}\"` in a job file, as the table has it, or {ELSEWHERE}",
                if table.int96 { "int96" } else { "int64" }
            ),
            Misfit::Type { name, table, job } => {
                let to = table.column_type;
                let same = format!(
                    "make it a `{to}`: `type` in the schema, or a step `cast = {{ {} = \"{to}\" }}`; or \
                     {ELSEWHERE}",
                    bare(name)
                );
                let (from, widen) =
                    (job.column_type, "`output.schema_change = \"widen\"` (--schema-change widen)");
                if holds(from, to) {
                    format!("{widen} gives the table's column the type `{from}` from here on; or {same}")
                } else if holds(to, from) {
                    format!("{widen} writes the job's values as `{to}`; or {same}")
                } else {
                    same
                }
            }
            Misfit::Nulls { .. } => "use `constraints.required = true` of it in the schema, or \
                 `output.schema_change = \"widen\"` (--schema-change widen), after which the table's column \
                 may be null"
                .into(),
            Misfit::Missing { name } => format!(
                "read it from the inputs, or put a value into each row with a step `derive = {{ {} = \"…\" }}`; \
                 or {ELSEWHERE}",
                bare(name)
            ),
            Misfit::New { names } => format!(
                "`output.schema_change = \"add_columns\"` (--schema-change add_columns) adds them to the \
                 table, or a step `drop = {}` leaves them out",
                list(names)
            ),
            Misfit::Renamed { missing, new } => {
                let cast = match missing.column_type {
                    ColumnType::Text => String::new(),
                    other => format!(" and a step `cast = {{ {} = \"{other}\" }}`", bare(&missing.name)),
                };
                let renamed = match new.as_slice() {
                    [one] => {
                        format!("if it was, a step `rename = {{ {} = \"{}\" }}`", bare(one), missing.name)
                    }
                    _ => format!("if it was, a step `rename = {{ <its name now> = \"{}\" }}`", missing.name),
                };
                format!(
                    "{renamed}. If not, give the table's column nulls with a step `derive = {{ {} = \"CAST(NULL AS \
                     VARCHAR)\" }}`{cast}, and use `output.schema_change = \"add_columns\"` (--schema-change add_columns), or leave out what is new with \
                     a step `drop = {}`",
                    bare(&missing.name),
                    list(new)
                )
            }
        }
    }
}

/// Whether both are timestamps and one of them is stored as INT96.
fn differ_in_form_only(table: &WrittenColumn, job: &WrittenColumn) -> bool {
    let is_time = |column: &WrittenColumn| matches!(column.column_type, ColumnType::Timestamp { .. });
    table.int96 != job.int96 && is_time(table) && is_time(job)
}

/// A name as a key of TOML.
fn bare(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.into() } else { format!("{name:?}") }
}

/// Names as a list of TOML, to be copied.
fn list(names: &[String]) -> String {
    format!("{names:?}")
}

/// The schema of a table after files of a job were added to it. Those have its columns from the start, in its
/// order: the ones that the job lacks hold nulls, and types are as wide as the table's. So of a table
/// and the schema that this gave, it gives the same again.
///
/// # Errors
/// They cannot, by what `change` allows.
pub fn evolve(
    table: &WrittenSchema,
    job: &WrittenSchema,
    change: SchemaChange,
) -> Result<WrittenSchema, Misfit> {
    keys(table, job)?;
    let (of_table, of_job) = (table.by_name(), job.by_name());
    let new: Vec<&WrittenColumn> =
        job.columns.iter().filter(|column| !of_table.contains_key(column.name.as_str())).collect();
    let names = || new.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let mut columns = Vec::with_capacity(table.columns.len() + new.len());
    for column in &table.columns {
        columns.push(match of_job.get(column.name.as_str()) {
            Some(of_job) => merged(column, of_job, change)?,
            None if !new.is_empty() => {
                return Err(Misfit::Renamed { missing: column.clone(), new: names() });
            }
            None if column.required => return Err(Misfit::Missing { name: column.name.clone() }),
            None => column.clone(),
        });
    }
    if !new.is_empty() && change == SchemaChange::Fail {
        return Err(Misfit::New { names: names() });
    }
    // Rows that are there have nothing in it.
    columns.extend(new.into_iter().map(|column| WrittenColumn { required: false, ..column.clone() }));
    Ok(WrittenSchema { columns, partition_by: job.partition_by.clone() })
}

/// [`evolve`] for files that are written already, by a plan that knew an earlier state of the table.
///
/// # Errors
/// They cannot stand beside those of the table as it is now.
pub fn admit(
    table: &WrittenSchema,
    written: &WrittenSchema,
    change: SchemaChange,
) -> Result<WrittenSchema, Misfit> {
    let evolved = evolve(table, written, change)?;
    let written = written.by_name();
    for column in &evolved.columns {
        match written.get(column.name.as_str()) {
            Some(job) if !job.has_type_of(column) => {
                let (name, table) = (column.name.clone(), column.clone());
                return Err(Misfit::Type { name, table, job: (*job).clone() });
            }
            _ => {}
        }
    }
    Ok(evolved)
}

fn keys(table: &WrittenSchema, job: &WrittenSchema) -> Result<(), Misfit> {
    let (ours, theirs) = (&table.partition_by, &job.partition_by);
    let named = |keys: &[WrittenKey]| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
    if named(ours) != named(theirs) {
        return Err(Misfit::Keys { table: ours.clone(), job: theirs.clone() });
    }
    let Some((table, job)) = ours.iter().zip(theirs).find(|(table, job)| !table.is(job)) else {
        return Ok(());
    };
    Err(match (table.column_type(), job.column_type()) {
        (Some(in_table), Some(in_job)) => {
            Misfit::KeyType { name: table.name.clone(), table: in_table, job: in_job }
        }
        _ => Misfit::Keys { table: ours.clone(), job: theirs.clone() },
    })
}

fn merged(table: &WrittenColumn, job: &WrittenColumn, change: SchemaChange) -> Result<WrittenColumn, Misfit> {
    let other = || Misfit::Type { name: table.name.clone(), table: table.clone(), job: job.clone() };
    let widens = change == SchemaChange::Widen;
    if table.required && !job.required && !widens {
        return Err(Misfit::Nulls { name: table.name.clone() });
    }
    let required = table.required && job.required;
    if table.has_type_of(job) {
        return Ok(WrittenColumn { required, ..table.clone() });
    }
    if !widens || table.int96 != job.int96 {
        return Err(other());
    }
    if holds(table.column_type, job.column_type) {
        Ok(WrittenColumn { required, ..table.clone() })
    } else if holds(job.column_type, table.column_type) {
        Ok(WrittenColumn { required, ..job.clone() })
    } else {
        Err(other())
    }
}

/// Whether each value of a type is one of a wider type, too.
pub(crate) fn holds(wide: ColumnType, narrow: ColumnType) -> bool {
    use ColumnType::{Decimal, Float32, Float64, Int, Timestamp, UInt};
    /// Decimal digits of the largest integer of so many bits, sign apart.
    fn digits(bits: u8) -> u8 {
        match bits {
            8 => 3,
            16 => 5,
            32 => 10,
            _ => 20,
        }
    }
    match (wide, narrow) {
        (Int { bits: wide }, Int { bits }) | (UInt { bits: wide }, UInt { bits }) => wide > bits,
        (Int { bits: wide }, UInt { bits }) => wide > bits,
        (Float64, Float32) => true,
        // 24 and 53 bits of each integer are exact.
        (Float32, Int { bits } | UInt { bits }) => bits <= 16,
        (Float64, Int { bits } | UInt { bits }) => bits <= 32,
        (Decimal { precision, scale }, Int { bits } | UInt { bits }) => precision - scale >= digits(bits),
        (Decimal { precision, scale }, Decimal { precision: p, scale: s }) => {
            (precision, scale) != (p, s) && scale >= s && precision - scale >= p - s
        }
        // Nanoseconds end in the year 2262.
        (Timestamp { unit, utc }, Timestamp { unit: narrow, utc: other }) => {
            utc == other && unit != TimeUnit::Nanosecond && narrow < unit
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
