//! zstd: RFC 8878, frame after frame.

use super::damaged;
use crate::error::InputProblem;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

pub(in crate::source) struct Zstd {
    frames: Decoder<'static>,
    /// Whether a frame has begun and not ended.
    inside: bool,
}

impl Zstd {
    pub(super) fn new() -> Result<Self, InputProblem> {
        let frames = Decoder::new().map_err(|error| damaged("zstd", error))?;
        Ok(Zstd { frames, inside: false })
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        let mut taken = 0;
        loop {
            let mut source = InBuffer::around(&input[taken..]);
            let from = out.len();
            let mut sink = OutBuffer::around_pos(out, from);
            let hint = self.frames.run(&mut source, &mut sink).map_err(|error| damaged("zstd", error))?;
            let (read, written) = (source.pos(), sink.pos() - from);
            taken += read;
            // An empty call after a frame asks for the next one's header.
            if read > 0 || written > 0 {
                self.inside = hint != 0;
            }
            if out.len() == out.capacity() || (read, written) == (0, 0) || taken == input.len() && hint == 0 {
                return Ok(taken);
            }
        }
    }

    pub(super) fn finish(&self) -> Result<(), InputProblem> {
        if self.inside { Err(InputProblem::TruncatedCompression { format: "zstd" }) } else { Ok(()) }
    }
}
