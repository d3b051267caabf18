//! The types of values, and one field's text → one value.
//!
//! What a type is called ([`TypeName`]), which Arrow type holds it
//! ([`ColumnType`]), how a column's text is written ([`TextRules`]), what is null
//! ([`nulls`]), how values name directories ([`hive`]), the converters that define what is right ([`convert`]), and which
//! of them reads which type ([`Converter`]). Nothing here knows of records, files or jobs.

pub mod convert;
pub mod converter;
pub mod hive;
pub mod nulls;
mod rules;
mod type_names;
pub mod types;

pub use converter::Converter;
pub use rules::{AmbiguousTime, BinaryForm, DEFAULT_FALSE, DEFAULT_TRUE, LeadingZeros, Rounding, TextRules};
pub(crate) use type_names::is_kept_as_text;
pub use type_names::{TypeName, TypeNameError};
pub use types::ColumnType;
