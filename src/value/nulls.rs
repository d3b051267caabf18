//! Which fields are null.

use crate::value::TextRules;

/// The null tokens of one column.
///
/// An empty field is nothing special: it is null where the tokens hold the
/// empty text.
#[derive(Debug, Clone)]
pub struct NullTokens {
    /// All but the empty one.
    tokens: Vec<Box<[u8]>>,
    empty_is_null: bool,
    /// Bytes of the longest token: most fields are told apart by length alone.
    max_len: usize,
    quoted_nulls: bool,
}

impl NullTokens {
    /// The tokens of a column's rules.
    pub fn new(rules: &TextRules) -> Self {
        let tokens: Vec<Box<[u8]>> = rules
            .null_tokens
            .iter()
            .filter(|token| !token.is_empty())
            .map(|token| token.as_bytes().into())
            .collect();
        NullTokens {
            empty_is_null: rules.null_tokens.iter().any(String::is_empty),
            max_len: tokens.iter().map(|token| token.len()).max().unwrap_or(0),
            quoted_nulls: rules.quoted_nulls,
            tokens,
        }
    }

    /// Whether a field is null, by its [`null_text`](crate::parse::null_text).
    #[inline]
    pub fn is_null(&self, text: &[u8], quoted: bool) -> bool {
        if quoted && !self.quoted_nulls {
            return false;
        }
        match text.len() {
            0 => self.empty_is_null,
            len if len > self.max_len => false,
            _ => self.tokens.iter().any(|token| **token == *text),
        }
    }
}
