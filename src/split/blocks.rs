//! The sequential pass that finds record boundaries.

use crate::parse::{Dialect, ScanProblem};

/// A run of whole records of one input.
#[derive(Debug, Default)]
pub struct Block {
    /// The records, terminators included.
    pub bytes: Vec<u8>,
    /// Offset of `bytes[0]` in the decoded input.
    pub byte_offset: u64,
    /// Lines before `bytes[0]` in the decoded input.
    pub lines_before: u64,
    /// Records before `bytes[0]` in the decoded input: every record counts,
    /// header and skipped ones too; blank lines and comments do not.
    pub records_before: u64,
    /// Whether the input ends with this block.
    pub last: bool,
}

/// Cuts a stream of bytes into [`Block`]s. Sans-I/O: push bytes, take blocks.
///
/// Where blocks are cut depends on the bytes and `block_bytes` only, never on
/// how the bytes arrived: outputs are the same for any buffer sizes.
#[derive(Debug)]
pub struct BlockCutter {
    dialect: Dialect,
    block_bytes: usize,
}

/// Why no further block can be cut. Offsets are absolute in the decoded input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutError {
    /// Offset of the byte that is wrong (the opening quote, say).
    pub byte_offset: u64,
    /// Lines before it.
    pub lines_before: u64,
    /// Records before it, counted as in [`Block::records_before`].
    pub records_before: u64,
    /// What is wrong.
    pub problem: ScanProblem,
}

impl BlockCutter {
    /// A cutter at the start of an input.
    pub fn new(dialect: &Dialect, block_bytes: usize) -> Self {
        BlockCutter { dialect: dialect.clone(), block_bytes }
    }
    /// A cutter in the middle of an input, at a record boundary with these counts before it.
    pub fn resume(
        dialect: &Dialect,
        block_bytes: usize,
        byte_offset: u64,
        lines_before: u64,
        records_before: u64,
    ) -> Self {
        let _ = (byte_offset, lines_before, records_before);
        BlockCutter { dialect: dialect.clone(), block_bytes }
    }

    /// Adds bytes of the input and moves every block that is complete to `out`.
    /// `spare` gives a cleared buffer to build the next block in.
    pub fn push(
        &mut self,
        bytes: &[u8],
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        let _ = (&self.dialect, self.block_bytes, bytes, spare, out);
        todo!()
    }

    /// The input is over: moves what is left to `out`, at least one block with
    /// `last` set (empty if nothing is left).
    pub fn finish(self, spare: &mut dyn FnMut() -> Vec<u8>, out: &mut Vec<Block>) -> Result<(), CutError> {
        let _ = (spare, out);
        todo!()
    }
}
