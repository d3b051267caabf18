//! The dataset schema: Table Schema vocabulary → columns with rules for their text.
//!
//! [`table_schema`] is the document as users write it; [`Schema`] is what the
//! engine works with: every default filled in, every format compiled.
//! [`mod@file`] reads a schema file, [`resolve`] makes the one from the other and
//! [`Schema::to_table_schema`] goes back; [`profile`] fits a schema to the
//! readers of the output; [`WrittenSchema`] is what a table has; [`constraint`] is what must hold of values. Called by `job`, `infer`, and the planning of a run.

pub mod column_names;
pub mod constraint;
mod describe;
pub mod file;
mod keys;
pub mod profile;
pub mod resolve;
pub mod table_schema;
mod type_names;
pub mod types;
mod written;

pub use constraint::Constraint;
pub use file::{SchemaFile, load_schema, read_schema};
pub use profile::for_profile;
pub use resolve::ResolveContext;
pub use table_schema::{TableSchema, table_schema_json_schema};
pub use type_names::{TypeName, TypeNameError};
pub use types::ColumnType;
pub(crate) use written::holds;
pub use written::{Misfit, WrittenColumn, WrittenKey, WrittenSchema, admit, evolve};

use crate::batch::convert::format::POSIX_PIVOT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// here. A key that lacks a column is no key of them.
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

/// How the text of a field becomes a value.
#[derive(Debug, Clone, PartialEq)]
pub struct TextRules {
    /// Unquoted fields with exactly this text, after the dialect's trimming, are null.
    pub null_tokens: Vec<String>,
    /// Whether a quoted field with the text of a null token is null, too.
    pub quoted_nulls: bool,
    /// strftime formats of dates, times and timestamps, tried in order; empty
    /// means ISO 8601.
    pub formats: Vec<String>,
    /// Zone of timestamps that do not carry one, when the type is an instant.
    pub source_zone: chrono_tz::Tz,
    /// Which instant a local time is that the clocks of that zone showed twice.
    pub ambiguous_time: AmbiguousTime,
    /// First of the hundred years that two-digit years lie in.
    pub two_digit_year_pivot: u16,
    /// Texts that are true.
    pub true_tokens: Vec<String>,
    /// Texts that are false.
    pub false_tokens: Vec<String>,
    /// Whether those texts match in any case of ASCII letters, too.
    pub ignore_case: bool,
    /// The mark between whole and fraction.
    pub decimal_mark: u8,
    /// The mark between groups of digits, if any.
    pub group_mark: Option<u8>,
    /// Whether numbers stand without currency or percent signs around them.
    pub bare_number: bool,
    /// What becomes of digits that the type does not keep.
    pub rounding: Rounding,
    /// Whether `007` is a number.
    pub leading_zeros: LeadingZeros,
    /// How binary is written in the text.
    pub binary_form: BinaryForm,
}

impl Default for TextRules {
    /// Table Schema's defaults: the empty field is null, ISO 8601, a decimal point.
    fn default() -> Self {
        let tokens = |tokens: [&str; 4]| tokens.map(str::to_owned).to_vec();
        TextRules {
            null_tokens: vec![String::new()],
            quoted_nulls: false,
            formats: Vec::new(),
            source_zone: chrono_tz::UTC,
            ambiguous_time: AmbiguousTime::default(),
            two_digit_year_pivot: POSIX_PIVOT,
            true_tokens: tokens(resolve::DEFAULT_TRUE),
            false_tokens: tokens(resolve::DEFAULT_FALSE),
            ignore_case: false,
            decimal_mark: b'.',
            group_mark: None,
            bare_number: true,
            rounding: Rounding::default(),
            leading_zeros: LeadingZeros::default(),
            binary_form: BinaryForm::Base64,
        }
    }
}

/// Which instant a local time is that the clocks of its zone showed twice,
/// having been put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmbiguousTime {
    /// None: it is a bad value.
    #[default]
    Error,
    /// The first of the two.
    Earlier,
    /// The second of the two.
    Later,
}

/// What becomes of digits of a number that its type does not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Unless all of them are zeros, the value is bad.
    #[default]
    Error,
    /// To the nearest value; halves away from zero.
    HalfUp,
    /// To the nearest value; halves to the even neighbour.
    HalfEven,
    /// They are cut off: towards zero.
    Down,
}

/// Whether numbers may begin with zeros that say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadingZeros {
    /// `007` is 7.
    #[default]
    Allow,
    /// `007` is a bad value.
    Error,
}

/// How binary values are written in the CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryForm {
    /// RFC 4648, with padding.
    Base64,
    /// Two hexadecimal digits a byte.
    Hex,
}

#[cfg(test)]
mod tests;
