//! How the text of a column becomes values.

use super::convert::format::POSIX_PIVOT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Table Schema calls true.
pub const DEFAULT_TRUE: [&str; 4] = ["true", "True", "TRUE", "1"];

/// What Table Schema calls false.
pub const DEFAULT_FALSE: [&str; 4] = ["false", "False", "FALSE", "0"];

/// How the text of a field becomes a value.
#[derive(Debug, Clone, PartialEq)]
pub struct TextRules {
    /// Unquoted fields with exactly this text, after the dialect's trimming, are null.
    pub null_tokens: Vec<String>,
    /// Whether a quoted field with the text of a null token is null, too.
    pub quoted_nulls: bool,
    /// strftime formats of dates, times and timestamps, tried in order; empty
    /// means ISO 8601.
    pub formats: Vec<String>,
    /// Zone of timestamps that do not carry one, when the type is an instant.
    pub source_zone: chrono_tz::Tz,
    /// Which instant a local time is that the clocks of that zone showed twice.
    pub ambiguous_time: AmbiguousTime,
    /// First of the hundred years that two-digit years lie in.
    pub two_digit_year_pivot: u16,
    /// Texts that are true.
    pub true_tokens: Vec<String>,
    /// Texts that are false.
    pub false_tokens: Vec<String>,
    /// Whether those texts match in any case of ASCII letters, too.
    pub ignore_case: bool,
    /// The mark between whole and fraction.
    pub decimal_mark: u8,
    /// The mark between groups of digits, if any.
    pub group_mark: Option<u8>,
    /// Whether numbers stand without currency or percent signs around them.
    pub bare_number: bool,
    /// What happens to digits that the type does not keep.
    pub rounding: Rounding,
    /// Whether `007` is a number.
    pub leading_zeros: LeadingZeros,
    /// How binary is written in the text.
    pub binary_form: BinaryForm,
}

impl Default for TextRules {
    /// Table Schema's defaults: the empty field is null, ISO 8601, a decimal point.
    fn default() -> Self {
        let tokens = |tokens: [&str; 4]| tokens.map(str::to_owned).to_vec();
        TextRules {
            null_tokens: vec![String::new()],
            quoted_nulls: false,
            formats: Vec::new(),
            source_zone: chrono_tz::UTC,
            ambiguous_time: AmbiguousTime::default(),
            two_digit_year_pivot: POSIX_PIVOT,
            true_tokens: tokens(DEFAULT_TRUE),
            false_tokens: tokens(DEFAULT_FALSE),
            ignore_case: false,
            decimal_mark: b'.',
            group_mark: None,
            bare_number: true,
            rounding: Rounding::default(),
            leading_zeros: LeadingZeros::default(),
            binary_form: BinaryForm::Base64,
        }
    }
}

/// Which instant a local time is that the clocks of its zone showed twice,
/// having been put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmbiguousTime {
    /// None: it is a bad value.
    #[default]
    Error,
    /// The first of the two.
    Earlier,
    /// The second of the two.
    Later,
}

/// What happens to digits of a number that its type does not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Unless all of them are zeros, the value is bad.
    #[default]
    Error,
    /// To the nearest value; halves away from zero.
    HalfUp,
    /// To the nearest value; halves to the even neighbour.
    HalfEven,
    /// They are cut off: towards zero.
    Down,
}

/// Whether numbers may begin with zeros that say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadingZeros {
    /// `007` is 7.
    #[default]
    Allow,
    /// `007` is a bad value.
    Error,
}

/// How binary values are written in the CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryForm {
    /// RFC 4648, with padding.
    Base64,
    /// Two hexadecimal digits a byte.
    Hex,
}
