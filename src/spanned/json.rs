//! JSON → [`Node`].
//!
//! serde_json judges the grammar but keeps no places, so the text is walked a
//! second time for them. The walk trusts that the text is valid.

use super::document::SyntaxError;
use super::{Node, Origin, Value};
use serde::de::IgnoredAny;

pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    // Also bounds the depth that the walk below recurses to.
    serde_json::from_str::<serde_json::Value>(text).map_err(|error| syntax_error(text, &error))?;
    JsonWalk { text, at: 0 }.value()
}

fn syntax_error(text: &str, error: &serde_json::Error) -> SyntaxError {
    let lines_before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let line_start = lines_before.map(str::len).sum::<usize>();
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let offset = line_start + error.column().saturating_sub(1);
    SyntaxError::new(offset, message.strip_suffix(&place).unwrap_or(&message))
}

struct JsonWalk<'a> {
    text: &'a str,
    at: usize,
}

impl JsonWalk<'_> {
    fn value(&mut self) -> Result<Node, SyntaxError> {
        self.skip_space();
        let origin = Origin::File(self.at);
        let value = match self.peek() {
            Some(b'{') => self.table()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Value::Text(self.scalar()?),
            _ => Value::Scalar(self.scalar()?),
        };
        Ok(Node { value, origin })
    }

    fn table(&mut self) -> Result<Value, SyntaxError> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        self.at += 1;
        while self.more(b'}') {
            let offset = self.at;
            let key: String = self.scalar()?;
            if entries.iter().any(|(name, _)| *name == key) {
                return Err(SyntaxError::new(offset, format!("duplicate key `{key}`")));
            }
            self.skip_space();
            self.at += 1; // the colon
            let node = self.value()?;
            entries.push((key, Node { origin: Origin::File(offset), ..node }));
        }
        Ok(Value::Table(entries))
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        self.at += 1;
        while self.more(b']') {
            items.push(self.value()?);
        }
        Ok(Value::Array(items))
    }

    /// Steps over space, a comma, and `close`; whether an element comes next.
    fn more(&mut self, close: u8) -> bool {
        self.skip_space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
        }
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                false
            }
            next => next.is_some(),
        }
    }

    /// A string, number, boolean or null.
    fn scalar<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, SyntaxError> {
        let rest = &self.text[self.at..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        stream.next();
        let length = stream.byte_offset();
        let parsed = serde_json::from_str(rest.get(..length).unwrap_or(rest));
        let value = parsed.map_err(|error| SyntaxError::new(self.at, syntax_error(rest, &error).message))?;
        self.at += length;
        Ok(value)
    }

    fn skip_space(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
