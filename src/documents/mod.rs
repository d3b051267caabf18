//! What the verbs exchange, as plain data with JSON Schemas: the plan of a job,
//! the reports of its tasks and the manifest of a version, with the parts that they are made of.
//!
//! A document holds everything that the next verb needs, so that verbs may run
//! in one process or on many machines.

mod findings;
mod input;
mod manifest;
mod not_data;
mod path_values;
mod plan;
mod report;
pub(crate) mod salt;
mod staged;

pub use findings::{Findings, FirstReject, Reason};
pub use input::{FileIdentity, Input};
pub use manifest::{COMMIT_FORMAT, Foreign, Manifest, ManifestFile, Removed};
pub(crate) use not_data::KEPT_LINES;
pub use not_data::{NotData, NotDataKind, NotDataLine};
pub use plan::{DOCUMENT_FORMAT, Plan, Split, SplitRange, Task};
pub use report::{ColumnReport, FileReport, RecordCounts, SplitAccount, TaskReport};
pub use staged::{StagedFile, StagedPart, Staging};
