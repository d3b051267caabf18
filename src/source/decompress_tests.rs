#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use std::io::Write;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

/// Unpacks `packed`, given in pieces of `step` bytes, into a buffer of `room`.
fn unpack(packed: &[u8], step: usize, room: usize) -> Result<Vec<u8>, InputProblem> {
    let mut decompressor = Decompressor::new(Format::of(packed))?.expect("compressed");
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
        (&b"a,b\n"[..], Format::Plain),
        (b"", Format::Plain),
        (b"BZh9 is a column,", Format::Plain),
        (b"BZh91AY&SY", Format::Unsupported("bzip2")),
        (b"\xfd7zXZ\0", Format::Unsupported("xz")),
        (b"PK\x03\x04", Format::Unsupported("zip")),
        (b"\x1f\x8b\x08", Format::Gzip),
        (b"\x28\xb5\x2f\xfd", Format::Zstd),
        (b"\x51\x2a\x4d\x18", Format::Zstd),
    ] {
        assert_eq!(Format::of(head), format, "{head:?}");
    }
}

#[test]
fn members_and_frames_follow_each_other_at_any_buffer_sizes() {
    let text: Vec<u8> = (0..5000u32).flat_map(|n| format!("{n},{}\n", n * 7).into_bytes()).collect();
    let (a, b) = text.split_at(1234);
    let empty = gzip(b"");
    let padded = [gzip(&text), vec![0; 512]].concat();
    let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(a), &zstd(b)].concat();
    for packed in [gzip(&text), [gzip(a), empty, gzip(b)].concat(), padded, zstd(&text), skipped] {
        for (step, room) in [(1, 7), (3, 1 << 20), (1 << 20, 1), (1 << 20, 4096), (777, 777)] {
            assert_eq!(unpack(&packed, step, room).unwrap(), text, "{step} {room}");
        }
    }
}

#[test]
fn cut_streams_are_cut_wherever_the_cut_is() {
    let text = b"some text that is long enough to be worth a block of its own";
    for (packed, format) in [(gzip(text), "gzip"), (zstd(text), "zstd")] {
        for length in 4..packed.len() {
            let error = unpack(&packed[..length], 5, 64).unwrap_err();
            assert_eq!(error, InputProblem::TruncatedCompression { format }, "{format} {length}");
        }
    }
}

#[test]
fn damage_is_found_and_nothing_panics() {
    let text: Vec<u8> = (0..999u32).flat_map(|n| n.to_string().into_bytes()).collect();
    for packed in [gzip(&text), [gzip(&text), b"tail".to_vec()].concat(), zstd(&text)] {
        for position in 4..packed.len() {
            let mut damaged = packed.clone();
            damaged[position] ^= 0x55;
            // Some bytes carry no meaning (time stamps), zstd has no checksum by default.
            let _ = unpack(&damaged, 11, 100);
        }
    }
    let mut damaged = gzip(&text);
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    assert!(matches!(unpack(&damaged, 9, 99), Err(InputProblem::DamagedCompression { format: "gzip", .. })));
    let tail = [gzip(&text), b"tail".to_vec()].concat();
    assert!(matches!(unpack(&tail, 9, 99), Err(InputProblem::DamagedCompression { format: "gzip", .. })));
}
