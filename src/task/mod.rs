//! The second verb: a task of a plan → staged Parquet in every target and a
//! report. A task makes nothing visible.
//!
//! [`run()`] is the verb with what it asks of the table; [`stage()`] is the work
//! alone, for whoever has asked already. Its stages are joined in `lane`: `parser` is what
//! happens to one block, `place` and `remedies` what is made of its faults, `comparison` what
//! waits for all of them; `sink` takes the
//! rows, `quarantine` the records that were rejected, `ledger` the counts.

mod comparison;
mod lane;
mod ledger;
mod parser;
mod place;
mod quarantine;
mod remedies;
mod run;
mod sink;
mod stage;

pub use lane::{READ_AHEAD_BLOCKS, WAVE_BLOCKS};
pub use run::{TaskEnd, run};
pub use stage::stage;
