//! A document checked against the JSON Schema of the type it is to become.
//!
//! The schema knows every key, type and word, so that all mistakes of these
//! kinds are found at once, each with the nearest name, whatever enum or default
//! they stand in. Serde would stop at the first, and name Rust's types.

use super::{Document, KeyPath, Node, Origin, Problem, Problems, Step, Value};
use crate::error::nearest;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json};

/// What [`Document::check`] found.
#[derive(Debug, Default)]
pub struct ShapeFindings {
    /// Unknown keys of tables that allow no others, missing keys, and values of
    /// another type or word than the schema has.
    pub errors: Problems,
    /// Keys of tables that allow any, that look like a known one misspelt.
    pub misspelt: Problems,
}

/// Names that users of other tools try, and what they are called here.
const ALIASES: &[(&str, &str)] = &[
    ("columns", "fields"),
    ("data_type", "type"),
    ("datatype", "type"),
    ("dtype", "type"),
    ("na_values", "missingValues"),
    ("null_values", "missingValues"),
    ("nullable", "constraints.required"),
    ("nulls", "missingValues"),
    ("nullvalues", "missingValues"),
    ("required", "constraints.required"),
    ("timezone", "sourceTimeZone"),
    ("tz", "sourceTimeZone"),
    ("unique", "constraints.unique"),
    ("escape", "escapeChar"),
    ("quote", "quoteChar"),
    ("sep", "delimiter"),
    ("separator", "delimiter"),
];

/// The JSON Schema of `T`, what it is at the top.
pub fn json_schema<T: JsonSchema>() -> Json {
    schema_of::<T>(SchemaSettings::draft2020_12())
}

/// The JSON Schema of `T` as it is written: members that are left out at times are not required.
pub fn json_schema_of_output<T: JsonSchema>() -> Json {
    schema_of::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn schema_of<T: JsonSchema>(settings: SchemaSettings) -> Json {
    let mut rest = match settings.into_generator().into_root_schema_for::<T>().into() {
        Json::Object(object) => object,
        other => return other,
    };
    let head = ["$schema", "title", "description"].map(|key| (key.to_owned(), rest.shift_remove(key)));
    let head = head.into_iter().filter_map(|(key, value)| Some((key, value?)));
    head.collect::<Map<_, _>>().into_iter().chain(rest).collect()
}

impl Document {
    /// Compares the document with `schema`, which is the root of a JSON Schema.
    pub fn check(&self, schema: &Json) -> ShapeFindings {
        let mut findings = ShapeFindings::default();
        ShapeWalk { root: schema, findings: &mut findings }.node(&self.root, &KeyPath::root(), &[schema]);
        findings.errors = self.locate(findings.errors);
        findings.misspelt = self.locate(findings.misspelt);
        findings
    }
}

struct ShapeWalk<'a> {
    root: &'a Json,
    findings: &'a mut ShapeFindings,
}

impl<'a> ShapeWalk<'a> {
    fn node(&mut self, node: &Node, path: &KeyPath, schemas: &[&'a Json]) {
        let mut leaves = Vec::new();
        schemas.iter().for_each(|schema| self.leaves(schema, &mut leaves));
        let description = schemas.iter().find_map(|schema| schema.get("description")?.as_str());
        if let Some(mut problem) = misfit(&node.value, &leaves) {
            problem.key = path.clone();
            let is_text = types_of(&leaves).is_some_and(|types| types.contains(&"string"));
            if let (Origin::Set, Value::Scalar(value), true) = (node.origin, &node.value, is_text) {
                // On the command line users do not expect to quote text.
                problem.remedy = Some(format!("put quotes into the value: '{path}=\"{value}\"'"));
            }
            if matches!(node.value, Value::Table(_)) && holds_tables(&leaves) {
                problem.remedy =
                    Some(format!("in TOML, each element begins with two brackets: `[[{path}]]`"));
            }
            problem.remedy = problem.remedy.or(description.map(first_line));
            self.findings.errors.0.push(problem);
            return;
        }
        match &node.value {
            Value::Scalar(_) | Value::Text(_) => {}
            Value::Array(items) => {
                let inner = leaves.iter().filter_map(|leaf| leaf.get("items")).collect::<Vec<_>>();
                items.iter().enumerate().for_each(|(i, item)| self.node(item, &path.index(i), &inner));
            }
            Value::Table(entries) => {
                leaves.retain(|leaf| {
                    leaf.contains_key("properties") || leaf.contains_key("additionalProperties")
                });
                if !leaves.is_empty() {
                    self.table(entries, path, &leaves);
                }
                if leaves.len() > 1 && leaves.iter().all(|leaf| is_choice(leaf)) {
                    self.choice(entries, path, &leaves);
                }
            }
        }
    }

    fn table(&mut self, entries: &[(String, Node)], path: &KeyPath, leaves: &[&'a Map<String, Json>]) {
        let properties = || leaves.iter().filter_map(|leaf| leaf.get("properties")?.as_object());
        let closed = leaves.iter().all(|leaf| leaf.get("additionalProperties") == Some(&Json::Bool(false)));
        let mut all_known = true;
        for (key, node) in entries {
            let mut inner = properties().filter_map(|p| p.get(key)).collect::<Vec<_>>();
            if inner.is_empty() {
                let others = leaves.iter().filter_map(|leaf| leaf.get("additionalProperties"));
                inner.extend(others.filter(|schema| schema.is_object()));
            }
            if inner.is_empty() {
                all_known = false;
                self.unknown(
                    key,
                    &path.key(key),
                    closed,
                    &properties().flat_map(Map::keys).collect::<Vec<_>>(),
                );
            } else {
                self.node(node, &path.key(key), &inner);
            }
        }
        // Beside an unknown key, a missing one is most likely that key misspelt.
        if let ([leaf], true) = (leaves, all_known) {
            let required = leaf.get("required").and_then(Json::as_array).into_iter().flatten();
            for key in required.filter_map(Json::as_str) {
                if !entries.iter().any(|(name, _)| name == key) {
                    self.findings.errors.0.push(missing(path, key, leaf));
                }
            }
        }
    }

    /// A table that has to hold exactly one of the keys of its alternatives.
    fn choice(&mut self, entries: &[(String, Node)], path: &KeyPath, leaves: &[&'a Map<String, Json>]) {
        let choices = || leaves.iter().filter_map(|leaf| leaf.get("properties")?.as_object()?.keys().next());
        let mut known = entries.iter().filter(|(name, _)| choices().any(|choice| choice == name));
        match (known.next(), known.next()) {
            (Some((first, _)), Some((second, _))) => {
                let problem = Problem::new(
                    path.key(second),
                    format!("cannot be combined with `{first}`: only one of them is allowed"),
                );
                self.findings.errors.0.push(problem.remedy(match path.steps() {
                    [list @ .., Step::Index(_)] => {
                        let list = path.up_to(list.len());
                        format!("begin another element for it: in TOML, write `[[{list}]]` before it")
                    }
                    _ => "leave one of them out".to_owned(),
                }));
            }
            (None, _) if entries.is_empty() => {
                let choices = choices().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
                let problem = Problem::new(path.clone(), "is empty");
                self.findings.errors.0.push(problem.remedy(format!("write one of {choices}")));
            }
            // Unknown keys are told of already.
            _ => {}
        }
    }

    fn unknown(&mut self, key: &str, path: &KeyPath, closed: bool, known: &[&String]) {
        let alias = ALIASES.iter().find(|(other, name)| {
            let first = name.split('.').next().unwrap_or(name);
            other.eq_ignore_ascii_case(key) && known.iter().any(|k| *k == first)
        });
        let close = match alias {
            Some((_, name)) => Some(*name),
            None => nearest(key, known.iter().map(|k| k.as_str())),
        };
        let problem = Problem::new(path.clone(), "unknown key");
        match (close, closed) {
            (Some(close), true) => {
                self.findings.errors.0.push(problem.remedy(format!("did you mean `{close}`?")));
            }
            (Some(close), false) => {
                self.findings.misspelt.0.push(problem.remedy(format!("did you mean `{close}`?")));
            }
            (None, true) => {
                let known = known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
                self.findings.errors.0.push(problem.remedy(format!("known here: {known}")));
            }
            (None, false) => {}
        }
    }

    /// The schemas without `$ref` or alternatives that `schema` stands for.
    fn leaves(&self, schema: &'a Json, out: &mut Vec<&'a Map<String, Json>>) {
        let Some(object) = schema.as_object() else { return };
        if let Some(reference) = object.get("$ref").and_then(Json::as_str) {
            if let Some(target) = self.root.pointer(reference.trim_start_matches('#')) {
                self.leaves(target, out);
            }
            return;
        }
        for alternatives in
            ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| object.get(*word)?.as_array())
        {
            alternatives.iter().for_each(|alternative| self.leaves(alternative, out));
        }
        if !["anyOf", "oneOf", "allOf"].iter().any(|word| object.contains_key(*word)) {
            out.push(object);
        }
    }
}

/// Whether this is a list whose elements may be tables.
fn holds_tables(leaves: &[&Map<String, Json>]) -> bool {
    let items = || leaves.iter().filter_map(|leaf| leaf.get("items"));
    items().any(|item| item.get("$ref").is_some() || item.get("properties").is_some())
}

/// Whether an alternative is a table of exactly one key, as serde writes a variant with a value.
fn is_choice(leaf: &Map<String, Json>) -> bool {
    let keys = leaf.get("properties").and_then(Json::as_object).map_or(0, Map::len);
    let required = leaf.get("required").and_then(Json::as_array).map_or(0, Vec::len);
    keys == 1 && required == 1 && leaf.get("additionalProperties") == Some(&Json::Bool(false))
}

/// What is wrong with the type of a value, or with the word that it is.
fn misfit(value: &Value, leaves: &[&Map<String, Json>]) -> Option<Problem> {
    let types = types_of(leaves)?;
    let (name, said) = match value {
        Value::Text(_) => ("string", "text"),
        Value::Array(_) => ("array", "a list"),
        Value::Table(_) => ("object", "a table"),
        Value::Scalar(Json::Bool(_)) => ("boolean", "true or false"),
        Value::Scalar(Json::Number(number)) if number.is_f64() => ("number", "a fraction"),
        Value::Scalar(Json::Number(_)) => ("integer", "a whole number"),
        Value::Scalar(_) => ("null", "null"),
    };
    let fits = types.contains(&name) || (name == "integer" && types.contains(&"number"));
    let at_root = |message: String| Problem::new(KeyPath::root(), message);
    if types.is_empty() {
        return None;
    }
    if !fits {
        let mut expected = types.iter().filter_map(|name| said_of(name)).collect::<Vec<_>>();
        expected.dedup();
        return Some(at_root(format!("must be {}, not {said}", expected.join(" or "))));
    }
    match value {
        Value::Text(text) => unknown_word(text, leaves),
        Value::Scalar(Json::Number(number)) => {
            let least = leaves.iter().filter_map(|leaf| leaf.get("minimum")?.as_f64()).next()?;
            (number.as_f64()? < least).then(|| at_root(format!("must be at least {least}, not {number}")))
        }
        _ => None,
    }
}

/// The types that `leaves` name; `None` if one of them allows any.
fn types_of<'a>(leaves: &[&'a Map<String, Json>]) -> Option<Vec<&'a str>> {
    let mut types = Vec::new();
    for leaf in leaves {
        match leaf.get("type")? {
            Json::String(name) => types.push(name.as_str()),
            Json::Array(names) => types.extend(names.iter().filter_map(Json::as_str)),
            _ => return None,
        }
    }
    Some(types)
}

/// A type of JSON Schema in words; null is never what a user should write.
fn said_of(name: &str) -> Option<&'static str> {
    match name {
        "string" => Some("text"),
        "array" => Some("a list"),
        "object" => Some("a table"),
        "boolean" => Some("true or false"),
        "integer" => Some("a whole number"),
        "number" => Some("a number"),
        _ => None,
    }
}

/// What is wrong with `text` where the schema lists the words allowed.
fn unknown_word(text: &str, leaves: &[&Map<String, Json>]) -> Option<Problem> {
    let mut words = Vec::new();
    for leaf in leaves.iter().filter(|leaf| leaf.get("type").is_some_and(|name| name == "string")) {
        match (leaf.get("const"), leaf.get("enum").and_then(Json::as_array)) {
            (Some(word), _) => words.extend(word.as_str()),
            (None, Some(several)) => words.extend(several.iter().filter_map(Json::as_str)),
            (None, None) => return None,
        }
    }
    if words.is_empty() || words.contains(&text) {
        return None;
    }
    let remedy = match nearest(text, words.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("write {}", words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" or ")),
    };
    Some(Problem::new(KeyPath::root(), format!("unknown word `{text}`")).remedy(remedy))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or(text).into()
}

fn missing(path: &KeyPath, key: &str, leaf: &Map<String, Json>) -> Problem {
    let problem = Problem::new(path.clone(), format!("the key `{key}` is missing"));
    match leaf.get("properties").and_then(|p| p.get(key)?.get("description")?.as_str()) {
        Some(description) => problem.remedy(format!("add `{key}`: {}", first_line(description))),
        None => problem.remedy(format!("add `{key}`")),
    }
}
