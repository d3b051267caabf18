#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use std::io::Write;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(text, 1).unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Unpacks `packed`, given in pieces of `step` bytes, into a buffer of `room`.
fn unpack(packed: &[u8], step: usize, room: usize) -> Result<Vec<u8>, InputProblem> {
    let mut decompressor = Decompressor::new(CompressionFormat::of(packed))?.expect("compressed");
    let (mut all, mut out) = (Vec::new(), Vec::with_capacity(room));
    for piece in packed.chunks(step) {
        let mut taken = 0;
        loop {
            taken += decompressor.push(&piece[taken..], &mut out)?;
            let full = out.len() == out.capacity();
            all.append(&mut out);
            if !full {
                assert_eq!(taken, piece.len());
                break;
            }
        }
    }
    decompressor.finish()?;
    Ok(all)
}

#[test]
fn formats_are_told_by_their_first_bytes() {
    for (head, format) in [
        (&b"a,b\n"[..], CompressionFormat::Plain),
        (b"", CompressionFormat::Plain),
        (b"BZh9 is a column,", CompressionFormat::Plain),
        (b"BZh91AY&SY", CompressionFormat::Bzip2),
        (&bzip2(b""), CompressionFormat::Bzip2),
        (b"\xfd7zXZ\0", CompressionFormat::Xz),
        (b"\x5d\0\0\x80\0\xff\xff\xff", CompressionFormat::Unsupported("lzma")),
        (b"]\0,\0", CompressionFormat::Plain),
        (b"PK\x03\x04", CompressionFormat::Unsupported("zip")),
        (b"\x1f\x8b\x08", CompressionFormat::Gzip),
        (b"\x28\xb5\x2f\xfd", CompressionFormat::Zstd),
        (b"\x51\x2a\x4d\x18", CompressionFormat::Zstd),
    ] {
        assert_eq!(CompressionFormat::of(head), format, "{head:?}");
    }
}

#[test]
fn members_and_frames_follow_each_other_at_any_buffer_sizes() {
    let text: Vec<u8> = (0..5000u32).flat_map(|n| format!("{n},{}\n", n * 7).into_bytes()).collect();
    let (a, b) = text.split_at(1234);
    let empty = gzip(b"");
    let padded = [gzip(&text), vec![0; 512]].concat();
    let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(a), &zstd(b)].concat();
    let members = [gzip(a), empty, gzip(b)].concat();
    let streams = [bzip2(a), bzip2(b""), bzip2(b)].concat();
    let apart = [xz(a), vec![0; 8], xz(b""), xz(b), vec![0; 4]].concat();
    for packed in
        [gzip(&text), members, padded, zstd(&text), skipped, bzip2(&text), streams, xz(&text), apart]
    {
        for (step, room) in [(1, 7), (3, 1 << 20), (1 << 20, 1), (1 << 20, 4096), (777, 777)] {
            assert_eq!(unpack(&packed, step, room).unwrap(), text, "{step} {room}");
        }
    }
}

#[test]
fn cut_streams_are_cut_wherever_the_cut_is() {
    let text = b"some text that is long enough to be worth a block of its own";
    for (packed, format, magic) in
        [(gzip(text), "gzip", 4), (zstd(text), "zstd", 4), (bzip2(text), "bzip2", 10), (xz(text), "xz", 6)]
    {
        for length in magic..packed.len() {
            let error = unpack(&packed[..length], 5, 64).unwrap_err();
            assert_eq!(error, InputProblem::TruncatedCompression { format }, "{format} {length}");
        }
    }
}

#[test]
fn damage_is_found_and_nothing_panics() {
    let text: Vec<u8> = (0..999u32).flat_map(|n| n.to_string().into_bytes()).collect();
    let tailed = [gzip(&text), b"tail".to_vec()].concat();
    for packed in [gzip(&text), tailed, zstd(&text), bzip2(&text), xz(&text)] {
        for position in 10..packed.len() {
            let mut damaged = packed.clone();
            damaged[position] ^= 0x55;
            // Some bytes carry no meaning (time stamps), zstd has no checksum by default.
            let _ = unpack(&damaged, 11, 100);
        }
    }
    let ends = [("gzip", gzip(&text), 8), ("bzip2", bzip2(&text), 3), ("xz", xz(&text), 12)];
    for (name, packed, from_end) in ends {
        let mut damaged = packed.clone();
        let checksum = damaged.len() - from_end;
        damaged[checksum] ^= 1;
        let tailed = [packed, b"another file".to_vec()].concat();
        for bad in [damaged, tailed] {
            let error = unpack(&bad, 9, 99).unwrap_err();
            assert!(
                matches!(error, InputProblem::DamagedCompression { format, .. } if format == name),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn a_dictionary_beyond_the_memory_limit_is_refused() {
    // By hand, as an encoder would take the memory: the header of a stream and
    // of a block whose one filter is LZMA2 (0x21) with a dictionary of 2^(34/2 + 12) bytes.
    let stream = [0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46];
    let block = [2, 0, 0x21, 1, 34, 0, 0, 0];
    let checksum = crc32(&block);
    let packed = [&stream[..], &block, &checksum.to_le_bytes(), &[0; 64]].concat();
    let error = unpack(&packed, 9, 99).unwrap_err();
    assert!(matches!(error, InputProblem::UnsupportedCompression { .. }), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
