//! The targets as they are, and the one place where anything happens to them.

use super::faults::{Fault, Faults};
use super::monitor::Monitor;
use crate::documents::{StagedFile, Staging};
use crate::store::{ObjectMeta, StoredDocument, WriteOutcome, is_hidden};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// A visible object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) body: Bytes,
    /// Of the body.
    tag: String,
    /// Of the upload that made it, if one did.
    pub(super) identity: Option<String>,
}

impl Hash for Object {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.tag, &self.identity).hash(state);
    }
}

/// An open multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) identity: String,
    parts: BTreeMap<u32, Bytes>,
}

/// One bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

/// A request that changes something. It is data, so that it can be carried out
/// later than it was made, or twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Effect {
    Begin { key: String, identity: String },
    PutPart { upload: String, number: u32, body: Bytes },
    Complete { staged: String, key: String, parts: Vec<(u32, String)> },
    Abort { upload: String, key: String },
    Put { key: String, body: Bytes, condition: Condition },
    Delete { key: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Condition {
    Always,
    Absent,
    Tag(String),
}

/// What a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    PreconditionFailed,
    Upload(String),
    Part(String),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestError {
    NoSuchUpload,
    NoSuchKey,
    InvalidPart,
    /// No answer, or a 5xx: nothing is known.
    Unreachable,
}

/// What a process sees of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen<T> {
    Answer(Result<T, RequestError>),
    /// It does not live to see anything.
    Nothing,
}

/// Everything outside of the processes.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) buckets: Vec<Bucket>,
    /// Requests that were made so far.
    pub(super) operations: u64,
    pub(super) faults: Faults,
    /// Seconds since 1970.
    pub(super) clock: i64,
    pub(super) monitor: Monitor,
    /// Whether the process that is polled may make its next request.
    pub(super) permit: bool,
    /// Whether the process that was polled is to be polled no more.
    pub(super) died: bool,
    pub(super) trace: Vec<String>,
    /// Who is polled, for the trace.
    pub(super) process: usize,
    /// Targets that are lost.
    pub(super) gone: BTreeSet<usize>,
    /// Processes and targets that they cannot see, though others can.
    pub(super) cut_off: BTreeSet<(usize, usize)>,
    /// Processes that were not answered as they should have been.
    pub(super) struck: BTreeSet<usize>,
    /// Whether uploads were aborted that somebody may have counted on.
    pub(super) has_expired: bool,
    /// Requests that were sent, and are to be carried out before this operation.
    in_flight: Vec<(u64, usize, Effect)>,
    begun: u64,
}

impl World {
    pub(super) fn new(targets: usize) -> World {
        World {
            buckets: vec![Bucket::default(); targets],
            operations: 0,
            faults: Faults::default(),
            clock: 1_700_000_000,
            monitor: Monitor::new(targets),
            permit: false,
            died: false,
            trace: Vec::new(),
            process: 0,
            gone: BTreeSet::new(),
            cut_off: BTreeSet::new(),
            struck: BTreeSet::new(),
            has_expired: false,
            in_flight: Vec::new(),
            begun: 0,
        }
    }

    /// Tells worlds apart in which the same can happen from here on.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.buckets.hash(&mut hasher);
        self.clock.hash(&mut hasher);
        for (due, target, effect) in &self.in_flight {
            (due - self.operations.min(*due), target, effect).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// A name that nothing else has.
    pub(super) fn unique(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Makes a request that changes something.
    pub(super) fn request(&mut self, target: usize, effect: Effect) -> Seen<Answer> {
        match self.next(target, || effect.describe()) {
            None | Some(Fault::Expire) => Seen::Answer(self.perform(target, effect)),
            Some(Fault::CrashBefore) => self.die(),
            Some(Fault::CrashAfter) => {
                // Nobody is left to be refused.
                let _ = self.perform(target, effect);
                self.die()
            }
            Some(Fault::CrashInFlight(after)) => {
                self.in_flight.push((self.operations + after, target, effect));
                self.die()
            }
            Some(Fault::LoseReply) => {
                let _ = self.perform(target, effect);
                Seen::Answer(Err(RequestError::Unreachable))
            }
            Some(Fault::Late(after)) => {
                self.in_flight.push((self.operations + after, target, effect));
                Seen::Answer(Err(RequestError::Unreachable))
            }
            Some(Fault::Refuse | Fault::Down(_)) => Seen::Answer(Err(RequestError::Unreachable)),
            Some(Fault::Repeat) => {
                let _ = self.perform(target, effect.clone());
                Seen::Answer(self.perform(target, effect))
            }
        }
    }

    /// Makes a request that changes nothing.
    pub(super) fn ask<T>(
        &mut self,
        target: usize,
        what: impl FnOnce() -> String,
        read: impl FnOnce(&Bucket) -> T,
    ) -> Seen<T> {
        match self.next(target, what) {
            None | Some(Fault::Expire) => Seen::Answer(Ok(read(&self.buckets[target]))),
            Some(Fault::CrashBefore) => self.die(),
            Some(Fault::Refuse | Fault::Down(_)) => Seen::Answer(Err(RequestError::Unreachable)),
            Some(_) => {
                // Differs in nothing from one of those above.
                self.faults.idle = true;
                Seen::Answer(Ok(read(&self.buckets[target])))
            }
        }
    }

    /// Carries out what is still under way.
    pub(super) fn flush(&mut self) {
        for (_, target, effect) in std::mem::take(&mut self.in_flight) {
            self.deliver(target, effect);
        }
    }

    /// Counts a request and what strikes it; first carries out what is due.
    fn next(&mut self, target: usize, what: impl FnOnce() -> String) -> Option<Fault> {
        self.operations += 1;
        let due: Vec<_> = self.in_flight.extract_if(.., |(at, ..)| *at < self.operations).collect();
        for (_, target, effect) in due {
            self.deliver(target, effect);
        }
        let is_away = self.gone.contains(&target) || self.cut_off.contains(&(self.process, target));
        let fault = self.faults.of(self.operations, target).filter(|fault| !is_away || fault.is_crash());
        let fault = fault.or(is_away.then_some(Fault::Down(1)));
        let struck = fault.map_or(String::new(), |fault| format!("   <- {fault:?}"));
        let line = format!("{:5} process {} target {target}: {}", self.operations, self.process, what());
        self.trace.push(line + &struck);
        if fault.is_some() {
            self.struck.insert(self.process);
        }
        if let Some(Fault::Expire) = fault {
            self.faults.idle |= self.buckets[target].uploads.is_empty();
            self.has_expired = true;
            self.buckets[target].uploads.clear();
        }
        fault
    }

    fn deliver(&mut self, target: usize, effect: Effect) {
        if self.gone.contains(&target) {
            return;
        }
        self.trace.push(format!("      late, target {target}: {}", effect.describe()));
        let _ = self.perform(target, effect);
    }

    fn die<T>(&mut self) -> Seen<T> {
        self.died = true;
        Seen::Nothing
    }

    fn perform(&mut self, target: usize, effect: Effect) -> Result<Answer, RequestError> {
        let number = self.unique();
        let bucket = &mut self.buckets[target];
        let answer = bucket.perform(&effect, number);
        if answer.as_ref().is_ok_and(|answer| *answer != Answer::PreconditionFailed) {
            self.monitor.after(&self.buckets, target, &effect);
        }
        answer
    }
}

impl Bucket {
    fn perform(&mut self, effect: &Effect, number: u64) -> Result<Answer, RequestError> {
        match effect {
            Effect::Begin { key, identity } => {
                let upload = Upload { key: key.clone(), identity: identity.clone(), parts: BTreeMap::new() };
                let id = format!("upload-{number}");
                self.uploads.insert(id.clone(), upload);
                Ok(Answer::Upload(id))
            }
            Effect::PutPart { upload, number, body } => {
                let upload = self.uploads.get_mut(upload).ok_or(RequestError::NoSuchUpload)?;
                upload.parts.insert(*number, body.clone());
                Ok(Answer::Part(tag(body)))
            }
            Effect::Complete { staged, key, parts } => {
                let upload = self.uploads.get(staged).ok_or(RequestError::NoSuchUpload)?;
                let mut body = Vec::new();
                for (number, expected) in parts {
                    let held = upload.parts.get(number).filter(|held| tag(held) == *expected);
                    body.extend_from_slice(held.ok_or(RequestError::InvalidPart)?);
                }
                let (tag, identity) = (tag(&body), Some(upload.identity.clone()));
                self.objects.insert(key.clone(), Object { body: body.into(), tag, identity });
                self.uploads.remove(staged);
                Ok(Answer::Done)
            }
            Effect::Abort { upload, .. } => match self.uploads.remove(upload) {
                Some(_) => Ok(Answer::Done),
                None => Err(RequestError::NoSuchUpload),
            },
            Effect::Put { key, body, condition } => {
                let there = self.objects.get(key);
                match (condition, there) {
                    (Condition::Absent, Some(_)) => return Ok(Answer::PreconditionFailed),
                    (Condition::Tag(_), None) => return Err(RequestError::NoSuchKey),
                    (Condition::Tag(wanted), Some(there)) if there.tag != *wanted => {
                        return Ok(Answer::PreconditionFailed);
                    }
                    _ => {}
                }
                let object = Object { body: body.clone(), tag: tag(body), identity: None };
                self.objects.insert(key.clone(), object);
                Ok(Answer::Done)
            }
            Effect::Delete { key } => {
                self.objects.remove(key);
                Ok(Answer::Done)
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<StoredDocument> {
        let object = self.objects.get(key)?;
        Some(StoredDocument { body: object.body.clone(), tag: object.tag.clone() })
    }

    pub(super) fn read(&self, key: &str, range: Range<u64>) -> Option<Bytes> {
        let body = &self.objects.get(key)?.body;
        let end = body.len().min(range.end as usize);
        Some(body.slice(end.min(range.start as usize)..end))
    }

    pub(super) fn head(&self, key: &str) -> Option<ObjectMeta> {
        let object = self.objects.get(key)?;
        let bytes = object.body.len() as u64;
        Some(ObjectMeta { bytes, identity: object.identity.clone(), crc64nvme: Some(checksum(&object.body)) })
    }

    /// Puts other bytes of the same size in an object's place.
    pub(super) fn alter(&mut self, key: &str) {
        if let Some(object) = self.objects.get_mut(key) {
            object.body = object.body.iter().map(|byte| byte ^ 1).collect();
            object.tag = tag(&object.body);
        }
    }

    /// Keys that readers see.
    pub(super) fn visible(&self) -> impl Iterator<Item = &String> {
        self.objects.keys().filter(|key| !is_hidden(key))
    }

    pub(super) fn keys_under(&self, prefix: &str) -> impl Iterator<Item = &String> {
        self.objects.range(prefix.to_owned()..).map(|(key, _)| key).take_while(move |k| k.starts_with(prefix))
    }

    /// As S3 lists uploads: without identity, sizes and parts.
    pub(super) fn staged(&self) -> impl Iterator<Item = StagedFile> {
        self.uploads.iter().map(|(id, upload)| StagedFile {
            key: upload.key.clone(),
            bytes: 0,
            crc64nvme: String::new(),
            staging: Staging::MultipartUpload {
                upload_id: id.clone(),
                identity: String::new(),
                parts: Vec::new(),
            },
        })
    }
}

impl Effect {
    fn describe(&self) -> String {
        match self {
            Effect::Begin { key, .. } => format!("begin {key}"),
            Effect::PutPart { upload, number, .. } => format!("put part {number} of {upload}"),
            Effect::Complete { staged, key, .. } => format!("complete {staged}, {key}"),
            Effect::Abort { upload, key } => format!("abort {upload}, {key}"),
            Effect::Put { key, condition: Condition::Always, .. } => format!("put {key}"),
            Effect::Put { key, condition: Condition::Absent, .. } => format!("create {key}"),
            Effect::Put { key, condition: Condition::Tag(_), .. } => format!("replace {key}"),
            Effect::Delete { key } => format!("delete {key}"),
        }
    }
}

impl Answer {
    /// Of a conditional write.
    pub(super) fn written(&self) -> WriteOutcome {
        match self {
            Answer::PreconditionFailed => WriteOutcome::AlreadyExists,
            _ => WriteOutcome::Created,
        }
    }
}

/// Of a whole object, which the store keeps beside it.
pub(super) fn checksum(body: &[u8]) -> String {
    format!("checksum-{}", tag(body))
}

/// As S3's: the same bytes, the same tag.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
