//! sawmill turns CSV into typed, partitioned Parquet, in every target or in none.
//!
//! The way of the data is the order of the modules: a stage takes what the
//! stages before it give. Types that several share stand with whoever gives
//! them: the documents with their verbs, the dialect with the parser.
//! [`pipeline`] is the one place that names every stage of a task, [`run`] the
//! one that names every verb.
//!
//! ```text
//! job, schema ─► source ─► split ─► parse ─► batch ─► transform ─► partition ─► order ─► encode ─► store
//!                                                                              (tee to every target) │
//!                                                   commit: verify, complete, announce ◄─ task::TaskReport
//! ```
//!
//! Three verbs lie under everything, each a function with a serializable
//! document on both sides: [`plan::build`] pins inputs and settles the schema
//! ([`plan::Plan`]), [`task::run`] stages Parquet in every target
//! ([`task::TaskReport`]), [`commit`] makes it visible
//! ([`commit::Manifest`]).

pub mod error;
pub mod runtime;

// What the user says.
pub mod spanned;
pub mod spec;
pub mod job;
pub mod schema;
pub mod profile;

// What text means, and how it is cut.
pub mod value;

// The stages of a task.
pub mod documents;
pub mod aws;
pub mod source;
pub mod parse;
pub mod split;
pub mod rows;
pub mod infer;
pub mod transform;
pub mod partition;
pub mod order;
pub mod encode;
pub mod store;

// The verbs, and the job compiled for them.
pub mod columns;
pub mod plan;
pub mod task;
pub mod commit;
pub mod run;

pub mod cli;
pub mod report;

pub use error::{Error, ErrorKind, Result};
