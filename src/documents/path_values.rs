//! What the directories above an input say of it: `day=2024-01-01/`.

use super::Input;
use crate::value::hive::{NULL_DIRECTORY, unescape};
use percent_encoding::percent_decode_str;

impl Input {
    /// Key and value of each directory `key=value/` of the URL, outermost first;
    /// `None` for the directory that stands for null.
    pub fn path_values(&self) -> Vec<(String, Option<String>)> {
        let is_local = self.url.starts_with("file:");
        let mut parts: Vec<&str> = self.url.split('/').collect();
        // The name of the file itself.
        parts.pop();
        let value = |part: &str| {
            // In the URL of a file, the names of Hive are escaped once more.
            let name = if is_local { local_name(part) } else { part.to_owned() };
            let (key, value) = name.split_once('=')?;
            let value = (value != NULL_DIRECTORY).then(|| unescape(value).into_owned());
            (!key.is_empty()).then(|| (unescape(key).into_owned(), value))
        };
        parts.into_iter().filter_map(value).collect()
    }
}

/// A name as it stands on the disk. What is not UTF-8 there stays escaped.
fn local_name(part: &str) -> String {
    percent_decode_str(part).decode_utf8().map_or_else(
        // The one escape that the key needs.
        |_| part.replace("%3D", "="),
        |name| name.into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_stand_in_directories() {
        for (url, expected) in [
            ("s3://b/t/day=2024-01-01/h=7/x=1.csv", &[("day", Some("2024-01-01")), ("h", Some("7"))][..]),
            ("s3://b/a=%2F%3A/x.csv", &[("a", Some("/:"))]),
            ("file:///t/a%3D1/x.csv", &[("a", Some("1"))]),
            ("file:///t/a=b%25201/x.csv", &[("a", Some("b 1"))]),
            ("file:///t/a=b%3Dc/x.csv", &[("a", Some("b=c"))]),
            ("file:///t/a%3Dcaf%E9/x.csv", &[("a", Some("caf%E9"))]),
            ("s3://b/a=__HIVE_DEFAULT_PARTITION__/x.csv", &[("a", None)]),
            ("s3://b/a=/=b/c/x.csv", &[("a", Some(""))]),
            ("stdin:", &[]),
        ] {
            let input = Input { url: url.to_owned(), ..Input::default() };
            let found = input.path_values();
            let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
            assert_eq!(found, expected, "{url}");
        }
    }
}
