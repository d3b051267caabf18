//! A store that fails where a test wants it to.

use super::{Document, ObjectMeta, StagedWrite, Store, TargetIdentity, WriteOutcome};
use crate::documents::{StagedFile, StagedPart};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Begin,
    PutPart,
    Seal,
    Complete,
    Abort,
    Put,
    Get,
    List,
}

/// Fails the `nth` (from 1) call of one operation, and passes on all others;
/// or never answers that call and those after it.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
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
    pub(crate) fn new(inner: Arc<dyn Store>, operation: Operation, nth: usize) -> Self {
        Self::with(inner, operation, nth, false)
    }

    pub(crate) fn stalling(inner: Arc<dyn Store>, operation: Operation, nth: usize) -> Self {
        Self::with(inner, operation, nth, true)
    }

    fn with(inner: Arc<dyn Store>, operation: Operation, nth: usize, stalls: bool) -> Self {
        let url = inner.describe().url.clone();
        let fault = InjectedFault { operation, nth, stalls, calls: AtomicUsize::new(0), url };
        FaultyStore { inner, fault: Arc::new(fault) }
    }
}

#[async_trait::async_trait]
impl Store for FaultyStore {
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
    async fn complete(&self, staged: &StagedFile) -> Result<()> {
        self.fault.strike(Operation::Complete).await?;
        self.inner.complete(staged).await
    }
    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        self.fault.strike(Operation::Abort).await?;
        self.inner.abort(staged).await
    }
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.fault.strike(Operation::Put).await?;
        self.inner.put(key, body).await
    }
    async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome> {
        self.fault.strike(Operation::Put).await?;
        self.inner.create(key, body).await
    }
    async fn replace(&self, key: &str, body: Bytes, read: Option<&Document>) -> Result<WriteOutcome> {
        self.fault.strike(Operation::Put).await?;
        self.inner.replace(key, body, read).await
    }
    async fn get(&self, key: &str) -> Result<Option<Document>> {
        self.fault.strike(Operation::Get).await?;
        self.inner.get(key).await
    }
    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        self.inner.read(key, range).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.inner.head(key).await
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }
    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        self.fault.strike(Operation::List).await?;
        self.inner.list(prefix, limit).await
    }
    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        self.fault.strike(Operation::List).await?;
        self.inner.list_documents(prefix, after).await
    }
    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        self.inner.list_staged(key).await
    }
    async fn sweep_documents(&self) -> Result<()> {
        self.inner.sweep_documents().await
    }
    async fn check_access(&self) -> Result<()> {
        self.inner.check_access().await
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
