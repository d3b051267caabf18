//! Which versions hold the rows of some inputs, by the log alone.
//!
//! A commit keeps a mark of each of its inputs, so that its changes need not be fetched
//! to know, and the decision can ask the log as it does for everything else.

use super::documents::Commit;
use super::log::{Committed, History};
use super::table::{CONCURRENCY, Table};
use crate::documents::Input;
use crate::error::count::agree;
use crate::error::lists::numbered;
use crate::error::{Error, Result};
use crate::spec::WriteMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a mark: by chance, one of a million inputs is taken for one of another million
/// in one of ten million tables.
const MARK_BYTES: usize = 8;

/// Tells an input, as it was pinned, from all others.
type Mark = [u8; MARK_BYTES];

/// Which inputs a version has read: the first 8 bytes of a SHA-256 for each, in order, in base64.
/// Over URL and entity tag, or size and time where there is no tag; nothing for pipes, which
/// never give the same twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct InputMarks(#[schemars(with = "String")] Vec<Mark>);

impl InputMarks {
    pub(super) fn of(inputs: &[Input]) -> InputMarks {
        let marks: BTreeSet<Mark> = inputs.iter().filter_map(mark).collect();
        InputMarks(marks.into_iter().collect())
    }

    fn has(&self, mark: &Mark) -> bool {
        self.0.binary_search(mark).is_ok()
    }
}

/// The mark of an input; `None` for a pipe. As [`Input`]s are compared where they are chosen:
/// an entity tag says it, and size and time where there is none.
fn mark(input: &Input) -> Option<Mark> {
    let bytes = input.bytes.filter(|_| input.is_pinned())?;
    let version = match &input.etag {
        Some(etag) => format!("etag\n{etag}"),
        None => format!("time\n{bytes}\n{}", input.last_modified.as_deref().unwrap_or_default()),
    };
    let hash = Sha256::digest(format!("{}\n{version}", input.url).as_bytes());
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash[..MARK_BYTES]);
    Some(mark)
}

impl Serialize for InputMarks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0.as_flattened()))
    }
}

impl<'de> Deserialize<'de> for InputMarks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        let (marks, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("marks of inputs have 8 bytes each"));
        }
        let marks: BTreeSet<Mark> = marks.iter().copied().collect();
        Ok(InputMarks(marks.into_iter().collect()))
    }
}

impl History {
    /// Commits whose rows are of the table, or some of them, newest first: nothing has replaced
    /// them, and later ones have not overwritten all partitions that they wrote.
    pub(super) fn holding(&self) -> impl Iterator<Item = &Committed> {
        let mut overwritten = BTreeSet::<&str>::new();
        self.commits.iter().rev().filter(move |Committed { commit, replaced_by, .. }| {
            let holds = replaced_by.is_none()
                && commit.partitions.iter().any(|partition| !overwritten.contains(partition.as_str()));
            if commit.mode == WriteMode::OverwritePartitions {
                overwritten.extend(commit.partitions.iter().map(String::as_str));
            }
            holds
        })
    }

    /// Says which of these inputs the table holds the rows of, and in which versions, if it holds
    /// any. `of_changes`: marks of versions whose commits have none.
    pub(super) fn read_before(
        &self,
        inputs: &[Input],
        of_changes: &BTreeMap<u64, InputMarks>,
    ) -> Option<String> {
        let marks: Vec<(Mark, &Input)> = inputs.iter().filter_map(|i| Some((mark(i)?, i))).collect();
        let (mut known, mut versions) = (BTreeSet::new(), BTreeSet::new());
        for Committed { version, commit, .. } in self.holding() {
            let Some(read) = commit.input_marks.as_ref().or_else(|| of_changes.get(version)) else {
                continue;
            };
            let mine: Vec<usize> = (0..marks.len()).filter(|number| read.has(&marks[*number].0)).collect();
            if !mine.is_empty() {
                versions.insert(*version);
                known.extend(mine);
            }
        }
        let (_, first) = marks.get(*known.first()?)?;
        Some(describe(&versions, first, known.len(), inputs.len()))
    }
}

fn describe(versions: &BTreeSet<u64>, first: &Input, known: usize, all: usize) -> String {
    let holding = match versions.len() {
        0 => String::from("the table holds"),
        several => {
            let hold = agree(several, "holds", "hold");
            format!("{} {hold}", numbered("version", versions.iter().copied()))
        }
    };
    match known {
        1 => format!("{holding} the rows of {} already", first.url),
        _ => {
            format!("{holding} the rows of {known} of {all} inputs already, the first of them {}", first.url)
        }
    }
}

impl Table {
    /// As [`History::read_before`]; reads the changes of commits of older engines, which have no marks.
    pub(super) async fn read_before(&self, history: &History, inputs: &[Input]) -> Result<Option<String>> {
        let unmarked = history.holding().filter(|committed| committed.commit.input_marks.is_none());
        let read = unmarked.map(async |Committed { version, commit, .. }| {
            Ok::<_, Error>((*version, self.marks(commit).await?))
        });
        let of_changes = futures::stream::iter(read).buffered(CONCURRENCY).try_collect().await?;
        Ok(history.read_before(inputs, &of_changes))
    }

    async fn marks(&self, commit: &Commit) -> Result<InputMarks> {
        Ok(InputMarks::of(&self.changes(commit).await?.inputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::COMMIT_FORMAT;

    fn input(url: &str, etag: Option<&str>, time: &str) -> Input {
        Input {
            url: url.into(),
            bytes: Some(7),
            etag: etag.map(str::to_owned),
            last_modified: Some(time.into()),
            ..Input::default()
        }
    }

    fn committed(version: u64, mode: &str, partitions: &[&str], inputs: &[Input]) -> Committed {
        let commit = serde_json::json!({
            "attempt": format!("a{version}"), "job": "j", "job_key": version.to_string(), "mode": mode,
            "changes_sha256": "", "partitions": partitions, "files": 1, "bytes": 1,
            "records": { "read": 1, "written": 1, "filtered": 0, "rejected": 0, "deduplicated": 0 },
            "inputs": inputs.len(), "input_marks": InputMarks::of(inputs),
        });
        let commit = serde_json::from_value(commit).unwrap();
        Committed { version, at: String::new(), commit, replaced_by: None }
    }

    fn history(commits: Vec<Committed>) -> History {
        History { format: COMMIT_FORMAT, tip: commits.len() as u64, commits, ..History::default() }
    }

    #[test]
    fn an_entity_tag_tells_inputs_apart_or_else_size_and_time() {
        let known = [input("s3://b/a", Some("1"), "t1"), input("file:///a", None, "t1")];
        let log = history(vec![committed(1, "append", &[""], &known)]);
        let says = |input: Input| log.read_before(&[input], &BTreeMap::new());
        assert!(says(input("s3://b/a", Some("1"), "t2")).is_some(), "touched only");
        assert!(says(input("file:///a", None, "t1")).is_some());
        for new in [
            input("s3://b/a", Some("2"), "t1"),
            input("s3://b/b", Some("1"), "t1"),
            input("file:///a", None, "t2"),
            Input { bytes: Some(8), ..input("file:///a", None, "t1") },
            Input { bytes: None, ..input("file:///a", None, "t1") },
        ] {
            assert_eq!(says(new.clone()), None, "{new:?}");
        }
    }

    #[test]
    fn rows_that_are_gone_are_not_in_the_way() {
        let (a, b) = (input("a", None, ""), input("b", None, ""));
        let mut log = history(vec![
            committed(1, "append", &["d=1/", "d=2/"], std::slice::from_ref(&a)),
            committed(2, "append", &["d=2/"], std::slice::from_ref(&b)),
            committed(3, "overwrite_partitions", &["d=2/"], &[input("c", None, "")]),
        ]);
        let says = |log: &History| log.read_before(&[a.clone(), b.clone()], &BTreeMap::new());
        // Version 2 is overwritten as a whole, version 1 in a part of it.
        assert_eq!(says(&log).as_deref(), Some("version 1 holds the rows of a already"));
        log.commits.push(committed(4, "append", &["d=2/"], &[a.clone(), b.clone()]));
        let text = says(&log).unwrap();
        assert_eq!(text, "versions 1 and 4 hold the rows of 2 of 2 inputs already, the first of them a");
        for version in [0, 3] {
            log.commits[version].replaced_by = Some(5);
        }
        assert_eq!(says(&log), None);
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let marks = InputMarks::of(&[input("a", None, ""), input("b", None, ""), input("a", None, "")]);
        let text = serde_json::to_string(&marks).unwrap();
        assert_eq!((text.len(), marks.0.len()), (26, 2));
        assert_eq!(serde_json::from_str::<InputMarks>(&text).unwrap(), marks);
        for wrong in ["\"AAAA\"", "\"?\"", "7"] {
            assert!(serde_json::from_str::<InputMarks>(wrong).is_err(), "{wrong}");
        }
    }
}
