//! The stored bytes of one input → what they were before they were compressed.

use super::decompress::Decompressor;
use super::open::CHUNK_BYTES;
use super::stored::Stored;
use crate::error::{Error, InputProblem, Location, Result};
use crate::runtime::Cancel;

/// Unpacked bytes below which no expansion is too large: they cost nothing, and
/// a small object may well be one line again and again.
const RATIO_CHECKED_FROM_BYTES: u64 = 16 << 20;

/// The decompressed bytes of an object, chunk by chunk.
pub(super) struct Unpacked {
    url: String,
    stored: Stored,
    decompressor: Option<Decompressor>,
    /// Decompressed bytes.
    out: Vec<u8>,
    /// How much of the stored chunk the decompressor has taken.
    taken: usize,
    /// Bytes at the beginning of the chunk that are not given: the byte order mark.
    skipped: usize,
    /// The first chunk is there, and was not given.
    first: bool,
    /// The first chunk, where it was gathered from several.
    gathered: Option<Vec<u8>>,
    ended: bool,
    /// Bytes that came out of the decompressor.
    unpacked: u64,
    /// `source.max_expansion_ratio`.
    max_ratio: u64,
}

impl Unpacked {
    pub(super) fn new(stored: Stored, decompressor: Option<Decompressor>, url: &str, max_ratio: u64) -> Self {
        Unpacked {
            url: url.to_owned(),
            stored,
            decompressor,
            out: Vec::new(),
            taken: 0,
            skipped: 0,
            first: false,
            gathered: None,
            ended: false,
            unpacked: 0,
            max_ratio,
        }
    }

    pub(super) fn chunk(&self) -> &[u8] {
        let chunk = match (&self.gathered, &self.decompressor) {
            (Some(gathered), _) => gathered,
            (None, Some(_)) => &self.out,
            (None, None) => self.stored.chunk(),
        };
        chunk.get(self.skipped..).unwrap_or_default()
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.skipped = bytes;
    }

    /// Gets the first chunk without giving it; the stored one already exists.
    pub(super) fn fill_first(&mut self) -> Result<()> {
        self.first =
            if self.decompressor.is_some() { self.fill(Some(0))? } else { !self.stored.chunk().is_empty() };
        self.ended = !self.first;
        Ok(())
    }

    /// Makes the first `bytes` one chunk, which the next [`Unpacked::fill`]
    /// gives, and says whether that is all there is.
    pub(super) fn gather(&mut self, bytes: usize) -> Result<bool> {
        let mut gathered = self.chunk().to_vec();
        self.first = false;
        let mut ended = self.ended;
        while !ended && gathered.len() < bytes {
            ended = !self.fill(Some(gathered.len() as u64))?;
            if !ended {
                gathered.extend_from_slice(self.chunk());
            }
        }
        self.first = true;
        self.skipped = 0;
        self.gathered = Some(gathered);
        Ok(ended)
    }

    /// From now on, this flag ends a wait.
    pub(super) fn stop_with(&mut self, cancel: Cancel) {
        self.stored.stop_with(cancel);
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.decompressor.is_some()
    }

    pub(super) fn stored_bytes_read(&self) -> u64 {
        self.stored.bytes_read()
    }

    /// Gets the next chunk that is not empty; false at the end. `offset` is how
    /// far the decoded text has come, for messages; `None` if it is longer or
    /// shorter than the bytes it is decoded from.
    pub(super) fn fill(&mut self, offset: Option<u64>) -> Result<bool> {
        if std::mem::take(&mut self.first) && !self.chunk().is_empty() {
            return Ok(true);
        }
        self.skipped = 0;
        self.gathered = None;
        if self.ended {
            return Ok(false);
        }
        let Some(decompressor) = &mut self.decompressor else { return self.stored.fill() };
        self.out.clear();
        self.out.reserve_exact(CHUNK_BYTES);
        loop {
            let full = self.out.len() == self.out.capacity();
            let rest = self.stored.chunk().get(self.taken..).unwrap_or_default();
            let given = self.out.len();
            let pushed = if full { Ok(0) } else { decompressor.push(rest, &mut self.out) };
            let at = |given: usize| Location {
                byte_offset: offset.map(|offset| offset + given as u64),
                ..Location::object(&self.url)
            };
            let taken = pushed.map_err(|problem| unpack_error(problem, at(given)))?;
            self.taken += taken;
            self.unpacked += (self.out.len() - given) as u64;
            let allowed = self.max_ratio.saturating_mul(self.stored.bytes_read());
            if self.unpacked > allowed.max(RATIO_CHECKED_FROM_BYTES) {
                let problem = InputProblem::ExpansionTooLarge { limit: self.max_ratio };
                return Err(unpack_error(problem, at(self.out.len())));
            }
            if self.out.len() == self.out.capacity() {
                return Ok(true);
            }
            // Room is left, so all input is taken.
            self.taken = 0;
            if !self.stored.fill()? {
                self.ended = true;
                decompressor.finish().map_err(|problem| unpack_error(problem, at(self.out.len())))?;
                return Ok(!self.out.is_empty());
            }
        }
    }
}

pub(super) fn unpack_error(problem: InputProblem, location: Location) -> Error {
    let remedy = match problem {
        InputProblem::TruncatedCompression { .. } => {
            "the object was truncated when it was written or copied: get it again"
        }
        InputProblem::UnsupportedCompression { .. } => {
            "unpack it, and compress it with gzip, zstd, bzip2 or xz, or not at all"
        }
        InputProblem::ExpansionTooLarge { .. } => {
            "if the input is what it should be, raise `source.max_expansion_ratio` (--max-expansion-ratio)"
        }
        _ => "get the object again, or compress it anew",
    };
    Error::input(problem, location).remedy(remedy)
}
