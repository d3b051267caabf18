//! What a column allows in the text of its numbers beside the number.

use super::{ConvertError, Marks, integer, split_sign};
use crate::value::{LeadingZeros, Rounding, TextRules};

/// How the numbers of one column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRules {
    /// Between whole and fraction, and between groups.
    pub marks: Marks,
    /// Whether numbers stand without text around them.
    pub bare: bool,
    /// Whether `007` is a number.
    pub leading_zeros: LeadingZeros,
    /// What happens to digits that the type does not keep.
    pub rounding: Rounding,
}

impl NumberRules {
    /// The rules of a column.
    pub fn new(rules: &TextRules) -> Self {
        NumberRules {
            marks: Marks { decimal: rules.decimal_mark, group: rules.group_mark },
            bare: rules.bare_number,
            leading_zeros: rules.leading_zeros,
            rounding: rules.rounding,
        }
    }

    /// Whether [`Self::plain`] gives every text back as it is.
    pub fn is_plain(&self) -> bool {
        self.marks == Marks::PLAIN && self.bare && self.leading_zeros == LeadingZeros::Allow
    }

    /// The number as the converters read it, in `text` itself or in `scratch`:
    /// without the text around it, with a decimal point, without group marks.
    ///
    /// # Errors
    /// `LeadingZero`, and `Malformed` for misplaced marks and for text around
    /// the number that may be part of its meaning.
    pub fn plain<'a>(&self, text: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], ConvertError> {
        let plain = if self.bare {
            self.marks.plain(text, scratch)?
        } else {
            let (sign, number) = self.without_surroundings(text)?;
            self.marks.rewrite(sign, number, scratch)?
        };
        if self.leading_zeros == LeadingZeros::Error && matches!(split_sign(plain).1, [b'0', b'0'..=b'9', ..])
        {
            return Err(ConvertError::LeadingZero);
        }
        Ok(plain)
    }

    /// The minus that stands before the number in `text`, if any, and the number.
    ///
    /// A currency, a percent sign or a unit says nothing here and goes. Signs
    /// do: one may stand before the number, anywhere (`-€5`, `€ -5`). A sign
    /// after it and brackets are refused, as bookkeepers write `5-` and `(5)`
    /// for what is below zero. Text without any digit is left as it is, for
    /// the words that floats have.
    fn without_surroundings<'a>(&self, text: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), ConvertError> {
        let (Some(first), Some(last)) =
            (text.iter().position(u8::is_ascii_digit), text.iter().rposition(u8::is_ascii_digit))
        else {
            return Ok((&[], text));
        };
        let is_mark = |byte: Option<&u8>| byte == Some(&self.marks.decimal);
        let (mut start, mut end) = (first, last + 1);
        if first > 0 && is_mark(text.get(first - 1)) {
            start -= 1;
        }
        if is_mark(text.get(end)) {
            end += 1;
        }
        let (before, number, after) = (&text[..start], &text[start..end], &text[end..]);
        // Is `Rs.5` five or a half? The mark may belong to either.
        let mark_of_word =
            start < first && before.last().is_some_and(|byte| !matches!(byte, b'+' | b'-' | b' '));
        let signs = before.iter().filter(|byte| matches!(byte, b'+' | b'-')).count();
        let may_count = |text: &[u8]| match std::str::from_utf8(text) {
            Ok(text) => text.chars().any(|c| may_be_part_of_number(c) && !matches!(c, '+' | '-')),
            Err(_) => true,
        };
        let sign_after = after.iter().any(|byte| matches!(byte, b'+' | b'-'));
        if mark_of_word || signs > 1 || sign_after || may_count(before) || may_count(after) {
            return Err(ConvertError::Malformed);
        }
        Ok((if before.contains(&b'-') { b"-" } else { b"" }, number))
    }

    /// An integer as `strict` reads it, or one written with a point or an
    /// exponent, where [`Self::rounding`] allows that.
    #[inline]
    pub fn integer<T: TryFrom<i128>>(
        &self,
        text: &[u8],
        strict: impl Fn(&[u8]) -> Result<T, ConvertError>,
    ) -> Result<T, ConvertError> {
        match strict(text) {
            Err(ConvertError::Malformed) => integer::rounded(text, self.rounding),
            strict => strict,
        }
    }
}

/// Signs, brackets, dashes and the digits of other scripts.
fn may_be_part_of_number(character: char) -> bool {
    matches!(character, '+' | '-' | '(' | ')' | '[' | ']' | '<' | '>')
        || matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0b}' | '\u{ff0d}')
        || character.is_numeric()
}
