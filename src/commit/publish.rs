//! A version that every target holds → is announced everywhere.

use super::apply::AppliedEverywhere;
use super::decide::Decided;
use super::documents::{Changes, PublishedNote, SUCCESS_KEY, applied_key, published_key, success_key};
use super::log::Committed;
use super::table::{self, Table};
use crate::documents::{COMMIT_FORMAT, Manifest};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::spec::Layout;
use crate::store::{Store, WriteOutcome};
use std::collections::BTreeMap;

/// How often `_SUCCESS` is read again when others write it at the same time.
const SWAP_TRIES: u32 = 16;

impl AppliedEverywhere {
    /// Writes `success/<version>.json` and `_SUCCESS` in every target, then the
    /// note that it is done. Repeatable.
    pub async fn publish(self, table: &Table) -> Result<Manifest> {
        let Decided { committed, changes, .. } = self.0;
        let version = committed.version;
        check_gate(table, version).await?;
        let manifest = table.manifest_of(&committed, changes).await?;
        for store in table.stores() {
            store.create(&success_key(version), table::json(&manifest)).await?;
        }
        for store in table.stores() {
            replace_if_newer(store.as_ref(), &manifest).await?;
        }
        let note = PublishedNote {
            format: COMMIT_FORMAT,
            version,
            attempt: manifest.attempt.clone(),
            at: table.time(),
        };
        table.home().create(&published_key(version), table::json(&note)).await?;
        tracing::info!(version, "announced");
        Ok(manifest)
    }
}

impl Table {
    /// What `success/<version>.json` says of a version.
    pub(super) async fn manifest_of(&self, committed: &Committed, changes: Changes) -> Result<Manifest> {
        let version = committed.version;
        let locations = match changes.layout {
            Layout::Direct => BTreeMap::new(),
            Layout::Versioned => self.locations_at(version).await?,
        };
        Ok(Manifest {
            format: COMMIT_FORMAT,
            version,
            job: changes.job,
            job_key: changes.job_key,
            attempt: changes.attempt,
            committed_at: committed.at.clone(),
            records: changes.records,
            files: changes.files.into_iter().map(|file| file.file).collect(),
            quarantine: changes.quarantine.into_iter().map(|file| file.file).collect(),
            removed: committed.commit.removed.clone(),
            locations,
        })
    }

    async fn locations_at(&self, version: u64) -> Result<BTreeMap<String, String>> {
        let mut history = self.history().await?;
        history.commits.retain(|committed| committed.version <= version);
        Ok(self.live_files(&history).await?.locations())
    }
}

/// A version is not announced before every target says that it holds it. The type
/// says so for this process; this asks the targets.
async fn check_gate(table: &Table, version: u64) -> Result<()> {
    #[cfg(test)]
    if table.is_broken(table::Broken::Gate) {
        return Ok(());
    }
    for store in table.stores() {
        if store.head(&applied_key(version)).await?.is_none() {
            let url = &store.describe().url;
            let message = format!("{url} was told that it holds version {version}, but does not say so");
            return Err(
                Error::new(ErrorKind::Damage { message }).remedy("`sawmill verify` says what is missing")
            );
        }
    }
    Ok(())
}

pub(super) async fn replace_if_newer(store: &dyn Store, manifest: &Manifest) -> Result<()> {
    replace_unless(store, manifest, async |marker| Ok(marker.version >= manifest.version)).await
}

/// Has `_SUCCESS` speak of a version unless what it says already `stands`.
pub(super) async fn replace_unless(
    store: &dyn Store,
    manifest: &Manifest,
    mut stands: impl AsyncFnMut(&Marker) -> Result<bool>,
) -> Result<()> {
    for _ in 0..SWAP_TRIES {
        let standing = store.get(SUCCESS_KEY).await?;
        let parsed =
            standing.as_ref().map(|document| table::parse::<Marker>(store, SUCCESS_KEY, &document.body));
        // A marker that another program wrote says nothing of versions.
        if let Some(Ok(marker)) = parsed
            && stands(&marker).await?
        {
            return Ok(());
        }
        if store.replace(SUCCESS_KEY, table::json(manifest), standing.as_ref()).await?
            == WriteOutcome::Created
        {
            return Ok(());
        }
    }
    let identity = store.describe();
    Err(Error::new(ErrorKind::Target(StoreFailure {
        attempts: Some(SWAP_TRIES),
        ..identity.failure("replace", SUCCESS_KEY, StoreReason::Conflict, "others kept writing it")
    })))
}

/// What is read of a `_SUCCESS` that stands.
#[derive(serde::Deserialize)]
pub(super) struct Marker {
    pub(super) version: u64,
    #[serde(default)]
    pub(super) attempt: String,
}
