//! A store that fails where a test wants it to.

use super::{StagedWrite, StagingStore, TargetIdentity};
use crate::documents::{StagedFile, StagedPart};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Begin,
    PutPart,
    Seal,
    Abort,
}

/// Fails the `nth` (from 1) call of one operation, and passes on all others;
/// or never answers that call and those after it.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn StagingStore>,
    fault: Arc<InjectedFault>,
}

#[derive(Debug)]
struct InjectedFault {
    operation: Operation,
    nth: usize,
    stalls: bool,
    calls: AtomicUsize,
    url: String,
}

impl InjectedFault {
    async fn strike(&self, operation: Operation) -> Result<()> {
        if operation != self.operation {
            return Ok(());
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.stalls && call >= self.nth {
            std::future::pending::<()>().await;
        }
        if call != self.nth {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Target(StoreFailure::new(
            format!("{operation:?}"),
            self.url.clone(),
            StoreReason::Other,
            "injected",
        ))))
    }
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn StagingStore>, operation: Operation, nth: usize) -> Self {
        Self::with(inner, operation, nth, false)
    }

    pub(crate) fn stalling(inner: Arc<dyn StagingStore>, operation: Operation, nth: usize) -> Self {
        Self::with(inner, operation, nth, true)
    }

    fn with(inner: Arc<dyn StagingStore>, operation: Operation, nth: usize, stalls: bool) -> Self {
        let url = inner.describe().url.clone();
        let fault = InjectedFault { operation, nth, stalls, calls: AtomicUsize::new(0), url };
        FaultyStore { inner, fault: Arc::new(fault) }
    }
}

#[async_trait::async_trait]
impl StagingStore for FaultyStore {
    fn describe(&self) -> &TargetIdentity {
        self.inner.describe()
    }
    fn part_bytes(&self) -> usize {
        self.inner.part_bytes()
    }
    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>> {
        self.fault.strike(Operation::Begin).await?;
        let inner = self.inner.begin(key).await?;
        Ok(Box::new(FaultyWrite { inner, fault: Arc::clone(&self.fault) }))
    }
    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        self.fault.strike(Operation::Abort).await?;
        self.inner.abort(staged).await
    }
}

struct FaultyWrite {
    inner: Box<dyn StagedWrite>,
    fault: Arc<InjectedFault>,
}

#[async_trait::async_trait]
impl StagedWrite for FaultyWrite {
    async fn put_part(&self, number: u32, offset: u64, body: Bytes) -> Result<StagedPart> {
        self.fault.strike(Operation::PutPart).await?;
        self.inner.put_part(number, offset, body).await
    }
    async fn seal(&self, parts: Vec<StagedPart>) -> Result<StagedFile> {
        self.fault.strike(Operation::Seal).await?;
        self.inner.seal(parts).await
    }
    fn handle(&self) -> StagedFile {
        self.inner.handle()
    }
}
