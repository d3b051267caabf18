//! Inputs → splits at true record boundaries.

use super::blocks::BlockCutter;
use super::problems::cut_error;
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
        let mut text = source::open(input, &access, decoding, None, runtime, runtime.cancel())?;
        let block_bytes =
            usize::try_from(split_bytes).map_err(|_| Error::usage("--split-bytes is too large"))?;
        // Splits begin where blocks do, so blocks are a good deal smaller.
        let mut cutter = BlockCutter::new(&plan.dialect, (block_bytes / 16).clamp(1, 1 << 20))
            .tolerant(plan.job.errors.tolerates_bad_records());
        let preamble = plan.dialect.framing.preamble_records();
        let mut blocks = Vec::new();
        let mut ranges: Vec<SplitRange> = Vec::new();
        let mut collect = |blocks: &mut Vec<super::blocks::Block>| {
            for block in blocks.drain(..) {
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
        };
        while let Some(bytes) = text.next()? {
            runtime.cancel().check()?;
            cutter
                .push(bytes, &mut Vec::new, &mut blocks)
                .map_err(|e| cut_error(e, &plan.dialect, &input.url, None))?;
            collect(&mut blocks);
        }
        cutter
            .finish(&mut Vec::new, &mut blocks)
            .map_err(|e| cut_error(e, &plan.dialect, &input.url, None))?;
        collect(&mut blocks);
        if ranges.is_empty() || !text.can_be_entered() {
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
