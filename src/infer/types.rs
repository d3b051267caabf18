//! Column types, from values.

use crate::batch::convert;
use crate::schema::{AmbiguousTime, Column, ColumnType, Schema, TextRules};
use arrow::datatypes::TimeUnit;
use std::collections::BTreeSet;

/// Texts that stand for null in columns that are not text. In text columns
/// they may be values (NA is also Namibia), so there only the empty field is null.
const NULL_TOKENS: [&str; 9] = ["", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "\\N", "None"];

const TRUE_TOKENS: [&str; 3] = ["true", "True", "TRUE"];
const FALSE_TOKENS: [&str; 3] = ["false", "False", "FALSE"];

/// Narrows down what each column can be, value by value, in constant memory.
#[derive(Debug, Default)]
pub struct TypeInference {
    names: Option<Vec<String>>,
    columns: Vec<Evidence>,
}

/// What the values of one column allow.
#[derive(Debug)]
struct Evidence {
    possible: Vec<Candidate>,
    values: u64,
    null_tokens: BTreeSet<&'static str>,
    quoted_nulls: bool,
}

/// In order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Candidate {
    Boolean,
    Integer,
    Float,
    Date,
    Timestamp,
    Instant,
    Time,
}

impl Candidate {
    const ALL: [Candidate; 7] = [
        Candidate::Boolean,
        Candidate::Integer,
        Candidate::Float,
        Candidate::Date,
        Candidate::Timestamp,
        Candidate::Instant,
        Candidate::Time,
    ];

    fn column_type(self) -> ColumnType {
        match self {
            Candidate::Boolean => ColumnType::Boolean,
            Candidate::Integer => ColumnType::Int { bits: 64 },
            Candidate::Float => ColumnType::Float64,
            Candidate::Date => ColumnType::Date,
            Candidate::Timestamp => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false },
            Candidate::Instant => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: true },
            Candidate::Time => ColumnType::Time,
        }
    }

    fn accepts(self, value: &[u8]) -> bool {
        let timestamp = |utc| {
            let rules = convert::TimestampRules {
                unit: TimeUnit::Microsecond,
                utc,
                source_zone: chrono_tz::UTC,
                ambiguous: AmbiguousTime::default(),
                formats: Vec::new(),
            };
            rules.timestamp(value).is_ok()
        };
        // Only texts that name their zone are instants, and only those.
        let has_zone = |value: &[u8]| match value {
            [.., b'Z' | b'z'] => true,
            [_, _, _, _, _, _, _, _, _, _, clock @ ..] => {
                clock.iter().any(|byte| matches!(byte, b'+' | b'-'))
            }
            _ => false,
        };
        match self {
            Candidate::Boolean => {
                TRUE_TOKENS.iter().chain(&FALSE_TOKENS).any(|token| token.as_bytes() == value)
            }
            Candidate::Integer => !is_identifier(value) && convert::integer::signed::<i64>(value).is_ok(),
            Candidate::Float => {
                // Words such as nan and inf are values of float columns, but no evidence for one.
                let numeric = value.iter().any(u8::is_ascii_digit);
                // What a float would not give back is left as it stands.
                let digits = value
                    .iter()
                    .take_while(|byte| !matches!(byte, b'e' | b'E'))
                    .filter(|b| b.is_ascii_digit());
                let exact = digits.skip_while(|digit| **digit == b'0').count() <= f64::DIGITS as usize;
                numeric && exact && !is_identifier(value) && convert::float::float::<f64>(value).is_ok()
            }
            Candidate::Date => convert::date::date(value, &[]).is_ok(),
            Candidate::Timestamp => value.len() > 10 && !has_zone(value) && timestamp(false),
            Candidate::Instant => value.len() > 10 && has_zone(value) && timestamp(true),
            Candidate::Time => value.contains(&b':') && convert::time::time(value, &[]).is_ok(),
        }
    }
}

/// Digits that are no quantity: a leading zero would be lost, and a plus sign
/// begins telephone numbers.
fn is_identifier(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    matches!(digits, [b'0', b'0'..=b'9', ..] | [b'+', ..])
        // More digits than a float keeps apart; as an integer it is out of range.
        || (digits.len() > 18 && digits.iter().all(u8::is_ascii_digit) && convert::integer::signed::<i64>(value).is_err())
}

/// Whether a value reads as anything but text.
pub(super) fn looks_like_data(value: &[u8]) -> bool {
    Candidate::ALL.iter().any(|candidate| candidate.accepts(value))
}

impl TypeInference {
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
    pub fn observe(&mut self, column: usize, value: &[u8], quoted: bool) {
        while self.columns.len() <= column {
            self.columns.push(Evidence {
                possible: Candidate::ALL.to_vec(),
                values: 0,
                null_tokens: BTreeSet::new(),
                quoted_nulls: false,
            });
        }
        let evidence = &mut self.columns[column];
        if let Some(token) = NULL_TOKENS.iter().find(|token| token.as_bytes() == value) {
            evidence.null_tokens.insert(token);
            evidence.quoted_nulls |= quoted;
            return;
        }
        evidence.values += 1;
        evidence.possible.retain(|candidate| candidate.accepts(value));
    }

    /// The columns, and notes for people on what is not certain.
    pub fn finish(self) -> (Schema, Vec<String>) {
        let count = self.names.as_ref().map_or(self.columns.len(), Vec::len);
        let mut columns = Vec::with_capacity(count);
        let mut notes = Vec::new();
        let mut evidence = self.columns.into_iter();
        for position in 0..count {
            let name = match &self.names {
                Some(names) => names[position].clone(),
                None => format!("column_{}", position + 1),
            };
            let mut rules = TextRules::default();
            let column_type = match evidence.next() {
                Some(column) if column.values > 0 => match column.possible.first() {
                    Some(candidate) => {
                        rules.null_tokens =
                            [""].into_iter().chain(column.null_tokens).map(str::to_owned).collect();
                        rules.null_tokens.dedup();
                        rules.quoted_nulls = column.quoted_nulls;
                        candidate.column_type()
                    }
                    None => ColumnType::Text,
                },
                _ => {
                    notes.push(format!(
                        "column {name:?} holds no value in the sample, so it is taken as string"
                    ));
                    ColumnType::Text
                }
            };
            if column_type == ColumnType::Boolean {
                rules.true_tokens = TRUE_TOKENS.map(str::to_owned).to_vec();
                rules.false_tokens = FALSE_TOKENS.map(str::to_owned).to_vec();
            }
            columns.push(Column { rules, ..Column::new(name, column_type) });
        }
        (Schema::new(columns), notes)
    }
}
