//! gzip: RFC 1952, member after member.

use super::damaged;
use crate::error::InputProblem;
use flate2::{Decompress, FlushDecompress, Status};

/// 15 bits, the largest window that DEFLATE (RFC 1951) knows.
const WINDOW_BITS: u8 = 15;

pub(in crate::source) struct Gzip {
    member: Decompress,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a member.
    Between,
    /// Within a member: its header, body or trailer.
    Inside,
    /// In the zeros that pad a tape's last block, which gzip(1) takes too.
    Padding,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Gzip { member: Decompress::new_gzip(WINDOW_BITS), state: State::Between }
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        let mut taken = 0;
        loop {
            match self.state {
                State::Padding => match input[taken..].iter().find(|byte| **byte != 0) {
                    None => return Ok(input.len()),
                    Some(_) => return Err(damaged("gzip", "other bytes follow the last member")),
                },
                State::Between => match input.get(taken) {
                    None => return Ok(taken),
                    Some(0x1f) => {
                        self.member = Decompress::new_gzip(WINDOW_BITS);
                        self.state = State::Inside;
                    }
                    Some(0) => self.state = State::Padding,
                    Some(_) => return Err(damaged("gzip", "other bytes follow the last member")),
                },
                State::Inside => {
                    let member = &mut self.member;
                    let before = (member.total_in(), member.total_out());
                    let status = member
                        .decompress_vec(&input[taken..], out, FlushDecompress::None)
                        .map_err(|error| damaged("gzip", error))?;
                    taken += (member.total_in() - before.0) as usize;
                    if status == Status::StreamEnd {
                        self.state = State::Between;
                    } else if out.len() == out.capacity() || (member.total_in(), member.total_out()) == before
                    {
                        return Ok(taken);
                    }
                }
            }
        }
    }

    pub(super) fn finish(&self) -> Result<(), InputProblem> {
        match self.state {
            State::Inside => Err(InputProblem::TruncatedCompression { format: "gzip" }),
            State::Between | State::Padding => Ok(()),
        }
    }
}
