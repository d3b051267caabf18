//! The text of an error, without what is secret in it.

use std::error::Error as StdError;

/// An error and its causes, outermost first.
pub(super) fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// Characters of a message that are kept.
const SHOWN: usize = 400;

/// What stands in words that hold a secret: of S3, and of Azure's shared access signatures.
const MARKS: [&str; 6] = ["X-Amz-", "Signature=", "Credential=", "AWSAccessKeyId=", "?sig=", "&sig="];

/// Takes signatures, credentials and query strings out of a message, reduces an
/// XML answer to its code and message, and cuts what is too long.
pub fn redact(text: &str) -> String {
    if let Some(code) = element(text, "Code") {
        let message = element(text, "Message").unwrap_or_default();
        return shorten(&if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") });
    }
    let mut clean = String::with_capacity(text.len());
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            clean.push(' ');
        }
        let secret = MARKS.iter().any(|mark| word.contains(mark));
        match word.find(['?', '=']) {
            Some(cut) if secret => {
                clean.push_str(&word[..=cut]);
                clean.push('…');
                clean.push_str(&word[word.trim_end_matches([',', ';', ')', '"']).len()..]);
            }
            _ => clean.push_str(word),
        }
    }
    shorten(&clean)
}

pub(super) fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let begin = text.find(&format!("<{name}>"))? + name.len() + 2;
    let length = text[begin..].find(&format!("</{name}>"))?;
    Some(&text[begin..begin + length])
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
