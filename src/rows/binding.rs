//! Which field of a record belongs to which column.

use crate::error::InputProblem;
use crate::schema::{Column, Schema};
use crate::spec::BlankNames;
use crate::spec::{ColumnOrder, ColumnPolicies, DuplicateColumns, ExtraColumns, MissingColumns};
use crate::split::header::HeaderName;
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
    /// Fields that have no name and no column, from 0, ascending: nothing may stand in them.
    pub empty_fields: Vec<usize>,
}

impl Binding {
    /// Finds the columns by the names in a header.
    ///
    /// # Errors
    /// The first of these that holds and `policies` do not allow, with all the
    /// names it concerns: `DuplicateColumn` if the header names a column of the
    /// schema twice (names that the schema lacks may repeat), `MissingColumns`
    /// if it lacks one (and that may be null), `ExtraColumns` if it has others,
    /// `UnnamedColumn` if it has one without a name,
    /// and `ReorderedColumns` if those it has stand in another order.
    pub fn by_name(
        schema: &Schema,
        header: &[HeaderName],
        policies: ColumnPolicies,
    ) -> Result<Binding, InputProblem> {
        let key = |name: &str| if policies.any_case { name.to_lowercase() } else { name.to_owned() };
        let wanted: HashSet<String> = schema.columns.iter().map(|column| key(&column.source_name)).collect();
        let mut field_of_key = HashMap::new();
        let (mut unknown, mut empty_fields) = (Vec::new(), Vec::new());
        for (field, HeaderName { name, is_blank }) in header.iter().enumerate() {
            if *is_blank && policies.blank == BlankNames::Fail {
                return Err(InputProblem::UnnamedColumn { position: field + 1 });
            }
            let key = key(name);
            if !wanted.contains(&key) {
                match is_to_be_empty(*is_blank, policies) {
                    true => empty_fields.push(field),
                    // Whoever leaves unknown columns out looks into none of them.
                    false if policies.extra == ExtraColumns::Ignore => {}
                    false => unknown.push(name.clone()),
                }
                continue;
            }
            match field_of_key.entry(key) {
                Entry::Vacant(first) => {
                    first.insert(field);
                }
                Entry::Occupied(_) if policies.duplicate == DuplicateColumns::First => {}
                Entry::Occupied(first) => {
                    let positions = (first.get() + 1, field + 1);
                    return Err(InputProblem::DuplicateColumn { name: name.clone(), positions });
                }
            }
        }
        let field_of = |column: &Column| field_of_key.get(&key(&column.source_name)).copied();
        let field_of_column: Vec<Option<usize>> = schema.columns.iter().map(field_of).collect();

        let missing = not_to_be_missed(schema, &field_of_column, policies.missing);
        if !missing.is_empty() {
            // Names as they stand.
            let named = |name: &HeaderName| if name.is_blank { String::new() } else { name.name.clone() };
            return Err(InputProblem::MissingColumns { missing, found: header.iter().map(named).collect() });
        }
        if !unknown.is_empty() {
            return Err(InputProblem::ExtraColumns { extra: unknown });
        }
        if policies.order == ColumnOrder::Same {
            check_order(header, &field_of_column)?;
        }
        Ok(Binding { fields_per_record: header.len(), field_of_column, empty_fields })
    }

    /// Takes the columns of the schema from the first fields, in order; the
    /// last columns are missing where there are fewer fields. `blank` are the fields
    /// without a name.
    ///
    /// # Errors
    /// `Ragged` if columns are missing that may not be, or there are more
    /// fields and `policies` do not allow that.
    pub fn by_position(
        schema: &Schema,
        fields_per_record: usize,
        blank: &[usize],
        policies: ColumnPolicies,
    ) -> Result<Binding, InputProblem> {
        let columns = schema.columns.len();
        let field_of_column: Vec<Option<usize>> =
            (0..columns).map(|column| Some(column).filter(|field| *field < fields_per_record)).collect();
        let surplus = columns..fields_per_record;
        let (empty_fields, others): (Vec<usize>, Vec<usize>) =
            surplus.partition(|field| is_to_be_empty(blank.contains(field), policies));
        let surplus_fails = policies.extra == ExtraColumns::Fail && !others.is_empty();
        if surplus_fails || !not_to_be_missed(schema, &field_of_column, policies.missing).is_empty() {
            return Err(InputProblem::Ragged { found: fields_per_record, expected: columns });
        }
        Ok(Binding { fields_per_record, field_of_column, empty_fields })
    }
}

/// Whether nothing may stand in a field that is not a column of the schema.
fn is_to_be_empty(is_blank: bool, policies: ColumnPolicies) -> bool {
    is_blank
        && match policies.blank {
            BlankNames::Drop => true,
            BlankNames::Auto => policies.extra == ExtraColumns::Fail,
            BlankNames::Position | BlankNames::Fail => false,
        }
}

/// Columns without a field that are not simply null.
fn not_to_be_missed(schema: &Schema, fields: &[Option<usize>], policy: MissingColumns) -> Vec<String> {
    let missing = schema.columns.iter().zip(fields).filter(|(_, field)| field.is_none());
    let fails = missing.filter(|(column, _)| policy == MissingColumns::Fail || !column.nullable);
    fails.map(|(column, _)| column.source_name.clone()).collect()
}

/// Whether the columns that are there stand in the order of the schema.
fn check_order(header: &[HeaderName], fields: &[Option<usize>]) -> Result<(), InputProblem> {
    let expected: Vec<usize> = fields.iter().flatten().copied().collect();
    if expected.is_sorted() {
        return Ok(());
    }
    let mut found = expected.clone();
    found.sort_unstable();
    let names = |fields: Vec<usize>| fields.into_iter().map(|field| header[field].name.clone()).collect();
    Err(InputProblem::ReorderedColumns { expected: names(expected), found: names(found) })
}

#[cfg(test)]
#[path = "binding_tests.rs"]
mod tests;
