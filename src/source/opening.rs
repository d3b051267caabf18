//! Inputs that are opened before their turn.

use super::Access;
use super::open::{Decoding, TextStream, finish_whole};
use super::stored::{Opened, Stored};
use crate::documents::Input;
use crate::error::Result;
use crate::runtime::{Cancel, Runtime};
use std::collections::VecDeque;

/// Objects that are asked for before their turn. With 20 ms a request, so many are 3,200
/// objects a second.
const OBJECTS_AHEAD: usize = 64;

/// An object whose bytes are on their way.
struct Opening {
    url: String,
    bytes: u64,
    stored: Result<Stored>,
}

/// Asks for small objects before their turn, so that one round trip does not wait for
/// the other. Memory: no more than what one large object is read ahead by.
pub struct ReadAhead<'a> {
    access: &'a Access,
    runtime: &'a Runtime,
    cancel: Cancel,
    openings: VecDeque<Opening>,
}

impl<'a> ReadAhead<'a> {
    /// `cancel` ends every wait, of the streams too.
    pub fn new(access: &'a Access, runtime: &'a Runtime, cancel: Cancel) -> Self {
        ReadAhead { access, runtime, cancel, openings: VecDeque::new() }
    }

    /// Says which inputs are read next, whole, in order; those that were begun must be the first of them.
    pub fn expect<'i>(&mut self, inputs: impl Iterator<Item = &'i Input>) {
        let window = self.access.fetch_bytes as u64 * self.access.fetch_concurrency as u64;
        let mut ahead: u64 = self.openings.iter().map(|opening| opening.bytes).sum();
        for input in inputs.skip(self.openings.len()) {
            let Some(bytes) = input.bytes.filter(|_| input.url.starts_with("s3://")) else { return };
            ahead += bytes;
            if self.openings.len() >= OBJECTS_AHEAD || ahead > window {
                return;
            }
            let stored = Opened::new(input, self.access, self.runtime, &self.cancel)
                .and_then(|opened| opened.start(None));
            self.openings.push_back(Opening { url: input.url.clone(), bytes, stored });
        }
    }

    /// Opens an input whole, as [`super::open()`] does.
    ///
    /// # Errors
    /// As [`super::open()`].
    pub fn open(&mut self, input: &Input, decoding: Decoding) -> Result<TextStream> {
        let begun = self.openings.pop_front().filter(|opening| opening.url == input.url);
        let stored = match begun {
            Some(opening) => opening.stored?,
            None => Opened::new(input, self.access, self.runtime, &self.cancel)?.start(None)?,
        };
        finish_whole(stored, input, self.access, decoding)
    }
}
