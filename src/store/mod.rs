//! Targets: where staged files, and later visible ones, live.
//!
//! Input: parts of encoded files, in any order within a file, from
//! [`tee`]. Output: files that are durable but invisible ([`StagedFile`](crate::documents::StagedFile)), which
//! the commit makes visible ([`Store::complete`]) or removes ([`StagingStore::abort`]).
//! Called by `task`, which sees no more of a target than [`StagingStore`], and by `commit`. Every
//! effect goes through these traits, so that tests can stand a faulty target in front.

#[cfg(test)]
pub(crate) mod conformance_tests;
#[cfg(test)]
pub(crate) mod faulty;
pub mod local;
pub mod open;
pub mod s3;
mod target;
pub mod tee;

pub use open::open_target;
pub(crate) use target::is_hidden;
pub use target::{
    ObjectMeta, StagedWrite, StagingStore, Store, StoredDocument, TargetIdentity, WriteOutcome, check_access,
};
