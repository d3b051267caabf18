//! Binary values, written in text.

use super::ConvertError;
use crate::value::BinaryForm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Appends the bytes that `text` stands for.
///
/// Base64 is RFC 4648 §4 with padding and zero trailing bits; hexadecimal takes
/// digits of either case.
///
/// # Errors
/// `Malformed`; `bytes` may then have grown by some that are to be ignored.
pub fn binary(text: &[u8], form: BinaryForm, bytes: &mut Vec<u8>) -> Result<(), ConvertError> {
    match form {
        BinaryForm::Base64 => STANDARD.decode_vec(text, bytes).map_err(|_| ConvertError::Malformed),
        BinaryForm::Hex => {
            let start = bytes.len();
            bytes.resize(start + text.len() / 2, 0);
            hex::decode_to_slice(text, &mut bytes[start..]).map_err(|_| ConvertError::Malformed)
        }
    }
}
