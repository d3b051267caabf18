#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::{ErrorKind, InputProblem, StoreReason};
use crate::source::pin::pin;
use crate::spec::{EngineSpec, SourceSpec};
use std::fs::File;
use std::io::Write;

fn input(path: &std::path::Path) -> Input {
    pin(path, &path.metadata().unwrap())
}

fn stream(input: &Input, encoding: Option<&str>, range: Option<Range<u64>>) -> Result<TextStream> {
    let access = access(SourceSpec::of(Vec::new()));
    let runtime = Runtime::new(1).unwrap();
    let encoding: Option<EncodingName> = encoding.map(|name| name.parse().unwrap());
    open(
        input,
        &access,
        Decoding::of(encoding.as_ref(), InvalidBytes::Error),
        range,
        &runtime,
        runtime.cancel(),
    )
}

fn access(spec: SourceSpec) -> Access {
    Access::of(&spec, &EngineSpec::default())
}

fn text(mut stream: TextStream) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(chunk) = stream.next()? {
        assert!(!chunk.is_empty());
        text.extend_from_slice(chunk);
    }
    assert_eq!(stream.decoded_bytes(), text.len() as u64);
    assert!(stream.next()?.is_none());
    Ok(text)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn any_storage_gives_the_same_text() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let small = "a,b\n1,é\n".to_owned();
    // More than one chunk, with characters of two bytes across their border.
    let large = format!("x{}", "é\n".repeat(CHUNK_BYTES));
    for plain in ["", &small, &large] {
        let utf16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let marked = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
        let zstd = zstd::stream::encode_all(marked.as_slice(), 1).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(plain.as_bytes()).unwrap();
        let bzip2 = bzip2.finish().unwrap();
        let xz = liblzma::encode_all(plain.as_bytes(), 1).unwrap();
        let packed = [gzip(plain.as_bytes()), gzip(&utf16), zstd, bzip2, xz];
        for stored in packed.into_iter().chain([plain.as_bytes().to_vec(), utf16, marked]) {
            std::fs::write(&path, &stored).unwrap();
            let mut opened = stream(&input(&path), None, None).unwrap();
            let found = text({
                while opened.next().unwrap().is_some() {}
                assert_eq!(opened.stored_bytes_read(), stored.len() as u64);
                stream(&input(&path), None, None).unwrap()
            });
            assert!(found.unwrap() == plain.as_bytes(), "{} bytes", stored.len());
        }
    }
}

#[test]
fn ranges_count_from_after_the_mark() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    for mark in ["", "\u{feff}"] {
        std::fs::write(&path, format!("{mark}0123456789")).unwrap();
        for (range, expected) in
            [(0..4, "0123"), (4..10, "456789"), (8..99, "89"), (10..20, ""), (50..60, ""), (3..3, "")]
        {
            let stream = stream(&input(&path), None, Some(range)).unwrap();
            assert_eq!(text(stream).unwrap(), expected.as_bytes());
        }
    }
    for unfit in [gzip(b"a"), b"\xff\xfea\0".to_vec()] {
        std::fs::write(&path, unfit).unwrap();
        assert!(matches!(
            stream(&input(&path), None, Some(0..1)).unwrap_err().kind(),
            ErrorKind::Usage { .. }
        ));
    }
}

#[test]
fn what_is_compressed_otherwise_is_said_to_be_unsupported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    for (head, expected) in [(&b"\x5d\0\0\x80\0"[..], "lzma"), (b"PK\x03\x04\x14\0", "zip")] {
        std::fs::write(&path, head).unwrap();
        for range in [None, Some(0..1)] {
            let error = stream(&input(&path), None, range).unwrap_err();
            let ErrorKind::Input(InputProblem::UnsupportedCompression { format }) = error.kind() else {
                panic!("{error}")
            };
            assert_eq!(*format, expected);
            assert!(error.what_to_do().unwrap().contains("gzip, zstd, bzip2 or xz"));
        }
    }
}

#[test]
fn what_expands_out_of_proportion_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let runtime = Runtime::new(1).unwrap();
    let read = |max_expansion_ratio, bytes: usize| {
        std::fs::write(&path, gzip(&vec![b'x'; bytes])).unwrap();
        let access = access(SourceSpec { max_expansion_ratio, ..SourceSpec::of(Vec::new()) });
        let decoding = Decoding::default();
        text(open(&input(&path), &access, decoding, None, &runtime, runtime.cancel())?)
    };
    let small = 1 << 20;
    let large = 17 << 20;
    assert!(read(1, small).is_ok());
    assert!(read(1000, large).is_ok());
    let error = read(50, large).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Input(InputProblem::ExpansionTooLarge { limit: 50 })),
        "{error:?}"
    );
    assert!(error.what_to_do().unwrap().contains("source.max_expansion_ratio"));
    // Some chunk of text past the size that is never too large.
    assert!((16 << 20..=large as u64).contains(&error.location().unwrap().byte_offset.unwrap()));
}

#[test]
fn bad_bytes_may_be_replaced_in_whole_inputs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let runtime = Runtime::new(1).unwrap();
    let open_with = |range| {
        let decoding = Decoding { encoding: None, on_invalid: InvalidBytes::Replace };
        let access = access(SourceSpec::of(Vec::new()));
        open(&input(&path), &access, decoding, range, &runtime, runtime.cancel())
    };
    std::fs::write(&path, b"a,\xff\xe9\n").unwrap();
    let mut stream = open_with(None).unwrap();
    assert_eq!(stream.next().unwrap(), Some("a,\u{fffd}\u{fffd}\n".as_bytes()));
    assert_eq!(stream.next().unwrap(), None);
    assert_eq!(stream.replaced_bytes(), 2);
    // Offsets in the text are no longer those of the bytes.
    assert!(!stream.can_be_entered());
    assert!(matches!(open_with(Some(0..1)).unwrap_err().kind(), ErrorKind::Usage { .. }));
}

#[test]
fn encodings_are_detected_and_then_decoded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    // More than one chunk, so that several are gathered.
    let lines = "caf\u{e9}\n".repeat(CHUNK_BYTES / 2);
    let latin: Vec<u8> = lines.chars().map(|character| character as u8).collect();
    let utf16: Vec<u8> = lines.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let windows = Detected::Windows1252 { offset: 3, byte: 0xe9 };
    for (stored, expected) in [
        (latin.clone(), windows),
        (gzip(&latin), windows),
        (utf16, Detected::Utf16(encoding_rs::UTF_16LE)),
        (lines.clone().into_bytes(), Detected::Utf8),
    ] {
        std::fs::write(&path, stored).unwrap();
        let mut stream = stream(&input(&path), None, None).unwrap();
        assert_eq!(stream.detect_encoding(CHUNK_BYTES + 1).unwrap(), expected);
        assert!(text(stream).unwrap() == lines.as_bytes(), "{expected:?}");
    }
    std::fs::write(&path, latin).unwrap();
    let mut named = stream(&input(&path), Some("latin1"), None).unwrap();
    assert_eq!(named.detect_encoding(10).unwrap(), Detected::Given);
    std::fs::write(&path, "").unwrap();
    let mut empty = stream(&input(&path), None, None).unwrap();
    assert_eq!(empty.detect_encoding(10).unwrap(), Detected::Ascii);
    assert_eq!(empty.next().unwrap(), None);
}

fn fifo(path: &std::path::Path) -> Input {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    Input { url: format!("file://{}", path.display()), ..Input::default() }
}

fn open_with(input: &Input, runtime: &Runtime, cancel: &Cancel) -> Result<TextStream> {
    let access = access(SourceSpec::of(Vec::new()));
    open(input, &access, Decoding::default(), None, runtime, cancel)
}

#[test]
fn a_fifo_can_be_read_and_the_wait_for_its_writer_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(1).unwrap();
    let path = directory.path().join("written");
    let input = fifo(&path);
    let writer = std::thread::spawn(move || std::fs::write(path, b"a,b\n1,2\n"));
    let stream = open_with(&input, &runtime, runtime.cancel()).unwrap();
    assert_eq!(text(stream).unwrap(), b"a,b\n1,2\n");
    writer.join().unwrap().unwrap();

    let path = directory.path().join("silent");
    let input = fifo(&path);
    let cancel = runtime.cancel().child();
    let stopper = std::thread::spawn({
        let cancel = cancel.clone();
        move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            cancel.cancel();
        }
    });
    let error = open_with(&input, &runtime, &cancel).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error:?}");
    stopper.join().unwrap();
    // Lets the thread go that waits for a writer.
    drop(File::options().write(true).open(path));
}

/// In each of these cases all bytes that were planned may be there.
#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    type Change = fn(&std::path::Path);
    let changes: [(Change, &str); 5] = [
        (
            |path| File::options().write(true).open(path).unwrap().set_len(CHUNK_BYTES as u64 + 5).unwrap(),
            "shrank",
        ),
        (
            |path| File::options().append(true).open(path).unwrap().write_all(b"more\n").unwrap(),
            "is still being written: it grew from",
        ),
        (rewrite_in_place, "but was modified at"),
        (
            |path| {
                let other = path.with_extension("new");
                std::fs::copy(path, &other).unwrap();
                rewrite_in_place(&other);
                std::fs::rename(other, path).unwrap();
            },
            "but was modified at",
        ),
        (
            |path| {
                std::fs::remove_file(path).unwrap();
                std::fs::create_dir(path).unwrap();
            },
            "and no longer is",
        ),
    ];
    let lines = "0123456\n".repeat(CHUNK_BYTES / 4);
    for (change, what) in changes {
        for stored in [lines.clone().into_bytes(), gzip(&incompressible(4 * CHUNK_BYTES))] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("in");
            std::fs::write(&path, &stored).unwrap();
            let input = input(&path);
            let mut stream = stream(&input, None, None).unwrap();
            assert!(stream.next().unwrap().is_some());
            change(&path);
            let error = text(stream).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Changed { .. }), "{error:?}");
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(error.location().unwrap().url, input.url);
            assert!(error.what_to_do().is_some());
        }
    }
}

/// Another byte at the same place, at another time whatever the clock's tick is.
fn rewrite_in_place(path: &std::path::Path) {
    let mut file = File::options().write(true).open(path).unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    file.write_all(&std::fs::read(path).unwrap()[..1]).unwrap();
    file.set_modified(before + std::time::Duration::from_millis(1)).unwrap();
}

/// Text of digits that stays long when it is compressed.
fn incompressible(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'!' + (state >> 33) as u8 % 90
    };
    (0..bytes).map(|_| digit()).collect()
}

#[test]
fn text_before_a_bad_byte_comes_before_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    for (stored, encoding) in [(&b"a,b\n1,\xff\n"[..], None), (b"a,b\n1,\x81\xff\n", Some("shift_jis"))] {
        std::fs::write(&path, stored).unwrap();
        let mut stream = stream(&input(&path), encoding, None).unwrap();
        assert_eq!(stream.next().unwrap(), Some(&b"a,b\n1,"[..]));
        let error = stream.next().unwrap_err();
        assert_eq!(error.location().unwrap().byte_offset, Some(6));
        assert_eq!(stream.next().unwrap(), None);
        assert_eq!(stream.decoded_bytes(), 6);
    }
}

#[test]
fn what_is_wrong_with_an_input_is_said_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let lines = "0123456\n".repeat(CHUNK_BYTES / 4);
    let mut cut = gzip(lines.as_bytes());
    cut.truncate(cut.len() - 4);
    std::fs::write(&path, &cut).unwrap();
    let error = text(stream(&input(&path), None, None).unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Input(InputProblem::TruncatedCompression { .. })), "{error:?}");
    assert_eq!(error.location().unwrap().byte_offset, Some(lines.len() as u64));

    std::fs::write(&path, [lines.as_bytes(), b"\xff"].concat()).unwrap();
    let error = text(stream(&input(&path), None, None).unwrap()).unwrap_err();
    let location = error.location().unwrap();
    assert_eq!(location.byte_offset, Some(lines.len() as u64));
    assert_eq!(location.line, Some(CHUNK_BYTES as u64 / 4 + 1));

    let mut planned = input(&path);
    std::fs::write(&path, "shorter").unwrap();
    let changed = |error: Error| matches!(error.kind(), ErrorKind::Changed { .. });
    assert!(changed(stream(&planned, None, None).unwrap_err()));
    planned.bytes = Some(7);
    planned.last_modified = Some("1970-01-01T00:00:00Z".into());
    assert!(changed(stream(&planned, None, None).unwrap_err()));

    std::fs::remove_file(&path).unwrap();
    let error = stream(&planned, None, None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(f) if f.reason == StoreReason::NotFound));
    for url in ["s3://b/a//b", "gs://b/k"] {
        let odd = Input { url: url.into(), ..planned.clone() };
        assert!(matches!(stream(&odd, None, None).unwrap_err().kind(), ErrorKind::Source(_)));
    }
}
