//! Decimal and group marks: numbers as a locale writes them → as Rust does.

use super::{ConvertError, split_sign};

/// The marks of one column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Between whole and fraction.
    pub decimal: u8,
    /// Between groups of digits, if groups may be marked.
    pub group: Option<u8>,
}

impl Marks {
    /// A decimal point and no groups.
    pub const PLAIN: Marks = Marks { decimal: b'.', group: None };

    /// The same number with a decimal point and without group marks, in `text`
    /// itself or in `scratch`.
    ///
    /// Groups may be left unmarked. If they are marked, the first has one to
    /// three digits and all others three; anything looser would read the `1,5`
    /// of a column with mixed-up marks as fifteen. Anything else about the number is left for
    /// its parser to judge.
    #[inline]
    pub fn plain<'a>(&self, text: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], ConvertError> {
        if *self == Marks::PLAIN {
            return Ok(text);
        }
        let (_, unsigned) = split_sign(text);
        self.rewrite(&text[..text.len() - unsigned.len()], unsigned, scratch)
    }

    /// As [`Self::plain`], with the sign apart.
    pub(super) fn rewrite<'a>(
        &self,
        sign: &[u8],
        unsigned: &[u8],
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], ConvertError> {
        scratch.clear();
        scratch.extend_from_slice(sign);
        let is_group_mark = |byte: u8| Some(byte) == self.group;
        let whole_len =
            unsigned.iter().take_while(|byte| byte.is_ascii_digit() || is_group_mark(**byte)).count();
        let (whole, rest) = unsigned.split_at(whole_len);

        let groups = whole.split(|&byte| is_group_mark(byte));
        let count = groups.clone().count();
        for (position, group) in groups.enumerate() {
            let fits = match position {
                _ if count == 1 => true,
                0 => matches!(group.len(), 1..=3),
                _ => group.len() == 3,
            };
            if !fits {
                return Err(ConvertError::Malformed);
            }
            scratch.extend_from_slice(group);
        }
        for &byte in rest {
            match byte {
                _ if byte == self.decimal => scratch.push(b'.'),
                b'.' => return Err(ConvertError::Malformed),
                _ => scratch.push(byte),
            }
        }
        Ok(scratch)
    }
}
