//! What separates fields: one to four bytes.

use std::fmt;

/// Separates fields. UTF-8 of one to four bytes, held in place, so that the
/// scanner looks at it without a hop; a string in documents.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Delimiter {
    /// The bytes after `length` are NUL and mean nothing.
    bytes: [u8; Delimiter::MAX_BYTES],
    length: u8,
}

impl Delimiter {
    /// No delimiter is longer, in bytes.
    pub const MAX_BYTES: usize = 4;

    /// `None` if `text` is empty or longer than [`Delimiter::MAX_BYTES`].
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return None;
        }
        let mut bytes = [0; Self::MAX_BYTES];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Some(Delimiter { bytes, length: text.len() as u8 })
    }

    /// At least one byte.
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length as usize]
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// What the scanner looks for.
    #[inline(always)]
    pub(super) fn first(&self) -> u8 {
        self.bytes[0]
    }

    /// The byte that separates fields, if it is one.
    pub fn single(&self) -> Option<u8> {
        (self.length == 1).then_some(self.bytes[0])
    }

    /// Whether it stands at `at` in `text`.
    #[inline]
    pub fn stands_at(&self, text: &[u8], at: usize) -> bool {
        text.get(at..).is_some_and(|rest| rest.starts_with(self.as_bytes()))
    }
}

/// Every character fits.
impl From<char> for Delimiter {
    fn from(character: char) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        let length = character.encode_utf8(&mut bytes).len() as u8;
        Delimiter { bytes, length }
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> String {
        delimiter.as_str().to_owned()
    }
}

impl TryFrom<String> for Delimiter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Delimiter::new(&text).ok_or("a delimiter has one to four bytes")
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
