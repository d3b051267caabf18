use super::choice;
use crate::value::convert::{ConvertError, Marks, NumberRules, decimal, float, integer};
use crate::value::{LeadingZeros, Rounding};
use std::cmp::Ordering;

const ROUNDINGS: [Rounding; 4] = [Rounding::Error, Rounding::HalfUp, Rounding::HalfEven, Rounding::Down];

/// Every width of integer, against 128 bits and their limits.
pub fn integers(text: &[u8]) {
    let slow = |least: i128, most: i128| {
        let (_, digits) = signed_digits(text).ok_or(ConvertError::Malformed)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConvertError::Malformed);
        }
        let negative = text.starts_with(b"-");
        let significant = digits.trim_start_matches('0');
        let value: i128 = match significant.len() {
            0 => 0,
            1..=30 => significant.parse().map_err(|_| ConvertError::OutOfRange)?,
            _ => return Err(ConvertError::OutOfRange),
        };
        let value = if negative { -value } else { value };
        if (least..=most).contains(&value) { Ok(value) } else { Err(ConvertError::OutOfRange) }
    };
    macro_rules! widths {
        ($read:path: $($width:ty),*) => {$(
            let fast = $read(text).map(|value: $width| i128::from(value));
            assert_eq!(
                fast, slow(<$width>::MIN.into(), <$width>::MAX.into()),
                "{} {:?}", stringify!($width), text.escape_ascii().to_string()
            );
        )*};
    }
    widths!(integer::signed: i8, i16, i32, i64);
    widths!(integer::unsigned: u8, u16, u32, u64);
    for rounding in ROUNDINGS {
        let decimal = slow_decimal(text, 38, 0, rounding);
        let expected = match (rounding, slow_decimal(text, 38, 0, Rounding::Down)) {
            (Rounding::Error, Ok(_)) => Err(ConvertError::NotWhole),
            (Rounding::Error, Err(why)) => Err(why),
            _ => decimal.and_then(|value| i64::try_from(value).map_err(|_| ConvertError::OutOfRange)),
        };
        assert_eq!(
            integer::rounded::<i64>(text, rounding),
            expected,
            "{:?}",
            text.escape_ascii().to_string()
        );
    }
}

/// Decimals of a precision, a scale and a rounding that the first bytes choose,
/// against digits moved about as text.
pub fn decimals(data: &[u8]) {
    let (precision, data) = choice(data, 38);
    let precision = precision as u8 + 1;
    let (scale, data) = choice(data, usize::from(precision) + 1);
    let (rounding, text) = choice(data, ROUNDINGS.len());
    let (scale, rounding) = (scale as u8, ROUNDINGS[rounding]);
    assert_eq!(
        decimal::decimal(text, precision, scale, rounding),
        slow_decimal(text, precision, scale, rounding),
        "decimal({precision},{scale}) {rounding:?} {:?}",
        text.escape_ascii().to_string()
    );
}

/// An optional sign, and the rest as text.
fn signed_digits(text: &[u8]) -> Option<(bool, &str)> {
    let text = std::str::from_utf8(text).ok()?;
    Some((text.starts_with('-'), text.strip_prefix(['+', '-']).unwrap_or(text)))
}

fn slow_decimal(text: &[u8], precision: u8, scale: u8, rounding: Rounding) -> Result<i128, ConvertError> {
    let (negative, unsigned) = signed_digits(text).ok_or(ConvertError::Malformed)?;
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ConvertError::Malformed);
    }
    let exponent = exponent.map_or(Some(0), slow_exponent).ok_or(ConvertError::Malformed)?;

    // The value in units of the last place is these digits, so many places to
    // the left; a thousand places say as much as more do.
    let places = exponent.saturating_add(i128::from(scale)) - fraction.len() as i128;
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    let far = 1000 + digits.len() as i128;
    let places = places.clamp(-far, far);
    let (kept, lost) = if places >= 0 {
        (format!("{digits}{}", "0".repeat(places as usize)), String::new())
    } else {
        let cut = -places as usize;
        let padded = format!("{}{digits}", "0".repeat(cut.saturating_sub(digits.len())));
        let (kept, lost) = padded.split_at(padded.len() - cut);
        (kept.trim_start_matches('0').to_owned(), lost.to_owned())
    };
    if kept.len() > usize::from(precision) {
        return Err(ConvertError::OutOfRange);
    }
    let magnitude: u128 =
        if kept.is_empty() { 0 } else { kept.parse().map_err(|_| ConvertError::OutOfRange)? };
    let half = format!("5{}", "0".repeat(lost.len().saturating_sub(1)));
    let is_lost = lost.bytes().any(|digit| digit != b'0');
    let up = match (rounding, lost.as_str().cmp(&half)) {
        _ if !is_lost => 0,
        (Rounding::Error, _) => return Err(ConvertError::TooPrecise),
        (Rounding::Down, _) | (_, Ordering::Less) => 0,
        (Rounding::HalfEven, Ordering::Equal) => magnitude % 2,
        _ => 1,
    };
    let magnitude = magnitude + up;
    if magnitude.to_string().len() > usize::from(precision) {
        return Err(ConvertError::OutOfRange);
    }
    let value = magnitude as i128;
    Ok(if negative { -value } else { value })
}

fn slow_exponent(text: &str) -> Option<i128> {
    let (negative, digits) = signed_digits(text.as_bytes())?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse().unwrap_or(i128::MAX / 4);
    Some(if negative { -magnitude } else { magnitude })
}

/// Both floats, against the standard library.
pub fn floats(text: &[u8]) {
    fn agree<T: PartialEq + Copy + Into<f64> + std::fmt::Debug>(
        text: &[u8],
        fast: Result<T, ConvertError>,
        slow: Option<T>,
    ) {
        let is_number = text.iter().any(u8::is_ascii_digit);
        let significant = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
        let nonzero = significant.iter().any(|byte| (b'1'..=b'9').contains(byte));
        let expected = match slow.map(Into::into) {
            None => Err(ConvertError::Malformed),
            Some(value) if value.is_infinite() && is_number => Err(ConvertError::OutOfRange),
            Some(0.0) if is_number && nonzero => Err(ConvertError::TooSmall),
            Some(value) => Ok(value),
        };
        let same = match (fast.map(Into::into), expected) {
            (Ok(fast), Ok(slow)) => fast.to_bits() == slow.to_bits() || (fast.is_nan() && slow.is_nan()),
            (fast, slow) => fast == slow,
        };
        assert!(same, "{:?}: {fast:?}, expected {expected:?}", text.escape_ascii().to_string());
    }
    let as_text = std::str::from_utf8(text).ok();
    agree(text, float::float::<f64>(text), as_text.and_then(|text| text.parse().ok()));
    agree(text, float::float::<f32>(text), as_text.and_then(|text| text.parse().ok()));
}

/// Group and decimal marks: what is accepted is its number with marks put in
/// again. Text around numbers never panics, and never changes digits.
pub fn marked(data: &[u8]) {
    let (choices, text) = choice(data, 8);
    let marks = match choices % 4 {
        0 => Marks { decimal: b',', group: Some(b'.') },
        1 => Marks { decimal: b'.', group: Some(b',') },
        2 => Marks { decimal: b',', group: None },
        _ => Marks { decimal: b'.', group: Some(b' ') },
    };
    let rules = NumberRules {
        marks,
        bare: choices < 4,
        leading_zeros: LeadingZeros::Allow,
        rounding: Rounding::Error,
    };
    let mut scratch = Vec::new();
    let Ok(plain) = rules.plain(text, &mut scratch) else { return };
    let digits = |text: &[u8]| text.iter().copied().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
    let shown = || text.escape_ascii().to_string();
    assert_eq!(digits(plain), digits(text), "{:?}", shown());
    if rules.bare {
        let whole_at = plain.iter().take_while(|byte| matches!(byte, b'+' | b'-')).count().min(1);
        let whole_len = plain[whole_at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = plain[whole_at + whole_len..]
            .iter()
            .map(|byte| if *byte == b'.' { marks.decimal } else { *byte });
        let whole = &plain[whole_at..whole_at + whole_len];
        let mut grouped = Vec::new();
        for (position, digit) in whole.iter().enumerate() {
            let left = whole.len() - position;
            if position > 0 && left % 3 == 0 {
                grouped.extend(marks.group);
            }
            grouped.push(*digit);
        }
        let written = |whole: &[u8]| [&plain[..whole_at], whole, &rest.clone().collect::<Vec<u8>>()].concat();
        assert!(text == written(whole) || text == written(&grouped), "{:?}", shown());
    }
}
