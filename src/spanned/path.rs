//! Dotted keys: `targets[0].region`.

use std::fmt;
use std::str::FromStr;

/// The way from the root of a document to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct KeyPath(Vec<Step>);

/// One step of a [`KeyPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into a table.
    Key(String),
    /// Into an array, from 0.
    Index(usize),
}

impl KeyPath {
    /// The whole document.
    pub const fn root() -> Self {
        KeyPath(Vec::new())
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.with(Step::Key(name.into()))
    }

    /// This path and one element more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// This path, then `other`.
    #[must_use]
    pub fn join(&self, other: &KeyPath) -> Self {
        KeyPath(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// The first `steps` steps.
    #[must_use]
    pub fn up_to(&self, steps: usize) -> Self {
        KeyPath(self.0.iter().take(steps).cloned().collect())
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        KeyPath(steps)
    }
}

impl From<&str> for KeyPath {
    /// A path of one key.
    fn from(key: &str) -> Self {
        KeyPath(vec![Step::Key(key.into())])
    }
}

impl<'a> FromIterator<&'a serde_path_to_error::Segment> for KeyPath {
    fn from_iter<I: IntoIterator<Item = &'a serde_path_to_error::Segment>>(segments: I) -> Self {
        use serde_path_to_error::Segment;
        let step = |segment: &Segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            // In a document the variant of an enum is the one key of a table.
            Segment::Enum { variant } => Some(Step::Key(variant.clone())),
            Segment::Unknown => None,
        };
        KeyPath(segments.into_iter().filter_map(step).collect())
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    if is_bare(key) { f.write_str(key)? } else { write!(f, "{key:?}")? }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for KeyPath {
    type Err = String;

    /// Reads what [`fmt::Display`] writes; a key in double quotes may hold anything but them.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or("a quoted key is not closed")?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if key.is_empty() {
                return Err("a key is empty".into());
            }
            steps.push(Step::Key(key.into()));
            rest = after;
            while let Some(bracket) = rest.strip_prefix('[') {
                let (index, after) = bracket.split_once(']').ok_or("a `[` is not closed")?;
                let index = index.parse().map_err(|_| format!("`{index}` in brackets is not a number"))?;
                steps.push(Step::Index(index));
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None if rest.is_empty() => return Ok(KeyPath(steps)),
                None => return Err(format!("`.` or `[` is missing before `{rest}`")),
            }
        }
    }
}
