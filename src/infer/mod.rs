//! Samples of CSV text → the dialect and the columns' types.
//!
//! Input: the heads of some inputs and windows into them, or whole inputs
//! streamed through [`InputRecords`] into a [`TypeInference`]. Output: what the job
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
#[cfg(test)]
mod generated_tests;
mod notes;
mod numbers;
mod odd;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod readings_tests;
mod records;
mod remedies;
mod schema;
mod temporal;
mod types;
mod windows;
mod words;

pub use column::FieldText;
pub use dialect::{Known, infer_dialect};
pub use encoding::infer_encoding;
pub use notes::{ColumnNote, lines as note_lines};
pub use records::InputRecords;
pub use remedies::{Failing, Tried, Words, remedies, value_remedies};
pub use schema::{SAMPLE_BYTES, SAMPLED_INPUTS, Sample, infer_schema, infer_schema_leniently};
pub use types::{Inferred, Place, Position, Seen, TypeChange, TypeInference};
pub use windows::{WINDOW_BYTES, WINDOWS, Window, windows};
