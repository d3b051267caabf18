//! The one error type of the crate.
//!
//! An [`Error`] is opaque and boxed: its [`ErrorKind`] says which class it
//! belongs to (and so which exit code the process ends with), and its
//! [`Location`] says where in the data it happened, if anywhere. Messages name
//! what to do about it in [`Error::remedy`], apart from the cause, so that a
//! terminal can show them on lines of their own and JSON logs as fields.

mod aftermath;
pub mod count;
pub mod excerpt;
mod input;
mod kinds;
pub mod lists;
mod nearest;
pub mod wording;

pub use aftermath::Aftermath;
pub use input::{InputProblem, QuoteExtent};
pub use kinds::{Error, ErrorKind, JobPlace, Location, Result, StoreFailure, StoreReason};
pub use nearest::nearest;
pub(crate) use nearest::nearest_column;
pub use wording::Wording;
