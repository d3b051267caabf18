//! What stands in the targets before a run.

use super::log::{Committed, History};
use super::table::Table;
use crate::documents::Plan;
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::spec::WriteMode;
use crate::store::Store;
use std::sync::Arc;

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
    /// The table holds data, and `output.mode` says that it must not; or it holds the rows of inputs
    /// that are to be appended.
    pub async fn standing(&self, history: &mut History, plan: &Plan) -> Result<Standing> {
        if let Some(done) = already_done(history, plan) {
            return Ok(done);
        }
        if plan.refuses_to_read_again()
            && let Some(what) = self.read_before(history, &plan.inputs).await?
        {
            return Err(refused("append to", self.home(), what).remedy(READ_BEFORE));
        }
        if plan.job.output.mode != WriteMode::ErrorIfExists || !plan.replaces.is_empty() {
            return Ok(Standing::Free);
        }
        let Some(occupied) = self.occupied(history).await? else { return Ok(Standing::Free) };
        // Another run may have decided after the log was read: the files found may be that run's,
        // and it may have done the same job.
        let read_until = history.tip;
        self.catch_up(history).await?;
        if let Some(done) = already_done(history, plan) {
            return Ok(done);
        }
        let (store, detail) = match history.commits_after(read_until).next() {
            Some(Committed { version, commit, .. }) => {
                let detail = format!("attempt {} wrote version {version} meanwhile", commit.attempt);
                (Arc::clone(&self.stores()[0]), detail)
            }
            None => occupied,
        };
        Err(self.exists(store.as_ref(), detail, history, plan).await)
    }

    /// What keeps a run from being the first of its table, and in which target.
    async fn occupied(&self, history: &History) -> Result<Option<(Arc<dyn Store>, String)>> {
        for (_, store) in self.present() {
            if let Some(key) = store.list("", 1).await?.pop() {
                return Ok(Some((Arc::clone(store), format!("{key} already exists"))));
            }
        }
        // A target that was not there keeps a version from becoming visible, and nothing else.
        let waiting = self.unpublished(history).await?.pop();
        Ok(waiting.map(|Committed { version, .. }| {
            (Arc::clone(&self.stores()[0]), format!("version {version} is decided and will be there"))
        }))
    }

    /// The table holds data. Who is told to append must not be told so for rows that it holds.
    async fn exists(&self, store: &dyn Store, detail: String, history: &History, plan: &Plan) -> Error {
        let known = match self.read_before(history, &plan.inputs).await {
            Ok(known) => known,
            Err(error) => {
                tracing::debug!(%error, "it cannot be said which inputs the table holds");
                None
            }
        };
        match known {
            Some(what) => refused("write to", store, format!("{detail}; {what}")).remedy(READ_BEFORE),
            None => refused("write to", store, detail).remedy(OTHER_DATA),
        }
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

/// What to do about inputs that the table holds.
pub(super) const READ_BEFORE: &str = "leave out what the table holds: `source.incremental = true` with \
     `output.mode = \"append\"` in a job file does so by itself; `sawmill run --reprocess` writes the versions that hold it anew. To \
     have its rows in the table again, append with `source.read_again = \"allow\"` (--append --read-again)";

/// What to do about a table that is not empty.
const OTHER_DATA: &str = "this table holds data of another run: add the rows of other inputs with \
     `output.mode = \"append\"` (--append), replace partitions with \"overwrite_partitions\" in a job file, or choose another place";

fn refused(operation: &str, store: &dyn Store, detail: String) -> Error {
    let identity = store.describe();
    Error::new(ErrorKind::Target(identity.failure(operation, "", StoreReason::Exists, detail)))
}
