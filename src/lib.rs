//! sawmill
#![expect(missing_docs, reason = "skeleton")]

pub mod aws;
pub mod error;
pub mod job;
pub mod parse;
pub mod schema;
pub mod source;
pub mod split;
pub mod store;

pub use error::{Error, ErrorKind, Result};
