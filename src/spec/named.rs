//! Things that users name in one word: codecs, encodings.

use crate::spanned::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::str::FromStr;

/// What a name stands for.
pub trait ByName: Copy {
    /// Finds what is called so.
    ///
    /// # Errors
    /// Nothing is; what is called nearly so, or so at all, is in the remedy.
    fn by_name(name: &str) -> Result<Self, Problem>;
}

/// A thing with the name that the user has for it: found when the name is read, and written back as
/// it was named, so that a plan says what its job file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    name: String,
    thing: T,
}

impl<T: ByName> Named<T> {
    /// This thing under one of its names.
    pub(crate) fn new(name: impl Into<String>, thing: T) -> Self {
        Named { name: name.into(), thing }
    }

    /// As the user wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it stands for.
    pub fn get(&self) -> T {
        self.thing
    }
}

impl<T: ByName> FromStr for Named<T> {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        T::by_name(name).map(|thing| Named::new(name, thing))
    }
}

impl<T> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de, T: ByName> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|problem: Problem| de::Error::custom(problem.for_serde()))
    }
}

/// As a text.
impl<T> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
