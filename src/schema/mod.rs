//! The dataset schema: Table Schema vocabulary → columns with rules for their text.
//!
//! [`TableSchema`](crate::spec::TableSchema) is the document as users write it;
//! [`Schema`] is what the engine works with: every default filled in, every format
//! compiled. [`mod@file`] reads a schema file, [`resolve`] makes the one from the
//! other and [`Schema::to_table_schema`] goes back; [`WrittenSchema`] is what a table
//! has; [`constraint`] is what must hold of values.

mod columns;
pub mod constraint;
mod describe;
pub mod file;
mod keys;
pub mod resolve;
mod written;

pub use columns::{Column, Schema};
pub use constraint::Constraint;
pub use file::{SchemaFile, load_schema, read_schema};
pub use resolve::ResolveContext;
pub(crate) use written::holds;
pub use written::{Misfit, WrittenColumn, WrittenKey, WrittenSchema, admit, evolve};
