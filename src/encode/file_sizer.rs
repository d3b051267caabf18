//! Where the files of one partition end, so that they are even.
//!
//! A file that is simply ended at the target leaves a rest of any size for the
//! last. So where it is known which share of the partition has come (of its
//! rows, where they were sorted and so counted first; of the text, where its
//! size is known), the sizer estimates what the partition will come to, and
//! divides it: what is left for this file and those after it, `rest`, goes into
//! `n` files of `rest / n` bytes, where `n` is the least number that keeps them
//! at 1.35 targets or less. The estimate is made anew after each wave, so a partition whose rows
//! come unevenly gets the files that fit the newest estimate:
//!
//! - no file is larger than 1.5 targets and a row group;
//! - a cut that would leave less than a third of a target waits, up to that
//!   limit, for the rest to come in.
//!
//! Where the share is not known (a pipe, a compressed input, rows that waited for
//! `deduplicate`), or the partition comes all at once (input in the order of the
//! key), what is left is an estimate too high or none: files end at about the
//! target, and the last is what remains. Row groups are made even in the same way: as many as keep below
//! `max_row_group_bytes`, all of a size, the last ending with the file.
//!
//! Everything here is a function of rows and settings: no clock, no thread.

/// Files may be larger than the target by this before there is one more.
/// Between this and [`LARGEST`] lies the room for wrong estimates.
const STRETCH: f64 = 1.35;
/// Largest file in targets.
const LARGEST: f64 = 1.5;
/// Smallest rest, in targets, that is left for another file.
const LEAST_REST: f64 = 1.0 / 3.0;

/// Sizes the files of one partition.
#[derive(Debug, Clone)]
pub(super) struct FileSizer {
    /// `None`: all goes into one file.
    target: Option<f64>,
    /// Bytes in files that are ended.
    ended: f64,
}

/// How far a partition has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    /// Bytes of the row groups in the open file.
    pub(super) file: u64,
    /// Encoded bytes that are not in a file yet, about.
    pub(super) waiting: u64,
    /// Share of the partition's rows that have come, or of the task's text that
    /// has been read, where that is known: above 0, at most 1.
    pub(super) share: Option<f64>,
}

/// What ends after a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing yet.
    None,
    /// The row group.
    Group,
    /// The row group, and the file with it.
    File,
}

impl FileSizer {
    /// `target` in bytes; `u64::MAX`: one file, however large.
    pub(super) fn new(target: u64) -> Self {
        FileSizer { target: (target < u64::MAX).then_some(target as f64), ended: 0.0 }
    }

    /// What ends now that a wave has been encoded, and all that waits is the
    /// row group under construction.
    pub(super) fn after_wave(&self, fill: Fill, max_group_bytes: u64) -> Cut {
        if fill.waiting == 0 {
            return Cut::None;
        }
        let (group, max_group) = (fill.waiting as f64, max_group_bytes as f64);
        let would_end_at = fill.file + fill.waiting;
        let Some(Aim { end, expected }) = self.aim(fill, would_end_at) else {
            return if group >= max_group { Cut::Group } else { Cut::None };
        };
        let even_group = expected / (expected / max_group).ceil().max(1.0);
        match () {
            () if would_end_at as f64 >= end => Cut::File,
            () if group >= even_group.min(max_group) => Cut::Group,
            () => Cut::None,
        }
    }

    /// Whether the file ends with the row group of `last` bytes that it was just given.
    pub(super) fn after_group(&self, fill: Fill, last: u64) -> bool {
        self.aim(fill, fill.file).is_some_and(|aim| {
            // Half a row group too little is better than more than half of one too much.
            fill.file as f64 + last as f64 / 2.0 >= aim.end
        })
    }

    /// The file ended with so many bytes.
    pub(super) fn end_file(&mut self, bytes: u64) {
        self.ended += bytes as f64;
    }

    /// `would_end_at`: bytes of the file if it were ended now.
    fn aim(&self, fill: Fill, would_end_at: u64) -> Option<Aim> {
        let target = self.target?;
        let Some(share) = fill.share else { return Some(Aim { end: target, expected: target }) };
        let here = (fill.file + fill.waiting) as f64;
        let rest = ((self.ended + here) / share - self.ended).max(here);
        let files = (rest / target - (STRETCH - 1.0)).ceil().max(1.0);
        let even = rest / files;
        let largest = LARGEST * target;
        Some(match () {
            () if files == 1.0 => Aim { end: largest, expected: even },
            () if rest - (would_end_at as f64) < LEAST_REST * target => {
                Aim { end: largest, expected: largest }
            }
            () => Aim { end: even.min(largest), expected: even.min(largest) },
        })
    }
}

/// What the open file is to become.
#[derive(Debug, Clone, Copy)]
struct Aim {
    /// It ends once it holds so many bytes.
    end: f64,
    /// It is likely to hold so many in the end.
    expected: f64,
}

#[cfg(test)]
#[path = "file_sizer_tests.rs"]
mod tests;
