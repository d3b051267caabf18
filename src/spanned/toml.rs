//! TOML → [`Node`].

use super::document::SyntaxError;
use super::{Node, Origin, Value};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let table = DeTable::parse(text)
        .map_err(|error| SyntaxError::new(error.span().map_or(0, |span| span.start), error.message()))?;
    Ok(Node { value: entries(table.get_ref())?, origin: Origin::File(0) })
}

/// One value on its own; `None` if the text is not exactly one.
pub(super) fn parse_value(text: &str) -> Option<Node> {
    // Parsed as the value of a key, so that it has to end where the line ends.
    let root = parse(&format!("value = {text}")).ok()?;
    match root.value {
        Value::Table(mut entries) if entries.len() == 1 => entries.pop().map(|(_, node)| node),
        _ => None,
    }
}

fn entries(table: &DeTable<'_>) -> Result<Value, SyntaxError> {
    let mut keyed = Vec::with_capacity(table.len());
    for (key, value) in table.iter() {
        let value = Node { value: convert(value)?, origin: Origin::File(key.span().start) };
        keyed.push((key.span().start, key.get_ref().to_string(), value));
    }
    keyed.sort_by_key(|(offset, ..)| *offset);
    Ok(Value::Table(keyed.into_iter().map(|(_, key, node)| (key, node)).collect()))
}

fn convert(spanned: &Spanned<DeValue<'_>>) -> Result<Value, SyntaxError> {
    let offset = spanned.span().start;
    Ok(match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(value) => Value::Scalar(value.into()),
            Err(_) => {
                let message = format!("the integer {integer} does not fit in 64 bits");
                return Err(SyntaxError::new(offset, message));
            }
        },
        DeValue::Float(float) => Value::Scalar(float.as_str().parse::<f64>().map_or(Json::Null, Json::from)),
        DeValue::Boolean(value) => Value::Scalar((*value).into()),
        DeValue::Datetime(datetime) => Value::Text(datetime.to_string()),
        DeValue::Array(array) => {
            let node = |item: &Spanned<DeValue<'_>>| {
                Ok(Node { value: convert(item)?, origin: Origin::File(item.span().start) })
            };
            Value::Array(array.iter().map(node).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => entries(table)?,
    })
}
