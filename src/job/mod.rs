//! The job file: TOML or JSON → [`JobSpec`](crate::spec::JobSpec), every default filled in.
//!
//! [`load()`] reads, interpolates, overrides and validates; each mistake is an
//! error that names the key with line and column. Relative paths in a job file
//! are relative to the job file; after [`load()`] every location is absolute.
//!
//! The order is: syntax, `${NAME}` in strings, `--set`, secrets,
//! keys and types, then [`JobSpec::finish`](crate::spec::JobSpec::finish) for locations and values. Mistakes
//! are reported together up to the first of these steps that finds any.

mod interpolate;
pub mod load;
mod validate;

pub use load::{Override, job_json_schema, load, load_str};

#[cfg(test)]
mod tests;
