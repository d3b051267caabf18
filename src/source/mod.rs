//! Inputs: URLs, globs and prefixes → pinned objects → decoded UTF-8 text.
//!
//! [`pin_all`] finds objects ([`list()`]) and pins them ([`Input`](crate::documents::Input)); [`open()`] streams one of them
//! through [`fetch`] (ranged, prefetched, retried GETs on Tokio),
//! [`decompress`] (gzip, zstd, bzip2 and xz, by magic number) and [`decode`] (to
//! UTF-8), as chunks of text that the caller pulls on a blocking thread.
//! [`read_ranges`] only looks into them.

mod access;
mod chunks;
pub mod decode;
pub mod decompress;
pub mod detect;
pub mod fetch;
mod inputs;
mod kind;
pub mod list;
pub mod open;
mod opening;
mod pin;
mod pipe;
pub mod ranges;
mod still;
mod stored;
mod unpacked;

pub use access::Access;
pub use detect::Detected;
pub use inputs::{STDIN, pin_all, read_whole};
pub use list::list;
pub use open::{Decoding, TextStream, open};
pub use opening::ReadAhead;
pub use pin::{check_unchanged, or_changed};
pub use ranges::read_ranges;

use inputs::{failure, file_failure};
use pin::changed;
