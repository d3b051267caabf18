//! Which inputs a run is to read, by what the log says was read before.
//!
//! This is what other engines keep bookmarks for; here the log of the table
//! knows, so that what was read and what was written cannot disagree.

use super::log::History;
use super::table::{CONCURRENCY, Table};
use crate::documents::Input;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use futures::{StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};

/// What of the inputs that were found is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// All; the log only tells whether the very same job was done.
    All,
    /// What no version of the table has read.
    New,
    /// What versions from this one on have read, in their place, and what none has.
    AgainFrom(u64, Missing),
}

/// What an input means that a version has read and that is not found any more,
/// when the version is to be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Its rows would be lost: refused.
    Refuse,
    /// Its rows are dropped.
    Drop,
}

/// Inputs, and the versions that they replace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chosen {
    /// In the order in which they were found.
    pub inputs: Vec<Input>,
    /// Versions whose files are removed once these inputs' are visible.
    pub replaces: Vec<u64>,
    /// The log's tip when they were chosen; absent where it did not matter.
    pub chosen_at: Option<u64>,
    /// Number of the epoch whose log that was; absent in the first.
    pub chosen_in: Option<u64>,
}

impl Table {
    /// Chooses among the inputs that were found.
    ///
    /// # Errors
    /// A source error for an input that has changed since a version read it: its
    /// rows would stand twice. A usage error for versions that have read more
    /// than what was found: the rest would be lost.
    pub async fn choose(&self, history: &History, found: Vec<Input>, choice: Choice) -> Result<Chosen> {
        if choice == Choice::All {
            return Ok(Chosen { inputs: found, ..Chosen::default() });
        }
        if let Choice::AgainFrom(from, _) = choice
            && from > history.tip.max(1)
        {
            let message =
                format!("the table has no version {from}: its log ends with version {}", history.tip);
            return Err(Error::usage(message).remedy("`sawmill log` shows the versions"));
        }
        let standing = history.commits.iter().filter(|committed| committed.replaced_by.is_none());
        let read: Vec<Read> = futures::stream::iter(standing)
            .map(async |committed| {
                let version = committed.version;
                let overwritten = history.overwritten_by(committed).is_some();
                let inputs = self.changes(&committed.commit).await?.inputs;
                Ok::<_, Error>(Read { version, overwritten, inputs })
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let (inputs, replaces) = choose(read, found, choice)?;
        Ok(Chosen { inputs, replaces, chosen_at: Some(history.tip), chosen_in: history.later_epoch() })
    }
}

/// What a version has read.
struct Read {
    version: u64,
    /// Whether a later one has overwritten partitions that it wrote.
    overwritten: bool,
    inputs: Vec<Input>,
}

/// Inputs, and the versions that they replace.
fn choose(read: Vec<Read>, found: Vec<Input>, choice: Choice) -> Result<(Vec<Input>, Vec<u64>)> {
    let urls: HashSet<&str> = found.iter().map(|input| input.url.as_str()).collect();
    let (mut kept, mut replaces) = (HashMap::<String, Vec<(u64, bool, Input)>>::new(), Vec::new());
    let mut again = HashSet::new();
    for Read { version, overwritten, inputs } in read {
        let concerns = inputs.iter().any(|input| urls.contains(input.url.as_str()));
        if let Choice::AgainFrom(from, missing) = choice
            && concerns
            && version >= from
        {
            let gone = inputs.iter().find(|input| !urls.contains(input.url.as_str()));
            if let Some(gone) = gone.filter(|_| missing == Missing::Refuse) {
                return Err(would_be_lost(version, gone));
            }
            replaces.push(version);
            again.extend(inputs.into_iter().map(|input| input.url));
            continue;
        }
        for input in inputs {
            kept.entry(input.url.clone()).or_default().push((version, overwritten, input));
        }
    }
    let mut inputs = Vec::new();
    for input in found {
        match kept.get(&input.url) {
            None => inputs.push(input),
            // Its rows go with the version that is replaced, so they have to be written again.
            Some(versions) if again.contains(&input.url) => {
                match versions.iter().find(|(_, gone, _)| !gone) {
                    None => inputs.push(input),
                    Some((earlier, ..)) => return Err(stands_elsewhere(&input, *earlier)),
                }
            }
            Some(versions) if versions.iter().any(|(.., earlier)| is_same(earlier, &input)) => {}
            Some(versions) => {
                return Err(changed(&input, versions.last().map_or(0, |(version, ..)| *version)));
            }
        }
    }
    Ok((inputs, replaces))
}

/// An entity tag says it; where there is none, size and time do.
fn is_same(earlier: &Input, now: &Input) -> bool {
    match (&earlier.etag, &now.etag) {
        (Some(earlier), Some(now)) => earlier == now,
        _ => (earlier.bytes, &earlier.last_modified) == (now.bytes, &now.last_modified),
    }
}

fn changed(input: &Input, version: u64) -> Error {
    Error::new(ErrorKind::Source(StoreFailure::new(
        "read only what is new of",
        input.url.clone(),
        StoreReason::Other,
        format!("it has changed since version {version} read it, and its rows would be there twice"),
    )))
    .remedy(format!(
        "`--reprocess-from {version}` writes that version and later ones anew; or deliver under new names"
    ))
}

fn stands_elsewhere(input: &Input, version: u64) -> Error {
    let message = format!("version {version} holds rows of {}, too, and is not to be replaced", input.url);
    Error::usage(message).remedy(format!("use --reprocess-from {version}, or an earlier version"))
}

fn would_be_lost(version: u64, missing: &Input) -> Error {
    let message = format!(
        "version {version} also holds the rows of {}, which is not among the inputs and would be lost",
        missing.url
    );
    Error::usage(message).remedy(
        "name all inputs of that version, or a later one with --reprocess-from; --drop-missing gives up rows of inputs \
         that are gone",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(url: &str, etag: &str) -> Input {
        Input { url: url.into(), bytes: Some(1), etag: Some(etag.into()), ..Input::default() }
    }

    fn read(version: u64, overwritten: bool, urls: &[&str]) -> Read {
        Read { version, overwritten, inputs: urls.iter().map(|url| input(url, "1")).collect() }
    }

    /// Versions 1 and 2 have read `a` and `b` together, and `c`.
    fn chosen(found: &[(&str, &str)], choice: Choice) -> Result<(Vec<String>, Vec<u64>)> {
        let read = vec![read(1, false, &["a", "b"]), read(2, false, &["c"])];
        let found = found.iter().map(|(url, etag)| input(url, etag)).collect();
        let (inputs, replaces) = choose(read, found, choice)?;
        Ok((inputs.into_iter().map(|input| input.url).collect(), replaces))
    }

    #[test]
    fn what_was_read_is_not_read_again_unless_it_is_asked_for() {
        let all = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
        let changed = [("a", "1"), ("b", "2"), ("c", "1")];
        for (found, choice, inputs, replaces) in [
            (&all[..], Choice::New, &["d"][..], &[][..]),
            (&all[..3], Choice::New, &[], &[]),
            (&all, Choice::AgainFrom(1, Missing::Refuse), &["a", "b", "c", "d"], &[1, 2]),
            (&all, Choice::AgainFrom(2, Missing::Refuse), &["c", "d"], &[2]),
            (&all[2..3], Choice::AgainFrom(1, Missing::Refuse), &["c"], &[2]),
            (&changed, Choice::AgainFrom(1, Missing::Refuse), &["a", "b", "c"], &[1, 2]),
        ] {
            let expected = (inputs.iter().map(|url| url.to_string()).collect(), replaces.to_vec());
            assert_eq!(chosen(found, choice).unwrap(), expected, "{found:?} {choice:?}");
        }
        let error = chosen(&changed, Choice::New).unwrap_err();
        assert!(error.to_string().contains("since version 1"), "{error}");
        let error = chosen(&all[..1], Choice::AgainFrom(1, Missing::Refuse)).unwrap_err();
        assert!(error.to_string().contains("the rows of b"), "{error}");
        let dropped = chosen(&all[..1], Choice::AgainFrom(1, Missing::Drop)).unwrap();
        assert_eq!(dropped, (vec!["a".to_owned()], vec![1]));
    }

    /// Version 2 has read `a` again, with `b`, and overwritten what version 1 wrote of it.
    #[test]
    fn what_a_replaced_version_held_is_read_again() {
        let again = |overwritten| {
            let read = vec![read(1, overwritten, &["a"]), read(2, false, &["a", "b"])];
            let found = vec![input("a", "1"), input("b", "1")];
            choose(read, found, Choice::AgainFrom(2, Missing::Refuse))
        };
        let (inputs, replaces) = again(true).unwrap();
        assert_eq!((inputs.len(), replaces), (2, vec![2]));
        assert!(again(false).unwrap_err().what_to_do().unwrap().contains("--reprocess-from 1"));
    }
}
