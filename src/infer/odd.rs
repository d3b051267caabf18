//! The few values that make text of a column of something else.
//!
//! A second header among the data, a units row, a total, `n.a.`: one value is enough
//! for a column of numbers to become text. Whoever reads the notes wants to know
//! which, and what the column would be without it.

use super::column::{Evidence, FieldText, InferredType};
use super::types::Place;

/// Different odd values of a column that are kept: with more, the column is text.
const MAX_ODD: usize = 3;

/// Bytes of a value that are kept: longer ones are told cut off, and are not tokens.
pub(super) const MAX_VALUE_BYTES: usize = 120;

/// What a column would be without its odd values.
#[derive(Debug)]
pub(super) struct Odd {
    /// Of all values but the odd ones.
    rest: Evidence,
    /// The same, when its type changed last.
    before: Evidence,
    fitting: u64,
    values: Vec<OddValue>,
    /// There are too many.
    over: bool,
}

/// A value that does not fit the others.
#[derive(Debug, Clone)]
pub(super) struct OddValue {
    pub(super) value: Vec<u8>,
    /// Where it stands first.
    pub(super) place: Place,
    pub(super) count: u64,
}

impl Odd {
    /// After a first value that does not fit those before it, whose evidence is given.
    pub(super) fn new(before: &Evidence, fitting: u64, value: &[u8], place: Place) -> Odd {
        let (rest, before) = (before.clone(), before.clone());
        let mut odd = Odd { rest, before, fitting, values: Vec::new(), over: false };
        odd.add(value, place);
        odd
    }

    pub(super) fn observe(&mut self, field: FieldText<'_>, place: Place) {
        if self.over {
            return;
        }
        if let Some(known) = self.values.iter_mut().find(|known| known.value == field.value) {
            known.count += 1;
            return;
        }
        let fingerprint = self.rest.fingerprint();
        self.rest.observe_field(field);
        if self.rest.fingerprint() != fingerprint {
            if self.rest.settle().is_data() {
                self.before = self.rest.clone();
            } else {
                self.rest = self.before.clone();
                return self.add(field.value, place);
            }
        }
        self.fitting += 1;
    }

    fn add(&mut self, value: &[u8], place: Place) {
        self.over |= self.values.len() == MAX_ODD || value.len() > MAX_VALUE_BYTES;
        if self.over {
            // What is text goes on being it: nothing of it is looked at any more.
            *self = Odd { over: true, ..Odd::empty() };
        } else {
            self.values.push(OddValue { value: value.to_vec(), place, count: 1 });
        }
    }

    fn empty() -> Odd {
        let (rest, before) = (Evidence::default(), Evidence::default());
        Odd { rest, before, fitting: 0, values: Vec::new(), over: false }
    }

    /// What most values are, how many these are, and the others: if they are few.
    pub(super) fn settle(&self) -> Option<(InferredType, u64, &[OddValue])> {
        let odd: u64 = self.values.iter().map(|value| value.count).sum();
        let found = self.rest.settle();
        let is_few = !self.over && self.fitting >= 2 && odd < self.fitting;
        (is_few && found.is_data()).then_some((found, self.fitting, &self.values))
    }
}

/// What a column would be without spaces and tabs around its values.
#[derive(Debug)]
pub(super) struct Padding {
    trimmed: Evidence,
    /// The first value with space around it.
    pub(super) value: Vec<u8>,
    pub(super) place: Place,
    over: bool,
}

impl Padding {
    /// After the first value with space around it; `before` are the values before.
    pub(super) fn new(before: &Evidence, field: FieldText<'_>, place: Place) -> Padding {
        let value = field.value[..field.value.len().min(MAX_VALUE_BYTES)].to_vec();
        let mut padding = Padding { trimmed: before.clone(), value, place, over: false };
        padding.observe(field);
        padding
    }

    pub(super) fn observe(&mut self, field: FieldText<'_>) {
        if self.over {
            return;
        }
        let value = trim(field.value);
        let fingerprint = self.trimmed.fingerprint();
        self.trimmed.observe_field(FieldText { value, null_text: value, ..field });
        if self.trimmed.fingerprint() != fingerprint && !self.trimmed.settle().is_data() {
            (self.over, self.trimmed) = (true, Evidence::default());
        }
    }

    /// What the values are without the space.
    pub(super) fn settle(&self) -> Option<InferredType> {
        Some(self.trimmed.settle()).filter(|found| !self.over && found.is_data())
    }
}

/// Without the white space that `trim` of a dialect drops.
fn trim(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// Whether the dialect's `trim` would change an unquoted field.
pub(super) fn is_padded(field: FieldText<'_>) -> bool {
    !field.quoted && trim(field.value).len() < field.value.len()
}
