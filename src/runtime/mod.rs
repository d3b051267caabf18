//! The only owner of threads: the Tokio runtime that waits, the Rayon pool
//! that computes, and the flag that stops both.

pub mod shutdown;
mod threads;

pub use threads::{Cancel, Progress, Runtime};
