//! A document, and what can be done with it.

use super::{json, toml};
use crate::error::JobPlace;
use crate::spanned::{KeyPath, Problem, Problems, Step, bare};
use serde::de::DeserializeOwned;

/// The language of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// TOML 1.
    Toml,
    /// JSON (RFC 8259); a duplicate key is an error.
    Json,
}

impl DocumentFormat {
    /// JSON for names that end in `.json`, in any case; otherwise TOML.
    pub fn of_name(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, extension)) if extension.eq_ignore_ascii_case("json") => DocumentFormat::Json,
            _ => DocumentFormat::Toml,
        }
    }
}

/// A parsed file.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    text: String,
    /// The value of the whole file.
    pub root: Node,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file, at this byte: of the key, if the value has one; otherwise of the value.
    File(usize),
    /// A `--set` on the command line.
    Set,
}

/// A value as TOML and JSON know it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null, boolean or number. TOML dates are text, its NaN and infinities null.
    Scalar(serde_json::Value),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Node>),
    /// A table or object, in the order of the file.
    Table(Vec<(String, Node)>),
}

impl Document {
    /// Parses `text`; `file` is what messages call it.
    ///
    /// The error has the line and column where the grammar was left.
    pub fn parse(text: &str, format: DocumentFormat, file: &str) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let parsed = match format {
            DocumentFormat::Toml => toml::parse(text),
            DocumentFormat::Json => json::parse(text),
        };
        match parsed {
            Ok(root) => Ok(Document { file: file.into(), text: text.into(), root }),
            Err(error) => {
                let SyntaxError { offset, message, remedy } = bare::explain(text, format, error);
                let (line, column) = line_and_column(text, offset);
                let place = JobPlace { file: file.into(), line: Some(line), column: Some(column), key: None };
                let problem = Problem { remedy, ..Problem::new(KeyPath::root(), message) };
                Err(Problem { place: Some(place.into()), ..problem }.into())
            }
        }
    }

    /// The document inside this one at `key`, `None` if nothing is there; keys in it are relative.
    pub fn part(&self, key: &KeyPath) -> Option<Document> {
        let root = self.root.at(key)?.clone();
        Some(Document { file: self.file.clone(), text: self.text.clone(), root })
    }

    /// Line and column of a key, or of the nearest thing around it that is there.
    pub fn place(&self, key: &KeyPath) -> JobPlace {
        let node = (0..=key.steps().len()).rev().find_map(|steps| self.root.at(&key.up_to(steps)));
        let node = node.unwrap_or(&self.root);
        let key = (!key.steps().is_empty()).then(|| key.to_string());
        match node.origin {
            Origin::Set => JobPlace { file: "--set".into(), key, ..JobPlace::default() },
            // A place at the root says nothing: the key is simply not there.
            Origin::File(_) if std::ptr::eq(node, &self.root) => {
                JobPlace { file: self.file.clone(), key, ..JobPlace::default() }
            }
            Origin::File(offset) => {
                let (line, column) = line_and_column(&self.text, offset);
                JobPlace { file: self.file.clone(), line: Some(line), column: Some(column), key }
            }
        }
    }

    /// Gives each problem that has none its place in this document.
    #[must_use]
    pub fn locate(&self, mut problems: Problems) -> Problems {
        for problem in &mut problems.0 {
            if problem.place.is_none() {
                problem.place = Some(self.place(&problem.key).into());
            }
        }
        problems
    }

    /// Turns the document into a `T`. The problem names the key whose value does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        serde_path_to_error::deserialize(self.root.to_json()).map_err(|error| {
            let key = error.path().iter().collect::<KeyPath>();
            self.locate(Problem::of_serde(key, &error.inner().to_string()).into())
        })
    }
}

impl Node {
    /// The value without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(value) => value.clone(),
            Value::Text(text) => serde_json::Value::String(text.clone()),
            Value::Array(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(entries) => {
                entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect()
            }
        }
    }

    /// Whether this is a string.
    pub fn is_text(&self) -> bool {
        matches!(self.value, Value::Text(_))
    }

    /// The value at `path`, if there is one.
    pub fn at(&self, path: &KeyPath) -> Option<&Node> {
        path.steps().iter().try_fold(self, |node, step| match (&node.value, step) {
            (Value::Table(entries), Step::Key(name)) => {
                entries.iter().find(|(n, _)| n == name).map(|(_, inner)| inner)
            }
            (Value::Array(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
    }

    /// Calls `visit` with every string in the tree and its key.
    pub fn for_each_text(&mut self, visit: &mut dyn FnMut(&KeyPath, &mut String)) {
        self.walk_texts(&KeyPath::root(), visit);
    }

    fn walk_texts(&mut self, path: &KeyPath, visit: &mut dyn FnMut(&KeyPath, &mut String)) {
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::Text(text) => visit(path, text),
            Value::Array(items) => {
                items.iter_mut().enumerate().for_each(|(i, node)| node.walk_texts(&path.index(i), visit));
            }
            Value::Table(entries) => {
                entries.iter_mut().for_each(|(key, node)| node.walk_texts(&path.key(key), visit));
            }
        }
    }

    /// Puts `value` at `path`, making the tables on the way that are missing.
    ///
    /// `[n]` names an element that is there, or the one after the last. The
    /// error says which part of the path is in the way.
    pub fn set(&mut self, path: &KeyPath, value: Node) -> Result<(), Problem> {
        let mut node = self;
        for (depth, step) in path.steps().iter().enumerate() {
            let here = || path.up_to(depth);
            node = match (&mut node.value, step) {
                (Value::Table(entries), Step::Key(name)) => {
                    let index = entries.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
                        entries.push((name.clone(), Node::placeholder(path.steps().get(depth + 1))));
                        entries.len() - 1
                    });
                    &mut entries[index].1
                }
                (Value::Array(items), Step::Index(index)) => {
                    let len = items.len();
                    if *index == len {
                        items.push(Node::placeholder(path.steps().get(depth + 1)));
                    }
                    items.get_mut(*index).ok_or_else(|| {
                        Problem::new(here(), format!("there is no element [{index}]: the array has {len}"))
                    })?
                }
                (_, Step::Key(name)) => {
                    return Err(Problem::new(
                        here(),
                        format!("this is not a table, so it has no key `{name}`"),
                    ));
                }
                (_, Step::Index(index)) => {
                    return Err(Problem::new(
                        here(),
                        format!("this is not an array, so it has no element [{index}]"),
                    ));
                }
            };
        }
        *node = value;
        Ok(())
    }

    /// What stands where `next` is about to be put.
    fn placeholder(next: Option<&Step>) -> Node {
        let value = match next {
            Some(Step::Index(_)) => Value::Array(Vec::new()),
            _ => Value::Table(Vec::new()),
        };
        Node { value, origin: Origin::Set }
    }

    fn mark_as_set(&mut self) {
        self.origin = Origin::Set;
        match &mut self.value {
            Value::Scalar(_) | Value::Text(_) => {}
            Value::Array(items) => items.iter_mut().for_each(Node::mark_as_set),
            Value::Table(entries) => entries.iter_mut().for_each(|(_, node)| node.mark_as_set()),
        }
    }
}

/// Parses one TOML value, such as the right side of a `--set`; text that is none is a string.
pub fn parse_set_value(text: &str) -> Node {
    let mut node = toml::parse_value(text)
        .unwrap_or_else(|| Node { value: Value::Text(text.into()), origin: Origin::Set });
    node.mark_as_set();
    node
}

/// Where the grammar was left, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        SyntaxError { offset, message: message.into(), remedy: None }
    }
}

/// Line and column, both from 1, the column in characters.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
