//! Which field of a record belongs to which column.

use crate::error::InputProblem;
use crate::job::spec::{ColumnOrder, ColumnPolicies, DuplicateColumns, ExtraColumns, MissingColumns};
use crate::schema::{Column, Schema};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Where the columns of a schema stand in the records of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Fields that every record has.
    pub fields_per_record: usize,
    /// For every column of the schema, its field in the record, from 0; `None`
    /// if the input lacks the column, which is then null in every record.
    pub field_of_column: Vec<Option<usize>>,
}

impl Binding {
    /// Finds the columns by the names in a header. Without `case_sensitive`,
    /// names that differ in case only are the same.
    ///
    /// # Errors
    /// The first of these that holds and `policies` do not allow, with all the
    /// names it concerns: `DuplicateColumn` if the header names a column of the
    /// schema twice (names that the schema lacks may repeat), `MissingColumns`
    /// if it lacks one (and that may be null), `ExtraColumns` if it has others,
    /// and `ReorderedColumns` if those it has stand in another order.
    pub fn by_name(
        schema: &Schema,
        header: &[String],
        policies: ColumnPolicies,
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
            } else if let Entry::Vacant(first) = field_of_key.entry(key) {
                first.insert(field);
            } else if policies.duplicate == DuplicateColumns::Fail {
                return Err(InputProblem::DuplicateColumn { name: name.clone() });
            }
        }
        let field_of = |column: &Column| field_of_key.get(&key(&column.source_name)).copied();
        let field_of_column: Vec<Option<usize>> = schema.columns.iter().map(field_of).collect();

        let missing = not_to_be_missed(schema, &field_of_column, policies.missing);
        if !missing.is_empty() {
            return Err(InputProblem::MissingColumns { missing, found: header.to_vec() });
        }
        if policies.extra == ExtraColumns::Fail && !unknown.is_empty() {
            return Err(InputProblem::ExtraColumns { extra: unknown });
        }
        if policies.order == ColumnOrder::Same {
            check_order(header, &field_of_column)?;
        }
        Ok(Binding { fields_per_record: header.len(), field_of_column })
    }

    /// Takes the columns of the schema from the first fields, in order; the
    /// last columns are missing where there are fewer fields.
    ///
    /// # Errors
    /// `Ragged` if columns are missing that may not be, or there are more
    /// fields and `policies` do not allow that.
    pub fn by_position(
        schema: &Schema,
        fields_per_record: usize,
        policies: ColumnPolicies,
    ) -> Result<Binding, InputProblem> {
        let columns = schema.columns.len();
        let field_of_column: Vec<Option<usize>> =
            (0..columns).map(|column| Some(column).filter(|field| *field < fields_per_record)).collect();
        let surplus_fails = policies.extra == ExtraColumns::Fail && fields_per_record > columns;
        if surplus_fails || !not_to_be_missed(schema, &field_of_column, policies.missing).is_empty() {
            return Err(InputProblem::Ragged { found: fields_per_record, expected: columns });
        }
        Ok(Binding { fields_per_record, field_of_column })
    }
}

/// Columns without a field that are not simply null.
fn not_to_be_missed(schema: &Schema, fields: &[Option<usize>], policy: MissingColumns) -> Vec<String> {
    let missing = schema.columns.iter().zip(fields).filter(|(_, field)| field.is_none());
    let fails = missing.filter(|(column, _)| policy == MissingColumns::Fail || !column.nullable);
    fails.map(|(column, _)| column.source_name.clone()).collect()
}

/// Whether the columns that are there stand in the order of the schema.
fn check_order(header: &[String], fields: &[Option<usize>]) -> Result<(), InputProblem> {
    let expected: Vec<usize> = fields.iter().flatten().copied().collect();
    if expected.is_sorted() {
        return Ok(());
    }
    let mut found = expected.clone();
    found.sort_unstable();
    let names = |fields: Vec<usize>| fields.into_iter().map(|field| header[field].clone()).collect();
    Err(InputProblem::ReorderedColumns { expected: names(expected), found: names(found) })
}

#[cfg(test)]
#[path = "binding_tests.rs"]
mod tests;
