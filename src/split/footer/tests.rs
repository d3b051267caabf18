use super::*;
use crate::parse::Grammar;
use crate::parse::generate::{grammars, texts};
use crate::split::blocks::BlockCutter;
use proptest::prelude::*;

const URL: &str = "file:///a.csv";

/// Holds back a footer of so many records, and `max_idle_bytes` without one.
fn hold(records: u64, max_idle_bytes: u64) -> FooterHold<'static> {
    let dialect = Dialect {
        framing: Framing { footer_records: records, ..Framing::default() },
        ..Grammar { max_record_bytes: max_idle_bytes, ..Grammar::default() }.into()
    };
    FooterHold::new(&dialect, URL)
}

/// The blocks of `text` before and after the hold, and whether an error ended them.
fn held(dialect: &Dialect, records: u64, text: &[u8], block_bytes: usize) -> (Vec<Block>, Vec<Block>, bool) {
    let (mut cut, mut hold, mut out) = (Vec::new(), hold(records, u64::MAX), Vec::new());
    let mut cutter = BlockCutter::new(dialect, block_bytes);
    let pushed = cutter.push(text, &mut Vec::new, &mut cut);
    let failed = pushed.and_then(|()| cutter.finish(&mut Vec::new, &mut cut)).is_err();
    cut.iter().try_for_each(|block| hold.push(block.clone(), &mut out)).expect("no limit");
    hold.release(&mut out);
    (cut, out, failed)
}

proptest! {
    #[test]
    fn the_last_block_holds_the_footer(
        dialect in grammars().prop_map(Dialect::from),
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
    for (footer, pushed) in [
        (2, vec![(3, 0), (1, 0), (1, 1), (0, 1), (2, 4)]),
        // What comes before the first record is held for nobody.
        (2, vec![(0, 1), (0, 2), (1, 2), (2, 3)]),
        (0, vec![(1, 1)]),
    ] {
        let (mut hold, mut out) = (hold(footer, 0), Vec::new());
        for (records, passed) in pushed {
            hold.push(block(records), &mut out).expect("a block of no bytes");
            assert_eq!(out.len(), passed, "after a block of {records}");
        }
    }
}

/// However many bytes of blank lines an input has, only so many are held.
#[test]
fn what_is_held_without_a_record_is_bounded() {
    let (dialect, max_idle_bytes) = (Dialect::default(), 100);
    let blank = "\n".repeat(100_000);
    for (text, error_at) in [
        (format!("a\n{blank}"), Some(10)),
        (format!("a\n1\n{blank}end\n"), Some(10)),
        (format!("{blank}a\n1\nend\n\n\n"), None),
        (format!("a\n1\nend\n{}", &blank[..80]), None),
    ] {
        let (mut cutter, mut cut) = (BlockCutter::new(&dialect, 10), Vec::new());
        cutter.push(text.as_bytes(), &mut Vec::new, &mut cut).expect("clean");
        cutter.finish(&mut Vec::new, &mut cut).expect("clean");
        let (mut hold, mut out, mut error) = (hold(1, max_idle_bytes), Vec::new(), None);
        for block in cut {
            error = hold.push(block, &mut out).err();
            let held: usize = hold.held.iter().map(|block| block.bytes.len()).sum();
            assert!(held <= max_idle_bytes as usize + 20);
            if error.is_some() {
                break;
            }
        }
        let place = error.as_ref().map(|error| {
            assert_eq!(
                error.kind().to_string(),
                "more than 100 bytes of blank lines or comments where the footer may be"
            );
            error.location().and_then(|location| location.byte_offset)
        });
        assert_eq!(place, error_at.map(Some));
        assert!(
            error.is_none_or(|error| error.what_to_do().is_some_and(|help| help.contains("maxRecordBytes")))
        );
    }
}

#[test]
fn a_footer_is_held_against_the_dialect() {
    let marked = |field, counts| TrailerCount { field, marker: Some("TRL".into()), counts };
    let (data, all) = (marked(2, CountedRecords::Data), marked(2, CountedRecords::All));
    let plain = TrailerCount { marker: None, ..marked(1, CountedRecords::Data) };
    let text = |trailer: &str| format!("id,name\n1,x\n2,y\n3,\"a\n\"\nend\n{trailer}\n");
    let cut_off = "the footer is cut off: it has 2 records, and 1 follows the header";
    let cases: [(Option<&TrailerCount>, String, Result<usize, &str>); 11] = [
        (Some(&data), text("TRL,0003"), Ok(2)),
        (Some(&all), text("TRL,6"), Ok(2)),
        (Some(&plain), text(" 3 "), Ok(2)),
        (Some(&data), text("TRL,4"), Err("the trailer says 4 records, but there are 3")),
        (
            Some(&data),
            text("4,z"),
            Err("the trailer is missing: the last record begins with \"4\", not with \"TRL\""),
        ),
        (Some(&data), text("TRL"), Err("the trailer is missing: the last record has 1 field, not 2")),
        (Some(&data), text("TRL,-3"), Err("the trailer is missing: \"-3\" is not a number of records")),
        (Some(&data), "id,name\n".into(), Err("the trailer is missing: no record follows the header")),
        (Some(&data), "id,name\nTRL,0\n".into(), Err(cut_off)),
        (None, "id,name\n1,x\n".into(), Err(cut_off)),
        (None, "id,name\n".into(), Ok(0)),
    ];
    for (trailer, text, expected) in cases {
        let framing = Framing { footer_records: 2, trailer_count: trailer.cloned(), ..Framing::default() };
        let dialect = Dialect { framing, ..Dialect::default() };
        let (_, blocks, _) = held(&dialect, 2, text.as_bytes(), 1 << 20);
        let (block, preamble) = (blocks.last().expect("one").clone(), 1);
        let footer = hold(2, 0).records_of(&block, preamble);
        let framed = FramedBlock { block, preamble, footer, has_data: true };
        let found = check_footer(&dialect, &framed, URL).map(|()| footer);
        if let Err(error) = &found {
            assert!(error.what_to_do().is_some(), "{text:?}");
        }
        let found = found.map_err(|error| error.kind().to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
    }
}

#[test]
fn nothing_at_all_has_no_trailer() {
    let trailer = TrailerCount { field: 1, marker: None, counts: CountedRecords::All };
    let framing = Framing { footer_records: 1, trailer_count: Some(trailer), ..Framing::default() };
    assert!(check_empty(&framing, URL).is_err());
    assert!(check_empty(&Framing { trailer_count: None, ..framing }, URL).is_ok());
}
