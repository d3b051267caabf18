//! Text of a TOML or JSON file → a tree of values that knows where each stands.
//!
//! Input: the text of a job file or schema file. Output: a [`Document`], which
//! can be changed (interpolation, `--set`), checked against the JSON Schema of
//! a type ([`shape`]), turned into that type ([`Document::read`]), and asked for
//! the line and column of any key. Serde alone would give only the first
//! mistake, without a place as soon as an enum or a default is in the way.
//! Called by `job` and `schema`.

mod bare;
mod document;
mod file;
mod json;
pub mod path;
pub mod problem;
pub mod shape;
mod toml;

pub use document::{Document, DocumentFormat, Node, Origin, Value, parse_set_value};
pub(crate) use file::read_text;
pub use path::{KeyPath, Step};
pub use problem::{Problem, Problems};
pub use shape::{ShapeFindings, json_schema, json_schema_of_output};
