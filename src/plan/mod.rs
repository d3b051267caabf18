//! The first verb: a job → a [`Plan`](crate::documents::Plan) that tasks on any machine can carry out.
//!
//! Planning lists and pins the inputs, settles dialect and schema (inferring
//! what the job leaves out), and cuts the inputs into [`Split`](crate::documents::Split)s for
//! [`Task`](crate::documents::Task)s. Nothing is written. The plan holds everything a task needs, so
//! that a task reads no job file and infers nothing: the same plan gives the
//! same bytes wherever its tasks run.

mod build;
mod fit;
mod given_type;
mod job_key;
mod nothing;
pub mod path_columns;
mod remedies;
mod sample;

pub use build::{PlanOptions, Planned, Settled, add_nulls, build, named_columns, settle};
pub use fit::{TableBefore, take_types_of};
pub use given_type::GivenType;
pub use remedies::with_tried_remedies;
