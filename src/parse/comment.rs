//! Comments whose mark was only guessed.

use super::Dialect;

/// Whether a comment has the fields of a record, so that the mark may be a
/// letter of its first value: only where the mark was guessed.
///
/// Slow and simple, for both scanners: comments are few.
pub(super) fn looks_like_record(dialect: &Dialect, comment: &[u8]) -> bool {
    dialect.guessed_comment_fields.is_some_and(|fields| fields_of(dialect, comment) == fields)
}

/// How many fields a comment would have if it were a record.
pub(crate) fn fields_of(dialect: &Dialect, comment: &[u8]) -> u64 {
    let (mut fields, mut at, mut field_start) = (1, 0, true);
    while at < comment.len() {
        if dialect.delimiter.stands_at(comment, at) {
            fields += 1;
            at += dialect.delimiter.as_bytes().len();
            field_start = true;
            continue;
        }
        let byte = comment[at];
        if field_start && Some(byte) == dialect.quote {
            at = after_quotes(dialect, comment, at + 1);
        } else {
            at += 1 + usize::from(Some(byte) == dialect.bare_escape());
        }
        field_start &= dialect.leading_space().contains(&byte);
    }
    fields
}

/// Where quotes that were opened right before `at` are closed, or the end.
fn after_quotes(dialect: &Dialect, comment: &[u8], mut at: usize) -> usize {
    let escape = dialect.escape_byte().or(dialect.quote);
    while at < comment.len() {
        let next = comment.get(at + 1).copied();
        if Some(comment[at]) == escape && (next == dialect.quote || next == escape) {
            at += 2;
        } else if Some(comment[at]) == dialect.quote
            && (!dialect.unescaped_quotes || dialect.closes_at(comment, at + 1))
        {
            return at + 1;
        } else {
            at += 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

    use super::*;
    use crate::parse::{Delimiter, Escape, RecordIndex, ScanProblem, Scanner, reference};

    #[test]
    fn fields_are_those_of_a_record() {
        let bars = Dialect { delimiter: Delimiter::new("||").unwrap(), ..Dialect::default() };
        let slashed = Dialect { escape: Escape::Byte(b'\\'), ..Dialect::default() };
        let bare = Dialect { quote: None, ..slashed.clone() };
        for (dialect, comment, fields) in [
            (Dialect::default(), &b"#"[..], 1),
            (Dialect::default(), b"# a, b", 2),
            (Dialect::default(), b"#1,\"a,b\",c", 3),
            (Dialect::default(), b"#1,\"a\"\",b\"", 2),
            (Dialect::default(), b"#1,\"a,b", 2),
            (Dialect::default(), b"#1,a\",b", 3),
            (bars, b"#1||2|3||", 3),
            (slashed, b"#1,\"a\\\",b\"", 2),
            (bare, b"#1\\,\"a,b", 2),
        ] {
            assert_eq!(fields_of(&dialect, comment), fields, "{:?}", String::from_utf8_lossy(comment));
        }
    }

    #[test]
    fn a_guessed_mark_before_the_fields_of_a_record_is_an_error() {
        let given = Dialect { comment: Some(b'#'), ..Dialect::default() };
        let guessed = Dialect { guessed_comment_fields: Some(2), ..given.clone() };
        let text = b"a,b\n# one\n\n# a, b, c\n1,2\n#3,\"4\"\r\n5,6\n";
        for (dialect, error) in [(given, None), (guessed, Some((25, 2, 5, ScanProblem::CommentLikeRecord)))] {
            let parsed = reference::parse(&dialect, text);
            let mut index = RecordIndex::default();
            let scanned = Scanner::new(&dialect).scan_tolerant(text, &mut index, &mut Vec::new());
            assert_eq!(scanned.err(), parsed.error);
            assert_eq!(index.len(), parsed.records.len());
            let found = parsed.error.map(|error| (error.offset, error.record, error.line, error.problem));
            assert_eq!(found, error);
        }
    }
}
