//! The job file: TOML or JSON → [`JobSpec`], every default filled in.
//!
//! [`load`] reads, interpolates, overrides and validates; each mistake is an
//! error that names the key with line and column. Relative paths in a job file
//! are relative to the job file; after [`load`] every location is absolute.

mod dialect;
pub mod load;
pub mod spec;

pub use load::{Override, load};
pub use spec::*;
