//! The third verb: task reports → files visible in every target, then it is announced.
//!
//! Input: the reports of all tasks of a plan, whose files are staged everywhere
//! and visible nowhere. Output: the [`Manifest`](crate::documents::Manifest) of a new version of the table,
//! or nothing. The log in the home target (the first) alone decides; all else
//! follows from it and can be done by anybody, again and again.
//!
//! The order is what matters, and the types keep it: [`Verified::check`] holds
//! the reports against the plan; [`Verified::decide`] puts one entry into the
//! log, or says what is in the way; [`Decided::apply`] makes the files visible,
//! the home target last; [`AppliedEverywhere::publish`] writes what readers wait
//! for, which so exists only in a world in which every target holds every file.
//! [`Table::recover`] does the same for what was broken off, and fences and
//! removes what the dead have staged. `docs/commit.md` has the promises.

mod apply;
mod attempt;
mod audit;
mod catchup;
mod copies;
mod decide;
mod documents;
mod epochs;
mod examine;
mod failures;
mod fit;
mod gc;
mod given_up;
mod inputs;
mod live;
mod log;
mod one_process;
mod open_copies;
mod outage;
mod places;
mod process;
mod promote;
mod publish;
mod read_before;
mod recover;
mod removed;
mod repair;
mod run;
#[cfg(test)]
mod simulation;
mod single;
mod standing;
mod table;
mod unapplied;
mod unseen;
mod verify;

pub use apply::AppliedEverywhere;
pub use attempt::SignsOfLife;
pub use audit::{Audit, Damage, Stranger};
pub use catchup::CaughtUp;
pub use decide::{Decided, Outcome};
pub use documents::{
    Applied, Changes, Commit, Entry, Epoch, Event, FilesOf, Intent, Lease, Loss, Promotion, PublishedNote,
    SUCCESS_KEY, StagedData, Steps, UndecidedAttempt,
};
pub use examine::{Depth, Fault};
pub use gc::{Garbage, OpenUploads};
pub use inputs::{Choice, Chosen, Missing};
pub use log::{Committed, History};
pub(crate) use one_process::{Concluded, Prepared, Unsettled, conclude, prepare};
pub use process::Process;
pub use promote::{Promoted, Unread};
pub use read_before::InputMarks;
pub use recover::Recovered;
pub use run::{CommitEnd, Ending, abort, run};
pub use single::finish_single;
pub use standing::Standing;
pub use table::Table;
pub use unseen::{Unseen, create_again};
pub use verify::Verified;

use failures::{invalid, lost_everywhere, unanswered};
