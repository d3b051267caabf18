//! What the verbs exchange, as plain data with JSON Schemas: the plan of a job
//! and the reports of its tasks, with the parts that both are made of, and what
//! has to hold of them (the account of records, [`budget`], salts).
//!
//! A document holds everything that the next verb needs, so that verbs may run
//! in one process or on many machines.

pub mod budget;
mod findings;
mod input;
mod not_data;
mod path_values;
mod plan;
mod report;
pub(crate) mod salt;
mod staged;

pub use findings::{Findings, FirstReject, Reason};
pub use input::{FileIdentity, Input};
pub(crate) use not_data::KEPT_LINES;
pub use not_data::{NotData, NotDataKind, NotDataLine};
pub use plan::{DOCUMENT_FORMAT, Plan, Split, SplitRange, Task};
pub use report::{ColumnReport, FileReport, RecordCounts, SplitAccount, TaskReport};
pub(crate) use report::{check_account, check_quarantine};
pub use staged::{StagedFile, StagedPart, Staging};
