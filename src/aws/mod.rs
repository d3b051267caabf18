//! The AWS clients: one way from the job file's keys to a configured client.
//!
//! Input: [`Connection`], the keys `region`, `endpoint`, `allow_http`,
//! `path_style`, `profile` and `expected_bucket_owner` of a target or of the
//! source, and `engine.requests`. Output: an S3 client of the AWS SDK
//! ([`Connection::s3`], for targets and listings) or an object_store client
//! ([`Connection::reader`], for reads), both on the SDK's full chain of
//! credentials: environment, profiles, SSO, web identity, ECS, IMDS.
//! Called by `store` and `source`. [`failure`] turns every SDK error into a
//! [`crate::error::StoreFailure`], in one place.

mod classify;
mod connection;
pub mod credentials;
mod discreet;
pub mod failure;
mod pace;
mod redact;
pub mod responses;
mod retry;
mod unanswered;

pub use connection::{Connection, Role, S3};
pub(crate) use discreet::discreet;
pub(crate) use pace::wait_after;
pub use responses::Responses;
pub use retry::RequestClass;
pub(crate) use retry::range_time;
#[cfg(test)]
pub(crate) use retry::with_retries;
