//! The words of job files and schema files, as users write them.
//!
//! Types that serde reads and writes, with the JSON Schemas that editors use, and
//! what single words mean: locations, keys to partition and sort by, codecs, the
//! grammar of a dialect. Nothing here looks at a file; `job` reads and checks them.

mod commit;
mod compression;
mod dialect;
mod encoding;
mod engine;
mod errors;
pub(crate) mod foreign;
mod framing;
mod job;
pub mod location;
mod named;
mod output;
mod output_column;
mod partition_key;
mod requests;
mod settled_dialect;
mod sort_key;
mod source;
pub mod table_schema;
mod target;
mod transform;
mod unexpanded;

pub use commit::*;
pub use compression::Codec;
pub use dialect::*;
pub use encoding::EncodingName;
pub use engine::*;
pub use errors::*;
pub use framing::*;
pub use job::*;
pub use named::{ByName, Named};
pub use output::*;
pub use output_column::*;
pub use requests::*;
pub use settled_dialect::Dialect;
pub use sort_key::{NullOrder, SortKey, SortOrder};
pub use source::*;
pub use table_schema::{TableSchema, table_schema_json_schema};
pub use target::*;
pub use transform::*;
