//! The RLE and bit-packing hybrid of the Parquet format ("Encodings.md").

/// Values of a group; runs of bit-packed values are of whole groups.
const GROUP: usize = 8;

/// Equal values from which a run pays for its header.
const MIN_RUN: usize = 16;

/// Appends codes of `width` bits, at most 32. A code that is repeated often is a run.
pub(super) fn append_codes(codes: &[u32], width: u8, out: &mut Vec<u8>) {
    let mut packed_from = 0;
    let mut at = 0;
    while at < codes.len() {
        let run = run_length(&codes[at..]);
        if run < MIN_RUN {
            at += GROUP.min(codes.len() - at);
            continue;
        }
        append_packed(&codes[packed_from..at], width, out);
        append_varint((run as u64) << 1, out);
        out.extend_from_slice(&codes[at].to_le_bytes()[..usize::from(width).div_ceil(8)]);
        at += run;
        packed_from = at;
    }
    append_packed(&codes[packed_from..], width, out);
}

/// Appends levels of one bit each, as they stand in `bits` from the first bit of the
/// first byte on; bits behind the last level are 0.
pub(super) fn append_levels(bits: &[u8], levels: usize, out: &mut Vec<u8>) {
    let whole = levels / 8;
    let mut packed_from = 0;
    let mut at = 0;
    while at < whole {
        let first = bits[at];
        let run = match first {
            0x00 | 0xFF => bits[at..whole].iter().take_while(|byte| **byte == first).count(),
            _ => 0,
        };
        if run * 8 < MIN_RUN {
            at += 1;
            continue;
        }
        append_bytes(&bits[packed_from..at], out);
        append_varint((run as u64 * 8) << 1, out);
        out.push(first & 1);
        at += run;
        packed_from = at;
    }
    append_bytes(&bits[packed_from..levels.div_ceil(8)], out);
}

/// A run of `levels` levels that are all 1.
pub(super) fn append_all_set(levels: usize, out: &mut Vec<u8>) {
    append_varint((levels as u64) << 1, out);
    out.push(1);
}

/// Bits of the largest of `entries` codes.
pub(super) fn code_width(entries: usize) -> u8 {
    (usize::BITS - entries.saturating_sub(1).leading_zeros()) as u8
}

fn run_length(codes: &[u32]) -> usize {
    let first = codes[0];
    // Most runs end at once.
    if codes.get(1).is_some_and(|second| *second != first) {
        return 1;
    }
    codes.iter().take_while(|code| **code == first).count()
}

/// One run of bit-packed levels, eight a byte.
fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        append_varint((bytes.len() as u64) << 1 | 1, out);
        out.extend_from_slice(bytes);
    }
}

/// One run of bit-packed codes, filled up with zeros to whole groups.
fn append_packed(codes: &[u32], width: u8, out: &mut Vec<u8>) {
    if codes.is_empty() {
        return;
    }
    let groups = codes.len().div_ceil(GROUP);
    append_varint((groups as u64) << 1 | 1, out);
    out.reserve(groups * usize::from(width) + 8);
    let mut pending = 0u64;
    let mut bits = 0;
    let zeros = std::iter::repeat_n(&0, groups * GROUP - codes.len());
    for &code in codes.iter().chain(zeros) {
        pending |= u64::from(code) << bits;
        bits += width;
        if bits >= 32 {
            out.extend_from_slice(&(pending as u32).to_le_bytes());
            pending >>= 32;
            bits -= 32;
        }
    }
    out.extend_from_slice(&pending.to_le_bytes()[..usize::from(bits).div_ceil(8)]);
}

fn append_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The twin: a reader after the text of the format.
    fn decode(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut codes = Vec::new();
        while codes.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let (first, rest) = bytes.split_first().unwrap();
                bytes = rest;
                header |= u64::from(first & 0x7F) << shift;
                shift += 7;
                if first & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 1 {
                let values = (header >> 1) as usize * 8;
                let (packed, rest) = bytes.split_at(values * usize::from(width) / 8);
                bytes = rest;
                let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
                let code = |n: usize| {
                    (0..usize::from(width)).map(|b| bit(n * usize::from(width) + b) << b).sum::<u32>()
                };
                codes.extend((0..values).map(code));
            } else {
                let (value, rest) = bytes.split_at(usize::from(width).div_ceil(8));
                bytes = rest;
                let value = value.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
                codes.extend(std::iter::repeat_n(value, (header >> 1) as usize));
            }
        }
        assert!(bytes.is_empty() && codes.len() < count + 8, "{count}: {codes:?}");
        codes.truncate(count);
        codes
    }

    proptest! {
        #[test]
        fn codes_come_back(
            runs in prop::collection::vec((any::<u32>(), prop_oneof![1usize..4, 1usize..90]), 0..40),
            width in 1u8..=32,
        ) {
            let mask = u32::MAX >> (32 - width);
            let codes: Vec<u32> =
                runs.iter().flat_map(|(code, times)| std::iter::repeat_n(code & mask, *times)).collect();
            let mut out = Vec::new();
            append_codes(&codes, width, &mut out);
            prop_assert_eq!(decode(&out, width, codes.len()), codes);
        }

        #[test]
        fn levels_come_back(runs in prop::collection::vec((any::<bool>(), 1usize..60), 0..40)) {
            let levels: Vec<bool> = runs.iter().flat_map(|(set, times)| std::iter::repeat_n(*set, *times)).collect();
            let mut bits = vec![0u8; levels.len().div_ceil(8)];
            levels.iter().enumerate().for_each(|(at, set)| bits[at / 8] |= u8::from(*set) << (at % 8));
            let mut out = Vec::new();
            append_levels(&bits, levels.len(), &mut out);
            let expected: Vec<u32> = levels.iter().map(|set| u32::from(*set)).collect();
            prop_assert_eq!(decode(&out, 1, levels.len()), expected);
        }
    }

    #[test]
    fn the_width_is_that_of_the_largest_code() {
        for (entries, width) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)] {
            assert_eq!(code_width(entries), width, "{entries}");
        }
        let mut out = Vec::new();
        append_all_set(300, &mut out);
        assert_eq!(decode(&out, 1, 300), vec![1; 300]);
    }
}
