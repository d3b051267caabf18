//! sawmill turns CSV into typed, partitioned Parquet, in every target or in none.
//!
//! The way of the data, which is also the order of the modules: each imports
//! what stands before it, never what stands after. [`pipeline`] is the one
//! place that names every stage of a task, [`run`] the one that names every
//! verb.
//!
//! ```text
//! job, schema ─► source ─► split ─► parse ─► batch ─► partition ─► encode ─► store (tee to every target)
//!                                                                               │ task::TaskReport
//!                                                     commit: verify, complete, announce ◄─┘
//! ```
//!
//! Three verbs lie under everything, each a function with a serializable
//! document on both sides: [`plan::build`] pins inputs and settles the schema
//! ([`plan::Plan`]), [`task::run`] stages Parquet in every target
//! ([`task::TaskReport`]), [`commit::run`] makes it visible
//! ([`commit::Manifest`]).

pub mod error;
pub mod runtime;

// What the user says.
pub mod document;
pub mod job;
pub mod schema;

// The stages of a task.
pub mod aws;
pub mod batch;
pub mod encode;
pub mod infer;
pub mod parse;
pub mod partition;
pub mod pipeline;
pub mod source;
pub mod split;
pub mod store;
pub mod transform;

// The verbs.
pub mod commit;
pub mod plan;
pub mod run;
pub mod task;

pub mod cli;
pub mod report;

pub use error::{Error, ErrorKind, Result};
