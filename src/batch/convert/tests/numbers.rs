use super::check;
use crate::batch::convert::Unconvertible::{Malformed, OutOfRange, TooPrecise};
use crate::batch::convert::{Marks, Unconvertible, binary, boolean, decimal, float, integer};
use crate::schema::BinaryForm;

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
            ("1e-999", Ok(0.0)),
            ("0e999", Ok(0.0)),
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
        &[("3.4028235e38", Ok(f32::MAX)), ("1e39", Err(OutOfRange)), ("16777217", Ok(16777216.0))],
    );
}

#[test]
fn decimals() {
    check(
        |text| decimal::decimal(text, 5, 2),
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
        |text| decimal::decimal(text, 38, 0),
        &[
            (NINES, Ok(10i128.pow(38) - 1)),
            ("-99999999999999999999999999999999999999", Ok(1 - 10i128.pow(38))),
            ("1e37", Ok(10i128.pow(37))),
            ("100000000000000000000000000000000000000", Err(OutOfRange)),
            ("1e38", Err(OutOfRange)),
        ],
    );
    check(
        |text| decimal::decimal(text, 38, 38),
        &[
            (&format!("0.{NINES}"), Ok(10i128.pow(38) - 1)),
            ("1e-38", Ok(1)),
            ("1e-39", Err(TooPrecise)),
            ("1", Err(OutOfRange)),
        ],
    );
}

#[test]
fn marks() {
    let read = |text: &[u8], decimal, group| {
        let mut scratch = Vec::new();
        let plain = Marks { decimal, group }.plain(text, &mut scratch)?;
        Ok::<_, Unconvertible>(String::from_utf8_lossy(plain).into_owned())
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
            ("12.34.567", plain("1234567")),
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
    let convert = |text: &[u8]| boolean::boolean(text, &["true", "1"], &["false", "0"]);
    check(
        convert,
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
