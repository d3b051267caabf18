//! Inputs → splits at true record boundaries.

use super::stream::{BlockStream, Edges, InputText};
use crate::documents::{Plan, Split, SplitRange};
use crate::error::{Error, Result};
use crate::runtime::Runtime;
use crate::source::{self, Access};

/// Cuts every input into ranges of at least `split_bytes` (but the last), each
/// with its size in bytes.
///
/// Only a pass over the text knows whether a line end stands inside quotes, so
/// every input is read once, at the speed of the block cutter. That makes the
/// counts before each split exact, and with them every place in an error.
/// Compressed or transcoded inputs stay whole: their text cannot be entered in
/// the middle. So do inputs with footer records, which only the end of an input
/// tells from data.
pub fn cut_ranges(plan: &Plan, split_bytes: u64, runtime: &Runtime) -> Result<Vec<(Split, u64)>> {
    let access = Access::of(&plan.job.source, &plan.job.engine);
    let mut splits = Vec::new();
    for (position, input) in plan.inputs.iter().enumerate() {
        let stored = input.bytes.unwrap_or(0);
        let whole = (Split { input: position, range: None }, stored);
        if stored <= split_bytes || plan.dialect.framing.footer_records > 0 {
            splits.push(whole);
            continue;
        }
        let decoding = source::Decoding::of(plan.encoding.as_ref(), plan.dialect.invalid_bytes);
        let text = source::open(input, &access, decoding, None, runtime, runtime.cancel())?;
        let text = InputText::new(text, runtime.cancel());
        let block_bytes =
            usize::try_from(split_bytes).map_err(|_| Error::usage("--split-bytes is too large"))?;
        // Splits begin where blocks do, so blocks are a good deal smaller.
        let block_bytes = (block_bytes / 16).clamp(1, 1 << 20);
        let mut blocks = BlockStream::new(text, &plan.dialect, &input.url, block_bytes, Edges::Unknown)
            .tolerant(plan.job.errors.tolerates_bad_records());
        let preamble = plan.dialect.framing.preamble_records();
        let mut ranges: Vec<SplitRange> = Vec::new();
        for framed in &mut blocks {
            let block = framed?.block;
            // What comes before the data belongs to the first split.
            let due = ranges.last().is_none_or(|last| {
                block.byte_offset - last.start >= split_bytes && block.records_before > preamble
            });
            if due && !block.bytes.is_empty() {
                // What names the delimiter is in no block.
                let is_first = ranges.is_empty();
                ranges.push(SplitRange {
                    start: if is_first { 0 } else { block.byte_offset },
                    end: 0,
                    lines_before: if is_first { 0 } else { block.lines_before },
                    records_before: block.records_before,
                });
            }
        }
        if ranges.is_empty() || !blocks.text().stream().can_be_entered() {
            splits.push(whole);
            continue;
        }
        let ends: Vec<u64> = ranges.iter().skip(1).map(|range| range.start).chain([stored]).collect();
        for (mut range, end) in ranges.into_iter().zip(ends) {
            range.end = end;
            splits.push((Split { input: position, range: Some(range) }, end - range.start));
        }
    }
    Ok(splits)
}
