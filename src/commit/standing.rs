//! What stands in the targets before a run.

use super::log::{Committed, History};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::job::WriteMode;
use crate::plan::Plan;
use crate::store::Store;

/// What stands in the targets before a run.
#[derive(Debug)]
pub enum Standing {
    /// The run may write.
    Free,
    /// The table holds the rows of this very job already.
    AlreadyDone(Box<Committed>),
}

impl Table {
    /// Looks whether a run of this job may write here. Writes nothing. `history` was just
    /// read, and is read on where something is found that it does not explain.
    ///
    /// # Errors
    /// The table holds data, and `output.mode` says that it must not.
    pub async fn standing(&self, history: &mut History, plan: &Plan) -> Result<Standing> {
        if let Some(done) = already_done(history, plan) {
            return Ok(done);
        }
        if plan.job.output.mode != WriteMode::ErrorIfExists || !plan.replaces.is_empty() {
            return Ok(Standing::Free);
        }
        let Some(occupied) = self.occupied(history).await? else { return Ok(Standing::Free) };
        // Another run may have decided since the log was read, and what was found is its, and
        // that run may have done this very job.
        let read_until = history.tip;
        self.catch_up(history).await?;
        if let Some(done) = already_done(history, plan) {
            return Ok(done);
        }
        Err(match history.commits_after(read_until).next() {
            Some(Committed { version, commit, .. }) => {
                exists(self.home(), format!("attempt {} wrote version {version} meanwhile", commit.attempt))
            }
            None => occupied,
        })
    }

    /// What keeps a run from being the first of its table.
    async fn occupied(&self, history: &History) -> Result<Option<Error>> {
        for (_, store) in self.present() {
            if let Some(key) = store.list("", 1).await?.pop() {
                return Ok(Some(exists(store.as_ref(), format!("{key} is there already"))));
            }
        }
        // A target that was not there keeps a version from becoming visible, and nothing else.
        let waiting = self.unpublished(history).await?.pop();
        Ok(waiting.map(|Committed { version, .. }| {
            exists(self.home(), format!("version {version} is decided and will be there"))
        }))
    }
}

fn already_done(history: &History, plan: &Plan) -> Option<Standing> {
    let done = history.commit_of_key(&plan.job_key)?;
    if let Some(by) = history.overwritten_by(done) {
        let version = done.version;
        tracing::warn!(
            "version {by} has overwritten rows of version {version} since; --reprocess writes them again"
        );
    }
    Some(Standing::AlreadyDone(Box::new(done.clone())))
}

fn exists(store: &dyn Store, detail: String) -> Error {
    let identity = store.describe();
    Error::new(ErrorKind::Target(StoreFailure {
        operation: "write to".into(),
        url: identity.url.clone(),
        region: identity.region.clone(),
        attempts: None,
        elapsed: None,
        reason: StoreReason::Exists,
        detail,
    }))
    .remedy(
        "this table holds data of another run: add files to it with `output.mode = \"append\"` \
         (--set output.mode=append, or --append), replace partitions with \"overwrite_partitions\", \
         or choose another place",
    )
}
