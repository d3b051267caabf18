//! Partition keys: which column, and what is made of it.

use crate::error::{Error, nearest_column};
use crate::schema::{Schema, WrittenKey};
use crate::spanned::{KeyPath, Problem};
use crate::spec::{DatePart, PartitionKey};
use crate::value::ColumnType;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{DatePart as ArrowPart, cast, date_part};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;

/// A key, checked against the schema.
#[derive(Debug)]
pub(super) struct Key {
    name: String,
    column: usize,
    column_type: ColumnType,
    part: Option<DatePart>,
}

impl Key {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn written(&self, schema: &Schema) -> WrittenKey {
        let column = &schema.columns[self.column];
        let part = self.part.map(|part| match part {
            DatePart::Year => "year",
            DatePart::Month => "month",
            DatePart::Day => "day",
            DatePart::Hour => "hour",
            DatePart::Date => "date",
        });
        let values = match part {
            Some(part) => format!("{part}({})", column.name),
            None => column.column_type.to_string(),
        };
        WrittenKey { name: self.name.clone(), values: Some(values) }
    }

    /// The column that the directory name replaces: a plain key's own.
    pub(super) fn replaces_column(&self) -> Option<usize> {
        self.part.is_none().then_some(self.column)
    }

    /// Of [`Self::values`].
    pub(super) fn data_type(&self) -> DataType {
        match self.part {
            None => self.column_type.arrow(),
            Some(DatePart::Date) => DataType::Date32,
            Some(DatePart::Year | DatePart::Month | DatePart::Day | DatePart::Hour) => DataType::Int32,
        }
    }

    /// One value for each row; nulls stay null.
    pub(super) fn values(&self, batch: &RecordBatch) -> Result<ArrayRef, ArrowError> {
        let column = batch.column(self.column);
        let part = match self.part {
            None => return Ok(column.clone()),
            Some(DatePart::Date) => return cast(column, &DataType::Date32),
            Some(DatePart::Year) => ArrowPart::Year,
            Some(DatePart::Month) => ArrowPart::Month,
            Some(DatePart::Day) => ArrowPart::Day,
            Some(DatePart::Hour) => ArrowPart::Hour,
        };
        date_part(column, part)
    }
}

/// The value as it stands in a directory name, before escaping.
pub(super) fn text(values: &dyn Array, row: usize) -> String {
    array_value_to_string(values, row).expect("key types are checked by `resolve` and all display")
}

pub(super) fn resolve(schema: &Schema, partition_by: &[PartitionKey]) -> Result<Vec<Key>, Error> {
    let mut keys: Vec<Key> = Vec::new();
    for (position, wanted) in partition_by.iter().enumerate() {
        let invalid = |message: String| {
            invalid_at(KeyPath::from("output").key("partition_by").index(position), message)
        };
        let (name, column, part) = match wanted {
            PartitionKey::Column(column) => (column, column, None),
            PartitionKey::Derived(derived) => (&derived.name, &derived.column, Some(derived.part)),
        };
        let found = |wanted: &str| schema.columns.iter().position(|c| c.name.eq_ignore_ascii_case(wanted));
        let position = schema.columns.iter().position(|c| c.name == *column).or_else(|| found(column));
        let Some(position) = position else {
            let names = schema.columns.iter().map(|c| c.name.as_str());
            return Err(
                invalid(format!("there is no column {column:?}")).remedy(nearest_column(column, names))
            );
        };
        let column_type = schema.columns[position].column_type;
        check_type(column, column_type, part).map_err(|(message, remedy)| invalid(message).remedy(remedy))?;
        // A plain key takes the column's own name, which the profile may have folded.
        let name = if part.is_none() { &schema.columns[position].name } else { name };
        if keys.iter().any(|key| key.name == *name) {
            return Err(invalid(format!("duplicate partition key {name:?}"))
                .remedy("leave it out, or give a derived key another name: `name=year(column)`"));
        }
        if part.is_some() && found(name).is_some() {
            let message = format!("the derived key {name:?} has the name of a column");
            return Err(invalid(message).remedy("give the key another name: `name=year(column)`"));
        }
        keys.push(Key { name: name.clone(), column: position, column_type, part });
    }
    Ok(keys)
}

/// What is wrong with a key of a column of this type, and what to do.
fn check_type(
    column: &str,
    column_type: ColumnType,
    part: Option<DatePart>,
) -> Result<(), (String, &'static str)> {
    use ColumnType::{Boolean, Date, Int, Text, Timestamp, UInt};
    match (part, column_type) {
        (None, Boolean | Int { .. } | UInt { .. } | Date | Text) => Ok(()),
        (Some(DatePart::Hour), Timestamp { .. }) => Ok(()),
        (Some(DatePart::Hour), Date) => Err((
            format!("the date {column:?} has no hour"),
            "use the column itself, or `year`, `month` or `day` of it",
        )),
        (Some(_), Date | Timestamp { .. }) => Ok(()),
        (Some(_), other) => Err((
            format!("{column:?} is a {other}; only dates and timestamps have parts"),
            "partition by the column itself, or give it the type `date` or `timestamp(us)`",
        )),
        (None, other) => Err((
            format!("{column:?} is a {other}, which cannot be a directory name"),
            "partition by a boolean, integer, date or string column, or derive a key: `year(column)`",
        )),
    }
}

/// A mistake in the keys as a whole.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    invalid_at(KeyPath::from("output").key("partition_by"), message)
}

fn invalid_at(key: KeyPath, message: impl Into<String>) -> Error {
    Problem::new(key, message).into_error("job")
}
