//! sawmill turns CSV into typed, partitioned Parquet, in every target or in none.
//!
//! The modules are rooms on floors, bottom first: a room imports from the floors
//! below it, and what several rooms use stands below all of them
//! (`tests/architecture.rs` has the table and holds the code to it).
//!
//! ```text
//! spec, job ─► source ─► split ─► parse ─► rows ─► transform ─► partition ─► order ─► encode ─► store
//!                                                                         (tee to every target) │
//!                                 commit: verify, complete, announce ◄─ documents::TaskReport ◄─┘
//! ```
//!
//! Three verbs lie under everything, each a function with a serializable
//! document on both sides: [`plan::build`] pins inputs and settles the schema
//! ([`documents::Plan`]), [`task::run`] stages Parquet in every target
//! ([`documents::TaskReport`]), [`commit::run`] makes it visible
//! ([`documents::Manifest`]). [`mod@run`] is the three in one process: it stages as [`task::stage`] does, and
//! asks the table before and after in one go.

// Files that the end-to-end tests include, too, name the crate as those do.
#[cfg(test)]
extern crate self as sawmill;

// What knows nothing of CSV.
pub mod error;
pub mod runtime;
pub mod spanned;

// Fields, and the values that they hold.
pub mod parse;
pub mod value;

// What the user says.
pub mod spec;
pub mod schema;
pub mod profile;
pub mod job;

// What verbs exchange, and the outside.
pub mod documents;
pub mod aws;
pub mod source;
pub mod store;

// Text → blocks of whole records → rows → Parquet.
pub mod split;
pub mod rows;
pub mod infer;
pub mod transform;
pub mod partition;
pub mod order;
pub mod encode;

// The verbs.
pub mod account;
pub mod columns;
pub mod plan;
pub mod task;
pub mod commit;

// The front.
pub mod report;
pub mod run;
pub mod cli;

pub use error::{Error, ErrorKind, Result};
