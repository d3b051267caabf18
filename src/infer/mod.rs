//! Samples of CSV text → the dialect and the columns' types.
//!
//! Input: the heads of some inputs and windows into them, or whole inputs
//! streamed through [`Records`] into a [`TypeInference`]. Output: what the job
//! left out, as documents that a person can keep and edit, and notes on what is
//! not certain; or, where a guess might lose records, two readings to choose from. Nothing is
//! guessed that a later value could quietly contradict: a value that does not
//! fit an inferred type fails the run with its place, and what may be read in
//! two ways stays text. The answer depends on the bytes and the order of the
//! inputs only. Called by `plan` and `sawmill infer`.
//!
//! The dialect is judged by the heads alone. Types are also those of what stands
//! further down: a record that is cut in the wrong place would widen them for no
//! reason, so of each window only what [`windows`] holds for certain counts.
//! `--full` looks at every record.

mod column;
mod dialect;
mod encoding;
mod notes;
mod numbers;
mod odd;
mod records;
mod remedies;
mod temporal;
mod types;
mod windows;
mod words;

pub use column::FieldText;
pub use dialect::{Known, infer_dialect};
pub use encoding::infer_encoding;
pub use notes::{ColumnNote, lines as note_lines};
pub use records::Records;
pub use remedies::{Failing, Tried, Words, remedies, value_remedies};
pub use types::{Inferred, Place, Position, Seen, TypeChange, TypeInference};
pub use windows::{WINDOW_BYTES, WINDOWS, Window, windows};

use crate::error::Result;
use crate::parse::{Dialect, StrayQuotes};

/// Text of an input from its start, and from further down.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// URL of the input.
    pub url: String,
    /// Decoded text.
    pub text: Vec<u8>,
    /// Whether it is the whole input. If not, its last record may be cut off.
    pub whole: bool,
    /// What stands further down, in order, where it can be entered.
    pub windows: Vec<Window>,
}

/// Bytes of decoded text sampled from each input.
pub const SAMPLE_BYTES: usize = 1 << 20;

/// Inputs sampled at most, spread evenly over all.
pub const SAMPLED_INPUTS: usize = 16;

/// What the columns are, from samples in this dialect. A field
/// that is one of the null tokens is null in every column.
pub fn infer_schema(samples: &[Sample], dialect: &Dialect, null_tokens: &[String]) -> Result<Inferred> {
    infer_types(samples, dialect, null_tokens, false)
}

/// The same for a run that sets records aside which break the dialect: it reads
/// stray quotes as text, and passes over a quote that is never closed.
pub fn infer_schema_leniently(
    samples: &[Sample],
    dialect: &Dialect,
    null_tokens: &[String],
) -> Result<Inferred> {
    let lenient = Dialect { stray_quotes: StrayQuotes::Keep, ..dialect.clone() };
    infer_types(samples, &lenient, null_tokens, true)
}

fn infer_types(
    samples: &[Sample],
    dialect: &Dialect,
    null_tokens: &[String],
    sets_aside: bool,
) -> Result<Inferred> {
    let mut inference = TypeInference::with_null_tokens(null_tokens);
    for sample in samples {
        let records = Records::new(&sample.url, dialect, &mut inference);
        let mut records = records.setting_aside(sets_aside);
        records.push(&sample.text, &mut inference)?;
        if sample.whole {
            records.finish(&mut inference)?;
        } else {
            records.look_into(&sample.windows, &mut inference);
        }
    }
    Ok(inference.finish())
}

#[cfg(test)]
mod generated_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod readings_tests;
#[cfg(test)]
mod tests;
