//! Samples → a schema, with notes.

use crate::error::Result;
use crate::infer::{Inferred, InputRecords, TypeInference, Window};
use crate::parse::{Grammar, StrayQuotes};
use crate::spec::Dialect;

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
    let grammar = Grammar { stray_quotes: StrayQuotes::Keep, ..dialect.grammar };
    let lenient = dialect.with_grammar(grammar);
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
        let records = InputRecords::new(&sample.url, dialect, &mut inference);
        let mut records = records.setting_aside(sets_aside);
        records.read(Some(&*sample.text), sample.whole, &mut inference)?;
        if !sample.whole {
            records.look_into(&sample.windows, &mut inference);
        }
    }
    Ok(inference.finish())
}

#[cfg(test)]
pub(super) mod tests;
