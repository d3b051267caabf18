//! Numbers: which marks they are written with, and which type holds them exactly.

use crate::value::ColumnType;
use crate::value::convert::{self, Marks};

/// Ways to write a number, in order of preference. Of a decimal mark, the first
/// that fits wins.
const STYLES: [Marks; 7] = [
    Marks::PLAIN,
    Marks { decimal: b'.', group: Some(b',') },
    Marks { decimal: b'.', group: Some(b'\'') },
    Marks { decimal: b'.', group: Some(b' ') },
    Marks { decimal: b',', group: None },
    Marks { decimal: b',', group: Some(b'.') },
    Marks { decimal: b',', group: Some(b' ') },
];

/// Digits that 128 bits hold; Arrow's and Redshift's limit.
const MAX_DIGITS: usize = 38;
/// Digits that 64 bits hold: decimals of so many are half as large.
const SMALL_DIGITS: usize = 18;

/// What the numbers of a column allow.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// What was read in each of [`STYLES`]; `None` if a value cannot be.
    styles: [Option<Figures>; STYLES.len()],
    /// Whether every value is eight digits that are a date of a year like ours.
    compact_dates: bool,
}

/// The numbers of a column, as read in one style.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Figures {
    /// Numbers seen; words such as `inf` do not count.
    seen: bool,
    whole_digits: usize,
    /// Most digits after the decimal mark.
    scale: usize,
    /// Whether a number has an exponent, or a mark with nothing after it.
    floating: bool,
    /// Whether a number has an exponent.
    exponents: bool,
    /// Whether a number is written as codes are, too: `12E4`.
    codes: bool,
    /// Whether a number is written as no code is: with a mark, or a sign in its exponent.
    quantities: bool,
    /// Whether a float would not give some number back.
    beyond_floats: bool,
    /// `inf` and the like.
    words: bool,
}

/// A type for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberType {
    pub(super) column_type: ColumnType,
    pub(super) marks: Marks,
}

/// Why numbers were found to be text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclear {
    /// They are none.
    NotNumbers,
    /// `1,234` is more than a thousand in some countries and less than two in others.
    Marks,
    /// All that is not whole is like `12E4`, which is the way of codes.
    Codes,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { styles: [Some(Figures::default()); STYLES.len()], compact_dates: true }
    }
}

impl Numbers {
    pub(super) fn observe(&mut self, value: &[u8]) {
        let mut scratch = Vec::new();
        for (marks, slot) in STYLES.iter().zip(&mut self.styles) {
            let Some(figures) = slot else { continue };
            let fits = marks.plain(value, &mut scratch).is_ok_and(|plain| figures.add(plain));
            if !fits {
                *slot = None;
            }
        }
        self.compact_dates &= is_compact_date(value);
    }

    /// Whether no number can be found any more.
    pub(super) fn is_over(&self) -> bool {
        self.styles.iter().all(Option::is_none)
    }

    /// Whether a number has an exponent.
    pub(super) fn has_exponents(&self) -> bool {
        self.styles.iter().flatten().any(|figures| figures.exponents)
    }

    /// Whether whole numbers may be dates without marks.
    pub(super) fn may_be_dates(&self) -> bool {
        self.compact_dates
    }

    /// Changes when what [`Numbers::settle`] gives may change, but for the
    /// number of digits.
    pub(super) fn fingerprint(&self) -> u64 {
        self.styles.iter().fold(0, |bits, figures| bits << 9 | figures.map_or(0, |f| 0x100 | f.kind()))
    }

    /// The type that gives every number back. `nan`: the column has NaN, too.
    pub(super) fn settle(&self, nan: bool) -> Result<NumberType, Unclear> {
        let found = |decimal: u8| {
            let styles = STYLES.iter().zip(&self.styles).filter(|(marks, _)| marks.decimal == decimal);
            let mut types = styles.filter_map(|(marks, figures)| {
                let column_type = figures.as_ref()?.column_type(nan)?;
                Some(NumberType { column_type, marks: *marks })
            });
            types.next()
        };
        match (found(b'.'), found(b',')) {
            (Some(point), None) => Ok(point),
            (None, Some(comma)) => Ok(comma),
            (None, None) if self.styles.iter().flatten().any(Figures::are_codes) => Err(Unclear::Codes),
            (None, None) => Err(Unclear::NotNumbers),
            (Some(point), Some(comma)) => {
                let whole = |found: NumberType| matches!(found.column_type, ColumnType::Int { .. });
                let same = whole(point) && whole(comma) && point.marks.group == comma.marks.group;
                // What needs no group marks is what everybody reads.
                if point.marks == Marks::PLAIN || same { Ok(point) } else { Err(Unclear::Marks) }
            }
        }
    }
}

impl Figures {
    /// Adds a number with a decimal point and without group marks; false if it is none.
    fn add(&mut self, plain: &[u8]) -> bool {
        let is_float = || convert::float::float::<f64>(plain).is_ok();
        let unsigned = plain.strip_prefix(b"-").unwrap_or(plain);
        let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) if unsigned[0].is_ascii_digit() || unsigned[0] == b'.' => unsigned.split_at(at),
            _ => (unsigned, &[][..]),
        };
        let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
            Some(at) => (&mantissa[..at], Some(&mantissa[at + 1..])),
            None => (mantissa, None),
        };
        let digits = || whole.iter().chain(fraction.unwrap_or_default());
        if !digits().all(u8::is_ascii_digit) || digits().next().is_none() {
            // Words such as inf are values of float columns, but no evidence for one.
            self.words = true;
            return !unsigned.contains(&b'+') && is_float();
        }
        let is_code = fraction.is_none() && matches!(exponent, [_, b'0'..=b'9', ..]);
        if is_identifier(whole, plain) || is_code && matches!(exponent, [_, b'0', _, ..]) {
            return false;
        }
        let whole_number = fraction.is_none() && exponent.is_empty();
        // Account numbers and the like have more digits than an integer.
        if whole_number && convert::integer::signed::<i64>(plain).is_err() || !whole_number && !is_float() {
            return false;
        }
        let scale = fraction.map_or(0, <[u8]>::len);
        self.seen = true;
        self.whole_digits = self.whole_digits.max(whole.len());
        self.scale = self.scale.max(scale);
        self.exponents |= !exponent.is_empty();
        self.codes |= is_code;
        self.quantities |= !whole_number && !is_code;
        self.floating |= !exponent.is_empty() || fraction.is_some_and(<[u8]>::is_empty);
        self.beyond_floats |= !float_gives_back(plain, digits());
        true
    }

    fn kind(&self) -> u64 {
        let flags = [
            self.seen,
            self.scale > 0,
            self.floating,
            self.exponents,
            self.codes,
            self.quantities,
            self.beyond_floats,
            self.words,
        ];
        flags.into_iter().fold(0, |bits, flag| bits << 1 | u64::from(flag))
    }

    fn are_codes(&self) -> bool {
        self.codes && !self.quantities
    }

    /// Numbers that are not whole are floats whatever their digits, so that no
    /// file has another type than the next by chance; but not where a float would
    /// change one of them.
    fn column_type(&self, nan: bool) -> Option<ColumnType> {
        if !self.seen || self.are_codes() {
            return None;
        }
        let scale = self.scale;
        if scale == 0 && !self.floating && !self.words {
            return Some(ColumnType::Int { bits: 64 });
        }
        if !self.beyond_floats {
            return Some(ColumnType::Float64);
        }
        let digits = self.whole_digits + scale;
        let decimal = !self.floating && !self.words && !nan && digits <= MAX_DIGITS;
        decimal.then(|| {
            let precision = if digits <= SMALL_DIGITS { SMALL_DIGITS } else { MAX_DIGITS };
            ColumnType::Decimal { precision: precision as u8, scale: scale as u8 }
        })
    }
}

/// Digits that are not a quantity: a leading zero would be lost, and a plus sign
/// begins telephone numbers.
fn is_identifier(whole: &[u8], plain: &[u8]) -> bool {
    matches!(whole, [b'0', _, ..]) || plain.starts_with(b"+")
}

/// Whether the float nearest to this number is written with the same digits.
fn float_gives_back<'a>(plain: &[u8], digits: impl Iterator<Item = &'a u8>) -> bool {
    let mut digits: Vec<u8> = digits.copied().skip_while(|digit| *digit == b'0').collect();
    let ends = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    digits.truncate(ends);
    if digits.len() <= f64::DIGITS as usize {
        return true;
    }
    let Ok(float) = convert::float::float::<f64>(plain) else { return false };
    let shortest = format!("{:e}", float.abs());
    let shortest = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit);
    shortest.eq(digits)
}

fn is_compact_date(value: &[u8]) -> bool {
    let ([b'1', b'9', ..] | [b'2', b'0', ..]) = value else { return false };
    let Ok(text) = <&[u8; 8]>::try_from(value) else { return false };
    let iso = [&text[..4], b"-", &text[4..6], b"-", &text[6..]].concat();
    convert::date::date(&iso, &[]).is_ok()
}
