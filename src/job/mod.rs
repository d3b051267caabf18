//! The job file: TOML or JSON → [`JobSpec`], every default filled in.
//!
//! [`load()`] reads, interpolates, overrides and validates; each mistake is an
//! error that names the key with line and column. Relative paths in a job file
//! are relative to the job file; after [`load()`] every location is absolute.
//!
//! The order is: syntax, `${NAME}` in strings, `--set`, secrets,
//! keys and types, then [`JobSpec::finish`] for locations and values. Mistakes
//! are reported together up to the first of these steps that finds any.

pub mod compression;
pub(crate) mod dialect;
pub(crate) mod foreign;
mod interpolate;
pub mod load;
pub mod location;
mod partition_key;
mod sort_key;
pub mod spec;
mod unexpanded;
mod validate;

pub use compression::parse_compression;
pub use load::{Format, Override, job_json_schema, load, load_str};
pub use sort_key::{NullOrder, SortKey, SortOrder};
pub use spec::*;

#[cfg(test)]
mod tests;
