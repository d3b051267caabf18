//! Comments whose mark was only guessed.

use super::Grammar;

/// Whether a comment has the fields of a record, so that the mark may be a
/// letter of its first value: only where the mark was guessed.
///
/// Slow and simple, for both scanners: comments are few.
pub(super) fn looks_like_record(grammar: &Grammar, comment: &[u8]) -> bool {
    grammar.guessed_comment_fields.is_some_and(|fields| fields_of(grammar, comment) == fields)
}

/// How many fields a comment would have if it were a record.
pub(crate) fn fields_of(grammar: &Grammar, comment: &[u8]) -> u64 {
    let (mut fields, mut at, mut field_start) = (1, 0, true);
    while at < comment.len() {
        if grammar.delimiter.stands_at(comment, at) {
            fields += 1;
            at += grammar.delimiter.as_bytes().len();
            field_start = true;
            continue;
        }
        let byte = comment[at];
        if field_start && Some(byte) == grammar.quote {
            at = after_quotes(grammar, comment, at + 1);
        } else {
            at += 1 + usize::from(Some(byte) == grammar.bare_escape());
        }
        field_start &= grammar.leading_space().contains(&byte);
    }
    fields
}

/// Where quotes that were opened right before `at` are closed, or the end.
fn after_quotes(grammar: &Grammar, comment: &[u8], mut at: usize) -> usize {
    let escape = grammar.escape_byte().or(grammar.quote);
    while at < comment.len() {
        let next = comment.get(at + 1).copied();
        if Some(comment[at]) == escape && (next == grammar.quote || next == escape) {
            at += 2;
        } else if Some(comment[at]) == grammar.quote
            && (!grammar.unescaped_quotes || grammar.closes_at(comment, at + 1))
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
        let bars = Grammar { delimiter: Delimiter::new("||").unwrap(), ..Grammar::default() };
        let slashed = Grammar { escape: Escape::Byte(b'\\'), ..Grammar::default() };
        let bare = Grammar { quote: None, ..slashed };
        for (grammar, comment, fields) in [
            (Grammar::default(), &b"#"[..], 1),
            (Grammar::default(), b"# a, b", 2),
            (Grammar::default(), b"#1,\"a,b\",c", 3),
            (Grammar::default(), b"#1,\"a\"\",b\"", 2),
            (Grammar::default(), b"#1,\"a,b", 2),
            (Grammar::default(), b"#1,a\",b", 3),
            (bars, b"#1||2|3||", 3),
            (slashed, b"#1,\"a\\\",b\"", 2),
            (bare, b"#1\\,\"a,b", 2),
        ] {
            assert_eq!(fields_of(&grammar, comment), fields, "{:?}", String::from_utf8_lossy(comment));
        }
    }

    #[test]
    fn a_guessed_mark_before_the_fields_of_a_record_is_an_error() {
        let given = Grammar { comment: Some(b'#'), ..Grammar::default() };
        let guessed = Grammar { guessed_comment_fields: Some(2), ..given };
        let text = b"a,b\n# one\n\n# a, b, c\n1,2\n#3,\"4\"\r\n5,6\n";
        for (grammar, error) in [(given, None), (guessed, Some((25, 2, 5, ScanProblem::CommentLikeRecord)))] {
            let parsed = reference::parse(&grammar, text);
            let mut index = RecordIndex::default();
            let scanned = Scanner::new(&grammar).scan_tolerant(text, &mut index, &mut Vec::new());
            assert_eq!(scanned.err(), parsed.error);
            assert_eq!(index.len(), parsed.records.len());
            let found = parsed.error.map(|error| (error.offset, error.record, error.line, error.problem));
            assert_eq!(found, error);
        }
    }
}
