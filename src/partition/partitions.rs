//! The partitions of a task, each known by a number.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// One partition of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// `year=2013/month=1/`, escaped; empty for a table without partitions.
    pub path: String,
    /// Key = value, unescaped; `None` for null.
    pub values: BTreeMap<String, Option<String>>,
}

/// A partition by its number among the [`Partitions`] of a task.
///
/// Good for asking whether two are the same, and for finding what is kept in a
/// [`ByPartition`]. Numbers are given as threads come upon partitions, so they
/// differ from run to run: whatever decides what is written goes by paths or by
/// the order of records, and ids have no order that could be taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionId(u32);

impl PartitionId {
    /// The only partition of a table without keys: the table itself.
    pub const ROOT: PartitionId = PartitionId(0);

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The reverse of [`Self::number`].
    pub(crate) fn of_number(number: u32) -> Self {
        PartitionId(number)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The partitions that a task has come upon, shared by its threads.
#[derive(Debug)]
pub struct Partitions(RwLock<Known>);

#[derive(Debug)]
struct Known {
    /// By number.
    partitions: Vec<Arc<Partition>>,
    by_path: HashMap<String, PartitionId>,
    /// By values of the keys as bytes; several can have one path.
    by_key: HashMap<Box<[u8]>, PartitionId>,
}

impl Default for Partitions {
    /// With [`PartitionId::ROOT`].
    fn default() -> Self {
        let mut known = Known { partitions: Vec::new(), by_path: HashMap::new(), by_key: HashMap::new() };
        known.add(Partition::default());
        Partitions(RwLock::new(known))
    }
}

impl Partitions {
    /// The partition of an id that these gave.
    pub fn get(&self, id: PartitionId) -> Arc<Partition> {
        self.read().partitions[id.index()].clone()
    }

    /// For the number of each partition: its place in the order of the bytes of
    /// paths. Partitions that come up later change places, but never who stands
    /// before whom.
    pub fn ranks(&self) -> Arc<[u32]> {
        let known = self.read();
        let mut order: Vec<u32> = (0..known.partitions.len() as u32).collect();
        order.sort_unstable_by_key(|&number| known.partitions[number as usize].path.as_bytes());
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            ranks[number as usize] = rank;
        }
        ranks.into()
    }

    /// The partitions of these keys; `make` gives those of keys that are new.
    pub(super) fn of_keys<E>(
        &self,
        keys: &[&[u8]],
        make: impl Fn(usize) -> Result<Partition, E>,
    ) -> Result<Vec<PartitionId>, E> {
        let mut ids: Vec<Option<PartitionId>> = {
            let known = self.read();
            keys.iter().map(|&key| known.by_key.get(key).copied()).collect()
        };
        let new = (0..keys.len()).filter(|&key| ids[key].is_none());
        let new = new.map(|key| Ok((key, make(key)?))).collect::<Result<Vec<_>, E>>()?;
        if !new.is_empty() {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            for (key, partition) in new {
                let id = known.add(partition);
                known.by_key.insert(keys[key].into(), id);
                ids[key] = Some(id);
            }
        }
        Ok(ids.into_iter().flatten().collect())
    }

    #[cfg(test)]
    pub(crate) fn of_path(&self, path: &str) -> PartitionId {
        self.0.write().unwrap().add(Partition { path: path.to_owned(), ..Partition::default() })
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, partition: Partition) -> PartitionId {
        if let Some(&id) = self.by_path.get(&partition.path) {
            return id;
        }
        let id = PartitionId(self.partitions.len() as u32);
        self.by_path.insert(partition.path.clone(), id);
        self.partitions.push(Arc::new(partition));
        id
    }
}

/// Something for each partition, at first its default.
#[derive(Debug, Clone, Default)]
pub struct ByPartition<T>(Vec<T>);

impl<T: Copy + Default> ByPartition<T> {
    /// What is kept for a partition.
    pub fn get(&self, id: PartitionId) -> T {
        self.0.get(id.index()).copied().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: PartitionId) -> &mut T {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, T::default());
        }
        &mut self.0[id.index()]
    }
}
