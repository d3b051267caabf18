//! What dead runs have staged and never made visible.

use super::Garbage;
use crate::commit::documents::{attempt_of, published_key};
use crate::commit::log::{Fenced, History};
use crate::commit::table::{Table, rfc3339};
use crate::commit::unseen::Silent;
use crate::documents::{StagedFile, Staging};
use crate::error::Result;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Staged files of one attempt that will never be visible: open multipart uploads, or hidden files.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpenUploads {
    /// The attempt.
    pub attempt: String,
    /// When it was planned, by its name; RFC 3339, UTC.
    pub planned_at: String,
    /// Seconds since then.
    pub age_seconds: i64,
    /// How many there are, or were removed, over all targets.
    pub count: u64,
    /// How many were to be removed and may still be there, as a target failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left: u64,
    /// Their size; absent where a target does not say it, as S3 does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl Table {
    /// Finds what the dead have staged, by attempt, and removes it if `remove`: an attempt that
    /// is not settled is fenced first. Those that may be alive, and versions that wait to be made
    /// visible, are left alone.
    pub(super) async fn collect_uploads(
        &self,
        history: &mut History,
        garbage: &mut Garbage,
        remove: bool,
        silent: &mut Silent,
    ) -> Result<()> {
        let mut staged: BTreeMap<String, Vec<(usize, StagedFile)>> = BTreeMap::new();
        for (target, store) in self.stores().iter().enumerate() {
            let listed = silent.ask(target, store.as_ref(), store.list_staged(None)).await?;
            for file in listed.unwrap_or_default() {
                // What another program uploads here is none of our business.
                if let Some(attempt) = attempt_of(&file.key) {
                    staged.entry(attempt.to_owned()).or_default().push((target, file));
                }
            }
        }
        for (attempt, files) in staged {
            if self.is_needed(history, &attempt).await? {
                continue;
            }
            if remove && history.commit_of(&attempt).is_none() {
                // It may have been decided since the log was read: then a recovery finishes it.
                if let Fenced::Committed(_) = self.fence(history, &attempt, "no sign of life").await? {
                    continue;
                }
            }
            let mut of_attempt = files;
            let left = match remove {
                true => self.abort_where_answered(&mut of_attempt, silent).await?,
                false => 0,
            };
            garbage.uploads.push(OpenUploads { left, ..self.describe_uploads(&attempt, &of_attempt) });
        }
        Ok(())
    }

    /// Removes staged files of an attempt that is settled: those in a target that does not answer,
    /// whoever comes next finds. They are taken out of `files` and counted.
    async fn abort_where_answered(
        &self,
        files: &mut Vec<(usize, StagedFile)>,
        silent: &mut Silent,
    ) -> Result<u64> {
        let mut left = 0;
        for (target, store) in self.stores().iter().enumerate() {
            let here: Vec<StagedFile> =
                files.extract_if(.., |(of, _)| *of == target).map(|(_, file)| file).collect();
            let kept = self.remove_from(target, &here, async |file| store.abort(file).await, silent).await?;
            left += kept.iter().filter(|is_left| **is_left).count() as u64;
            let removed = here.into_iter().zip(kept).filter(|(_, is_left)| !is_left);
            files.extend(removed.map(|(file, _)| (target, file)));
        }
        Ok(left)
    }

    /// Whether what an attempt has staged may still become visible.
    async fn is_needed(&self, history: &History, attempt: &str) -> Result<bool> {
        if let Some(committed) = history.commit_of(attempt) {
            // Of before a promotion the new home has no word, but knows how far versions were published.
            if committed.version <= history.published_until {
                return Ok(false);
            }
            // Once it is published all its files are visible: the rest was left by a second try of a task.
            return Ok(self.home().head(&published_key(committed.version)).await?.is_none());
        }
        if history.fenced.contains(attempt) {
            return Ok(false);
        }
        self.check_home_knows(attempt).await?;
        self.is_alive(attempt).await
    }

    fn describe_uploads(&self, attempt: &str, files: &[(usize, StagedFile)]) -> OpenUploads {
        // `20261126t090051z-dac58b82`, which `attempt_of` has seen to.
        let time = attempt.get(..16).unwrap_or_default();
        let planned = chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dt%H%M%Sz").unwrap_or_default();
        let planned = planned.and_utc().timestamp();
        let is_file = |file: &StagedFile| matches!(file.staging, Staging::TemporaryFile { .. });
        let known = files.iter().all(|(_, file)| is_file(file));
        OpenUploads {
            attempt: attempt.to_owned(),
            planned_at: rfc3339(planned),
            age_seconds: self.now().saturating_sub(planned),
            count: files.len() as u64,
            left: 0,
            bytes: known.then(|| files.iter().map(|(_, file)| file.bytes).sum()),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives what it may skip by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
