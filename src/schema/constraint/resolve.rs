//! The `constraints` of a field, checked → [`Constraint`]s.

use super::{Bound, Constraint, Enumeration, Pattern};
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::table_schema::Field;
use crate::value::{ColumnType, TextRules};
use arrow::array::Array;
use arrow::compute::{concat, kernels::cmp};
use serde_json::Value;

/// What was found on one field.
#[derive(Default)]
pub(in crate::schema) struct ResolvedConstraints {
    pub(in crate::schema) constraints: Vec<Constraint>,
    /// Keys relative to the field.
    pub(in crate::schema) problems: Problems,
    /// Names of constraints that are not checked, as the type is read as text.
    pub(in crate::schema) unchecked: Vec<&'static str>,
}

/// The constraints of a field whose type and rules are known.
pub(in crate::schema) fn resolve(
    field: &Field,
    column_type: ColumnType,
    max_bytes: Option<u64>,
    rules: &TextRules,
) -> ResolvedConstraints {
    let mut reader = Reader { field, column_type, rules, found: ResolvedConstraints::default() };
    reader.found.constraints.extend(max_bytes.map(Constraint::MaxBytes));
    reader.lengths();
    reader.bounds();
    reader.pattern();
    reader.enumerations();
    reader.json_schema();
    reader.found
}

/// The value of a category, which may have a label.
pub(super) fn value_of(value: &Value) -> &Value {
    value.get("value").unwrap_or(value)
}

struct Reader<'a> {
    field: &'a Field,
    column_type: ColumnType,
    rules: &'a TextRules,
    found: ResolvedConstraints,
}

impl Reader<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        let key = match key.starts_with("categories") {
            true => KeyPath::from(key),
            false => KeyPath::from("constraints").key(key),
        };
        self.found.problems.0.push(Problem::new(key, message).remedy(remedy));
    }

    /// Whether the type of the field is one of Table Schema's that are kept as
    /// text: its constraints speak of values that are not made here.
    fn is_kept_as_text(&self) -> bool {
        self.column_type == ColumnType::Text
            && !matches!(self.field.field_type.as_deref(), None | Some("string" | "any"))
            && crate::value::is_kept_as_text(self.field.field_type.as_deref().unwrap_or_default())
    }

    /// Says that the constraint has no place on the column's type.
    fn misplaced(&mut self, key: &'static str, meant_for: &str) {
        if self.is_kept_as_text() {
            self.found.unchecked.push(key);
            return;
        }
        let message = format!("is a constraint on {meant_for}, and the column is {}", self.column_type);
        self.problem(key, message, "leave it out, or change the type");
    }

    fn lengths(&mut self) {
        let Some(constraints) = &self.field.constraints else { return };
        let given = [
            ("minLength", constraints.min_length, Constraint::MinLength as fn(u64) -> Constraint),
            ("maxLength", constraints.max_length, Constraint::MaxLength),
        ];
        for (key, length, constraint) in given {
            let Some(length) = length else { continue };
            if !matches!(self.column_type, ColumnType::Text | ColumnType::Binary) || self.is_kept_as_text() {
                self.misplaced(key, "text");
            } else {
                self.found.constraints.push(constraint(length));
            }
        }
        if let (Some(least), Some(most)) = (constraints.min_length, constraints.max_length)
            && least > most
        {
            let message = format!("{least} is above `maxLength`, which is {most}");
            self.problem("minLength", message, "swap the two");
        }
    }

    fn bounds(&mut self) {
        let Some(constraints) = &self.field.constraints else { return };
        let minimum = self.bound("minimum", constraints.minimum.as_ref());
        let above = self.bound("exclusiveMinimum", constraints.exclusive_minimum.as_ref());
        let maximum = self.bound("maximum", constraints.maximum.as_ref());
        let below = self.bound("exclusiveMaximum", constraints.exclusive_maximum.as_ref());
        for (low_key, low) in [("minimum", &minimum), ("exclusiveMinimum", &above)] {
            for (high_key, high) in [("maximum", &maximum), ("exclusiveMaximum", &below)] {
                if let (Some(low), Some(high)) = (low, high)
                    && nothing_between(low, high, low_key == "minimum" && high_key == "maximum")
                {
                    let message = format!("no value lies between {low} and the {high} of `{high_key}`");
                    self.problem(low_key, message, "swap the two, or leave one out");
                }
            }
        }
        self.found.constraints.extend(minimum.map(Constraint::Minimum));
        self.found.constraints.extend(above.map(Constraint::ExclusiveMinimum));
        self.found.constraints.extend(maximum.map(Constraint::Maximum));
        self.found.constraints.extend(below.map(Constraint::ExclusiveMaximum));
    }

    fn bound(&mut self, key: &'static str, given: Option<&Value>) -> Option<Bound> {
        let given = given?;
        if matches!(self.column_type, ColumnType::Text | ColumnType::Boolean | ColumnType::Binary) {
            self.misplaced(key, "numbers, dates and times");
            return None;
        }
        self.value(key, given)
    }

    /// A value of the column's type.
    fn value(&mut self, key: &str, given: &Value) -> Option<Bound> {
        let bound = Bound::new(given, self.column_type, self.rules);
        if bound.is_none() {
            let message = format!("{given} is not a value of the column's type, {}", self.column_type);
            let remedy = match self.column_type {
                ColumnType::Date => "write one such as \"2024-12-31\"",
                ColumnType::Time => "write one such as \"23:59:59\"",
                ColumnType::Timestamp { .. } => "write one such as \"2024-12-31T23:59:59\"",
                _ => "write a value as the column has them",
            };
            self.problem(key, message, remedy);
        }
        bound
    }

    fn pattern(&mut self) {
        let Some(given) = self.field.constraints.as_ref().and_then(|c| c.pattern.as_deref()) else { return };
        if self.column_type != ColumnType::Text {
            return self.misplaced("pattern", "text");
        }
        match Pattern::new(given) {
            Ok(pattern) => self.found.constraints.push(Constraint::Pattern(pattern)),
            Err(error) => {
                let remedy =
                    "the syntax is that of Rust's `regex`: Perl's, without look-around and backreferences";
                self.problem("pattern", format!("is not a valid regular expression: {error}"), remedy);
            }
        }
    }

    fn enumerations(&mut self) {
        let given = self.field.constraints.as_ref().and_then(|c| c.enumeration.as_deref());
        if let Some(values) = given {
            self.enumeration("enum", values, false);
        }
        match &self.field.categories {
            Some(Value::Array(values)) => self.enumeration("categories", values, true),
            Some(_) => self.problem("categories", "is not a list", "list the values"),
            None => {}
        }
    }

    fn enumeration(&mut self, key: &'static str, given: &[Value], categories: bool) {
        let mut values = Vec::with_capacity(given.len());
        for value in given {
            // Values of lists and tables cannot be told from their text.
            if self.is_kept_as_text() && !value.is_string() {
                self.found.unchecked.push(key);
                return;
            }
            values.extend(self.value(key, value_of(value)));
        }
        if given.is_empty() {
            self.problem(key, "allows no value", "list at least one");
        }
        if values.is_empty() || values.len() < given.len() {
            return;
        }
        let arrays: Vec<&dyn Array> = values.iter().map(|value| &**value.value()).collect();
        if let Ok(values) = concat(&arrays) {
            let enumeration = Enumeration { spelling: given.to_vec(), categories, values };
            self.found.constraints.push(Constraint::Enum(enumeration));
        }
    }

    fn json_schema(&mut self) {
        if self.field.constraints.as_ref().is_some_and(|c| c.json_schema.is_some()) {
            let remedy = "leave it out, and express it as other constraints or as a check of the job";
            self.problem("jsonSchema", "values are not checked against a JSON Schema", remedy);
        }
    }
}

/// Whether no value is allowed by both, of which `inclusive` says whether equal
/// ones allow themselves. Between neighbours may be nothing, too; that is found
/// in the first record.
fn nothing_between(low: &Bound, high: &Bound, inclusive: bool) -> bool {
    let apart = if inclusive { cmp::lt_eq } else { cmp::lt };
    apart(low.value(), high.value()).is_ok_and(|holds| !holds.value(0))
}
