//! The [`Store`] over a [`World`], in the requests that the one for S3 makes.

use super::world::{Answer, Bucket, Condition, Effect, RequestError, Seen, World, checksum};
use crate::documents::{StagedFile, StagedPart, Staging};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::store::{
    ObjectMeta, StagedWrite, StagingStore, Store, StoredDocument, TargetIdentity, WriteOutcome,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// The world, shared by the stores of all processes.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Shared {
        Shared(Arc::new(Mutex::new(world)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this process may make its next request: whoever polls it
    /// permits one at a time.
    async fn turn(&self) {
        poll_fn(|context| match std::mem::take(&mut self.lock().permit) {
            true => Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }
}

/// One target of the world.
#[derive(Debug, Clone)]
pub(super) struct SimulatedStore {
    world: Shared,
    target: usize,
    identity: TargetIdentity,
}

/// Small, so that a file has more than one part.
const PART_BYTES: usize = 12;

impl SimulatedStore {
    pub(super) fn new(world: Shared, target: usize) -> SimulatedStore {
        let identity = TargetIdentity { url: url(target), region: None };
        SimulatedStore { world, target, identity }
    }

    async fn request(&self, effect: Effect) -> Result<std::result::Result<Answer, RequestError>> {
        self.world.turn().await;
        let seen = self.world.lock().request(self.target, effect);
        self.seen(seen).await
    }

    async fn ask<T>(&self, what: impl FnOnce() -> String, read: impl FnOnce(&Bucket) -> T) -> Result<T> {
        self.world.turn().await;
        let seen = self.world.lock().ask(self.target, what, read);
        self.seen(seen).await?.map_err(|refusal| self.failed(refusal))
    }

    async fn seen<T>(&self, seen: Seen<T>) -> Result<std::result::Result<T, RequestError>> {
        match seen {
            Seen::Answer(answer) => Ok(answer),
            Seen::Nothing => pending().await,
        }
    }

    fn failed(&self, refusal: RequestError) -> Error {
        Error::new(ErrorKind::Target(StoreFailure::new(
            "ask",
            self.identity.url.clone(),
            match refusal {
                RequestError::NoSuchUpload | RequestError::NoSuchKey => StoreReason::NotFound,
                RequestError::InvalidPart => StoreReason::Other,
                RequestError::Unreachable => StoreReason::Unreachable,
            },
            format!("{refusal:?}"),
        )))
    }

    async fn write(&self, key: &str, body: Bytes, condition: Condition) -> Result<WriteOutcome> {
        let answer = self.request(Effect::Put { key: key.to_owned(), body, condition }).await?;
        answer.map(|answer| answer.written()).map_err(|refusal| self.failed(refusal))
    }
}

/// URL of a target.
pub(super) fn url(target: usize) -> String {
    format!("s3://target-{target}/table/")
}

#[async_trait::async_trait]
impl StagingStore for SimulatedStore {
    fn describe(&self) -> &TargetIdentity {
        &self.identity
    }

    fn part_bytes(&self) -> usize {
        PART_BYTES
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>> {
        let identity = format!("identity-{}", self.world.lock().unique());
        let effect = Effect::Begin { key: key.to_owned(), identity: identity.clone() };
        match self.request(effect).await? {
            Ok(Answer::Upload(upload_id)) => Ok(Box::new(SimulatedUpload {
                store: self.clone(),
                key: key.to_owned(),
                upload_id,
                identity,
                put: Mutex::default(),
            })),
            Ok(answer) => unreachable!("{answer:?}"),
            Err(refusal) => Err(self.failed(refusal)),
        }
    }

    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        let upload = staged.staging.handle().to_owned();
        match self.request(Effect::Abort { upload, key: staged.key.clone() }).await? {
            Ok(_) | Err(RequestError::NoSuchUpload) => Ok(()),
            Err(refusal) => Err(self.failed(refusal)),
        }
    }
}

#[async_trait::async_trait]
impl Store for SimulatedStore {
    async fn complete(&self, staged: &StagedFile) -> Result<()> {
        let Staging::MultipartUpload { upload_id, identity, parts } = &staged.staging else {
            unreachable!("nothing else is staged here")
        };
        let effect = Effect::Complete {
            staged: upload_id.clone(),
            key: staged.key.clone(),
            parts: parts.iter().map(|part| (part.number, part.etag.clone())).collect(),
        };
        let Err(refusal) = self.request(effect).await? else { return Ok(()) };
        match self.head(&staged.key).await {
            Ok(Some(found)) if found.identity.as_ref() == Some(identity) && found.bytes == staged.bytes => {
                Ok(())
            }
            _ => Err(self.failed(refusal)),
        }
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.write(key, body, Condition::Always).await.map(drop)
    }

    async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome> {
        self.write(key, body, Condition::Absent).await
    }

    async fn replace(&self, key: &str, body: Bytes, read: Option<&StoredDocument>) -> Result<WriteOutcome> {
        let condition = read.map_or(Condition::Absent, |read| Condition::Tag(read.tag.clone()));
        self.write(key, body, condition).await
    }

    async fn get(&self, key: &str) -> Result<Option<StoredDocument>> {
        self.ask(|| format!("get {key}"), |bucket| bucket.get(key)).await
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let body =
            self.ask(|| format!("read {key} {range:?}"), |bucket| bucket.read(key, range.clone())).await?;
        body.ok_or_else(|| self.failed(RequestError::NoSuchKey))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.ask(|| format!("head {key}"), |bucket| bucket.head(key)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let answer = self.request(Effect::Delete { key: key.to_owned() }).await?;
        answer.map(drop).map_err(|refusal| self.failed(refusal))
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        let list = |bucket: &Bucket| {
            let keys = bucket.visible().filter(|key| key.starts_with(prefix));
            keys.take(limit).cloned().collect()
        };
        self.ask(|| format!("list {prefix:?}"), list).await
    }

    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let list =
            |bucket: &Bucket| bucket.keys_under(prefix).filter(|key| key.as_str() > after).cloned().collect();
        self.ask(|| format!("list documents {prefix}"), list).await
    }

    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        let wanted = |staged: &StagedFile| key.is_none_or(|key| staged.key.starts_with(key));
        self.ask(
            || format!("list staged {}", key.unwrap_or_default()),
            |bucket| bucket.staged().filter(wanted).collect(),
        )
        .await
    }
}

struct SimulatedUpload {
    store: SimulatedStore,
    key: String,
    upload_id: String,
    identity: String,
    /// Parts that were put, for the checksum of the whole.
    put: Mutex<BTreeMap<u32, Bytes>>,
}

#[async_trait::async_trait]
impl StagedWrite for SimulatedUpload {
    async fn put_part(&self, number: u32, _offset: u64, body: Bytes) -> Result<StagedPart> {
        let bytes = body.len() as u64;
        self.put.lock().unwrap_or_else(PoisonError::into_inner).insert(number, body.clone());
        let upload = self.upload_id.clone();
        match self.store.request(Effect::PutPart { upload, number, body }).await? {
            Ok(Answer::Part(etag)) => Ok(StagedPart { number, bytes, etag }),
            Ok(answer) => unreachable!("{answer:?}"),
            Err(refusal) => Err(self.store.failed(refusal)),
        }
    }

    async fn seal(&self, parts: Vec<StagedPart>) -> Result<StagedFile> {
        let mut staged = self.handle();
        staged.bytes = parts.iter().map(|part| part.bytes).sum();
        let put = self.put.lock().unwrap_or_else(PoisonError::into_inner);
        staged.crc64nvme = checksum(&put.values().flatten().copied().collect::<Vec<u8>>());
        if let Staging::MultipartUpload { parts: sealed, .. } = &mut staged.staging {
            *sealed = parts;
        }
        Ok(staged)
    }

    fn handle(&self) -> StagedFile {
        StagedFile {
            key: self.key.clone(),
            bytes: 0,
            crc64nvme: String::new(),
            staging: Staging::MultipartUpload {
                upload_id: self.upload_id.clone(),
                identity: self.identity.clone(),
                parts: Vec::new(),
            },
        }
    }
}

/// The simulation shows what it does only if its store does what the real ones do.
#[test]
fn the_simulated_store_does_what_every_store_has_to_do() {
    let world = Shared::new(World::new(1));
    let store = SimulatedStore::new(world.clone(), 0);
    let mut conforms = std::pin::pin!(crate::store::conformance_tests::conforms(&store));
    loop {
        world.lock().permit = true;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if conforms.as_mut().poll(&mut context).is_ready() {
            break;
        }
    }
}
