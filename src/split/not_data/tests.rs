use super::*;
use crate::documents::{NotData, NotDataKind, NotDataLine};
use crate::parse::generate::{grammars, texts};
use crate::parse::{Grammar, Scanner};
use crate::spec::Framing;
use crate::split::blocks::BlockCutter;
use proptest::prelude::*;

/// The blocks of a text with the records of each.
fn scanned(dialect: &Dialect, text: &[u8], block_bytes: usize) -> Vec<(Block, RecordIndex)> {
    let (mut blocks, mut cutter) = (Vec::new(), BlockCutter::new(dialect, block_bytes).tolerant(true));
    let pushed = cutter.push(text, &mut Vec::new, &mut blocks);
    let whole = pushed.and_then(|()| cutter.finish(&mut Vec::new, &mut blocks)).is_ok();
    let scan = |block: Block| {
        let mut index = RecordIndex::default();
        match block.unclosed {
            Some(unclosed) => drop(unclosed.scanned(&block, &mut index)),
            None => {
                Scanner::new(&dialect.grammar)
                    .scan_tolerant(&block.bytes, &mut index, &mut Vec::new())
                    .ok()?;
            }
        }
        Some((block, index))
    };
    if whole { blocks.into_iter().map_while(scan).collect() } else { Vec::new() }
}

#[test]
fn what_is_no_data_is_counted_with_its_place_and_text() {
    let dialect = Dialect {
        framing: Framing { skip_records: 1, footer_records: 1, ..Framing::default() },
        ..Grammar { comment: Some(b'#'), ..Grammar::default() }.into()
    };
    let text = b"Report\r\n\r\n# made\na,b\n1,\"x\ny\"\n\n\n# 2\n3,4\n#3\n#4\nTotal,1";
    let [(block, index)] = &scanned(&dialect, text, 1 << 20)[..] else { panic!("one block") };
    let Tiles { data_bytes, not_data } = Tiles::of(&dialect, block, index, (2, 1), true);
    let told = not_data.kinds().map(|(name, kind)| {
        let first = kind.first.iter().map(|first| (first.line, first.text.as_deref()));
        (name, kind.count, kind.bytes, first.collect::<Vec<_>>())
    });
    assert_eq!(data_bytes, 8 + 4);
    assert_eq!(
        told,
        [
            ("skipped", 1, 8, vec![(1, Some("Report"))]),
            ("header", 1, 4, vec![(4, Some("a,b"))]),
            ("comments", 4, 7 + 4 + 3 + 3, vec![(3, Some("# made")), (9, Some("# 2")), (11, Some("#3"))]),
            ("blank", 3, 4, vec![(2, None), (7, None), (8, None)]),
            ("footer", 1, 7, vec![(13, Some("Total,1"))]),
        ]
    );
    let hidden = Tiles::of(&dialect, block, index, (2, 1), false).not_data;
    assert!(hidden.kinds().iter().all(|(_, kind)| kind.first.iter().all(|first| first.text.is_none())));
    let mut total = NotData::default();
    total.add_counts(&not_data);
    total.add_counts(&not_data);
    assert_eq!((total.comments.count, total.comments.bytes, total.comments.first.len()), (8, 34, 0));
}

#[test]
fn splits_are_added_up_in_any_order() {
    let line = |line| NotDataLine { line, text: None };
    let of = |lines: &[u64]| {
        let first = lines.iter().copied().map(line).collect();
        let blank = NotDataKind { count: 4, bytes: 5, first };
        NotData { blank, ..NotData::default() }
    };
    let mut all = of(&[5, 6, 7]);
    all.add(&of(&[1, 2]));
    assert_eq!(all.blank, NotDataKind { count: 8, bytes: 10, first: [1, 2, 5].map(line).into() });
}

proptest! {
    #[test]
    fn tiles_cover_every_byte_once(
        dialect in grammars().prop_map(Dialect::from),
        text in texts(),
        block_bytes in 1usize..60,
        (skipped, footer) in (0u64..3, 0usize..3),
    ) {
        let framing = Framing { skip_records: skipped, header: skipped > 1, ..Framing::default() };
        let dialect = Dialect { framing, ..dialect };
        let blocks = scanned(&dialect, &text, block_bytes);
        let mut whole = NotData::default();
        let last = blocks.len().saturating_sub(1);
        let cut = |number: usize, block: &Block, index: &RecordIndex| {
            let before = (dialect.framing.preamble_records().saturating_sub(block.records_before) as usize).min(index.len());
            let after = if number == last { footer.min(index.len() - before) } else { 0 };
            (before, after)
        };
        for (number, (block, index)) in blocks.iter().enumerate() {
            let (before, after) = cut(number, block, index);
            let tiles = Tiles::of(&dialect, block, index, (before, after), true);
            prop_assert_eq!(tiles.bytes(), block.text_bytes(), "{:?}", block);
            let NotData { skipped, header, footer, .. } = &tiles.not_data;
            prop_assert_eq!(skipped.count + header.count, before as u64);
            prop_assert_eq!(footer.count, after as u64);
            whole.add(&tiles.not_data);
        }
        // The same as of one block.
        if let [(block, index)] = &scanned(&dialect, &text, 1 << 20)[..]
            && blocks.iter().map(|(block, _)| block.bytes.len()).sum::<usize>() == block.bytes.len()
        {
            let one = Tiles::of(&dialect, block, index, (cut(0, block, index).0, 0), true).not_data;
            prop_assert_eq!(
                (&whole.comments, &whole.blank, &whole.header, &whole.skipped),
                (&one.comments, &one.blank, &one.header, &one.skipped)
            );
        }
    }
}
