//! Samples of CSV text → the dialect and the columns' types.
//!
//! Input: the heads of some inputs, or whole inputs streamed through
//! [`types::TypeInference`]. Output: what the job left out, as documents that a
//! person can keep and edit. Nothing is guessed that a later value could
//! quietly contradict: a value that does not fit an inferred type fails the run
//! with its place. Called by `plan` and `sawmill infer`.

mod dialect;
mod types;

pub use dialect::infer_dialect;
pub use types::TypeInference;

use crate::error::Result;
use crate::parse::{Dialect, FieldForm, RecordIndex, Scanner, field_value};
use crate::schema::Schema;
use crate::split::blocks::{Block, BlockCutter};
use crate::split::footer::FooterHold;
use crate::split::preamble::{Preamble, Taken};
use crate::split::read::{cut_error, scan_error};

/// Text of an input from its start.
#[derive(Debug, Clone)]
pub struct Sample {
    /// URL of the input.
    pub url: String,
    /// Decoded text.
    pub text: Vec<u8>,
    /// Whether it is the whole input. If not, its last record may be cut off.
    pub whole: bool,
}

/// Bytes of decoded text sampled from each input.
pub const SAMPLE_BYTES: usize = 1 << 20;

/// Inputs sampled at most, spread evenly over all.
pub const SAMPLED_INPUTS: usize = 16;

/// What the columns are, from samples in this dialect.
pub fn infer_schema(samples: &[Sample], dialect: &Dialect) -> Result<(Schema, Vec<String>)> {
    let mut inference = TypeInference::default();
    for sample in samples {
        let mut records = Records::new(&sample.url, dialect);
        records.push(&sample.text, &mut inference)?;
        if sample.whole {
            records.finish(&mut inference)?;
        }
    }
    Ok(inference.finish())
}

/// Streams the text of one input into a [`TypeInference`].
#[derive(Debug)]
pub struct Records<'a> {
    url: &'a str,
    dialect: &'a Dialect,
    scanner: Scanner,
    cutter: Option<BlockCutter>,
    index: RecordIndex,
    preamble: Preamble<'a>,
    hold: FooterHold,
    /// Column of each field, where the header says so.
    columns: Vec<usize>,
}

/// Smaller than the pipeline's: of a short sample little is lost with the last block.
const BLOCK_BYTES: usize = 64 << 10;

impl<'a> Records<'a> {
    /// At the start of the input.
    pub fn new(url: &'a str, dialect: &'a Dialect) -> Self {
        Records {
            url,
            dialect,
            scanner: Scanner::new(dialect),
            cutter: Some(BlockCutter::new(dialect, BLOCK_BYTES)),
            index: RecordIndex::default(),
            preamble: Preamble::new(dialect),
            hold: FooterHold::new(dialect.footer_records),
            columns: Vec::new(),
        }
    }

    /// Adds text. Errors are those of the grammar, with their place.
    pub fn push(&mut self, text: &[u8], inference: &mut TypeInference) -> Result<()> {
        let Some(cutter) = &mut self.cutter else { return Ok(()) };
        let mut blocks = Vec::new();
        let cut = cutter.push(text, &mut Vec::new, &mut blocks);
        self.observe(blocks, inference)?;
        cut.map_err(|error| cut_error(error, self.dialect, self.url))
    }

    /// The input is over.
    pub fn finish(&mut self, inference: &mut TypeInference) -> Result<()> {
        let Some(cutter) = self.cutter.take() else { return Ok(()) };
        let mut blocks = Vec::new();
        let cut = cutter.finish(&mut Vec::new, &mut blocks);
        self.observe(blocks, inference)?;
        cut.map_err(|error| cut_error(error, self.dialect, self.url))
    }

    fn observe(&mut self, cut: Vec<Block>, inference: &mut TypeInference) -> Result<()> {
        let mut blocks = Vec::new();
        for block in cut {
            self.hold.push(block, &mut blocks);
        }
        let mut scratch = Vec::new();
        for block in blocks {
            let scanned = self.scanner.scan(&block.bytes, &mut self.index);
            scanned.map_err(|error| scan_error(&error, &block, self.dialect, self.url))?;
            let footer = if block.last { self.hold.records() as usize } else { 0 };
            for record in 0..self.index.len() {
                let fields = self.index.record(record);
                match self.preamble.take(&block.bytes, fields) {
                    Taken::Skipped => continue,
                    Taken::Header(names) => {
                        self.columns = inference.name_columns(names);
                        continue;
                    }
                    Taken::Data if record + footer >= self.index.len() => break,
                    Taken::Data => {}
                }
                for (position, span) in fields.iter().enumerate() {
                    let value = field_value(self.dialect, &block.bytes, span, &mut scratch);
                    let column = self.columns.get(position).copied().unwrap_or(position);
                    inference.observe(column, value, span.form != FieldForm::Bare);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
