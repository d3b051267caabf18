//! What must hold of the values of a column, one value at a time.
//!
//! [`resolve`] makes [`Constraint`]s of the words of Table Schema, with bounds
//! as values of the column's type; [`Constraint::violations`] finds the rows of
//! an array that break one. Nulls break none. What needs several rows, such as
//! uniqueness, is in [`super::Schema::keys`]; nulls in required columns are the
//! converters' affair. Called by the transforms, on every batch.

mod bound;
mod check;
pub(super) mod resolve;
#[cfg(test)]
mod tests;

pub use bound::Bound;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::error::ArrowError;
use regex::Regex;
use serde_json::Value;
use std::fmt;

/// What must hold of every value of a column that is not null.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// Fewest characters of a text, or bytes of a binary value.
    MinLength(u64),
    /// Most characters of a text, or bytes of a binary value.
    MaxLength(u64),
    /// Most bytes of a text in UTF-8: the n of `varchar(n)`, as Redshift counts.
    MaxBytes(u64),
    /// Smallest value.
    Minimum(Bound),
    /// Largest value.
    Maximum(Bound),
    /// A value that all are larger than.
    ExclusiveMinimum(Bound),
    /// A value that all are smaller than.
    ExclusiveMaximum(Bound),
    /// A regular expression that the whole text matches.
    Pattern(Pattern),
    /// The values allowed.
    Enum(Enumeration),
}

/// A regular expression for whole texts.
#[derive(Debug, Clone)]
pub struct Pattern {
    spelling: String,
    /// Of the spelling, anchored at both ends.
    regex: Regex,
}

/// A list of values, none of which is null.
#[derive(Debug, Clone)]
pub struct Enumeration {
    /// As the document has them, labels of categories included.
    spelling: Vec<Value>,
    /// Whether it is the `categories` of the field rather than its `enum`.
    categories: bool,
    /// Of the column's type.
    values: ArrayRef,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.spelling == other.spelling
    }
}

impl PartialEq for Enumeration {
    fn eq(&self, other: &Self) -> bool {
        (&self.spelling, self.categories, &*self.values)
            == (&other.spelling, other.categories, &*other.values)
    }
}

impl Constraint {
    /// The rows of an array that break the constraint: true for each, never
    /// null; `None` if there are none. The array is of the column's type or of
    /// one that holds all its values, as a profile of the output may have made it.
    ///
    /// NaN breaks every bound.
    ///
    /// # Errors
    /// For an array of a type that the constraint is not meant for.
    pub fn violations(&self, array: &ArrayRef) -> Result<Option<BooleanArray>, ArrowError> {
        check::violations(self, array)
    }

    /// The constraint as users write it, such as `minimum: 0`. Long lists are cut.
    pub fn describe(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constraint::MinLength(length) => write!(f, "minLength: {length}"),
            Constraint::MaxLength(length) => write!(f, "maxLength: {length}"),
            Constraint::MaxBytes(bytes) => write!(f, "varchar({bytes})"),
            Constraint::Minimum(bound) => write!(f, "minimum: {bound}"),
            Constraint::Maximum(bound) => write!(f, "maximum: {bound}"),
            Constraint::ExclusiveMinimum(bound) => write!(f, "exclusiveMinimum: {bound}"),
            Constraint::ExclusiveMaximum(bound) => write!(f, "exclusiveMaximum: {bound}"),
            Constraint::Pattern(pattern) => write!(f, "pattern: {}", pattern.spelling),
            Constraint::Enum(allowed) => allowed.fmt(f),
        }
    }
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The library's words on what is wrong with it and where, over some lines.
    pub fn new(spelling: &str) -> Result<Self, regex::Error> {
        // Alone first: `a)|(b` is an expression in brackets only.
        Regex::new(spelling)?;
        // The line feed ends a comment that the expression may end in; where
        // comments are not meant it is not there.
        let anchored = Regex::new(&format!(r"\A(?:{spelling})\z"))
            .or_else(|_| Regex::new(&format!("\\A(?:{spelling}\n)\\z")))?;
        Ok(Pattern { spelling: spelling.into(), regex: anchored })
    }

    /// The expression as it was written.
    pub fn spelling(&self) -> &str {
        &self.spelling
    }
}

impl Enumeration {
    /// The key in the document: its field or the field's `constraints` has it.
    fn key(&self) -> &'static str {
        if self.categories { "categories" } else { "enum" }
    }

    /// As the document has them.
    pub(super) fn spelling(&self) -> &[Value] {
        &self.spelling
    }

    /// Whether these are the `categories` of the field.
    pub(super) fn is_categories(&self) -> bool {
        self.categories
    }
}

impl fmt::Display for Enumeration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let shown: Vec<String> =
            self.spelling.iter().take(SHOWN).map(|value| bound::spelled(resolve::value_of(value))).collect();
        write!(f, "{}: {}", self.key(), shown.join(", "))?;
        match self.spelling.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
