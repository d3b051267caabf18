use super::*;
use crate::parse::{Delimiter, Escape, Trim};

/// The records as `field|field` with quoted fields in angle brackets, one after
/// the other with ` / ` between; then the error as `problem@offset:line:record:field`.
fn shown(grammar: &Grammar, text: &str) -> String {
    let parsed = parse(grammar, text.as_bytes());
    let field = |field: &Field| {
        let value = String::from_utf8_lossy(&field.value).into_owned();
        if field.quoted { format!("<{value}>") } else { value }
    };
    let record = |record: &Record| record.fields.iter().map(field).collect::<Vec<_>>().join("|");
    let mut parts: Vec<String> = parsed.records.iter().map(record).collect();
    if let Some(ScanError { offset, record, field, line, problem }) = parsed.error {
        parts.push(format!("{problem:?}@{offset}:{line}:{record}:{field}"));
    }
    parts.join(" / ")
}

#[track_caller]
fn check(grammar: &Grammar, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(shown(grammar, text), *expected, "of {text:?}");
    }
}

#[test]
fn records_and_blank_lines() {
    check(
        &Grammar::default(),
        &[
            ("", ""),
            ("a,b\nc,d\n", "a|b / c|d"),
            ("a,b\nc,d", "a|b / c|d"),
            (",\n", "|"),
            ("a,", "a|"),
            ("\n\r\na\n\n", "a"),
            ("\"\"\n", "<>"),
        ],
    );
}

#[test]
fn terminators() {
    let with = |terminator| Grammar { terminator, stray_quotes: StrayQuotes::Keep, ..Grammar::default() };
    check(
        &with(Terminator::Lf),
        &[
            ("a\r\nb\n", "a / b"),
            ("a\rb\r\r\n", "a\rb"),
            ("\r\r\n\r\r\rb\r\r\r\n", "\r\r\rb\r"),
            ("\"a\"\r\r\n\"b\r\r\n\"\n", "<a> / <b\r\r\n>"),
            ("a\r", "a\r"),
            ("\r", "\r"),
            ("\"a\"\r\nb", "<a> / b"),
            ("\"a\"\rb\r\n", "<a\rb>"),
            ("\"a\"\r", "<a\r>"),
            ("\"a\r\n\"\r\n", "<a\r\n>"),
        ],
    );
    check(&with(Terminator::Cr), &[("a\rb\n\r\r", "a / b\n"), ("a\r\nb", "a / \nb")]);
    let separated = Grammar { delimiter: '\u{1f}'.into(), ..with(Terminator::Byte(0x1e)) };
    check(&separated, &[("a\u{1f}b\r\n\u{1e}\u{1e}\"c\u{1e}\"\u{1e}", "a|b\r\n / <c\u{1e}>")]);
    check(&with(Terminator::Any), &[("a\rb\nc\r\nd\n\re\r", "a / b / c / d / e"), ("\"a\"\r\n", "<a>")]);
}

#[test]
fn quotes_and_escapes() {
    let with = |escape| Grammar { escape, ..Grammar::default() };
    let doubled = &[("\"a,\n\"\"b\",\"\"\"\"", "<a,\n\"b>|<\">"), ("\"a\\\"\n", "<a\\>")];
    check(&with(Escape::Doubled), doubled);
    check(&with(Escape::Byte(b'"')), doubled);
    check(
        &with(Escape::Byte(b'\\')),
        &[
            ("\"a\\\"b\\\\\\c\",d\\e", "<a\"b\\\\c>|d\\e"),
            ("\"\\\n\"\n", "<\\\n>"),
            ("\"a\"\"", "TextAfterQuote@3:0:0:0"),
            ("\"a\\", "UnterminatedQuote@0:0:0:0"),
        ],
    );
    let unquoted = Grammar { quote: None, ..Grammar::default() };
    check(&unquoted, &[("\"a,b\"\n", "\"a|b\"")]);
}

#[test]
fn escapes_without_quotes() {
    let grammar = Grammar { quote: None, escape: Escape::Byte(b'\\'), ..Grammar::default() };
    check(
        &grammar,
        &[
            ("a\\,b,c\nd", "a,b|c / d"),
            ("a\\\nb,\\\\\n", "a\nb|\\"),
            ("\\N,\"x\\t\"\n", "\\N|\"x\\t\""),
            ("a\\\r\nb", "a\r / b"),
            ("a\\", "a\\"),
        ],
    );
    let both = Grammar { trim: Trim::Both, ..grammar };
    check(&both, &[(" a\\,  , \\, \n", "a,|,")]);
}

#[test]
fn delimiters_of_several_bytes() {
    let with = |text| Grammar { delimiter: Delimiter::new(text).unwrap(), ..Grammar::default() };
    check(
        &with("||"),
        &[
            ("a|b||\"c||\"\"d\"||\n", "a|b|<c||\"d>|"),
            ("|||b|\n", "||b|"),
            ("|||\"b\"\n", "QuoteInBareField@3:0:0:1"),
            ("||||\"b\"\n", "||<b>"),
            ("\"a\"|\n", "TextAfterQuote@3:0:0:0"),
        ],
    );
    check(&with("¦"), &[("a¦\"b¦\"\n¦\n", "a|<b¦> / |"), ("\u{a7}¦b", "\u{a7}|b")]);
    check(&with("aba"), &[("ababa", "|ba"), ("abcaba", "abc|")]);
    check(&with(" ,"), &[("a ,b, c  ,d", "a|b, c |d")]);
}

#[test]
fn trimming() {
    let with = |trim| Grammar { trim, ..Grammar::default() };
    let text = " a\t,\t\" b \" , \r\n";
    check(
        &with(Trim::Both),
        &[
            (text, "a|< b >|"),
            (" \"a\" b ,", "TextAfterQuote@5:0:0:0"),
            (" \n\n", ""),
            ("\"a\nb\"\t\n \"c\"", "<a\nb> / <c>"),
        ],
    );
    check(&with(Trim::Left), &[(" a\t, \"b\"\n ", "a\t|<b> / "), ("\"b\" ,", "TextAfterQuote@3:0:0:0")]);
    check(&with(Trim::Right), &[(" a\t,\"b\" \n ", " a|<b> / "), (" \"b\",", "QuoteInBareField@1:0:0:0")]);
    let initial = Grammar { skip_initial_space: true, ..Grammar::default() };
    check(&initial, &[("  a , \"b\",\tc", "a |<b>|\tc")]);
    let keep = Grammar { stray_quotes: StrayQuotes::Keep, ..with(Trim::Both) };
    check(&keep, &[(" \"a \" b ,", "<a  b>|"), ("x \"a\" \n", "x \"a\"")]);
    let tabs = Grammar { delimiter: '\t'.into(), ..with(Trim::Both) };
    check(&tabs, &[("a \t \t b\n", "a||b")]);
}

#[test]
fn tolerance_notes_the_first_fault_of_each_record() {
    let grammar = Grammar { max_fields: 3, max_field_bytes: 9, ..Grammar::default() };
    let parsed = parse_tolerant(&grammar, b"a\"b,\"c\"d\n1,2\n1,2,3,4567890123\nx,\"y\"z\n\"a");
    let faults = parsed.faults.iter().map(|fault| (fault.record, fault.offset, fault.problem));
    let expected = [
        (0, 1, ScanProblem::QuoteInBareField),
        (2, 13, ScanProblem::TooManyFields),
        (3, 35, ScanProblem::TextAfterQuote),
    ];
    assert_eq!(faults.collect::<Vec<_>>(), expected);
    assert_eq!(parsed.records.len(), 4);
    assert_eq!(parsed.error.map(|error| error.problem), Some(ScanProblem::UnterminatedQuote));
}

#[test]
fn stray_quotes() {
    let strict = Grammar::default();
    check(
        &strict,
        &[
            ("x\n1,a\"b\n", "x / QuoteInBareField@5:1:1:1"),
            ("\"a\n\",\"b\" ,", "TextAfterQuote@8:1:0:1"),
            ("\"a\"\rb\n", "TextAfterQuote@3:0:0:0"),
            ("\"a\"\r", "TextAfterQuote@3:0:0:0"),
        ],
    );
    let lenient = Grammar { stray_quotes: StrayQuotes::Keep, ..strict };
    check(
        &lenient,
        &[
            ("a\"b,\"c\"d\"e,f\n", "a\"b|<cd\"e>|f"),
            ("\"a\" \"b,c\"\nd", "<a \"b>|c\" / d"),
            ("\"a\"\"\" ,b", "<a\" >|b"),
        ],
    );
}

#[test]
fn unescaped_quotes() {
    let mode = Grammar { unescaped_quotes: true, ..Grammar::default() };
    check(
        &mode,
        &[
            ("\"Lahr \"Vis-à-Vis\" Bus\",x\n", "<Lahr \"Vis-à-Vis\" Bus>|x"),
            ("\"a\"b\"", "<a\"b>"),
            ("\"a\" ,b\"\r\nc", "<a\" ,b> / c"),
            ("\"a\"\r\r\nb", "<a> / b"),
            ("\"a\nb\"c\n\",\"\"\n", "<a\nb\"c\n>|<>"),
            ("\"\"a\" b\",c\n", "<\"a\" b>|c"),
            // Two are one, whatever follows them.
            ("\"a \"\",b\"\n", "<a \",b>"),
            ("\"a \"\"\",b\n", "<a \">|b"),
            ("\"a \"\"b\"\" \"c\" d\"\n", "<a \"b\" \"c\" d>"),
            ("\"say \"hi\"\",x\n1,2\n\"y\"\n", "<say \"hi\",x\n1,2\n\"y>"),
            // A CR alone ends no line here.
            ("\"a\"\rb\"\n", "<a\"\rb>"),
            ("\"a\"\r", "UnterminatedQuote@0:0:0:0"),
            ("x\n1,\"a\"b\n", "x / UnterminatedQuote@4:1:1:1"),
            ("x\n1,a\"b\n", "x / QuoteInBareField@5:1:1:1"),
        ],
    );
    let any = Grammar { terminator: Terminator::Any, ..mode };
    check(&any, &[("\"a\"b\"\rc", "<a\"b> / c"), ("\"a\"\r\nb\"\n", "<a> / QuoteInBareField@6:1:1:0")]);
    let cr = Grammar { terminator: Terminator::Cr, ..mode };
    check(&cr, &[("\"a\"\nb\"\rc", "<a\"\nb> / c")]);
    let bars = Grammar { delimiter: Delimiter::new("||").unwrap_or(','.into()), ..mode };
    check(&bars, &[("\"a\"|b\"||\"c\",d\"\n", "<a\"|b>|<c\",d>"), ("\"a\"|", "UnterminatedQuote@0:0:0:0")]);
    let slashed = Grammar { escape: Escape::Byte(b'\\'), ..mode };
    check(&slashed, &[("\"a\\\",b\" c\"\"d\",e\n", "<a\",b\" c\"\"d>|e"), ("\"a \"\",b\n", "<a \">|b")]);
    let trimmed = Grammar { trim: Trim::Both, ..mode };
    check(&trimmed, &[(" \"a\" b\" \t,\"c\" ", "<a\" b>|<c>"), ("\"a\" \"b\"\n", "<a\" \"b>")]);
}

#[test]
fn unterminated_quotes_are_found_where_they_open() {
    check(
        &Grammar::default(),
        &[
            ("a\n\nb,\"c\nd,e\n", "a / UnterminatedQuote@5:2:1:1"),
            ("\"", "UnterminatedQuote@0:0:0:0"),
            ("\"\"\"", "UnterminatedQuote@0:0:0:0"),
        ],
    );
}

#[test]
fn comments() {
    let grammar = Grammar { comment: Some(b'#'), ..Grammar::default() };
    check(&grammar, &[("#\"a\r\nb,#\n#c", "b|#"), (" #a\n", " #a"), ("\"#\"\n", "<#>")]);
    let any = Grammar { terminator: Terminator::Any, ..grammar };
    check(&any, &[("#a\rb\n#\r\nc", "b / c")]);
}

#[test]
fn limits() {
    let grammar = Grammar {
        max_field_bytes: 3,
        max_record_bytes: 6,
        max_fields: 6,
        comment: Some(b'#'),
        ..Grammar::default()
    };
    check(
        &grammar,
        &[
            ("abc,de\r\n", "abc|de"),
            ("x\n1,\"ab\"\n", "x / FieldTooLarge@4:1:1:1"),
            ("x\na,b,c,d\n", "x / RecordTooLarge@2:1:1:0"),
            ("x\n,,,,,,\n", "x / TooManyFields@2:1:1:0"),
            ("abcdefg,\"", "UnterminatedQuote@8:0:0:1"),
            ("#abcdef\n", "RecordTooLarge@0:0:0:0"),
        ],
    );
}

#[test]
fn places_count_lines_as_the_terminator_does() {
    let text = b"\"\r\r\n\n\"\r\nb\r\n";
    let lines = |terminator| {
        let grammar = Grammar { terminator, stray_quotes: StrayQuotes::Keep, ..Grammar::default() };
        let parsed = parse(&grammar, text);
        assert_eq!(parsed.error, None);
        let places = parsed.records.iter().map(|r| (r.byte_offset, r.lines_before, r.records_before));
        (places.collect::<Vec<_>>(), terminator.count_lines(text))
    };
    assert_eq!(lines(Terminator::Lf), (vec![(0, 0, 0), (8, 3, 1)], 4));
    assert_eq!(lines(Terminator::Cr), (vec![(0, 0, 0), (7, 3, 1), (10, 4, 2)], 4));
    assert_eq!(lines(Terminator::Any), (vec![(0, 0, 0), (8, 4, 1)], 5));
}
