//! bzip2: stream after stream, as pbzip2 writes one for every block.

use super::damaged;
use crate::error::InputProblem;
use bzip2::{Decompress, Error, Status};

pub(in crate::source) struct Bzip2 {
    stream: Decompress,
    /// Whether a stream has begun and not ended.
    inside: bool,
}

impl Bzip2 {
    pub(super) fn new() -> Self {
        Bzip2 { stream: Decompress::new(false), inside: false }
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        let mut taken = 0;
        loop {
            if !self.inside {
                match input.get(taken) {
                    None => return Ok(taken),
                    Some(b'B') => {
                        self.stream = Decompress::new(false);
                        self.inside = true;
                    }
                    Some(_) => return Err(damaged("bzip2", "other bytes follow the last stream")),
                }
            }
            let stream = &mut self.stream;
            let before = (stream.total_in(), stream.total_out());
            let status =
                stream.decompress_vec(&input[taken..], out).map_err(|error| damaged("bzip2", why(error)))?;
            taken += (stream.total_in() - before.0) as usize;
            match status {
                Status::StreamEnd => self.inside = false,
                Status::MemNeeded => {
                    return Err(damaged("bzip2", "there is not enough memory for its block"));
                }
                _ if out.len() == out.capacity() || (stream.total_in(), stream.total_out()) == before => {
                    return Ok(taken);
                }
                _ => {}
            }
        }
    }

    pub(super) fn finish(&self) -> Result<(), InputProblem> {
        if self.inside { Err(InputProblem::TruncatedCompression { format: "bzip2" }) } else { Ok(()) }
    }
}

fn why(error: Error) -> &'static str {
    match error {
        Error::Data => "a checksum or a code table is wrong",
        Error::DataMagic => "a stream has no valid header",
        Error::Sequence | Error::Param => "the stream goes on after its end",
    }
}
