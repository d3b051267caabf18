use super::choice;
use crate::value::BinaryForm;
use crate::value::convert::{ConvertError, binary as converter, boolean};

/// Base64 or hexadecimal, bit by bit.
pub fn binary(data: &[u8]) {
    let (form, text) = choice(data, 2);
    let (form, bits_per_digit, digits): (_, usize, &[u8]) = match form {
        0 => (BinaryForm::Hex, 4, b"0123456789abcdef"),
        _ => (BinaryForm::Base64, 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    };
    let value_of = |digit: &u8| match form {
        BinaryForm::Hex => digits.iter().position(|known| known.eq_ignore_ascii_case(digit)),
        BinaryForm::Base64 => digits.iter().position(|known| known == digit),
    };
    let padding = match form {
        BinaryForm::Base64 => text.iter().rev().take(2).take_while(|byte| **byte == b'=').count(),
        BinaryForm::Hex => 0,
    };
    let whole = if form == BinaryForm::Hex { 2 } else { 4 };
    let written = &text[..text.len() - padding];
    let values: Option<Vec<usize>> = written.iter().map(value_of).collect();
    let slow = values.filter(|_| text.len() % whole == 0).and_then(|values| {
        let bits: Vec<bool> = values
            .iter()
            .flat_map(|value| (0..bits_per_digit).rev().map(move |bit| value >> bit & 1 == 1))
            .collect();
        let bytes = bits.chunks_exact(8);
        // What padding leaves over is zero.
        let clean = bytes.remainder().iter().all(|bit| !bit) && bytes.remainder().len() < bits_per_digit;
        let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit));
        clean.then(|| bytes.map(byte).collect::<Vec<u8>>())
    });

    let mut found = b"before".to_vec();
    let result = converter::binary(text, form, &mut found);
    let fast = result.ok().map(|()| found.strip_prefix(b"before").unwrap_or_default().to_vec());
    assert_eq!(fast, slow, "{form:?} {:?}", text.escape_ascii().to_string());
}

/// Booleans by lists of tokens, compared as text.
pub fn booleans(data: &[u8]) {
    let (ignore_case, text) = choice(data, 2);
    let (yes, no) = (["true", "Yes", "1", "é"], ["false", "No", "", "0"]);
    let same = |token: &&str| match ignore_case {
        1 => token.bytes().map(|b| b.to_ascii_lowercase()).eq(text.iter().map(|b| b.to_ascii_lowercase())),
        _ => token.bytes().eq(text.iter().copied()),
    };
    let slow = match (yes.iter().any(same), no.iter().any(same)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(ConvertError::Malformed),
    };
    assert_eq!(
        boolean::boolean(text, &yes, &no, ignore_case == 1),
        slow,
        "{:?}",
        text.escape_ascii().to_string()
    );
}
