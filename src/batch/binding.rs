//! Which field of a record belongs to which column.

use crate::error::InputProblem;
use crate::job::spec::ExtraColumns;
use crate::schema::Schema;
use std::collections::{HashMap, HashSet};

/// Where the columns of a schema stand in the records of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Fields that every record has.
    pub fields_per_record: usize,
    /// For every column of the schema, its field in the record, from 0.
    pub field_of_column: Vec<usize>,
}

impl Binding {
    /// Finds the columns by the names in a header, in any order. Without
    /// `case_sensitive`, names that differ in case only are the same.
    ///
    /// # Errors
    /// The first of these that holds, with all the names it concerns:
    /// `DuplicateColumn` if the header names a column of the schema twice (names
    /// that the schema lacks may repeat), `MissingColumns` if it lacks one, and
    /// `ExtraColumns` if it has others and `extra` is [`ExtraColumns::Fail`].
    pub fn by_name(
        schema: &Schema,
        header: &[String],
        extra: ExtraColumns,
        case_sensitive: bool,
    ) -> Result<Binding, InputProblem> {
        let key = |name: &str| if case_sensitive { name.to_owned() } else { name.to_lowercase() };
        let wanted: HashSet<String> = schema.columns.iter().map(|column| key(&column.source_name)).collect();
        let mut field_of_key = HashMap::new();
        let mut unknown = Vec::new();
        for (field, name) in header.iter().enumerate() {
            let key = key(name);
            if !wanted.contains(&key) {
                unknown.push(name.clone());
            } else if field_of_key.insert(key, field).is_some() {
                return Err(InputProblem::DuplicateColumn { name: name.clone() });
            }
        }

        let mut field_of_column = Vec::with_capacity(schema.columns.len());
        let mut missing = Vec::new();
        for column in &schema.columns {
            match field_of_key.get(&key(&column.source_name)) {
                Some(field) => field_of_column.push(*field),
                None => missing.push(column.source_name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(InputProblem::MissingColumns { missing, found: header.to_vec() });
        }
        if extra == ExtraColumns::Fail && !unknown.is_empty() {
            return Err(InputProblem::ExtraColumns { extra: unknown });
        }
        Ok(Binding { fields_per_record: header.len(), field_of_column })
    }

    /// Takes the columns of the schema from the first fields, in order.
    ///
    /// # Errors
    /// `Ragged` if there are fewer fields than columns, or more and `extra` is
    /// [`ExtraColumns::Fail`].
    pub fn by_position(
        schema: &Schema,
        fields_per_record: usize,
        extra: ExtraColumns,
    ) -> Result<Binding, InputProblem> {
        let columns = schema.columns.len();
        let surplus_fails = extra == ExtraColumns::Fail && fields_per_record > columns;
        if fields_per_record < columns || surplus_fails {
            return Err(InputProblem::Ragged { found: fields_per_record, expected: columns });
        }
        Ok(Binding { fields_per_record, field_of_column: (0..columns).collect() })
    }
}
