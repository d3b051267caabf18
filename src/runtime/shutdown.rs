//! From the first signal to the end of the process: how much time is left, and
//! what the process would leave behind if it ended now.

use crate::error::count::count;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Seconds from the signal to the end, if the job does not say otherwise. Batch, ECS and
/// Kubernetes kill after 30 s.
pub const DEFAULT_SECONDS: u64 = 10;

/// Share of the time that is kept for what no request needs: the last words, and threads that
/// come to their end.
const RESERVE: u32 = 10;

/// One for each process, shared by all that stop with it.
#[derive(Debug)]
pub struct Shutdown {
    seconds: AtomicU64,
    asked: OnceLock<Instant>,
    remains: Mutex<Remains>,
}

/// What is begun and neither visible nor removed.
#[derive(Debug, Default)]
struct Remains {
    attempt: String,
    /// Whether a log of a table knows of the attempt: else no later run sweeps.
    swept: bool,
    /// What the stores call the staged files, by the URL of the target.
    staged: BTreeMap<String, BTreeSet<String>>,
    /// The version as which the attempt was decided, until it is visible everywhere.
    decided: Option<u64>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown {
            seconds: AtomicU64::new(DEFAULT_SECONDS),
            asked: OnceLock::new(),
            remains: Mutex::default(),
        }
    }
}

impl Shutdown {
    /// Says how long the process may take from the first signal to its end.
    pub fn take_at_most(&self, seconds: u64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// From the first signal to the end.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::Relaxed))
    }

    /// Notes that the signal came.
    pub(crate) fn begin(&self) {
        self.asked.get_or_init(Instant::now);
    }

    /// Time for requests of the clean-up: all of it before the signal, what is left of it after.
    pub fn left(&self) -> Duration {
        let time = self.time();
        let usable = time - time / RESERVE;
        self.asked.get().map_or(time, |asked| usable.saturating_sub(asked.elapsed()))
    }

    /// An attempt is about to stage files. `swept`: whether a later run would find them.
    pub fn stages(&self, attempt: &str, swept: bool) {
        let mut remains = self.remains();
        attempt.clone_into(&mut remains.attempt);
        remains.swept = swept;
    }

    /// A file that the log knows is being copied to a target. Whatever is left of that, a recovery finds.
    pub fn copied(&self, url: &str, handle: &str) {
        let mut remains = self.remains();
        remains.swept |= remains.attempt.is_empty();
        remains.staged.entry(url.to_owned()).or_default().insert(handle.to_owned());
    }

    /// A file is staged, or is being staged.
    pub fn staged(&self, url: &str, handle: &str) {
        self.remains().staged.entry(url.to_owned()).or_default().insert(handle.to_owned());
    }

    /// A staged file is removed.
    pub fn removed(&self, url: &str, handle: &str) {
        if let Some(staged) = self.remains().staged.get_mut(url) {
            staged.remove(handle);
        }
    }

    /// Nothing of the attempt is staged in a target any more.
    pub fn swept(&self, url: &str) {
        self.remains().staged.remove(url);
    }

    /// The attempt is in the log: what is staged will be visible, and not removed.
    pub fn decided(&self, version: u64) {
        self.remains().decided = Some(version);
    }

    /// Nothing is left of the attempt that anybody has to see to.
    pub fn settled(&self) {
        *self.remains() = Remains::default();
    }

    /// What the process would leave behind if it ended now, and who sees to it. `None` if nothing.
    pub fn last_words(&self) -> Option<String> {
        let remains = self.remains();
        if let Some(version) = remains.decided {
            return Some(format!(
                "version {version} is decided and its data is safe; the next run, or `sawmill recover` with the \
                 same job, finishes it"
            ));
        }
        let places: Vec<String> = remains
            .staged
            .iter()
            .filter(|(_, staged)| !staged.is_empty())
            .map(|(url, staged)| format!("{} in {url}", count(staged.len(), "staged file")))
            .collect();
        if places.is_empty() {
            return None;
        }
        let who = match remains.swept {
            true => "the next run, or `sawmill recover` with the same job, removes it",
            false => "no later run looks for it: abort the open upload, or let a lifecycle rule do it",
        };
        let whose = match remains.attempt.as_str() {
            "" => String::new(),
            attempt => format!(" of attempt {attempt}"),
        };
        Some(format!("invisible and left{whose}: {}; {who}", places.join(", ")))
    }

    fn remains(&self) -> std::sync::MutexGuard<'_, Remains> {
        self.remains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_name_what_is_left_and_nothing_else() {
        let shutdown = Shutdown::default();
        shutdown.stages("0001", true);
        shutdown.staged("s3://a/", "1");
        shutdown.staged("s3://b/", "1");
        shutdown.staged("s3://b/", "2");
        shutdown.removed("s3://a/", "1");
        let words = shutdown.last_words().unwrap_or_default();
        assert!(words.contains("attempt 0001: 2 staged files in s3://b/; the next run"), "{words}");
        shutdown.staged("s3://a/", "3");
        shutdown.swept("s3://b/");
        let words = shutdown.last_words().unwrap_or_default();
        assert!(words.contains("0001: 1 staged file in s3://a/; the next run"), "{words}");
        shutdown.stages("0001", false);
        let words = shutdown.last_words().unwrap_or_default();
        assert!(words.contains("no later run looks for it"), "{words}");
        shutdown.decided(7);
        let words = shutdown.last_words().unwrap_or_default();
        assert!(words.starts_with("version 7 is decided") && !words.contains("staged"), "{words}");
        shutdown.settled();
        assert_eq!(shutdown.last_words(), None);
    }

    #[test]
    fn all_share_the_time_from_the_signal_on() {
        let shutdown = Shutdown::default();
        assert_eq!(shutdown.left(), Duration::from_secs(10));
        shutdown.begin();
        assert!(shutdown.left() <= Duration::from_secs(9));
        shutdown.take_at_most(0);
        assert_eq!(shutdown.left(), Duration::ZERO);
    }
}
