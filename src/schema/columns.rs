//! Settled columns, and the keys among them.

use crate::schema::Constraint;
use crate::value::{ColumnType, TextRules};

/// The resolved schema: the columns of the CSV in the order of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// At least one.
    pub columns: Vec<Column>,
    /// Sets of columns, by position, in which no two records are the same:
    /// `primaryKey`, `uniqueKeys` and the columns that are `unique`.
    pub keys: Vec<Vec<usize>>,
}

impl Schema {
    /// Columns without keys.
    pub fn new(columns: Vec<Column>) -> Self {
        Schema { columns, keys: Vec::new() }
    }

    /// The keys among columns chosen from these: `from` has their positions
    /// here. A key that lacks a column is not a key of them.
    pub fn keys_among(&self, from: &[usize]) -> Vec<Vec<usize>> {
        let place = |column: &usize| from.iter().position(|chosen| chosen == column);
        self.keys.iter().filter_map(|key| key.iter().map(place).collect()).collect()
    }
}

/// One column and the rules that turn its text into values.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name in the header of the CSV.
    pub source_name: String,
    /// Name in the output.
    pub name: String,
    /// Type of the values.
    pub column_type: ColumnType,
    /// Whether nulls are allowed (`constraints.required` is false).
    pub nullable: bool,
    /// How the text is read.
    pub rules: TextRules,
    /// What must hold of the values, beside being there.
    pub constraints: Vec<Constraint>,
}

impl Column {
    /// A column of this name in CSV and output, with nulls allowed, the default
    /// rules and no constraints.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        let name = name.into();
        Column {
            source_name: name.clone(),
            name,
            column_type,
            nullable: true,
            rules: TextRules::default(),
            constraints: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
