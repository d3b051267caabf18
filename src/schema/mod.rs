//! The dataset schema: Table Schema vocabulary → columns with rules for their text.
//!
//! [`table_schema`] is the document as users write it; [`Schema`] is what the
//! engine works with: every default filled in, every format compiled.
//! [`mod@file`] reads a schema file, [`resolve`] makes the one from the other and
//! [`Schema::to_table_schema`] goes back; [`profile`] fits a schema to the
//! readers of the output. Called by `job`, `infer`, and the planning of a run.

mod describe;
pub mod file;
pub mod profile;
pub mod resolve;
pub mod table_schema;
mod type_names;
pub mod types;

pub use file::{SchemaFile, load_schema, read_schema};
pub use profile::for_profile;
pub use resolve::ResolveContext;
pub use table_schema::{TableSchema, table_schema_json_schema};
pub use type_names::TypeNameError;
pub use types::ColumnType;

/// The resolved schema: the columns of the CSV in the order of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// At least one.
    pub columns: Vec<Column>,
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
}

/// How the text of a field becomes a value.
#[derive(Debug, Clone, PartialEq)]
pub struct TextRules {
    /// Unquoted fields with exactly this text are null.
    pub null_tokens: Vec<String>,
    /// Whether a quoted field with the text of a null token is null, too.
    pub quoted_nulls: bool,
    /// strftime formats of dates, times and timestamps, tried in order; empty
    /// means ISO 8601.
    pub formats: Vec<String>,
    /// Zone of timestamps that do not carry one, when the type is an instant.
    pub source_zone: chrono_tz::Tz,
    /// Texts that are true; the match is exact.
    pub true_tokens: Vec<String>,
    /// Texts that are false.
    pub false_tokens: Vec<String>,
    /// The mark between whole and fraction.
    pub decimal_mark: u8,
    /// The mark between groups of digits, if any.
    pub group_mark: Option<u8>,
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
            true_tokens: tokens(resolve::DEFAULT_TRUE),
            false_tokens: tokens(resolve::DEFAULT_FALSE),
            decimal_mark: b'.',
            group_mark: None,
            binary_form: BinaryForm::Base64,
        }
    }
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
