//! Columns, from the records of several inputs.

use super::column::{Doubt, Evidence, FieldText};
use crate::schema::{Column, ColumnType, Schema};
use std::collections::BTreeMap;

/// Narrows down what each column can be, value by value, in constant memory.
#[derive(Debug, Default)]
pub struct TypeInference {
    names: Option<Vec<String>>,
    columns: Vec<Tracked>,
    /// URLs of the inputs begun.
    inputs: Vec<String>,
    /// What the user says is null in every column.
    null_tokens: Vec<String>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Number of the input, as [`TypeInference::begin_input`] gave it.
    pub input: usize,
    /// Where in the input.
    pub at: Position,
}

/// Where in its input a record stands.
#[derive(Debug, Clone, Copy)]
pub enum Position {
    /// In an input that was read up to there.
    Record {
        /// Data record, from 1.
        record: u64,
        /// Line on which it begins, from 1.
        line: u64,
    },
    /// Offset of its first byte, in a window: nobody counted what stands before.
    Byte(u64),
}

/// A column, and how its type came about.
#[derive(Debug, Default)]
struct Tracked {
    evidence: Evidence,
    /// What the values so far make it, and the input of the first.
    so_far: Option<(ColumnType, usize)>,
    changes: Vec<Change>,
}

/// A value that changed the type of its column, in another input than the first
/// or in a window, where nobody looks who reads the first page of a file.
#[derive(Debug)]
struct Change {
    place: Place,
    value: String,
    from: ColumnType,
    to: ColumnType,
    /// The input of the column's first value.
    since: usize,
}

/// Changes of one column that are told.
const CHANGES_TOLD: usize = 3;

/// Columns that a note lists.
const COLUMNS_TOLD: usize = 20;

impl Tracked {
    fn observe(&mut self, field: FieldText<'_>, place: Place) {
        let before = self.evidence.fingerprint();
        self.evidence.observe_field(field);
        if !self.evidence.has_values() || self.so_far.is_some() && self.evidence.fingerprint() == before {
            return;
        }
        let to = self.evidence.settle().column_type;
        let Some((from, since)) =
            self.so_far.replace((to, self.so_far.map_or(place.input, |(_, first)| first)))
        else {
            return;
        };
        let far = since != place.input || matches!(place.at, Position::Byte(_));
        if from != to && far && self.changes.len() < CHANGES_TOLD {
            let value = String::from_utf8_lossy(field.value).chars().take(40).collect();
            self.changes.push(Change { place, value, from, to, since });
        }
    }
}

impl TypeInference {
    /// Of columns in which a field of one of these texts is null.
    pub fn with_null_tokens(null_tokens: &[String]) -> TypeInference {
        TypeInference { null_tokens: null_tokens.to_vec(), ..TypeInference::default() }
    }

    /// From now on, values are of this input. Gives its number.
    pub fn begin_input(&mut self, url: &str) -> usize {
        self.inputs.push(url.to_owned());
        self.inputs.len() - 1
    }

    /// Names from the header of an input. Gives the column of each field: a
    /// name that an earlier header had is the same column, wherever it stands.
    pub fn name_columns(&mut self, header: Vec<String>) -> Vec<usize> {
        let Some(names) = &mut self.names else {
            let columns = (0..header.len()).collect();
            self.names = Some(header);
            return columns;
        };
        let mut column_of = |name: String| {
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        };
        header.into_iter().map(&mut column_of).collect()
    }

    /// One field of a data record.
    pub fn observe(&mut self, column: usize, field: FieldText<'_>, place: Place) {
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, Tracked::default);
        }
        let is_null = self.null_tokens.iter().any(|token| token.as_bytes() == field.null_text);
        match is_null {
            true => self.columns[column].evidence.observe_null(field.quoted),
            false => self.columns[column].observe(field, place),
        }
    }

    /// The columns, and notes for people on what is not certain.
    pub fn finish(mut self) -> (Schema, Vec<String>) {
        let count = self.names.as_ref().map_or(self.columns.len(), Vec::len);
        self.columns.resize_with(count, Tracked::default);
        let mut doubts: BTreeMap<Doubt, Vec<String>> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut columns = Vec::with_capacity(count);
        for (position, tracked) in self.columns.iter().enumerate() {
            let name = match &self.names {
                Some(names) => names[position].clone(),
                None => format!("column_{}", position + 1),
            };
            let found = tracked.evidence.settle();
            if let Some(doubt) = found.doubt {
                doubts.entry(doubt).or_default().push(format!("{name:?}"));
            }
            changes.extend(tracked.changes.iter().map(|change| self.told(&name, change)));
            columns.push(Column { rules: found.rules, ..Column::new(name, found.column_type) });
        }
        let doubts = doubts.into_iter().map(|(doubt, columns)| doubt.note(&columns));
        (Schema::new(columns), changes.into_iter().chain(doubts).collect())
    }

    fn told(&self, name: &str, change: &Change) -> String {
        let Change { place, value, from, to, since } = change;
        let at = match place.at {
            Position::Record { record, line } => format!("record {record}, line {line}"),
            Position::Byte(offset) => format!("in the record at byte {offset}"),
        };
        let (first, here) = (&self.inputs[*since], &self.inputs[place.input]);
        if *since == place.input {
            return format!(
                "column {name:?} is {from} in {first} at first, but {value:?} {at} makes it {to}"
            );
        }
        format!("column {name:?} is {from} in {first}, but {value:?} in {here}, {at}, makes it {to}")
    }
}

impl Doubt {
    fn note(self, columns: &[String]) -> String {
        let mut list = columns.iter().take(COLUMNS_TOLD).cloned().collect::<Vec<_>>().join(", ");
        if columns.len() > COLUMNS_TOLD {
            list.push_str(&format!(" and {} more", columns.len() - COLUMNS_TOLD));
        }
        let what = match self {
            Doubt::NoValues => "no value was seen, so the type is string",
            Doubt::AmbiguousDates => {
                "the dates do not show whether day or month comes first, so they stay string; \
                 say `type` = \"date\" and `format` = \"%d/%m/%Y\" or \"%m/%d/%Y\""
            }
            Doubt::MixedDates => {
                "the day comes first in some dates and the month in others, so they stay string"
            }
            Doubt::AmbiguousMarks => {
                "numbers like 1,234 do not show whether the comma marks thousands or a fraction, so they stay \
                 string; say `type` = \"integer\" and `groupChar` = \",\", or `type` = \"number\" and `decimalChar` = \",\""
            }
            Doubt::NullTokensInText => {
                "some texts look like nulls (NA, NULL, \\N, …) and are kept as they stand; list them in \
                 `missingValues` if they are"
            }
            Doubt::Codes => {
                "what is not whole is written like 12E4, as codes are, so they stay string; \
                 say `type` = \"number\" if they are numbers"
            }
            Doubt::NoUnit => {
                "no unit of time holds all digits of all timestamps (nanoseconds reach from 1677 to 2262), so they \
                 stay string"
            }
            Doubt::CompactDates => {
                "the integers look like dates; if they are, say `type` = \"date\" and `format` = \"%Y%m%d\""
            }
        };
        let noun = if columns.len() == 1 { "column" } else { "columns" };
        format!("{noun} {list}: {what}")
    }
}
