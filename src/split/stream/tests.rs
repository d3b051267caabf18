use super::*;
use crate::parse::generate::{grammars, texts};
use crate::spec::Framing;
use proptest::prelude::*;

const URL: &str = "file:///a.csv";

struct Pieces<'t>(std::slice::Chunks<'t, u8>);

impl Text for Pieces<'_> {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.0.next())
    }
}

/// The text of each block with its edges, and the error.
fn read<T: Text>(stream: &mut BlockStream<'_, T>) -> (Vec<(String, usize, usize)>, Option<String>) {
    let (mut blocks, mut error) = (Vec::new(), None);
    for framed in stream {
        assert_eq!(error, None, "nothing follows an error");
        match framed {
            Ok(FramedBlock { block, preamble, footer, .. }) => {
                blocks.push((String::from_utf8_lossy(&block.bytes).into_owned(), preamble, footer));
            }
            Err(failed) => error = Some(format!("{failed} {:?}", failed.location())),
        }
    }
    (blocks, error)
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_blocks(
        grammar in grammars(),
        text in texts(),
        (skip_records, footer_records, header) in (0u64..3, 0u64..3, any::<bool>()),
        block_bytes in 1usize..60,
        (piece, tolerant, whole) in (1usize..40, any::<bool>(), any::<bool>()),
    ) {
        let framing = Framing { skip_records, footer_records, header, ..Framing::default() };
        let dialect = Dialect { framing, ..grammar.into() };
        let by = |piece| {
            let pieces = Pieces(text.chunks(piece));
            let stream = BlockStream::new(pieces, &dialect, URL, block_bytes, Edges::Both);
            let stream = if whole { stream } else { stream.of_sample(false) };
            let mut stream = stream.tolerant(tolerant);
            let (blocks, error) = read(&mut stream);
            assert_eq!(stream.is_empty(), text.is_empty());
            if !whole && error.is_none() {
                assert!(blocks.iter().all(|(_, _, footer)| *footer == 0), "the last block is not known");
            }
            let preamble: usize = blocks.iter().map(|(_, preamble, _)| preamble).sum();
            assert!(preamble as u64 <= dialect.framing.preamble_records());
            (blocks, error, stream.into_start())
        };
        prop_assert_eq!(by(piece), by(text.len().max(1)));
    }
}

#[test]
fn what_is_wrong_comes_after_the_blocks_before_it() {
    let plain = Dialect::default();
    let framing = Framing { footer_records: 1, ..Framing::default() };
    let footed = Dialect { framing, ..Dialect::default() };
    for (dialect, text, edges, blocks, error) in [
        (&plain, "a,b\n1,2\n3,\"4", Edges::Both, vec![("a,b\n1,2\n", 1, 0)], Some("b")),
        // It may hold the footer, but that is never known.
        (&footed, "a,b\n1,2\n3,\"4", Edges::Both, vec![("a,b\n1,2\n", 1, 0)], Some("b")),
        (&footed, "a,b\n1,2\n3,4\n", Edges::Both, vec![("a,b\n1,2\n3,4\n", 1, 1)], None),
        (&footed, "a,b\n1,2\n3,4\n", Edges::Start, vec![("a,b\n1,2\n3,4\n", 1, 0)], None),
        (&footed, "a,b\n1,2\n3,4\n", Edges::Unknown, vec![("a,b\n1,2\n3,4\n", 0, 0)], None),
        (&plain, "", Edges::Both, vec![], None),
        // What the header says is not known.
        (&plain, "a\"b\n1,2\n", Edges::Both, vec![], Some("")),
        (&plain, "a\0b\n1,2\n", Edges::Both, vec![], Some("a\0b")),
    ] {
        let mut stream = BlockStream::new(Some(text.as_bytes()), dialect, URL, 16, edges);
        let mut found = Vec::new();
        let failed = loop {
            match stream.next() {
                Some(Ok(framed)) => found.push(framed),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let told = found.iter().map(|framed| (framed.block.bytes.as_slice(), framed.preamble, framed.footer));
        let blocks: Vec<_> =
            blocks.into_iter().map(|(text, start, end)| (text.as_bytes(), start, end)).collect();
        assert_eq!(told.collect::<Vec<_>>(), blocks, "{text:?}");
        let column =
            failed.map(|error| error.location().and_then(|at| at.column.clone()).unwrap_or_default());
        assert_eq!(column.as_deref(), error, "{text:?}");
    }
}

/// Neither what may be footer nor a record that may be cut off is evidence.
#[test]
fn a_sample_gives_what_is_data_for_certain() {
    let dialect =
        Dialect { framing: Framing { footer_records: 1, ..Framing::default() }, ..Dialect::default() };
    let read = |text: &str, whole| {
        let stream = BlockStream::new(Some(text.as_bytes()), &dialect, URL, 4, Edges::Both);
        let (blocks, error) = read(&mut stream.of_sample(whole));
        (blocks.into_iter().map(|(text, ..)| text).collect::<Vec<_>>().concat(), error.is_some())
    };
    assert_eq!(read("a,b\n1,2\n3,4\n", true), ("a,b\n1,2\n3,4\n".into(), false));
    assert_eq!(read("a,b\n1,2\n3,4\n5,6", false), ("a,b\n1,2\n".into(), false));
    assert_eq!(read("a,b\n1,2\n3,\"4", true), ("a,b\n".into(), true));
    assert_eq!(read("a\0b\n1\n2\n", true), ("a\0b\n1\n2\n".into(), false));
}
