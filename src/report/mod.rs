//! The run report: JSON for machines, a summary for people.

mod failure;
mod logged;
mod run;
mod small_files;
mod terminal;

pub use failure::{ErrorReport, FailureReport, FailureStatus, StoreReport, WithError};
pub use logged::LoggedEntry;
pub use run::{InputReport, RunReport, Status, TargetReport, Totals};
pub use small_files::SmallFiles;
pub use terminal::{ProgressGuard, foreign_part, progress_bar, recovery, removal, summary};
