//! xz: stream after stream, with padding between them.

use super::damaged;
use crate::error::InputProblem;
use liblzma::stream::{Action, CONCATENATED, Error, Status, Stream};

/// Memory that a dictionary may take. `xz -9` takes 65 MiB ("xz(1)", presets);
/// only files made with an explicit, larger dictionary need more than this.
const MAX_MEMORY_BYTES: u64 = 256 << 20;

pub(in crate::source) struct Xz {
    streams: Stream,
}

impl Xz {
    pub(super) fn new() -> Result<Self, InputProblem> {
        let streams = Stream::new_stream_decoder(MAX_MEMORY_BYTES, CONCATENATED).map_err(problem)?;
        Ok(Xz { streams })
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        let mut taken = 0;
        loop {
            let before = (self.streams.total_in(), self.streams.total_out());
            self.streams.process_vec(&input[taken..], out, Action::Run).map_err(problem)?;
            taken += (self.streams.total_in() - before.0) as usize;
            let stalled = (self.streams.total_in(), self.streams.total_out()) == before;
            if out.len() == out.capacity() || stalled {
                return Ok(taken);
            }
        }
    }

    /// Only at the end of the input is it known that no other stream follows.
    pub(super) fn finish(&mut self) -> Result<(), InputProblem> {
        match self.streams.process(&[], &mut [], Action::Finish).map_err(problem)? {
            Status::StreamEnd => Ok(()),
            Status::Ok | Status::MemNeeded | Status::GetCheck => {
                Err(InputProblem::TruncatedCompression { format: "xz" })
            }
        }
    }
}

fn problem(error: Error) -> InputProblem {
    match error {
        Error::MemLimit => {
            InputProblem::UnsupportedCompression { format: "xz with a dictionary of more than 256 MiB" }
        }
        Error::Options | Error::UnsupportedCheck | Error::NoCheck => {
            InputProblem::UnsupportedCompression { format: "xz with filters or checks that are not known" }
        }
        Error::Data => damaged("xz", "a checksum or a code is wrong"),
        Error::Format => damaged("xz", "a stream has no valid header"),
        Error::Mem => damaged("xz", "there is not enough memory for its dictionary"),
        Error::Program => damaged("xz", "the stream goes on after its end"),
    }
}
