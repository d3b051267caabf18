//! Inputs that somebody may still be writing: told, or waited for.
//!
//! Nothing tells a file that is complete from one whose writer pauses, but time.

use super::pin::{pin, pinned_path};
use super::{changed, file_failure};
use crate::documents::Input;
use crate::error::Result;
use crate::error::count::count;
use crate::runtime::{Cancel, Runtime};
use crate::spec::Settling;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Files modified since are reported where the job does not say how long to wait: copies
/// over a network write more often.
const RECENT: Duration = Duration::from_secs(5);

/// Within this time a second change may leave the time of the first: the clock of
/// Linux's file systems moves with its timer, every 1 to 10 ms.
const TICK: Duration = Duration::from_millis(20);

/// The same where times have no fraction: FAT counts in two seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// How often files that are not still are checked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until each local input has been still for as long as the job says, and
/// pins it as it is then. If the job does not say, warns of inputs that were
/// modified just now.
///
/// # Errors
/// [`crate::error::ErrorKind::Changed`] for an input that does not become still
/// within `source.settle_limit_seconds`; a source error for one that goes away;
/// [`crate::error::ErrorKind::Interrupted`].
pub(super) fn wait_until_still(inputs: &mut [Input], settling: Settling, runtime: &Runtime) -> Result<()> {
    let cancel = runtime.cancel();
    let Settling { pause: settle, limit, warns_of_recent } = settling;
    let begun = Instant::now();
    let mut waiting = Vec::new();
    let mut recent = Vec::new();
    for input in inputs.iter_mut() {
        let Some(path) = pinned_path(input) else { continue };
        let seen = Instant::now();
        let found = look(&path, &input.url)?;
        *input = pin_again(&path, input, &found);
        let age = age(&found);
        if let Some(age) = age.filter(|age| warns_of_recent && *age < RECENT) {
            recent.push((age, input.url.clone()));
        }
        let file = Waiting { input, path, seen };
        if file.still_in(&found, settle).is_some() {
            waiting.push(file);
        }
    }
    warn_of_recent(recent);
    if let Some(first) = waiting.first().filter(|_| !settle.is_zero()) {
        let (more, seconds) = (and_more(waiting.len() - 1), settle.as_secs());
        tracing::warn!("waiting until {}{more} has been still for {seconds} s", first.input.url);
    }
    while !waiting.is_empty() {
        let mut next = LOOK_EVERY;
        let mut later = Vec::with_capacity(waiting.len());
        for mut file in waiting {
            if let Some(rest) = file.look_again(settle)? {
                next = next.min(rest);
                later.push(file);
            }
        }
        waiting = later;
        let Some(first) = waiting.first() else { break };
        if settle.is_zero() && begun.elapsed() >= 2 * COARSE_TICK {
            // Somebody writes it without a pause; the read of its last byte finds that out.
            break;
        }
        if !settle.is_zero() && begun.elapsed() >= limit {
            let seconds = settle.as_secs();
            let what = format!(
                "it is still being written: it has {} now and was not still for {seconds} s, as \
                 `source.settle_seconds` (--settle) asks, within {} s",
                count(first.input.bytes.unwrap_or_default(), "byte"),
                limit.as_secs()
            );
            return Err(changed(&first.input.url, what).remedy(
                "run again when it is complete; `source.settle_limit_seconds` \
                 (convert: --settle: ten times as long, at least 600 s) limits the wait",
            ));
        }
        sleep(next.max(Duration::from_millis(1)), cancel, runtime)?;
    }
    Ok(())
}

/// A file that has not been still for long enough.
struct Waiting<'a> {
    input: &'a mut Input,
    path: PathBuf,
    /// Since when it is as it is pinned, by this process's own watch: whatever
    /// the clock of the file system says, a file that is watched and stays the
    /// same is still.
    seen: Instant,
}

impl Waiting<'_> {
    /// Pins the file as it is now; gives how long it has yet to stay so.
    fn look_again(&mut self, settle: Duration) -> Result<Option<Duration>> {
        let looked = Instant::now();
        let found = look(&self.path, &self.input.url)?;
        let now = pin_again(&self.path, self.input, &found);
        if now != *self.input {
            *self.input = now;
            self.seen = looked;
        }
        Ok(self.still_in(&found, settle))
    }

    fn still_in(&self, found: &Metadata, settle: Duration) -> Option<Duration> {
        let needed = settle.max(tick(found));
        let watched = self.seen.elapsed();
        let still = age(found).map_or(watched, |age| age.max(watched));
        needed.checked_sub(still).filter(|rest| !rest.is_zero())
    }
}

fn look(path: &Path, url: &str) -> Result<Metadata> {
    fs::metadata(path).map_err(|error| file_failure("find", url, &error))
}

fn pin_again(path: &Path, input: &Input, found: &Metadata) -> Input {
    Input { url: input.url.clone(), ..pin(path, found) }
}

/// Time since the last change; nothing for one that lies in the future.
fn age(found: &Metadata) -> Option<Duration> {
    SystemTime::now().duration_since(found.modified().ok()?).ok()
}

fn tick(found: &Metadata) -> Duration {
    use std::os::unix::fs::MetadataExt;
    if found.mtime_nsec() == 0 { COARSE_TICK } else { TICK }
}

fn sleep(time: Duration, cancel: &Cancel, runtime: &Runtime) -> Result<()> {
    runtime.block_on(cancel.or(async {
        tokio::time::sleep(time).await;
        Ok(())
    }))
}

fn warn_of_recent(mut recent: Vec<(Duration, String)>) {
    recent.sort();
    if let Some((age, url)) = recent.first() {
        tracing::warn!(
            "{url}{} was modified {:.1} s before planning: if it is still being written, the run will fail; \
             `source.settle_seconds` (--settle) waits until inputs are still, 0 says that they are",
            and_more(recent.len() - 1),
            age.as_secs_f64()
        );
    }
}

fn and_more(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(" (and {})", count(others, "more input")),
    }
}

#[cfg(test)]
#[path = "still_tests.rs"]
mod tests;
