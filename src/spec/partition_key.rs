//! Partition keys as text: `region`, `year(sold_at)`, `sale_year=year(sold_at)`.

use super::{DatePart, DerivedKey, PartitionKey};
use crate::error::nearest;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

const PARTS: [(&str, DatePart); 5] = [
    ("year", DatePart::Year),
    ("month", DatePart::Month),
    ("day", DatePart::Day),
    ("hour", DatePart::Hour),
    ("date", DatePart::Date),
];

impl PartitionKey {
    /// Name of the key, as it stands in directories.
    pub fn name(&self) -> &str {
        match self {
            PartitionKey::Column(name) => name,
            PartitionKey::Derived(key) => &key.name,
        }
    }
}

impl FromStr for PartitionKey {
    type Err = String;

    /// Text that does not look like `part(column)` is the name of a column.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a partition key needs the name of a column".into());
        }
        let column = || Ok(PartitionKey::Column(text.into()));
        let Some((call, inner)) = text.strip_suffix(')').and_then(|head| head.split_once('(')) else {
            return column();
        };
        let (name, part_name) = match call.split_once('=') {
            Some((name, part)) => (Some(name.trim()), part.trim()),
            None => (None, call.trim()),
        };
        let Some((part_name, part)) = PARTS.iter().find(|(name, _)| *name == part_name) else {
            // A column may well be called `amount (EUR)`.
            return match nearest(part_name, PARTS.map(|(name, _)| name)) {
                Some(close) => {
                    Err(format!("`{part_name}` is not a part of a date; did you mean `{close}({inner})`?"))
                }
                None => column(),
            };
        };
        match (name.unwrap_or(part_name), inner.trim()) {
            ("", _) => Err(format!("the name before `=` is missing in `{text}`")),
            (_, "") => Err(format!("the column is missing: write `{part_name}(column)`")),
            (name, column) => Ok(PartitionKey::Derived(DerivedKey {
                name: name.into(),
                column: column.into(),
                part: *part,
            })),
        }
    }
}

impl<'de> Deserialize<'de> for PartitionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = PartitionKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, `part(column)`, or a table with `name`, `column` and `part`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PartitionKey, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PartitionKey, A::Error> {
                DerivedKey::deserialize(MapAccessDeserializer::new(map)).map(PartitionKey::Derived)
            }
        }
        deserializer.deserialize_any(KeyVisitor)
    }
}
