//! Ranged, prefetched GETs of one S3 object, in order.

use super::chunks::Chunks;
use crate::aws::failure::{CredentialsProblem, classify_read, describe_unread, remedy, with_permission};
use crate::aws::{Responses, Role};
use crate::documents::Input;
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Location, Result, StoreFailure, StoreReason};
use crate::runtime::{Budget, Cancel, Holder};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use indicatif::HumanCount;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// How often the rest of a range is asked for again after its body broke off.
/// The requests themselves are retried by object_store, see
/// [`crate::aws::Connection::reader`].
const RESUMPTIONS: u32 = 5;

/// Wait before the first resumption; doubles with each.
const RESUMPTION_WAIT: Duration = Duration::from_millis(500);

/// An object and what is to be read of it.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    pub(super) input: Input,
    pub(super) region: Option<String>,
    /// Bytes of one GET.
    pub(super) fetch_bytes: u64,
    /// GETs at once.
    pub(super) concurrency: usize,
    /// Counts what was asked for and is not read yet.
    pub(super) budget: Budget,
    /// Time for all tries of one GET, and for asking for the rest of what broke off.
    pub(super) time: Duration,
}

impl Fetch {
    /// Starts to read `range`; holds at most `concurrency + 1` ranges.
    pub(super) fn start(self, range: Range<u64>, runtime: Handle, cancel: Cancel) -> Chunks {
        let (sender, receiver) = mpsc::channel(1);
        let step = self.fetch_bytes.max(1);
        let starts = std::iter::successors(Some(range.start), move |start| start.checked_add(step));
        let ranges = starts
            .take_while(move |start| *start < range.end)
            .map(move |start| start..start.saturating_add(step).min(range.end));
        let concurrency = self.concurrency.max(1);
        let bytes = range.end.saturating_sub(range.start);
        let chunks = Chunks::new(receiver, &self.input.url, Some(bytes), runtime.clone(), cancel);
        let task = runtime.spawn(async move {
            // Tasks of their own: whoever takes the bytes may be slow, for which a GET is not to blame.
            let mut chunks = futures::stream::iter(ranges)
                .map(|range| {
                    let fetch = self.clone();
                    AbortOnDropHandle::new(tokio::spawn(async move { fetch.get(range).await }))
                })
                .buffered(concurrency);
            while let Some(chunk) = chunks.next().await {
                // One that panicked sends nothing, which the other end takes for an error.
                let Ok(chunk) = chunk else { return };
                let failed = chunk.is_err();
                if sender.send(chunk).await.is_err() || failed {
                    return;
                }
            }
        });
        chunks.sent_by(task.abort_handle())
    }

    /// One range, whole, or no answer in time.
    pub(super) async fn get(&self, range: Range<u64>) -> Result<Bytes> {
        let (begun, answers) = (Instant::now(), Responses::default());
        match tokio::time::timeout(self.time, self.get_whole(range, begun, &answers)).await {
            Ok(got) => got,
            Err(_) => {
                let detail = format!("no complete response within {} s, over all tries", self.time.as_secs());
                Err(self.failure(StoreReason::Unreachable, detail, begun, &answers))
            }
        }
    }

    /// Asks for the rest again when a body breaks off.
    async fn get_whole(&self, range: Range<u64>, begun: Instant, answers: &Responses) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let lease = self.budget.lease(Holder::Fetched, wanted);
        let mut body = BytesMut::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let mut resumptions = 0;
        loop {
            let from = range.start + body.len() as u64;
            if from >= range.end {
                return Ok(lease.hold(body));
            }
            let cause = match self.get_once(from..range.end, answers, &mut body).await {
                Ok(()) if body.len() as u64 == wanted => continue,
                Ok(()) => None,
                Err(Broken::ForGood(error)) => return Err(self.failed(&error, begun, answers)),
                Err(Broken::Changed(what)) => return Err(self.changed(what)),
                Err(Broken::Midway(error)) => Some(error),
            };
            resumptions += 1;
            if resumptions > RESUMPTIONS {
                return Err(match cause {
                    Some(error) => self.failed(&error, begun, answers),
                    None => self.changed("the object ends before the size it was planned with".to_owned()),
                });
            }
            tracing::debug!(
                url = self.input.url,
                from,
                "the body of a GET was cut short and is requested again"
            );
            tokio::time::sleep(RESUMPTION_WAIT * (1 << (resumptions - 1))).await;
        }
    }

    async fn get_once(
        &self,
        range: Range<u64>,
        answers: &Responses,
        body: &mut BytesMut,
    ) -> Result<(), Broken> {
        let wanted = range.end - range.start;
        let mut options = GetOptions {
            range: Some(range.into()),
            if_match: self.input.etag.clone(),
            ..GetOptions::default()
        };
        options.extensions.insert(answers.clone());
        let answer = self.store.get_opts(&self.path, options).await.map_err(|error| match error {
            object_store::Error::Precondition { .. } => {
                Broken::Changed("its entity tag is different".to_owned())
            }
            error => Broken::ForGood(error),
        })?;
        if let Some(bytes) = self.input.bytes
            && bytes != answer.meta.size
        {
            return Err(Broken::Changed(format!(
                "it had {} and has {}",
                count(bytes, "byte"),
                HumanCount(answer.meta.size)
            )));
        }
        let before = body.len() as u64;
        let mut stream = answer.into_stream();
        while let Some(bytes) = stream.try_next().await.map_err(Broken::Midway)? {
            // A server that ignores the range must not overrun it.
            let room = wanted.saturating_sub(body.len() as u64 - before);
            let taken = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            body.extend_from_slice(&bytes[..taken]);
        }
        Ok(())
    }

    fn changed(&self, what: String) -> Error {
        Error::new(ErrorKind::Changed { what })
            .at(Location::object(&self.input.url))
            .remedy("run again, so that the object is planned as it is now")
    }

    fn failed(&self, error: &object_store::Error, begun: Instant, answers: &Responses) -> Error {
        let failed = self.failure(classify_read(error, answers), describe_unread(error), begun, answers);
        match CredentialsProblem::of(error) {
            Some(problem) => failed.remedy(problem.remedy(Role::Source)),
            None => failed,
        }
    }

    /// `detail` counts where no answer says more.
    fn failure(&self, reason: StoreReason, detail: String, begun: Instant, answers: &Responses) -> Error {
        let failed = answers.failed();
        let code = failed.as_ref().and_then(|failed| failed.code.clone());
        let detail = failed.map_or(detail, |failed| failed.to_string());
        let failure = StoreFailure {
            operation: "read".to_owned(),
            url: self.input.url.clone(),
            region: self.region.clone(),
            attempts: Some(answers.tries()).filter(|tries| *tries > 0),
            elapsed: Some(begun.elapsed()),
            reason,
            detail: with_permission(detail, reason, code.as_deref(), "s3:GetObject"),
        };
        let failed = Error::new(ErrorKind::Source(failure));
        match remedy(Role::Source, reason, code.as_deref(), "s3:GetObject") {
            Some(remedy) => failed.remedy(remedy),
            None => failed,
        }
    }
}

/// Why a GET did not give all it was asked for.
enum Broken {
    /// The request failed, after object_store's retries.
    ForGood(object_store::Error),
    /// The answer's body broke off.
    Midway(object_store::Error),
    /// The object is not the one that was planned.
    Changed(String),
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
