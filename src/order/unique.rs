//! Which rows repeat a key.

use super::key_set::{BYTES_PER_KEY, Insertion, KeySet};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, JobPlace, Result};

/// Finds duplicate keys, over all batches of a task.
///
/// Holds every distinct key in memory, at 32 bytes of budget each: rows have to
/// be told apart at once, so what does not fit cannot wait on disk.
#[derive(Debug)]
pub struct UniqueCheck {
    keys: KeySet,
    key_bytes: u64,
}

impl UniqueCheck {
    /// Keys in at most `key_bytes` bytes (`engine.key_bytes`).
    pub fn new(key_bytes: u64) -> Self {
        UniqueCheck { keys: KeySet::new(key_bytes), key_bytes }
    }

    /// Bytes that the keys take now.
    pub fn memory_bytes(&self) -> u64 {
        self.keys.memory_bytes()
    }

    /// The rows whose key came up before, in this batch or an earlier one,
    /// ascending. `None` never repeats. Fails when memory does not hold the keys.
    pub fn check(&mut self, keys: &[Option<u128>]) -> Result<Vec<u32>> {
        let mut repeats = Vec::new();
        for (row, key) in (0u32..).zip(keys) {
            match key.map(|key| self.keys.insert(key)) {
                None | Some(Insertion::New) => {}
                Some(Insertion::Known) => repeats.push(row),
                Some(Insertion::Full) => return Err(self.full()),
            }
        }
        Ok(repeats)
    }

    fn full(&self) -> Error {
        let message = format!(
            "the keys of a unique constraint need more than {}: each distinct key takes {BYTES_PER_KEY} bytes",
            count(self.key_bytes, "byte")
        );
        let key = Some("engine.key_bytes".into());
        let place = JobPlace { file: "job".into(), key, ..JobPlace::default() };
        Error::new(ErrorKind::Job { message, place }).remedy(format!(
            "set `engine.key_bytes` in a job file to {BYTES_PER_KEY} times the distinct keys of a task; \
             or let tasks be smaller, or remove the constraint"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_found_within_and_across_batches() {
        let mut unique = UniqueCheck::new(1 << 20);
        assert_eq!(unique.check(&[Some(1), Some(2), Some(1), None, Some(0)]).unwrap(), [2]);
        assert_eq!(unique.check(&[]).unwrap(), [0u32; 0]);
        assert_eq!(unique.check(&[None, Some(2), Some(0), Some(3), Some(3)]).unwrap(), [1, 2, 4]);
    }

    #[test]
    fn what_does_not_fit_names_the_key_of_the_job_and_what_it_takes() {
        let error = UniqueCheck::new(320).check(&(1..100).map(Some).collect::<Vec<_>>()).unwrap_err();
        assert!(error.to_string().contains("engine.key_bytes"), "{error}");
        assert!(
            error.to_string().contains("more than 320 bytes: each distinct key takes 32 bytes"),
            "{error}"
        );
        assert_eq!(error.kind().exit_code(), 2);
    }
}
