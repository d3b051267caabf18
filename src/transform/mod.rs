//! Rows of a block → the rows that are written: `transforms` of the job.
//!
//! [`Program::compile`] turns the steps of a job into operations on columns and
//! finds every mistake in them; [`Program::apply`] runs them over the rows of one
//! block. It is a pure function of the rows, their numbers, the URL of the input,
//! the run and the salts, so blocks may be done in any order, and the same row
//! comes out the same whatever block it is in. Every row that goes in comes out,
//! is filtered, or is a fault; nothing is rounded, wrapped or lost silently.
//!
//! What needs rows of several blocks (deduplication, unique keys) is a
//! [`rows::KeyCheck`]: keys are made here, the task compares them in order.
//! Called by [`crate::task`] for the data, and by planning for the mistakes.

mod compile;
mod expression;
mod frame;
mod keys;
mod lossless_cast;
mod operations;
mod program;
pub mod rows;

pub use program::Program;
