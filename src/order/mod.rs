//! Rows in order → rows without duplicates, rows sorted, keys found twice: what
//! has to look at more than one block.
//!
//! - [`Deduplicator`] keeps the first or the last row of each key.
//! - [`UniqueCheck`] says which rows repeat a key.
//! - [`Sorter`] sorts rows inside their partitions.
//! - [`Spill`] holds batches on disk until they can go on.
//!
//! Guarantees. The outcome depends on the rows and their order alone: neither on
//! how they are cut into batches, nor on threads, nor on how much memory there
//! is. Memory is bounded in bytes by the budgets given and one batch more;
//! what does not fit goes to temporary files in [`SpillDirectory`], which have no name
//! and vanish with the process, however it ends. A disk without room is an
//! [`crate::error::ErrorKind::Spill`].
//!
//! Called by [`crate::task`] between the waves, in record order.

mod dedup;
mod entries;
mod external_sort;
mod failure;
mod key_set;
mod repeats;
mod runs;
mod sort;
mod spill;
mod spill_directory;
mod unique;

pub use dedup::{Deduplicator, Kept, SurvivingBatches, Survivors, TaggedBatch, TaggedRows};
pub use repeats::Keep;
pub use sort::{SortColumn, Sorted, Sorter};
pub use spill::{Spill, SpillReader, SpillWriter};
pub use spill_directory::SpillDirectory;
pub use unique::UniqueCheck;

use failure::refused;
