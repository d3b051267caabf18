use super::*;
use crate::parse::generate::{dialects, texts};
use crate::split::blocks::BlockCutter;
use proptest::prelude::*;

/// The blocks of `text` after the hold, and whether an error ended them.
fn held(dialect: &Dialect, records: u64, text: &[u8], block_bytes: usize) -> (Vec<Block>, Vec<Block>, bool) {
    let (mut cut, mut hold, mut out) = (Vec::new(), FooterHold::new(records), Vec::new());
    let mut cutter = BlockCutter::new(dialect, block_bytes);
    let pushed = cutter.push(text, &mut Vec::new, &mut cut);
    let failed = pushed.and_then(|()| cutter.finish(&mut Vec::new, &mut cut)).is_err();
    cut.iter().for_each(|block| hold.push(block.clone(), &mut out));
    hold.release(&mut out);
    (cut, out, failed)
}

proptest! {
    #[test]
    fn the_last_block_holds_the_footer(
        dialect in dialects(),
        text in texts(),
        block_bytes in 1usize..30,
        records in 0u64..6,
    ) {
        let (cut, out, failed) = held(&dialect, records, &text, block_bytes);
        let bytes = |blocks: &[Block]| blocks.iter().flat_map(|b| b.bytes.clone()).collect::<Vec<_>>();
        prop_assert_eq!(bytes(&out), bytes(&cut));
        let (mut offset, mut before) = (0, 0);
        for block in &out {
            prop_assert_eq!((block.byte_offset, block.records_before), (offset, before));
            offset += block.bytes.len() as u64;
            before += block.records;
        }
        let all: u64 = cut.iter().map(|block| block.records).sum();
        prop_assert_eq!(before, all);
        if !failed {
            let last = out.last().expect("at least one");
            prop_assert!(last.last && last.records >= records.min(all));
            prop_assert!(out.iter().rev().skip(1).all(|block| !block.last));
        }
    }
}

#[test]
fn a_block_passes_as_soon_as_enough_records_follow() {
    let block = |records| Block { bytes: b"a\n".repeat(records as usize), records, ..Block::default() };
    let (mut hold, mut out) = (FooterHold::new(2), Vec::new());
    for (records, passed) in [(3, 0), (1, 0), (1, 1), (0, 1), (2, 4)] {
        hold.push(block(records), &mut out);
        assert_eq!(out.len(), passed, "after a block of {records}");
    }
    let (mut hold, mut out) = (FooterHold::new(0), Vec::new());
    hold.push(block(1), &mut out);
    assert_eq!(out.len(), 1);
}

#[test]
fn trailers_are_held_against_the_count() {
    let dialect = Dialect { footer_records: 2, ..Dialect::default() };
    let marked = |field, counts| TrailerCount { field, marker: Some("TRL".into()), counts };
    let (data, all) = (marked(2, CountedRecords::Data), marked(2, CountedRecords::All));
    let plain = TrailerCount { marker: None, ..marked(1, CountedRecords::Data) };
    let text = |trailer: &str| format!("id,name\n1,x\n2,y\n3,\"a\n\"\nend\n{trailer}\n");
    let cases: [(&TrailerCount, String, Result<u64, &str>); 8] = [
        (&data, text("TRL,0003"), Ok(3)),
        (&all, text("TRL,6"), Ok(6)),
        (&plain, text(" 3 "), Ok(3)),
        (&data, text("TRL,4"), Err("the trailer says 4 records, and there are 3")),
        (
            &data,
            text("4,z"),
            Err("the trailer is missing: the last record begins with \"4\", not with \"TRL\""),
        ),
        (&data, text("TRL"), Err("the trailer is missing: the last record has 1 fields, not 2")),
        (&data, text("TRL,-3"), Err("the trailer is missing: \"-3\" is no number of records")),
        (&data, "id,name\n".into(), Err("the trailer is missing: nothing follows the header")),
    ];
    for (trailer, text, expected) in cases {
        let (_, blocks, _) = held(&dialect, 2, text.as_bytes(), 1 << 20);
        let block = blocks.last().expect("one");
        let footer = 2.min(block.records as usize - 1);
        let found = check_trailer(trailer, &dialect, block, footer, "file:///a.csv");
        let found = found.map(|stated| {
            assert_eq!(stated.location.line, Some(7));
            stated.count
        });
        assert_eq!(
            found.map_err(|error| error.kind().to_string()),
            expected.map_err(str::to_owned),
            "{text:?}"
        );
    }
}
