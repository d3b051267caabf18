use super::*;
use crate::parse::generate::{grammars, texts};
use crate::parse::{Escape, reference};
use crate::spec::{Dialect, Framing};
use proptest::prelude::*;

/// The blocks of a text that is pushed in pieces, and the error.
fn cut(dialect: &Dialect, text: &[u8], piece: usize) -> (Vec<Block>, Option<CutError>) {
    let (mut cutter, mut out) = (BlockCutter::new(dialect, 16).tolerant(true), Vec::new());
    let pushed = text.chunks(piece).try_for_each(|bytes| cutter.push(bytes, &mut Vec::new, &mut out));
    let error = pushed.and_then(|()| cutter.finish(&mut Vec::new, &mut out)).err();
    (out, error)
}

fn headless(grammar: Grammar) -> Dialect {
    Dialect { framing: Framing { header: false, ..Framing::default() }, ..grammar.into() }
}

/// What stands in the last block, and its extent: bytes, lines, character and field.
type Told = (String, (u64, u64), (u64, u64), u64, usize);

fn told(block: &Block) -> Option<Told> {
    let unclosed = block.unclosed?;
    let text = String::from_utf8(block.bytes.clone()).expect("whole characters");
    let UnclosedQuote { record_start, end, first_line, last_line, character, field, .. } = unclosed;
    Some((text, (record_start, end), (first_line, last_line), character, field))
}

#[test]
fn the_record_of_an_unclosed_quote_is_a_block_of_its_own() {
    let bare = headless(Grammar::default());
    let any = headless(Grammar { terminator: Terminator::Any, ..bare.grammar });
    let slashed = headless(Grammar { escape: Escape::Byte(b'\\'), ..bare.grammar });
    let small = headless(Grammar { max_record_bytes: 8, ..bare.grammar });
    let small_any = headless(Grammar { terminator: Terminator::Any, ..small.grammar });
    let cases = [
        (&bare, "a,b\n1,2\n3,\"4\n5,6\n", "3,\"4\n5,6\n", (8, 17), (3, 4), 3, 1),
        (&bare, "\"", "\"", (0, 1), (1, 1), 1, 0),
        (&bare, "a\n\"b\nc\",é,\"d\ne", "\"b\nc\",é,\"d\ne", (2, 15), (2, 4), 6, 2),
        // Only up to what may belong to its terminator it may be larger than a record.
        (&small, "a\n1,\"4567\",\"0", "1,\"4567\"", (2, 13), (2, 2), 10, 2),
        // A doubled quote closes nothing, and nor does what is stray before.
        (&bare, "a\nb\"c,\"\"\"\n", "b\"c,\"\"\"\n", (2, 10), (2, 2), 5, 1),
        (&any, "a\r\n\r\"b\r\nc\rd", "\"b\r\nc\rd", (4, 11), (3, 5), 1, 0),
        (&slashed, "a\n\"b\\\"", "\"b\\\"", (2, 6), (2, 2), 1, 0),
        (&slashed, "a\n\"b\\", "\"b\\", (2, 5), (2, 2), 1, 0),
        // Of what is larger than any record the beginning is kept.
        (&small, "a\n1,\"45678\nxyz\n\n", "1,\"45678", (2, 16), (2, 4), 3, 1),
        (&small, "a\n1,\"4567éabcdef", "1,\"4567", (2, 17), (2, 2), 3, 1),
        (&small_any, "a\r\n1,\"\r\n\r\n\r\n\r\n\n\rx", "1,\"\r\n\r\n\r", (3, 17), (2, 8), 3, 1),
    ];
    for (dialect, text, kept, bytes, lines, character, field) in cases {
        for piece in [1, 2, 3, 100] {
            let (blocks, error) = cut(dialect, text.as_bytes(), piece);
            assert_eq!(error, None, "{text:?}");
            let last = blocks.last().expect("a block");
            assert!(last.last && last.records == 1, "{text:?}");
            let expected = (kept.to_owned(), bytes, lines, character, field);
            assert_eq!(told(last), Some(expected), "{text:?} by {piece}");
            let held: Vec<u8> = blocks.iter().flat_map(|block| block.bytes.clone()).collect();
            assert!(text.as_bytes().starts_with(&held), "{text:?}");
            assert_eq!(blocks.iter().map(Block::text_bytes).sum::<u64>(), text.len() as u64, "{text:?}");
        }
    }
}

#[test]
fn what_is_not_data_for_certain_is_an_error_still() {
    let small = headless(Grammar { max_record_bytes: 8, ..Grammar::default() });
    let titled = Dialect::default().skipping(2);
    let framing = Framing { footer_records: 1, ..Framing::default() };
    let footed = Dialect { framing, ..Dialect::default() };
    let cases = [
        (&Dialect::default(), "a,\"b\n1,2\n", (2, ScanProblem::UnterminatedQuote)),
        (&titled, "t\n\"t\na,b\n1,2\n", (2, ScanProblem::UnterminatedQuote)),
        (&footed, "a,b\n1,\"2\nTotal\n", (6, ScanProblem::UnterminatedQuote)),
        // The quote is closed, however late.
        (&small, "a\n1,\"4567890\n\n\n\"\n", (4, ScanProblem::FieldTooLarge)),
        (&small, "a\n1,\"4567890\n\n\n\"", (4, ScanProblem::FieldTooLarge)),
        (&small, "a\n1,\"4567890\",\"0", (4, ScanProblem::FieldTooLarge)),
        // It is opened where the record is too large already.
        (&small, "a\n123456789,\"\n", (2, ScanProblem::RecordTooLarge)),
    ];
    for (dialect, text, expected) in cases {
        for piece in [1, 3, 100] {
            let error = cut(dialect, text.as_bytes(), piece).1.expect("an error");
            assert_eq!((error.byte_offset, error.problem), expected, "{text:?} by {piece}");
        }
    }
}

#[test]
fn memory_does_not_grow_with_what_a_quote_takes_in() {
    let dialect = headless(Grammar { max_record_bytes: 1 << 16, ..Grammar::default() });
    let (mut cutter, mut out) = (BlockCutter::new(&dialect, 1 << 14).tolerant(true), Vec::new());
    let lines = b"1,two,3\n".repeat(1 << 10);
    cutter.push(b"1,\"two\n", &mut Vec::new, &mut out).expect("open");
    for _ in 0..1 << 10 {
        cutter.push(&lines, &mut Vec::new, &mut out).expect("open");
        assert!(cutter.block.bytes.capacity() <= 2 << 16);
    }
    assert!(out.is_empty());
    cutter.finish(&mut Vec::new, &mut out).expect("set aside");
    let [Block { bytes, unclosed: Some(unclosed), .. }] = &out[..] else { panic!("{} blocks", out.len()) };
    assert_eq!((bytes.len(), unclosed.lines()), (1 << 16, (1 << 20) + 1));
    assert_eq!(unclosed.end, (8 << 20) + 7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Lines and bytes are those of the whole text, wherever the reference says that a quote stays open.
    #[test]
    fn extents_are_those_of_the_text(dialect in grammars().prop_map(Dialect::from), text in texts(), piece in 1usize..40) {
        let (blocks, _) = cut(&dialect, &text, piece);
        let Some((block, unclosed)) = blocks.iter().find_map(|block| Some((block, block.unclosed?))) else {
            return Ok(());
        };
        let error = reference::parse_tolerant(&dialect.grammar, &text).error.expect("an open quote");
        if error.problem == ScanProblem::RecordTooLarge {
            // An earlier record, or a comment, that the cutter leaves to the scanner.
            prop_assert!((error.offset as u64) < unclosed.record_start);
            return Ok(());
        }
        prop_assert_eq!(error.problem, ScanProblem::UnterminatedQuote);
        prop_assert_eq!((unclosed.quote_at, unclosed.lines_before_quote), (error.offset as u64, error.line as u64));
        prop_assert_eq!(unclosed.field, error.field);
        let start = unclosed.record_start as usize;
        prop_assert_eq!(unclosed.end, text.len() as u64);
        prop_assert!(text[start..].starts_with(&block.bytes));
        let ends_line = dialect.grammar.terminator.ends_with(text[text.len() - 1]);
        let lines = dialect.grammar.terminator.count_lines(&text) as u64 + u64::from(!ends_line);
        prop_assert_eq!((unclosed.first_line, unclosed.last_line), (block.lines_before + 1, lines));
    }
}
