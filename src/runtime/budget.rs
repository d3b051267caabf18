//! Bytes of memory by what holds them: counted, and held back where waiting does no harm.
//!
//! What shapes the output (a row group or file that ends early, rows that go to disk) is decided
//! on figures of text and job alone, never here: what is held at a moment depends on threads and
//! the network. So most holders only count. Two wait for room before they take more, each within
//! a [`Limit`] of its own: the reader of text, and whoever hands parts to the targets. Room for
//! text is made by the lane as it takes blocks, which may wait for room for parts; room for parts
//! is made by the tasks of the targets, which wait for the network and for no budget. So every
//! wait ends, however little there is.

use super::Cancel;
use crate::error::{ErrorKind, Result};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of a semaphore: bytes themselves would overflow its `u32`.
const PERMIT_BYTES: u64 = 1024;

/// What holds bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Ranges of objects, fetched ahead.
    Fetched,
    /// Text of blocks, from the reader to the end of their parsing, with the index of its fields.
    /// Buffers that wait to be filled again do not count: there are no more than were in use at once.
    Text,
    /// Rows of blocks, until they are encoded or sorted.
    Rows,
    /// Keys that are compared.
    Keys,
    /// Rows that wait for their order, with their sort keys.
    Sorted,
    /// Row groups under construction.
    RowGroups,
    /// Parts of files, from their first byte until every target has them.
    Parts,
}

/// In the order of [`Holder`].
const NAMES: [&str; 7] = ["fetched", "text", "rows", "keys", "sorted", "row groups", "parts"];

/// Counts the bytes of one process. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Accounts>);

#[derive(Debug, Default)]
struct Accounts {
    total: Account,
    by_holder: [Account; NAMES.len()],
}

/// In bytes.
#[derive(Debug, Default)]
struct Account {
    held: AtomicU64,
    peak: AtomicU64,
}

impl Account {
    fn take(&self, bytes: u64) {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(held, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Budget {
    /// Counts bytes until the lease is dropped. Never waits.
    pub fn lease(&self, holder: Holder, bytes: u64) -> Lease {
        let mut lease = Lease { budget: self.clone(), holder, bytes: 0, room: None };
        lease.resize(bytes);
        lease
    }

    /// Room for so many bytes, for holders that wait until there is some.
    pub fn limit(&self, holder: Holder, bytes: u64) -> Limit {
        let permits = permits(bytes).max(1);
        Limit { budget: self.clone(), holder, free: Arc::new(Semaphore::new(permits as usize)), permits }
    }

    /// Bytes that are held now.
    pub fn held(&self) -> u64 {
        self.0.total.held.load(Ordering::Relaxed)
    }

    /// The most bytes that one holder has had.
    pub fn peak(&self, holder: Holder) -> u64 {
        self.0.by_holder[holder as usize].peak.load(Ordering::Relaxed)
    }
}

/// The most bytes so far, at one time and of each holder.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.total.peak.load(Ordering::Relaxed))?;
        for (name, account) in NAMES.iter().zip(&self.0.by_holder) {
            match account.peak.load(Ordering::Relaxed) {
                0 => {}
                peak => write!(f, ", {name} {peak}")?,
            }
        }
        Ok(())
    }
}

/// A bounded part of a [`Budget`]. Whoever waits first is served first.
#[derive(Debug)]
pub struct Limit {
    budget: Budget,
    holder: Holder,
    /// In [`PERMIT_BYTES`].
    free: Arc<Semaphore>,
    permits: u32,
}

impl Limit {
    /// Waits for room. What is larger than all of it has it alone.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when somebody asks to stop.
    pub async fn lease(&self, bytes: u64, cancel: &Cancel) -> Result<Lease> {
        let room = Arc::clone(&self.free).acquire_many_owned(permits(bytes).min(self.permits));
        let room = cancel.or(async { room.await.map_err(|_| ErrorKind::Interrupted.into()) }).await?;
        let mut lease = self.budget.lease(self.holder, bytes);
        lease.room = Some(room);
        Ok(lease)
    }
}

fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}

/// Bytes that count as held until it is dropped.
#[derive(Debug)]
#[must_use = "what is dropped is given back"]
pub struct Lease {
    budget: Budget,
    holder: Holder,
    bytes: u64,
    /// Of a [`Limit`].
    room: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Counts so many bytes from now on. Never waits, and takes no room of a [`Limit`].
    pub fn resize(&mut self, bytes: u64) {
        let Accounts { total, by_holder } = &*self.budget.0;
        for account in [total, &by_holder[self.holder as usize]] {
            match bytes.checked_sub(self.bytes) {
                Some(more) => account.take(more),
                None => account.give_back(self.bytes - bytes),
            }
        }
        self.bytes = bytes;
    }

    /// Makes room for others in the [`Limit`], and goes on counting.
    pub fn make_room(&mut self) {
        self.room = None;
    }

    /// The same bytes, which give the lease back when the last of them is dropped.
    pub fn hold(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Leased { bytes, _lease: self })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.resize(0);
    }
}

struct Leased<B> {
    bytes: B,
    _lease: Lease,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Leased<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::mpsc;

    #[test]
    fn leases_return_and_the_peak_is_of_one_time() {
        let budget = Budget::default();
        let mut rows = budget.lease(Holder::Rows, 100);
        let text = budget.clone().lease(Holder::Text, 30);
        assert_eq!(budget.held(), 130);
        drop(text);
        rows.resize(20);
        rows.resize(60);
        let bytes = budget.lease(Holder::Fetched, 5).hold(vec![7; 5]);
        let (half, other) = (bytes.slice(2..), bytes);
        drop(other);
        assert_eq!((budget.held(), &half[..]), (65, &[7; 3][..]));
        drop((rows, half));
        assert_eq!(budget.held(), 0);
        assert_eq!(
            [Holder::Rows, Holder::Text, Holder::Keys].map(|holder| budget.peak(holder)),
            [100, 30, 0]
        );
        assert_eq!(budget.to_string(), "130, fetched 5, text 30, rows 100");
    }

    #[tokio::test]
    async fn a_wait_ends_with_room_or_when_somebody_asks_to_stop() {
        let (budget, cancel) = (Budget::default(), Cancel::default());
        let limit = budget.limit(Holder::Parts, 2 * PERMIT_BYTES);
        let first = limit.lease(PERMIT_BYTES, &cancel).await.unwrap_or_else(|e| panic!("{e}"));
        let mut second = limit.lease(PERMIT_BYTES, &cancel).await.unwrap_or_else(|e| panic!("{e}"));
        let full = tokio::time::timeout(Duration::from_millis(20), limit.lease(1, &cancel)).await;
        assert!(full.is_err(), "there is no room");
        second.make_room();
        assert!(limit.lease(1, &cancel).await.is_ok());
        assert_eq!(budget.held(), 2 * PERMIT_BYTES, "what made room still counts");
        // Larger than all there is: alone.
        let (large, ()) = tokio::join!(limit.lease(1 << 50, &cancel), async { drop(first) });
        assert_eq!(budget.held(), (1 << 50) + PERMIT_BYTES);
        let (stopped, ()) = tokio::join!(limit.lease(1, &cancel), async { cancel.cancel() });
        assert!(matches!(stopped.map(drop), Err(error) if matches!(error.kind(), ErrorKind::Interrupted)));
        drop((large, second));
        assert_eq!(budget.held(), 0);
    }

    /// Reader, lane and targets as they depend on each other, with room for next to nothing.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_waits_for_ever_in_a_full_budget() {
        const BLOCKS: usize = 100;
        const WAVE: usize = 4;
        let (budget, cancel) = (Budget::default(), Cancel::default());
        let (text, parts) = (budget.limit(Holder::Text, 1), budget.limit(Holder::Parts, 1));
        let (blocks, mut wave) = mpsc::channel(WAVE);
        let reader = {
            let cancel = cancel.clone();
            tokio::spawn(async move {
                for _ in 0..BLOCKS {
                    let Ok(block) = text.lease(10 * PERMIT_BYTES, &cancel).await else { return };
                    assert!(blocks.send(block).await.is_ok(), "the lane listens");
                }
            })
        };
        let lane = async {
            let mut taken = Vec::new();
            while let Some(mut block) = wave.recv().await {
                block.make_room();
                taken.push(block);
                if taken.len() == WAVE {
                    // Holds its text while it waits for the targets.
                    let Ok(part) = parts.lease(10 * PERMIT_BYTES, &cancel).await else { return };
                    tokio::spawn(async move {
                        tokio::task::yield_now().await;
                        drop(part);
                    });
                    taken.clear();
                }
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), lane).await.is_ok(), "everything stands still");
        assert!(reader.await.is_ok());
        let free = tokio::time::timeout(Duration::from_secs(60), parts.lease(1, &cancel)).await;
        drop(free);
        assert_eq!(budget.held(), 0);
        assert!(budget.peak(Holder::Text) <= (WAVE as u64 + 1) * 10 * PERMIT_BYTES, "{budget}");
    }
}
