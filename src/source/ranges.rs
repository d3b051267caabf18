//! Some ranges of some inputs, as they are stored, all at once: for looking into
//! inputs that are not read through.

use super::Access;
use super::stored::Opened;
use crate::documents::Input;
use crate::error::Result;
use crate::runtime::{Cancel, Runtime};
use futures::{StreamExt, TryStreamExt};
use std::ops::Range;

/// Inputs that are read from at once. With the GETs of each
/// (`engine.fetch_concurrency`) few enough for one host to answer.
const INPUTS_AT_ONCE: usize = 16;

/// Gives for each input the bytes of its ranges, which are to lie within it.
/// Blocks, about as long as the slowest input alone takes.
///
/// # Errors
/// [`crate::error::ErrorKind::Interrupted`] after `cancel`; as [`super::open()`]
/// for an input that cannot be read, changed since it was planned or has no size.
pub fn read_ranges(
    wanted: &[(&Input, Vec<Range<u64>>)],
    access: &Access,
    runtime: &Runtime,
    cancel: &Cancel,
) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut reads = Vec::with_capacity(wanted.len());
    for (input, ranges) in wanted {
        reads.push(Opened::new(input, access, runtime, cancel)?.ranges(ranges));
    }
    runtime.block_on(cancel.or(futures::stream::iter(reads).buffered(INPUTS_AT_ONCE).try_collect()))
}

#[cfg(test)]
#[path = "ranges_tests.rs"]
mod tests;
