#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::infer::{Inferred, InputRecords, Sample, TypeInference, infer_schema, note_lines};
use crate::parse::generate::{grammars, texts};
use crate::parse::{Escape, Grammar, field_value};
use crate::schema::Schema;
use crate::spec::Framing;
use crate::value::ColumnType;
use proptest::prelude::*;

/// Offset and values of a record.
type Read = (usize, Vec<String>);

fn values(dialect: &Dialect, text: &[u8], index: &RecordIndex, record: usize) -> Vec<String> {
    let mut scratch = Vec::new();
    let value =
        |span| String::from_utf8_lossy(field_value(&dialect.grammar, text, span, &mut scratch)).into_owned();
    index.record(record).iter().map(value).collect()
}

fn window(text: &[u8], range: Range<usize>) -> Window {
    let last = range.end == text.len();
    Window { byte_offset: range.start as u64, text: text[range].to_vec(), last }
}

/// What is certain in a window, with offsets in `text`.
fn certain(dialect: &Dialect, text: &[u8], range: Range<usize>, shape: RecordShape) -> Vec<Read> {
    let window = window(text, range.clone());
    let Some(found) = window.certain(&Scanner::new(&dialect.grammar), dialect, shape) else {
        return Vec::new();
    };
    let text = &window.text[found.start..];
    let read = |record: usize| {
        let offset = range.start + found.start + found.index.record_starts[record] as usize;
        (offset, values(dialect, text, &found.index, record))
    };
    (0..found.records).map(read).collect()
}

const FIELDS: RecordShape = RecordShape { fields: 2, longest_quoted: 0 };

#[test]
fn windows_are_spread_over_what_follows_the_head() {
    let (mib, size) = (1 << 20, WINDOW_BYTES);
    for (bytes, expected) in [
        (10, &[][..]),
        (mib, &[]),
        (mib + 1, &[(mib, mib + 1)]),
        (mib + size + 7, &[(mib + 7, mib + size + 7)]),
        (mib + 2 * size, &[(mib, mib + size), (mib + size, mib + 2 * size)]),
    ] {
        let found: Vec<_> = windows(mib, bytes).iter().map(|range| (range.start, range.end)).collect();
        assert_eq!(found, expected, "{bytes}");
    }
    for bytes in [2 * mib, 2 * mib + 5, 20 * mib, 5_000_000_000_001] {
        let found = windows(mib, bytes);
        assert_eq!((found.len() as u64, found[7].end), (WINDOWS, bytes));
        assert!(found.iter().all(|range| range.end - range.start == size && range.start >= mib));
        assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}

#[test]
fn records_are_taken_where_both_readings_meet() {
    let lf = Dialect::default();
    let backslash = Dialect::from(Grammar { escape: Escape::Byte(b'\\'), ..lf.grammar });
    let bare = Dialect::from(Grammar { quote: None, ..backslash.grammar });
    let any = Dialect::from(Grammar { terminator: Terminator::Any, ..lf.grammar });
    let comments = Dialect::from(Grammar { comment: Some(b'#'), ..lf.grammar });
    for (dialect, text, from, cut, expected) in [
        // From within quotes, and from outside: the first line, and the last, are cut off.
        (&lf, "1,\"a\nb\"\n2,\"c\nd\"\n3,\"e\nf\"\n4,\"g\nh\"\n", 2, 1, &["2", "3"][..]),
        (&lf, "1,\"a\nb\"\n2,\"c\nd\"\n3,\"e\nf\"\n4,\"g\nh\"\n", 5, 1, &["3"]),
        (&lf, "1,\"a\"\n2,\"b\"\n3,\"c\"\n4,\"d\"\n", 1, 1, &["3"]),
        (&backslash, "1,\"\\\"\n\"\n2,\"\\\"\n\"\n3,\"\\\"\n\"\n4,x\n", 2, 1, &["2", "3"]),
        // Nothing closes what a quote before the end would have opened.
        (&lf, "1,a\n2,b\n3,c\n", 1, 0, &["2", "3"]),
        (&lf, "1,a\n2,b\n3,c", 1, 0, &["2", "3"]),
        // Where nothing is in quotes, only an escape is in doubt.
        (&bare, "1,a\n2,b\n3,c\n4,d\n", 1, 1, &["2", "3"]),
        (&bare, "1,a\\\n2,b\n3,c\n4,d\n", 4, 1, &["3"]),
        (&any, "1,a\r\n2,\"b\"\r\n3,\"c\"\r\n4,d", 1, 0, &["3", "4"]),
        (&comments, "1,a\n# \"x\"\n2,\"b\"\n3,c\n4,d\n", 1, 1, &["2", "3"]),
        // The readings never meet, and one has stray quotes.
        (&lf, "1,\"a\n\"\n2,\"b\n\"\n3,\"c\n\"\n4,x\n", 2, 1, &["2", "3"]),
        (&lf, "1,\"a\n\"\n2,\"b\n\"\n3,\"c\n\"\n4,x\n", 5, 1, &["2", "3"]),
        // Neither has.
        (&lf, "1,\",\"\n2,\",\"\n3,\",\"\n4,\",\"\n", 1, 1, &[]),
        (&lf, "1,a\n", 4, 0, &[]),
        (&lf, "1,a\n2", 0, 2, &[]),
    ] {
        let doubtful = RecordShape { longest_quoted: usize::MAX, ..FIELDS };
        let found = certain(dialect, text.as_bytes(), from..text.len() - cut, doubtful);
        let first: Vec<_> = found.iter().map(|(_, values)| values[0].as_str()).collect();
        assert_eq!(first, expected, "{text:?} {from}");
    }
}

/// A window without quotes may be the inside of a field.
#[test]
fn a_window_without_quotes_is_believed_where_it_would_be_a_strange_field() {
    let text = "1,a\n2,b\n3,c\n4,d\n".repeat(4);
    let ragged = text.replace("4,d", "4,d,e");
    for (text, longest_quoted, believed) in
        [(&text, 0, true), (&text, 3, true), (&text, 4, false), (&ragged, 0, false)]
    {
        let shape = RecordShape { longest_quoted, ..FIELDS };
        let found = certain(&Dialect::default(), text.as_bytes(), 1..60, shape);
        assert_eq!(found.len(), if believed { 13 } else { 0 }, "{text:?} {longest_quoted}");
    }
}

#[test]
fn a_window_that_is_not_utf_8_is_none() {
    let text = b"1,a\n2,\xff\n3,c\n4,\xffd\n";
    assert!(certain(&Dialect::default(), text, 0..16, FIELDS).is_empty());
    assert_eq!(certain(&Dialect::default(), text, 5..15, FIELDS), [(8, vec!["3".into(), "c".into()])]);
}

/// A sample of `text` with windows at these ranges behind a head of so many bytes.
fn sample(text: &str, head_bytes: usize, ranges: impl IntoIterator<Item = Range<usize>>) -> Sample {
    let windows = ranges.into_iter().map(|range| window(text.as_bytes(), range)).collect();
    let head = text.as_bytes()[..head_bytes].to_vec();
    Sample { url: "file:///a.csv".into(), text: head, whole: false, windows }
}

/// Enough for the head's records to be looked at.
const HEAD_BYTES: usize = 140 << 10;

/// The same without footers.
const SMALL_HEAD_BYTES: usize = 72 << 10;

/// Integers, and what follows them from `HEAD_BYTES` on, to its end.
fn types_with(dialect: &Dialect, tail: &str) -> (String, Vec<String>) {
    let head = "n,t\n".to_owned() + &"1,x\n".repeat(HEAD_BYTES / 4 - 1);
    let text = head + tail;
    let Inferred { schema, notes, .. } =
        infer_schema(&[sample(&text, HEAD_BYTES, Some(HEAD_BYTES..text.len()))], dialect, &[]).unwrap();
    (schema.columns[0].column_type.to_string(), note_lines(&notes))
}

#[test]
fn windows_widen_types_and_say_where() {
    let dialect = Dialect::default();
    let (found, notes) = types_with(&dialect, "2,x\n3,y\n4.5,z\nfive,z\n");
    assert_eq!(found, "string");
    assert!(notes[2].contains("\"five\" (in the record at byte 143374 of file:///a.csv) makes it string"));
    assert_eq!(
        notes[..2],
        [
            "column \"n\" is int64 in file:///a.csv at first, but \"4.5\" in the record at byte 143368 makes it float64",
            "column \"n\" is float64 in file:///a.csv at first, but \"five\" in the record at byte 143374 makes it string",
        ]
    );
    let mut samples = vec![sample("n,t\n1,x\n2,y\n", 12, None)];
    samples[0].whole = true;
    let text = "n,t\n".to_owned() + &"1,x\n".repeat(HEAD_BYTES / 4 - 1) + "2,x\n4.5,x\n";
    samples.push(Sample {
        url: "file:///b.csv".into(),
        ..sample(&text, HEAD_BYTES, Some(HEAD_BYTES..text.len()))
    });
    let notes = note_lines(&infer_schema(&samples, &dialect, &[]).unwrap().notes);
    assert_eq!(
        notes,
        [
            "column \"n\" is int64 in file:///a.csv, but \"4.5\" in file:///b.csv, in the record at byte 143364, makes it float64"
        ]
    );
}

#[test]
fn what_is_no_data_widens_nothing() {
    let plain = Dialect::default();
    let footed = |footer_records| Dialect {
        framing: Framing { footer_records, ..Framing::default() },
        ..Dialect::default()
    };
    let (footer, large_footer) = (footed(2), footed(5));
    let comments = Dialect::from(Grammar { comment: Some(b'#'), ..plain.grammar });
    for (dialect, tail, expected) in [
        (&plain, "2,x\n3.5,y\n", "float64"),
        (&footer, "2,x\n3,y\nTotal,2\nend,x\n", "int64"),
        (&footer, "2,x\n3.5,y\nTotal,2\nend,x", "float64"),
        // It may begin before the window.
        (&large_footer, "2,x\n3.5,y\nTotal,2\nend,x\n", "int64"),
        (&plain, "2,x\nTRL\n", "int64"),
        (&plain, "2,x\nab\"c,y\n\"d\"e,y\n", "int64"),
        (&plain, "2,x\n3,x,y\n", "int64"),
        (&comments, "2,x\n# 3.5,x\n4,y\n", "int64"),
        (&plain, "2,x\n3,\"abc\ndef,x\n\"\n", "int64"),
    ] {
        assert_eq!(types_with(dialect, tail).0, expected, "{tail:?}");
    }
    let titles = plain.skipping(1 << 20);
    let inference = types_with_nothing(&titles);
    assert!(inference.columns.is_empty(), "{inference:?}");
}

/// The head has nothing but titles.
fn types_with_nothing(dialect: &Dialect) -> Schema {
    let text = "x\n".repeat(HEAD_BYTES);
    infer_schema(&[sample(&text, HEAD_BYTES, Some(HEAD_BYTES..2 * HEAD_BYTES))], dialect, &[]).unwrap().schema
}

/// Random text, for a file that is the same whenever its seed is.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX generator, whose upper bits are the random ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn value(&mut self, kind: char) -> String {
        match kind {
            'i' => self.below(100_000).to_string(),
            'f' => format!("{}.5", self.below(1_000)),
            'd' => format!("2024-0{}-1{}", 1 + self.below(9), self.below(10)),
            _ => {
                let parts = ["7,8\n", "a,b\n", "x", "\n", "\"", "\"\"", ",", "\",\"", "it's ", "# 5\" ", ""];
                (0..self.below(6)).map(|_| self.pick(&parts)).collect()
            }
        }
    }
}

/// A table of these kinds of columns, of which one may change in the second half.
fn table(seed: u64, bytes: usize, kinds: &str, all_quoted: bool, change: Option<(usize, char)>) -> String {
    let mut random = Random(seed);
    let names: Vec<_> = (0..kinds.len()).map(|position| format!("c{position}")).collect();
    let mut text = names.join(",") + "\n";
    while text.len() < bytes {
        let changed = random.below(40) == 0 && text.len() > bytes / 2;
        for (position, kind) in kinds.chars().enumerate() {
            let kind = change.filter(|(of, _)| changed && *of == position).map_or(kind, |(_, kind)| kind);
            let value = random.value(kind);
            let quoted = all_quoted || value.contains(['"', ',', '\n']);
            text += &if quoted { format!("\"{}\"", value.replace('"', "\"\"")) } else { value };
            text.push(if position + 1 == kinds.len() { '\n' } else { ',' });
        }
    }
    text
}

fn full(text: &str, dialect: &Dialect) -> Schema {
    let mut inference = TypeInference::default();
    let mut records = InputRecords::new("file:///a.csv", dialect, &mut inference);
    records.read(Some(text.as_bytes()), true, &mut inference).unwrap();
    inference.finish().schema
}

/// Of types that values of [`table`] have, those that hold more are larger.
fn width(column_type: ColumnType) -> u8 {
    match column_type {
        ColumnType::Int { .. } | ColumnType::Date => 0,
        ColumnType::Float64 => 1,
        _ => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    /// Whatever the text is, only its true records are certain.
    #[test]
    fn certain_records_are_records_of_the_input(
        grammar in grammars(),
        texts in prop::collection::vec(texts(), 1..6),
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        at_end in any::<bool>(),
    ) {
        let limit = 1 << 20;
        let dialect = Dialect::from(Grammar {
            max_field_bytes: limit,
            max_record_bytes: limit,
            max_fields: limit,
            ..grammar
        });
        let text = texts.concat();
        let mut index = RecordIndex::default();
        let scanned = Scanner::new(&dialect.grammar).scan_tolerant(&text, &mut index, &mut Vec::new());
        let (a, b) = (ends.0.index(text.len() + 1), ends.1.index(text.len() + 1));
        let range = a.min(b)..if at_end { text.len() } else { a.max(b) };
        // What ends in quotes has no end to go by.
        prop_assume!(range.end < text.len() || scanned.is_ok());
        let truth: Vec<Read> = (0..index.len())
            .map(|record| (index.record_starts[record] as usize, values(&dialect, &text, &index, record)))
            .collect();
        // No record has no field, so only that the readings meet makes them certain.
        let doubtful = RecordShape { fields: 0, longest_quoted: usize::MAX };
        for record in certain(&dialect, &text, range.clone(), doubtful) {
            prop_assert!(truth.contains(&record), "{record:?} of {range:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    /// The same where stray quotes rule out one of the readings.
    #[test]
    fn certain_records_of_a_table_are_its_records(
        seed in any::<u64>(),
        kinds in "[it]{0,2}t",
        all_quoted in any::<bool>(),
        start in 0usize..400,
        bytes in 0usize..400,
    ) {
        let dialect = Dialect::default();
        let text = table(seed, 500, &kinds, all_quoted, None).into_bytes();
        let range = start..text.len().min(start + bytes);
        let mut index = RecordIndex::default();
        Scanner::new(&dialect.grammar).scan(&text, &mut index).unwrap();
        let truth: Vec<usize> = index.record_starts.iter().map(|start| *start as usize).collect();
        let doubtful = RecordShape { fields: kinds.len(), longest_quoted: usize::MAX };
        for (offset, values) in certain(&dialect, &text, range.clone(), doubtful) {
            prop_assert!(truth.contains(&offset), "{values:?} of {range:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Windows find nothing that a pass over the whole input does not.
    #[test]
    fn types_are_never_wider_than_those_of_the_whole_input(
        seed in any::<u64>(),
        kinds in "[ifdt]{1,4}",
        all_quoted in any::<bool>(),
        change in proptest::option::of((0usize..4, prop::sample::select(vec!['i', 'f', 't']))),
        starts in prop::collection::vec(0usize..SMALL_HEAD_BYTES - 8_192, 4),
    ) {
        let dialect = Dialect::default();
        let text = table(seed, 2 * SMALL_HEAD_BYTES, &kinds, all_quoted, change);
        let ranges = starts
            .iter()
            .map(|start| SMALL_HEAD_BYTES + start..SMALL_HEAD_BYTES + start + 8_192)
            .chain(Some(text.len() - 8_192..text.len()));
        let whole = full(&text, &dialect);
        let Inferred { schema: sampled, .. } = infer_schema(&[sample(&text, SMALL_HEAD_BYTES, ranges)], &dialect, &[]).unwrap();
        prop_assert_eq!(sampled.columns.len(), whole.columns.len());
        for (sampled, whole) in sampled.columns.iter().zip(&whole.columns) {
            let (sampled, whole) = (sampled.column_type, whole.column_type);
            prop_assert!(width(sampled) <= width(whole), "{sampled} {whole}");
        }
    }
}
