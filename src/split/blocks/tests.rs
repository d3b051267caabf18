use super::*;
use crate::parse::generate::{grammars, texts};
use crate::parse::{Escape, Terminator, field_value, reference};
use proptest::prelude::*;

/// Every block of `text` pushed in pieces of at most `piece` bytes, and the error.
fn cut(mut cutter: BlockCutter, text: &[u8], piece: usize) -> (Vec<Block>, Option<CutError>) {
    let mut out = Vec::new();
    let mut spare = || b"not cleared".to_vec();
    let pushed = text.chunks(piece).try_for_each(|bytes| cutter.push(bytes, &mut spare, &mut out));
    let error = pushed.and_then(|()| cutter.finish(&mut spare, &mut out)).err();
    (out, error)
}

fn texts_of(blocks: &[Block]) -> Vec<String> {
    blocks.iter().map(|block| String::from_utf8_lossy(&block.bytes).into_owned()).collect()
}

#[test]
fn blocks_end_at_the_last_boundary_that_fits() {
    let lf = Dialect::default();
    let any = lf.with_grammar(Grammar { terminator: Terminator::Any, ..lf.grammar });
    let comments = lf.with_grammar(Grammar { comment: Some(b'#'), ..lf.grammar });
    let cases: [(&Dialect, usize, &str, &[&str]); 10] = [
        (&lf, 8, "", &[""]),
        (&lf, 8, "ab\ncd\nef\n", &["ab\ncd\n", "ef\n"]),
        (&lf, 6, "ab\ncd\n", &["ab\ncd\n"]),
        (&lf, 4, "\"a\nb\nc\"\nd", &["\"a\nb\nc\"\n", "d"]),
        (&lf, 3, "abcdef\ng\nh", &["abcdef\n", "g\nh"]),
        (&lf, 3, "a\"b\n\"c\"\"\n\"\nd\n", &["a\"b\n", "\"c\"\"\n\"\n", "d\n"]),
        (&lf, 3, "\n\n\n\n\n", &["\n\n\n", "\n\n"]),
        (&any, 2, "a\r\nb\rc", &["a\r\n", "b\r", "c"]),
        (&any, 1, "\r\r\n\n\r", &["\r", "\r\n", "\n", "\r"]),
        (&comments, 4, "#\"\nb\n", &["#\"\n", "b\n"]),
    ];
    for (dialect, block_bytes, text, expected) in cases {
        let (blocks, error) = cut(BlockCutter::new(dialect, block_bytes), text.as_bytes(), 64);
        assert_eq!(
            (texts_of(&blocks), error),
            (expected.iter().map(|s| s.to_string()).collect(), None),
            "{text:?}"
        );
        let last = blocks.iter().map(|block| block.last).collect::<Vec<_>>();
        assert_eq!(last.iter().position(|&last| last), Some(blocks.len() - 1), "{text:?}");
    }
}

#[test]
fn errors_name_the_place_and_leave_the_records_before() {
    let small = Dialect::from(Grammar { max_record_bytes: 5, ..Grammar::default() });
    let broken_bar = small.with_grammar(Grammar { delimiter: '¦'.into(), ..small.grammar });
    let keep = Dialect::from(Grammar { escape: Escape::Byte(b'\\'), ..Grammar::default() });
    let titled = small.skipping(2);
    let framing = Framing { footer_records: 1, ..Framing::default() };
    let footed = Dialect { framing, ..keep.clone() };
    let wrong = |byte_offset, lines_before, records_before, problem| {
        (byte_offset, lines_before, records_before, problem)
    };
    let placed =
        |error: CutError| wrong(error.byte_offset, error.lines_before, error.records_before, error.problem);
    let cases = [
        (&small, "ab\n\ncdefghijk", wrong(4, 2, 1, ScanProblem::RecordTooLarge)),
        (&small, "ab\nc,\"\nefghij", wrong(5, 1, 1, ScanProblem::FieldTooLarge)),
        (&small, "ab\nc\"fffffffff", wrong(4, 1, 1, ScanProblem::QuoteInBareField)),
        (&broken_bar, "ab\n\"cde\"¦fghi", wrong(3, 1, 1, ScanProblem::RecordTooLarge)),
        (&keep, "ab\n\n\"\n\",\"cd\\\"", wrong(8, 3, 1, ScanProblem::UnterminatedQuote)),
        (&keep, "ab\n\"\n\"d,\"cd", wrong(6, 2, 1, ScanProblem::TextAfterQuote)),
        (&footed, "ab\n\"\n\"d,\"cd", wrong(8, 2, 1, ScanProblem::UnterminatedQuote)),
        (&titled, "ab\nc\"fffffffff", wrong(3, 1, 1, ScanProblem::RecordTooLarge)),
        (&titled, "ab\nc\nd\"fffffffff", wrong(6, 2, 2, ScanProblem::QuoteInBareField)),
    ];
    for (dialect, text, expected) in cases {
        let (blocks, error) = cut(BlockCutter::new(dialect, 100), text.as_bytes(), 1);
        assert_eq!(error.map(placed), Some(expected), "{text:?}");
        assert!(texts_of(&blocks).concat().starts_with("ab\n"), "{text:?}");
        assert!(blocks.iter().all(|block| !block.last), "{text:?}");
    }
}

#[test]
fn buffers_are_no_larger_than_the_block() {
    let mut cutter = BlockCutter::new(&Dialect::default(), 1000);
    let mut out = Vec::new();
    for _ in 0..100 {
        cutter
            .push(b"abcdefghijklmnopqrstuvw\n".repeat(10).as_slice(), &mut Vec::new, &mut out)
            .expect("clean");
    }
    assert!(out.iter().all(|block| block.bytes.capacity() <= 1000 && block.bytes.len() > 900));
}

/// Values and places of the records of some blocks, and the first error:
/// the scanner's, or the cutter's after the last block.
type Outcome = (Vec<(Vec<(Vec<u8>, bool)>, [u64; 3])>, Option<([u64; 3], ScanProblem)>);

fn scan_blocks(dialect: &Dialect, tolerant: bool, blocks: &[Block], error: Option<CutError>) -> Outcome {
    let (scanner, mut index, mut scratch) =
        (Scanner::new(&dialect.grammar), RecordIndex::default(), Vec::new());
    let mut records = Vec::new();
    for block in blocks {
        let place = |offset: usize, lines: usize, records: usize| {
            [
                block.byte_offset + offset as u64,
                block.lines_before + lines as u64,
                block.records_before + records as u64,
            ]
        };
        let scan = match (block.unclosed, tolerant) {
            (Some(unclosed), _) => {
                // Where the reference ends, the record is in the block all the same.
                assert_eq!((block.records, block.last, tolerant), (1, true, true));
                let error = unclosed.scanned(block, &mut index);
                return (records, Some((place(error.offset, error.line, error.record), error.problem)));
            }
            (None, true) => scanner.scan_tolerant(&block.bytes, &mut index, &mut Vec::new()),
            (None, false) => scanner.scan(&block.bytes, &mut index),
        };
        if scan.is_ok() {
            assert_eq!(index.len() as u64, block.records);
        }
        for record in 0..index.len() {
            let fields = index.record(record).iter().map(|span| {
                let value = field_value(&dialect.grammar, &block.bytes, span, &mut scratch).to_vec();
                (value, span.form.is_quoted())
            });
            let (offset, lines) = (index.record_starts[record] as usize, index.record_lines[record] as usize);
            records.push((fields.collect(), place(offset, lines, record)));
        }
        if let Err(error) = scan {
            return (records, Some((place(error.offset, error.line, error.record), error.problem)));
        }
    }
    let place = |error: CutError| [error.byte_offset, error.lines_before, error.records_before];
    (records, error.map(|error| (place(error), error.problem)))
}

fn refer(dialect: &Dialect, tolerant: bool, text: &[u8]) -> Outcome {
    let parse = if tolerant { reference::parse_tolerant } else { reference::parse };
    let parsed = parse(&dialect.grammar, text);
    let place = |offset: usize, lines: usize, records: usize| [offset as u64, lines as u64, records as u64];
    let records = parsed.records.into_iter().map(|record| {
        let at = place(record.byte_offset, record.lines_before, record.records_before);
        (record.fields.into_iter().map(|field| (field.value, field.quoted)).collect(), at)
    });
    let error = parsed.error.map(|error| (place(error.offset, error.line, error.record), error.problem));
    (records.collect(), error)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn pieces_of_any_size_give_the_same_blocks(
        dialect in grammars().prop_map(Dialect::from),
        tolerant in any::<bool>(),
        text in texts(),
        block_bytes in 0usize..60,
        piece in 1usize..40,
    ) {
        let blocks = |piece| cut(BlockCutter::new(&dialect, block_bytes).tolerant(tolerant), &text, piece);
        let whole = blocks(usize::MAX);
        prop_assert_eq!(&blocks(piece), &whole);
        prop_assert_eq!(&blocks(1), &whole);
    }

    #[test]
    fn scanning_blocks_is_scanning_the_whole(
        dialect in grammars().prop_map(Dialect::from),
        tolerant in any::<bool>(),
        text in texts(),
        block_bytes in 0usize..60,
    ) {
        let (blocks, error) = cut(BlockCutter::new(&dialect, block_bytes).tolerant(tolerant), &text, 7);
        let bytes = blocks.iter().flat_map(|block| &block.bytes).copied().collect::<Vec<_>>();
        let held_or_counted: u64 = blocks.iter().map(Block::text_bytes).sum();
        prop_assert!(text.starts_with(&bytes) && (error.is_some() || held_or_counted == text.len() as u64));
        // Bytes of a terminator, and a CR that ends the input.
        let largest = block_bytes.max(dialect.grammar.max_record_bytes as usize + Terminator::MAX_BYTES + 1);
        prop_assert!(blocks.iter().all(|block| block.bytes.len() <= largest));

        let (records, error) = scan_blocks(&dialect, tolerant, &blocks, error);
        let (expected, expected_error) = refer(&dialect, tolerant, &text);
        prop_assert_eq!(records, expected);
        // A record too large to be held is not read to its end, so what the
        // reference finds in it may lie beyond, or be its field and not itself.
        let too_large = |problem| {
            use ScanProblem::{FieldTooLarge, RecordTooLarge, TooManyFields};
            matches!(problem, FieldTooLarge | RecordTooLarge | TooManyFields)
        };
        match (error, expected_error) {
            (Some(([_, _, record], problem)), Some(([_, _, expected], _))) if too_large(problem) => {
                prop_assert_eq!(record, expected);
            }
            (error, expected) => prop_assert_eq!(error, expected),
        }
    }

    #[test]
    fn a_cutter_resumed_at_any_block_gives_the_same_rest(
        dialect in grammars().prop_map(Dialect::from),
        text in texts(),
        block_bytes in 0usize..60,
    ) {
        let (blocks, error) = cut(BlockCutter::new(&dialect, block_bytes), &text, 16);
        for (from, block) in blocks.iter().enumerate() {
            let Block { byte_offset, lines_before, records_before, .. } = *block;
            let cutter = BlockCutter::resume(&dialect, block_bytes, byte_offset, lines_before, records_before);
            let (rest, rest_error) = cut(cutter, &text[byte_offset as usize..], 5);
            prop_assert_eq!((rest.as_slice(), rest_error), (&blocks[from..], error));
        }
    }

    #[test]
    fn no_bytes_panic_under_any_dialect(
        dialect in grammars().prop_map(Dialect::from),
        bytes in prop::array::uniform4(prop::sample::select(b"\r\n\",#\0 ".to_vec())),
        quoting in any::<bool>(),
        text in prop_oneof![texts(), prop::collection::vec(any::<u8>(), 0..300)],
        piece in 1usize..40,
    ) {
        let [delimiter, quote, escape, comment] = bytes;
        let escape = Escape::Byte(escape);
        let degenerate = Dialect::from(Grammar {
            delimiter: char::from(delimiter).into(),
            quote: quoting.then_some(quote),
            escape,
            comment: Some(comment),
            ..dialect.grammar
        });
        for tolerant in [false, true] {
            cut(BlockCutter::new(&degenerate, 16).tolerant(tolerant), &text, piece);
        }
    }
}

/// However the bytes come, also a line that ends in CR and a blank one behind it.
#[test]
fn a_separator_line_is_passed_over_in_every_piece() {
    for text in ["sep=;\r\ra;b\r1;2\r", "sep=;\r\na;b\r\n1;2\r\n", "sep=;\na;b\n1;2\n"] {
        let grammar = Grammar { delimiter: ';'.into(), terminator: Terminator::Any, ..Grammar::default() };
        let dialect = Dialect::from(grammar);
        for piece in 1..=8 {
            let mut cutter = BlockCutter::new(&dialect, 64);
            let mut blocks = Vec::new();
            for bytes in text.as_bytes().chunks(piece) {
                cutter.push(bytes, &mut Vec::new, &mut blocks).expect("clean");
            }
            let line = cutter.take_separator_line().map(|line| line.text());
            cutter.finish(&mut Vec::new, &mut blocks).expect("clean");
            let records: u64 = blocks.iter().map(|block| block.records).sum();
            assert_eq!((line.as_deref(), records), (Some("sep=;"), 2), "{text:?} by {piece}");
        }
    }
}
