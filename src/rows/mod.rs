//! Field spans of a block → an Arrow record batch with the schema's types.
//!
//! Input: a block of whole records and the [`RecordIndex`](crate::parse::RecordIndex) the scanner made of
//! it. Output: [`Built`]: one row for every record that fits, and a
//! [`Fault`] for every one that does not and may be set aside; or the
//! *first* record that may not, whichever column it fails in: the answer never
//! depends on the order of the work. Pure computation; [`crate::task`] calls
//! it on the Rayon pool, with one [`BatchBuilder`] for every input. [`binding`] says which
//! field is which column, [`shape`] what happens to records that are too short or too long.

pub mod binding;
mod builder;
mod column;
mod fault;
mod shape;

pub use binding::Binding;
pub use builder::{BatchBuilder, Built, DataRecords, Policies, Rows, arrow_schema};
pub use fault::{Fault, Origin, judge};
