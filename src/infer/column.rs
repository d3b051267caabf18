//! One column: its values, one by one → what it is.

use super::numbers::{self, Numbers};
use super::temporal::{self, Temporal};
use super::words::{self, Booleans};
use crate::value::{ColumnType, TextRules};
use std::collections::BTreeSet;

/// What the values of one column allow, in constant memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// Neither empty nor a null token.
    values: u64,
    null_tokens: BTreeSet<&'static str>,
    /// Empty fields in quotes, which are values of a column of text.
    empty_texts: bool,
    quoted_nulls: bool,
    booleans: Booleans,
    numbers: Numbers,
    temporal: Temporal,
}

/// The text of one field.
#[derive(Debug, Clone, Copy)]
pub struct FieldText<'a> {
    /// Without quotes and escapes.
    pub value: &'a [u8],
    /// What null tokens are compared with, see [`crate::parse::null_text`].
    pub null_text: &'a [u8],
    /// Whether it was quoted.
    pub quoted: bool,
}

/// What a column is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InferredType {
    pub(super) column_type: ColumnType,
    pub(super) rules: TextRules,
    pub(super) doubt: Option<Doubt>,
}

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Observed {
    /// It has one of the texts that stand for null where a column is not text.
    Null(&'static str),
    /// It has a value.
    Value,
}

/// What a person should know of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// All fields are empty.
    NoValues,
    /// Text, as nothing says whether day or month comes first.
    AmbiguousDates,
    /// Text, as day and month come first in turns.
    MixedDates,
    /// Text, as `1,234` may be more than a thousand or less than two.
    AmbiguousMarks,
    /// Integers that look like dates without marks.
    CompactDates,
    /// Text, as what is not whole is like `12E4`.
    Codes,
    /// Text, as no unit of time holds all digits of all timestamps.
    NoUnit,
}

impl Evidence {
    /// Adds one field that holds no escapes.
    pub(super) fn observe(&mut self, value: &[u8], quoted: bool) {
        self.observe_field(FieldText { value, null_text: value, quoted });
    }

    /// Values, null tokens left out.
    pub(super) fn values(&self) -> u64 {
        self.values
    }

    /// Whether the booleans are words that can be nothing else.
    pub(super) fn is_plain_boolean(&self) -> bool {
        self.booleans.are_plain()
    }

    /// Whether a number was written with an exponent.
    pub(super) fn has_exponents(&self) -> bool {
        self.numbers.has_exponents()
    }

    /// Adds one field.
    pub(super) fn observe_field(&mut self, field: FieldText<'_>) -> Observed {
        let FieldText { value, null_text, quoted } = field;
        if let Some(token) = words::null_token(null_text) {
            self.null_tokens.insert(token);
            self.quoted_nulls |= quoted;
            self.empty_texts |= quoted && token.is_empty();
            return Observed::Null(token);
        }
        self.values += 1;
        self.booleans.observe(value);
        if !self.numbers.is_over() {
            self.numbers.observe(value);
        }
        if !self.temporal.is_over() {
            self.temporal.observe(value);
        }
        Observed::Value
    }

    /// Adds a null that needs no token to be found: the user has named it.
    pub(super) fn observe_null(&mut self, quoted: bool) {
        self.quoted_nulls |= quoted;
    }

    /// Changes when what [`Evidence::settle`] gives may change its type.
    pub(super) fn fingerprint(&self) -> (u64, u64, u64) {
        (self.booleans.fingerprint(), self.numbers.fingerprint(), self.temporal.fingerprint())
    }

    /// The type that gives every value back, and how it is read.
    pub(super) fn settle(&self) -> InferredType {
        if self.values == 0 {
            let is_empty = !self.empty_texts && self.null_tokens.iter().all(|token| token.is_empty());
            return text(is_empty.then_some(Doubt::NoValues));
        }
        if let Some((true_tokens, false_tokens)) = self.booleans.tokens() {
            return self
                .typed(ColumnType::Boolean, TextRules { true_tokens, false_tokens, ..TextRules::default() });
        }
        let nan = self.null_tokens.iter().any(|token| words::is_nan(token));
        let numbers = self.numbers.settle(false).and_then(|found| match found.column_type {
            // Where numbers are whole, NaN can only be a null.
            ColumnType::Int { .. } => Ok(found),
            _ => self.numbers.settle(nan),
        });
        let unclear_numbers = match numbers {
            Ok(numbers::NumberType { column_type, marks }) => {
                let (decimal_mark, group_mark) = (marks.decimal, marks.group);
                let found =
                    self.typed(column_type, TextRules { decimal_mark, group_mark, ..TextRules::default() });
                let whole = matches!(column_type, ColumnType::Int { .. });
                let doubt = (whole && self.numbers.may_be_dates()).then_some(Doubt::CompactDates);
                return InferredType { doubt, ..found };
            }
            Err(unclear) => unclear,
        };
        match (self.temporal.settle(), unclear_numbers) {
            (Ok(temporal::TemporalType { column_type, formats }), _) => {
                self.typed(column_type, TextRules { formats, ..TextRules::default() })
            }
            (Err(temporal::Unclear::Ambiguous), _) => text(Some(Doubt::AmbiguousDates)),
            (Err(temporal::Unclear::Mixed), _) => text(Some(Doubt::MixedDates)),
            (Err(temporal::Unclear::NoUnit), _) => text(Some(Doubt::NoUnit)),
            (Err(temporal::Unclear::NotTemporal), numbers::Unclear::Codes) => text(Some(Doubt::Codes)),
            (Err(temporal::Unclear::NotTemporal), numbers::Unclear::Marks) => {
                text(Some(Doubt::AmbiguousMarks))
            }
            (Err(temporal::Unclear::NotTemporal), numbers::Unclear::NotNumbers) => text(None),
        }
    }

    /// A type other than text, with the null tokens that were seen.
    fn typed(&self, column_type: ColumnType, rules: TextRules) -> InferredType {
        let found = InferredType { column_type, rules, doubt: None };
        let seen =
            self.null_tokens.iter().copied().filter(|token| !token.is_empty() && !found.is_value(token));
        let null_tokens = std::iter::once("").chain(seen).map(str::to_owned).collect();
        let rules = TextRules { null_tokens, quoted_nulls: self.quoted_nulls, ..found.rules };
        InferredType { rules, ..found }
    }
}

impl InferredType {
    /// Whether a null token is a value of the column: floats have NaN.
    pub(super) fn is_value(&self, token: &str) -> bool {
        self.column_type == ColumnType::Float64 && words::is_nan(token)
    }

    /// Whether the values are something else than any text, even if what they are is not certain.
    pub(super) fn is_data(&self) -> bool {
        use Doubt::{AmbiguousDates, AmbiguousMarks, Codes, NoUnit};
        self.column_type != ColumnType::Text
            || matches!(self.doubt, Some(AmbiguousDates | AmbiguousMarks | Codes | NoUnit))
    }
}

fn text(doubt: Option<Doubt>) -> InferredType {
    InferredType { column_type: ColumnType::Text, rules: TextRules::default(), doubt }
}

/// Whether a value reads as anything but text.
pub(super) fn looks_like_data(value: &[u8]) -> bool {
    let mut evidence = Evidence::default();
    evidence.numbers.observe(value);
    evidence.temporal.observe(value);
    words::is_plain_boolean(value)
        || evidence.numbers.settle(false) != Err(numbers::Unclear::NotNumbers)
        || evidence.temporal.settle() != Err(temporal::Unclear::NotTemporal)
}
