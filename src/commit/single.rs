//! One output file instead of a table: there is nowhere to keep a log, since
//! there its documents could not be told from the user's own files.
use super::table::{CONCURRENCY, Table};
use super::verify::Verified;
use crate::documents::{COMMIT_FORMAT, Manifest, ManifestFile};
use crate::error::Result;
use futures::{StreamExt, TryStreamExt};

/// Makes a single file visible in every target, the first one last.
///
/// # Errors
/// Some targets may hold the file; what is still staged is the caller's to remove.
pub async fn finish_single(verified: &Verified<'_>, table: &Table) -> Result<Manifest> {
    for (position, store) in table.stores().iter().enumerate().rev() {
        futures::stream::iter(verified.all_files())
            .map(|file| store.complete(&file.staged[position]))
            .buffered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
    }
    let plan = verified.plan;
    Ok(Manifest {
        format: COMMIT_FORMAT,
        version: 0,
        job: plan.job.name.clone(),
        job_key: plan.job_key.clone(),
        attempt: plan.attempt.clone(),
        committed_at: table.time(),
        records: verified.records(),
        files: verified.files().map(ManifestFile::from).collect(),
        quarantine: verified.quarantine().map(ManifestFile::from).collect(),
        removed: None,
        locations: Default::default(),
    })
}
