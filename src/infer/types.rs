//! Columns, from the records of several inputs.

use super::column::{Evidence, FieldText, InferredType, Observed};
use super::notes::{self, ColumnNote, RecordPosition};
use super::odd::{Odd, Padding, is_padded};
use crate::error::excerpt::excerpt_of;
use crate::schema::{Column, Schema};
use crate::spec::BlankNames;
use crate::split::header::{Header, HeaderName, Trailing};
use crate::value::ColumnType;
use std::collections::{BTreeMap, HashMap};

/// Narrows down what each column can be, value by value, in constant memory.
#[derive(Debug, Default)]
pub struct TypeInference {
    names: Option<Vec<String>>,
    /// Column of each name, the first of those that have it.
    column_of: HashMap<String, usize>,
    columns: Vec<Tracked>,
    /// The inputs begun.
    inputs: Vec<InputRead>,
    /// What the user says is null in every column.
    null_tokens: Vec<String>,
    /// Columns for which a header has no name, by what they are called.
    blank: BTreeMap<String, Blank>,
    /// Whether they are left out even if they have values.
    drops_blank: bool,
    /// The first header that ends in a delimiter which its records lack: position of its last name,
    /// from 1, and its input.
    trailing_header: Option<(usize, usize)>,
}

/// A column for which a header has no name.
#[derive(Debug, Clone, Copy)]
struct Blank {
    /// Whose header.
    input: usize,
    /// Whether it is what stands behind the last name, where records end in a delimiter.
    behind: bool,
    /// Whether it is left out where it is empty.
    may_go: bool,
}

/// What is known of an input.
#[derive(Debug)]
struct InputRead {
    url: String,
    /// Data records that were counted.
    records: u64,
    /// Whether they are all that it has.
    whole: bool,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the input, as [`TypeInference::begin_input`] gave it.
    pub input: usize,
    /// Where in the input.
    pub at: Position,
}

/// Where in its input a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// In no record, but in the path of the input.
    Path,
}

/// What samples say of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The columns.
    pub schema: Schema,
    /// For people.
    pub notes: Vec<ColumnNote>,
    /// What was seen of each column.
    pub seen: Vec<Seen>,
    /// Positions of the columns in the schema that have no name and are left out.
    pub left_out: Vec<usize>,
}

impl Inferred {
    /// The columns without those that are left out.
    pub fn columns(&self) -> Schema {
        let columns = self.schema.columns.iter().enumerate();
        let kept = columns.filter(|(position, _)| !self.left_out.contains(position));
        Schema::new(kept.map(|(_, column)| column.clone()).collect())
    }
}

/// What was seen of a column, whatever its type came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name in the inputs.
    pub column: String,
    /// Texts that stand for null where a column is not text, the empty one left out.
    pub null_tokens: Vec<String>,
    /// The values that changed its type, in their order.
    pub changes: Vec<TypeChange>,
}

/// A value that changed the type of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeChange {
    /// What it is from there on.
    pub to: ColumnType,
    /// The value, cut off where it is long, and its place.
    pub by: String,
}

/// A column, and how its type came about.
#[derive(Debug, Default)]
struct Tracked {
    evidence: Evidence,
    /// The same, when its type changed last.
    before: Evidence,
    /// What the values so far make it.
    so_far: Option<ColumnType>,
    /// Where the first value stands.
    first: Option<Place>,
    /// Where the first field stands that is not empty, if it is null, too.
    filled: Option<Place>,
    /// Where null tokens stand first.
    nulls: BTreeMap<&'static str, Place>,
    /// The first number with an exponent.
    exponent: Option<(Vec<u8>, Place)>,
    changes: Vec<Change>,
    odd: Option<Box<Odd>>,
    padding: Option<Box<Padding>>,
}

/// A value that changed the type of its column.
#[derive(Debug)]
struct Change {
    place: Place,
    value: String,
    /// Nothing of the first value.
    from: Option<ColumnType>,
    to: ColumnType,
}

/// Changes of one column that are kept: types only widen, so there are no more.
const CHANGES_KEPT: usize = 16;

/// Changes of one column that are told.
const CHANGES_TOLD: usize = 3;

impl Tracked {
    fn observe(&mut self, field: FieldText<'_>, place: Place) {
        let (fingerprint, values) = (self.evidence.fingerprint(), self.evidence.values());
        if let Observed::Null(token) = self.evidence.observe_field(field) {
            if !token.is_empty() {
                self.nulls.entry(token).or_insert(place);
            }
            return;
        }
        self.first.get_or_insert(place);
        match &mut self.padding {
            Some(padding) => padding.observe(field),
            // Text before it is text without spaces, too.
            None if self.odd.is_none() && is_padded(field) => {
                self.padding = Some(Box::new(Padding::new(&self.before, field, place)));
            }
            None => {}
        }
        if let Some(odd) = &mut self.odd {
            odd.observe(field, place);
        }
        if self.so_far.is_some() && self.evidence.fingerprint() == fingerprint {
            return;
        }
        if self.exponent.is_none() && self.evidence.has_exponents() {
            self.exponent = Some((field.value.to_vec(), place));
        }
        let found = self.evidence.settle();
        if self.odd.is_none() {
            if found.is_data() {
                self.before = self.evidence.clone();
            } else {
                self.odd = Some(Box::new(Odd::new(&self.before, values, field.value, place)));
            }
        }
        let to = found.column_type;
        let from = self.so_far.replace(to);
        if from != Some(to) && self.changes.len() < CHANGES_KEPT {
            let value = excerpt_of(field.value);
            self.changes.push(Change { place, value, from, to });
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
        self.inputs.push(InputRead { url: url.to_owned(), records: 0, whole: false });
        self.inputs.len() - 1
    }

    /// The input was read to its end.
    pub(super) fn end_input(&mut self, input: usize) {
        self.inputs[input].whole = true;
    }

    /// Names from the header of an input. Gives the column of each field: a
    /// name that an earlier header had is the same column, wherever it stands.
    pub fn name_columns(&mut self, input: usize, header: Header, policy: BlankNames) -> Vec<usize> {
        let fields = header.names.len();
        let may_go = matches!(policy, BlankNames::Auto | BlankNames::Drop);
        for (position, HeaderName { name, is_blank }) in header.names.iter().enumerate() {
            if *is_blank {
                let behind = header.trailing == Some(Trailing::Records) && position + 1 == fields;
                let is_name = self.column_of.contains_key(name) && !self.blank.contains_key(name);
                let blank = Blank { input, behind, may_go: may_go && !is_name };
                self.blank.entry(name.clone()).or_insert(blank);
            } else if let Some(blank) = self.blank.get_mut(name) {
                // Another input has that name.
                blank.may_go = false;
            }
        }
        if header.trailing == Some(Trailing::Header) {
            self.trailing_header.get_or_insert((fields + 1, input));
        }
        self.drops_blank = policy == BlankNames::Drop;
        self.name(header.names.into_iter().map(|name| name.name).collect())
    }

    /// The same of names that are there for certain.
    pub fn name(&mut self, header: Vec<String>) -> Vec<usize> {
        let Some(names) = &mut self.names else {
            let columns = (0..header.len()).collect();
            for (column, name) in header.iter().enumerate() {
                self.column_of.entry(name.clone()).or_insert(column);
            }
            self.names = Some(header);
            return columns;
        };
        let mut column_of = |name: String| {
            *self.column_of.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
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
        if let Position::Record { record, .. } = place.at {
            self.inputs[place.input].records = record;
        }
        if !field.value.is_empty() {
            self.columns[column].filled.get_or_insert(place);
        }
        let is_null = self.null_tokens.iter().any(|token| token.as_bytes() == field.null_text);
        match is_null {
            true => self.columns[column].evidence.observe_null(field.quoted),
            false => self.columns[column].observe(field, place),
        }
    }

    /// The columns, and what there is to say of them.
    pub fn finish(mut self) -> Inferred {
        let count = self.names.as_ref().map_or(self.columns.len(), Vec::len);
        self.columns.resize_with(count, Tracked::default);
        let mut notes: Vec<ColumnNote> = self.trailing_note().into_iter().collect();
        let mut left_out = Vec::new();
        let (mut columns, mut seen) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (position, tracked) in self.columns.iter().enumerate() {
            let name = match &self.names {
                Some(names) => names[position].clone(),
                None => format!("column_{}", position + 1),
            };
            let found = tracked.evidence.settle();
            let note = |text: String| ColumnNote { column: name.clone(), text, is_of_name: false };
            if let Some((goes, text)) = self.blank.get(&name).map(|blank| self.told_blank(*blank, tracked)) {
                notes.push(ColumnNote { is_of_name: true, ..note(text) });
                if goes {
                    left_out.push(position);
                    columns.push(Column::new(name, ColumnType::Text));
                    continue;
                }
            }
            let remarks = self.remarks(&name, tracked, &found);
            let of_doubt = found.doubt.map(|doubt| doubt.text().to_owned());
            notes.extend(self.told(tracked).map(note));
            notes.extend(of_doubt.into_iter().chain(remarks).map(|text| note(format!(": {text}"))));
            let change = |change: &Change| TypeChange {
                to: change.to,
                by: format!("{:?} ({})", change.value, self.shown(&change.place)),
            };
            seen.push(Seen {
                column: name.clone(),
                null_tokens: tracked.nulls.keys().map(|token| (*token).to_owned()).collect(),
                changes: tracked.changes.iter().map(change).collect(),
            });
            columns.push(Column { rules: found.rules, ..Column::new(name, found.column_type) });
        }
        Inferred { schema: Schema::new(columns), notes, seen, left_out }
    }

    /// A header that ends in a delimiter, where its records do not.
    fn trailing_note(&self) -> Option<ColumnNote> {
        let (position, input) = self.trailing_header?;
        let text = notes::header_trails(&self.inputs[input].url);
        Some(ColumnNote { column: format!("column_{position}"), text, is_of_name: true })
    }

    /// Whether a column without a name is left out, and what there is to say.
    fn told_blank(&self, blank: Blank, tracked: &Tracked) -> (bool, String) {
        let url = &self.inputs[blank.input].url;
        let filled = tracked.filled.as_ref().map(|place| self.shown(place));
        let goes = blank.may_go && (filled.is_none() || self.drops_blank);
        (goes, notes::blank_name(url, blank.behind, goes, filled.as_deref()))
    }

    /// Changes in another input than the first or in a window, where users do not look
    /// who read the first page of a file.
    fn told<'a>(&'a self, tracked: &'a Tracked) -> impl Iterator<Item = String> + 'a {
        let since = tracked.first.map_or(0, |place| place.input);
        let is_far = move |change: &&Change| {
            since != change.place.input || matches!(change.place.at, Position::Byte(_))
        };
        let text = move |change: &Change| {
            let Change { place, value, from, to } = change;
            let from = (*from)?;
            let first = &self.inputs[since].url;
            Some(match since == place.input {
                true => {
                    format!(" is {from} in {first} at first, but {value:?} {} makes it {to}", at(place.at))
                }
                false => {
                    let here = &self.inputs[place.input].url;
                    format!(" is {from} in {first}, but {value:?} in {here}, {}, makes it {to}", at(place.at))
                }
            })
        };
        tracked.changes.iter().filter(is_far).filter_map(text).take(CHANGES_TOLD)
    }

    /// What was taken for something else than its text, and what made text of a column.
    fn remarks(&self, name: &str, tracked: &Tracked, found: &InferredType) -> Vec<String> {
        let mut remarks = Vec::new();
        let shown = |place: &Place| self.shown(place);
        let nulls: Vec<_> = tracked
            .nulls
            .iter()
            .filter(|(token, _)| !found.is_value(token))
            .map(|(token, place)| ((*token).to_owned(), shown(place)))
            .collect();
        match (nulls.is_empty(), found.column_type) {
            (true, _) => {}
            (false, ColumnType::Text) => remarks.push(notes::nulls_in_text(&nulls)),
            (false, _) => remarks.push(notes::nulls_taken(name, &nulls)),
        }
        let first = tracked.first.as_ref().map(shown).unwrap_or_default();
        match (found.column_type, &tracked.exponent) {
            (ColumnType::Boolean, _) if !tracked.evidence.is_plain_boolean() => {
                let (yes, no) = (&found.rules.true_tokens, &found.rules.false_tokens);
                remarks.push(notes::words_taken(name, yes, no, &first));
            }
            (ColumnType::Float64, Some((value, place))) => {
                remarks.push(notes::exponent_taken(name, value, &shown(place)));
            }
            (ColumnType::Text, _) if !found.is_data() => remarks.extend(self.made_text(name, tracked)),
            _ => {}
        }
        remarks
    }

    /// Why a column of something else is text: few values, or space around them.
    fn made_text(&self, name: &str, tracked: &Tracked) -> Option<String> {
        let padded = tracked.padding.as_ref().and_then(|padding| Some((padding, padding.settle()?)));
        if let Some((padding, without)) = padded {
            let place = self.shown(&padding.place);
            return Some(notes::padded(&padding.value, &place, without.column_type));
        }
        let (without, fitting, odd) = tracked.odd.as_ref()?.settle()?;
        let standing = match odd[0].place.at {
            Position::Record { record: 1, .. } if tracked.first == Some(odd[0].place) => {
                RecordPosition::First
            }
            Position::Record { record, .. } => {
                let input = &self.inputs[odd[0].place.input];
                if input.whole && record == input.records {
                    RecordPosition::Last
                } else {
                    RecordPosition::Within
                }
            }
            Position::Byte(_) | Position::Path => RecordPosition::Within,
        };
        let fitting = (fitting, without.column_type);
        Some(notes::odd(name, odd, standing, fitting, |place| self.shown(place)))
    }

    fn shown(&self, place: &Place) -> String {
        format!("{} of {}", at(place.at), self.inputs[place.input].url)
    }
}

fn at(position: Position) -> String {
    match position {
        Position::Record { record, line } => format!("record {record}, line {line}"),
        Position::Byte(offset) => format!("in the record at byte {offset}"),
        Position::Path => "in the path".to_owned(),
    }
}
