//! Text of some inputs, for what the job leaves to inference.

use crate::documents::Input;
use crate::error::Result;
use crate::infer::{SAMPLE_BYTES, SAMPLED_INPUTS, Sample, WINDOW_BYTES, WINDOWS, Window, windows};
use crate::runtime::Runtime;
use crate::source::{self, Access, Decoding, Detected, TextStream};
use std::ops::Range;

/// Inputs up to this size are read whole: that is no more than head and windows.
const READ_WHOLE_BYTES: u64 = SAMPLE_BYTES as u64 + WINDOWS * WINDOW_BYTES;

/// What was read of some inputs.
#[derive(Default)]
pub(super) struct Sampled {
    pub(super) samples: Vec<Sample>,
    /// What each looks like, where its encoding was to be found.
    pub(super) detected: Vec<(String, Detected)>,
    /// Standard input, with its sample still to come.
    pub(super) first_text: Option<TextStream>,
}

/// The heads of some inputs, spread evenly, and if types are to be found windows
/// into those that can be entered. A pipe gives its text only once: the first
/// input's is handed back, those of later ones are left alone.
pub(super) fn sample(
    access: &Access,
    inputs: &[Input],
    decoding: Decoding,
    infer_encoding: bool,
    infer_types: bool,
    runtime: &Runtime,
) -> Result<Sampled> {
    let step = inputs.len().div_ceil(SAMPLED_INPUTS).max(1);
    let mut sampled = Sampled::default();
    let mut entered = Vec::new();
    for (position, input) in inputs.iter().enumerate().step_by(step) {
        if position > 0 && !input.is_pinned() {
            continue;
        }
        runtime.cancel().check()?;
        let mut text = source::open(input, access, decoding, None, runtime, runtime.cancel())?;
        if infer_encoding {
            sampled.detected.push((input.url.clone(), text.detect_encoding(SAMPLE_BYTES)?));
        }
        let mark_bytes = text.mark_bytes();
        let text_bytes = input.bytes.filter(|_| infer_types && text.can_be_entered());
        let text_bytes = text_bytes.map(|stored| stored.saturating_sub(mark_bytes));
        let head_bytes = match text_bytes.filter(|bytes| *bytes <= READ_WHOLE_BYTES) {
            // One more, to come to the end.
            Some(bytes) => bytes as usize + 1,
            None => SAMPLE_BYTES,
        };
        let (head, ended) = text.peek(head_bytes)?;
        // What came beyond it depends on where the input is stored.
        let (head, whole) = match head.get(..head_bytes) {
            Some(head) => (head.to_vec(), false),
            None => (head.to_vec(), ended),
        };
        let ranges = text_bytes.map(|bytes| windows(head.len() as u64, bytes)).unwrap_or_default();
        if !whole && !ranges.is_empty() {
            entered.push(Entered { sample: sampled.samples.len(), input, mark_bytes, ranges });
        }
        sampled.samples.push(Sample { url: input.url.clone(), text: head, whole, windows: Vec::new() });
        if !input.is_pinned() {
            sampled.first_text = Some(text);
        }
    }
    look_into(&entered, &mut sampled.samples, access, runtime)?;
    Ok(sampled)
}

/// An input to look into.
struct Entered<'a> {
    /// Number of its sample.
    sample: usize,
    input: &'a Input,
    mark_bytes: u64,
    /// Of the text, the last to its end.
    ranges: Vec<Range<u64>>,
}

/// Adds windows to samples, all read at once: one by one they would take a
/// round trip to the store each.
fn look_into(
    entered: &[Entered<'_>],
    samples: &mut [Sample],
    access: &Access,
    runtime: &Runtime,
) -> Result<()> {
    let stored = |entered: &Entered<'_>| {
        let mark = entered.mark_bytes;
        entered.ranges.iter().map(|range| range.start + mark..range.end + mark).collect()
    };
    let wanted: Vec<_> = entered.iter().map(|entered| (entered.input, stored(entered))).collect();
    let read = source::read_ranges(&wanted, access, runtime, runtime.cancel())?;
    for (entered, texts) in entered.iter().zip(read) {
        let last = entered.ranges.len() - 1;
        let window = |(number, (range, text)): (usize, (&Range<u64>, Vec<u8>))| Window {
            byte_offset: range.start,
            text,
            last: number == last,
        };
        samples[entered.sample].windows = entered.ranges.iter().zip(texts).enumerate().map(window).collect();
    }
    Ok(())
}
