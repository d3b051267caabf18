use super::check;
use crate::value::convert::ConvertError::{
    LeadingZero, Malformed, NotWhole, OutOfRange, TooPrecise, TooSmall,
};
use crate::value::convert::{ConvertError, Marks, NumberRules, binary, boolean, decimal, float, integer};
use crate::value::{BinaryForm, LeadingZeros, Rounding, TextRules};

#[test]
fn signed_integers() {
    check(
        integer::signed::<i64>,
        &[
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("+5", Ok(5)),
            ("007", Ok(7)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("000000000000000000000000012", Ok(12)),
            ("9223372036854775808", Err(OutOfRange)),
            ("-9223372036854775809", Err(OutOfRange)),
            ("99999999999999999999999", Err(OutOfRange)),
            ("99999999999999999999999x", Err(Malformed)),
            ("", Err(Malformed)),
            ("-", Err(Malformed)),
            ("+", Err(Malformed)),
            ("--1", Err(Malformed)),
            (" 5", Err(Malformed)),
            ("5 ", Err(Malformed)),
            ("1_000", Err(Malformed)),
            ("1,000", Err(Malformed)),
            ("1.0", Err(Malformed)),
            ("1e3", Err(Malformed)),
            ("0x10", Err(Malformed)),
            ("١", Err(Malformed)),
            ("5\0", Err(Malformed)),
        ],
    );
    check(integer::signed::<i8>, &[("-128", Ok(-128)), ("127", Ok(127)), ("128", Err(OutOfRange))]);
    check(integer::signed::<i16>, &[("-32768", Ok(-32768)), ("32768", Err(OutOfRange))]);
    check(integer::signed::<i32>, &[("-2147483648", Ok(i32::MIN)), ("2147483648", Err(OutOfRange))]);
}

#[test]
fn unsigned_integers() {
    check(
        integer::unsigned::<u64>,
        &[
            ("18446744073709551615", Ok(u64::MAX)),
            ("18446744073709551616", Err(OutOfRange)),
            ("-0", Ok(0)),
            ("-1", Err(OutOfRange)),
            ("-", Err(Malformed)),
        ],
    );
    check(integer::unsigned::<u8>, &[("255", Ok(255)), ("+256", Err(OutOfRange))]);
}

#[test]
fn floats() {
    check(
        float::float::<f64>,
        &[
            ("1", Ok(1.0)),
            ("+1.5", Ok(1.5)),
            (".5", Ok(0.5)),
            ("5.", Ok(5.0)),
            ("1e-2", Ok(0.01)),
            ("-1E+3", Ok(-1000.0)),
            ("0.1", Ok(0.1)),
            ("1.7976931348623157e308", Ok(f64::MAX)),
            ("4.9e-324", Ok(f64::from_bits(1))),
            ("1e-999", Err(TooSmall)),
            ("-0.00001e-400", Err(TooSmall)),
            ("0e999", Ok(0.0)),
            ("-0.000e-999", Ok(0.0)),
            ("inf", Ok(f64::INFINITY)),
            ("+Infinity", Ok(f64::INFINITY)),
            ("-INF", Ok(f64::NEG_INFINITY)),
            ("1e999", Err(OutOfRange)),
            ("-1e309", Err(OutOfRange)),
            ("1e99999999999999999999999", Err(OutOfRange)),
            ("", Err(Malformed)),
            (".", Err(Malformed)),
            ("-", Err(Malformed)),
            ("e5", Err(Malformed)),
            ("1e", Err(Malformed)),
            ("1e+", Err(Malformed)),
            ("1,5", Err(Malformed)),
            ("1.5.", Err(Malformed)),
            (" 1", Err(Malformed)),
            ("1f", Err(Malformed)),
            ("infin", Err(Malformed)),
            ("nan(1)", Err(Malformed)),
            ("0x1p3", Err(Malformed)),
        ],
    );
    for nan in ["NaN", "nan", "-NAN", "+nan"] {
        assert!(float::float::<f64>(nan.as_bytes()).is_ok_and(f64::is_nan), "{nan}");
    }
    check(
        float::float::<f32>,
        &[
            ("3.4028235e38", Ok(f32::MAX)),
            ("1e-46", Err(TooSmall)),
            ("1e39", Err(OutOfRange)),
            ("16777217", Ok(16777216.0)),
        ],
    );
}

#[test]
fn decimals() {
    check(
        |text| decimal::decimal(text, 5, 2, Rounding::Error),
        &[
            ("123.45", Ok(12345)),
            ("-0.01", Ok(-1)),
            ("+1", Ok(100)),
            (".5", Ok(50)),
            ("5.", Ok(500)),
            ("-0.00", Ok(0)),
            ("999.99", Ok(99999)),
            ("000000999.99", Ok(99999)),
            ("1.2300000", Ok(123)),
            ("1e-2", Ok(1)),
            ("12345e-2", Ok(12345)),
            ("1.5E2", Ok(15000)),
            ("0.00001e5", Ok(100)),
            ("0e99999999999999999999999999", Ok(0)),
            ("0e-99999999999999999999999999", Ok(0)),
            ("1000", Err(OutOfRange)),
            ("1e3", Err(OutOfRange)),
            ("1e99999999999999999999999999", Err(OutOfRange)),
            ("1.234", Err(TooPrecise)),
            ("1e-3", Err(TooPrecise)),
            ("1e-99999999999999999999999999", Err(TooPrecise)),
            ("", Err(Malformed)),
            (".", Err(Malformed)),
            ("-.", Err(Malformed)),
            ("1.2.3", Err(Malformed)),
            ("1e", Err(Malformed)),
            ("1e1.5", Err(Malformed)),
            ("1e5x", Err(Malformed)),
            ("12345678x", Err(Malformed)),
            (" 1", Err(Malformed)),
            ("NaN", Err(Malformed)),
            ("1,5", Err(Malformed)),
        ],
    );
    const NINES: &str = "99999999999999999999999999999999999999";
    check(
        |text| decimal::decimal(text, 38, 0, Rounding::Error),
        &[
            (NINES, Ok(10i128.pow(38) - 1)),
            ("-99999999999999999999999999999999999999", Ok(1 - 10i128.pow(38))),
            ("1e37", Ok(10i128.pow(37))),
            ("100000000000000000000000000000000000000", Err(OutOfRange)),
            ("1e38", Err(OutOfRange)),
        ],
    );
    check(
        |text| decimal::decimal(text, 38, 38, Rounding::Error),
        &[
            (&format!("0.{NINES}"), Ok(10i128.pow(38) - 1)),
            ("1e-38", Ok(1)),
            ("1e-39", Err(TooPrecise)),
            ("1", Err(OutOfRange)),
        ],
    );
}

#[test]
fn rounding() {
    use Rounding::{Down, Error, HalfEven, HalfUp};
    for (text, [error, half_up, half_even, down]) in [
        ("1.230", [Ok(123); 4]),
        ("1.234", [Err(TooPrecise), Ok(123), Ok(123), Ok(123)]),
        ("1.235", [Err(TooPrecise), Ok(124), Ok(124), Ok(123)]),
        ("1.245", [Err(TooPrecise), Ok(125), Ok(124), Ok(124)]),
        ("1.24501", [Err(TooPrecise), Ok(125), Ok(125), Ok(124)]),
        ("-1.245", [Err(TooPrecise), Ok(-125), Ok(-124), Ok(-124)]),
        ("0.005", [Err(TooPrecise), Ok(1), Ok(0), Ok(0)]),
        ("5e-3", [Err(TooPrecise), Ok(1), Ok(0), Ok(0)]),
        ("9e-4", [Err(TooPrecise), Ok(0), Ok(0), Ok(0)]),
        ("9e-99", [Err(TooPrecise), Ok(0), Ok(0), Ok(0)]),
        ("-0.001", [Err(TooPrecise), Ok(0), Ok(0), Ok(0)]),
        ("999.995", [Err(TooPrecise), Err(OutOfRange), Err(OutOfRange), Ok(99999)]),
        ("1000.001", [Err(OutOfRange); 4]),
    ] {
        let found = [Error, HalfUp, HalfEven, Down].map(|r| decimal::decimal(text.as_bytes(), 5, 2, r));
        assert_eq!(found, [error, half_up, half_even, down], "{text}");
    }
    for (text, [error, half_up, half_even, down]) in [
        ("12", [Ok(12); 4]),
        ("1.0", [Err(NotWhole), Ok(1), Ok(1), Ok(1)]),
        ("1e2", [Err(NotWhole), Ok(100), Ok(100), Ok(100)]),
        ("2.5", [Err(NotWhole), Ok(3), Ok(2), Ok(2)]),
        ("-2.5", [Err(NotWhole), Ok(-3), Ok(-2), Ok(-2)]),
        ("127.5", [Err(NotWhole), Err(OutOfRange), Err(OutOfRange), Ok(127)]),
        ("300", [Err(OutOfRange); 4]),
        ("one", [Err(Malformed); 4]),
        ("", [Err(Malformed); 4]),
    ] {
        let found = [Error, HalfUp, HalfEven, Down].map(|rounding| {
            let rules = NumberRules::new(&TextRules { rounding, ..TextRules::default() });
            rules.integer(text.as_bytes(), integer::signed::<i8>)
        });
        assert_eq!(found, [error, half_up, half_even, down], "{text}");
    }
}

#[test]
fn numbers_with_text_around_them() {
    let read = |rules: TextRules| {
        move |text: &[u8]| {
            let mut scratch = Vec::new();
            let plain = NumberRules::new(&rules).plain(text, &mut scratch)?;
            Ok::<_, ConvertError>(String::from_utf8_lossy(plain).into_owned())
        }
    };
    let plain = |text: &str| Ok(text.to_owned());
    let around = TextRules { bare_number: false, ..TextRules::default() };
    check(
        read(around.clone()),
        &[
            ("95%", plain("95")),
            ("€ 5.50", plain("5.50")),
            ("-€5", plain("-5")),
            ("USD -5", plain("-5")),
            ("+5 EUR", plain("5")),
            ("1e3 EUR", plain("1e3")),
            ("$.5", Err(Malformed)),
            ("$ .5", plain(".5")),
            ("5.", plain("5.")),
            ("NaN", plain("NaN")),
            ("-inf", plain("-inf")),
            ("", plain("")),
            ("5 EUR 3", plain("5 EUR 3")),
            // What may mean something is not dropped.
            ("(5)", Err(Malformed)),
            ("5-", Err(Malformed)),
            ("--5", Err(Malformed)),
            ("Rs.5", Err(Malformed)),
            ("\u{2212}5", Err(Malformed)),
            ("٣5", Err(Malformed)),
        ],
    );
    let invalid = NumberRules::new(&around).plain(b"\xff5", &mut Vec::new()).err();
    assert_eq!(invalid, Some(Malformed));
    check(
        read(TextRules { decimal_mark: b',', group_mark: Some(b'.'), ..around }),
        &[("1.234,50 €", plain("1234.50")), ("€1.23", Err(Malformed))],
    );
    check(
        read(TextRules { leading_zeros: LeadingZeros::Error, ..TextRules::default() }),
        &[
            ("007", Err(LeadingZero)),
            ("-00.5", Err(LeadingZero)),
            ("0", plain("0")),
            ("0.5", plain("0.5")),
            ("100", plain("100")),
        ],
    );
}

#[test]
fn marks() {
    let read = |text: &[u8], decimal, group| {
        let mut scratch = Vec::new();
        let plain = Marks { decimal, group }.plain(text, &mut scratch)?;
        Ok::<_, ConvertError>(String::from_utf8_lossy(plain).into_owned())
    };
    let plain = |text: &str| Ok(text.to_owned());
    check(
        |text| read(text, b'.', Some(b'_')),
        &[("1_000", plain("1000")), ("-1_000_000.5", plain("-1000000.5")), ("1000", plain("1000"))],
    );
    check(
        |text| read(text, b',', Some(b'.')),
        &[
            ("1.234,5", plain("1234.5")),
            ("1234,5", plain("1234.5")),
            ("12.34.567", Err(Malformed)),
            ("1.23.4", Err(Malformed)),
            ("1.234.567", plain("1234567")),
            ("+1,5e-3", plain("+1.5e-3")),
            ("NaN", plain("NaN")),
            ("", plain("")),
            ("1.5", Err(Malformed)),
            ("1234.567", Err(Malformed)),
            (".123", Err(Malformed)),
            ("1..234", Err(Malformed)),
            ("1.234.", Err(Malformed)),
            ("1,234.567", Err(Malformed)),
        ],
    );
    check(|text| read(text, b',', None), &[("1,5", plain("1.5")), ("1.5", Err(Malformed))]);
}

#[test]
fn booleans() {
    let convert =
        |ignore_case| move |text: &[u8]| boolean::boolean(text, &["true", "1"], &["false", "0"], ignore_case);
    check(convert(true), &[("TRUE", Ok(true)), ("False", Ok(false)), ("tru", Err(Malformed))]);
    check(
        convert(false),
        &[
            ("true", Ok(true)),
            ("1", Ok(true)),
            ("0", Ok(false)),
            ("True", Err(Malformed)),
            ("", Err(Malformed)),
        ],
    );
}

#[test]
fn binaries() {
    let convert = |form| {
        move |text: &[u8]| {
            let mut bytes = b">".to_vec();
            binary::binary(text, form, &mut bytes).map(|()| String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    check(
        convert(BinaryForm::Base64),
        &[
            ("", Ok(">".into())),
            ("aGk=", Ok(">hi".into())),
            ("aGk", Err(Malformed)),
            ("aGl=", Err(Malformed)),
            ("aG k=", Err(Malformed)),
        ],
    );
    check(
        convert(BinaryForm::Hex),
        &[
            ("6869", Ok(">hi".into())),
            ("4a4B", Ok(">JK".into())),
            ("686", Err(Malformed)),
            ("6g", Err(Malformed)),
        ],
    );
}
