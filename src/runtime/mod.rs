//! The only owner of threads: the Tokio runtime that waits, the Rayon pool
//! that computes, the flag that stops both, and the budget of the bytes that they hold.

mod budget;
pub mod shutdown;
mod threads;

pub use budget::{Budget, Holder, Lease, Limit};
pub use threads::{Cancel, Progress, Runtime};
