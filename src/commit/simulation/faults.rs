//! What goes wrong, and at which request.

use std::collections::BTreeMap;
use std::ops::Range;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// The process is gone before it makes the request.
    CrashBefore,
    /// The request is carried out, and the process is gone before the answer.
    CrashAfter,
    /// The process is gone, and the request is carried out so many requests later.
    CrashInFlight(u64),
    /// The request is carried out, and its answer lost.
    LoseReply,
    /// There is no answer; the request is carried out so many requests later.
    Late(u64),
    /// A 5xx, and nothing is done.
    Refuse,
    /// The answer is lost and the SDK asks again: done twice, the second answer counts.
    Repeat,
    /// A lifecycle rule aborts all open uploads of the target just before.
    Expire,
    /// From this request on, the target does not answer so many.
    Down(u64),
}

impl Fault {
    /// Whether the process is gone, whatever it asked for.
    pub(super) fn is_crash(self) -> bool {
        matches!(self, Fault::CrashBefore)
    }
}

/// Faults that strike one request; between them, all that can become of one.
pub(super) const KINDS: [Fault; 14] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::CrashInFlight(2),
    Fault::CrashInFlight(12),
    Fault::CrashInFlight(32),
    Fault::LoseReply,
    Fault::Late(1),
    Fault::Late(6),
    Fault::Late(60),
    Fault::Refuse,
    Fault::Repeat,
    Fault::Expire,
    Fault::Down(3),
    Fault::Down(16),
];

/// Faults by the number of the request that they strike.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    at: BTreeMap<u64, Fault>,
    down: Vec<(usize, Range<u64>)>,
    /// A fault struck where another would have done the very same, so the case need not be counted.
    pub(super) idle: bool,
}

impl Faults {
    pub(super) fn add(&mut self, operation: u64, fault: Fault) {
        self.at.insert(operation, fault);
    }

    /// No fault strikes from here on.
    pub(super) fn end(&mut self) {
        *self = Faults::default();
    }

    /// Whether a fault is still to come.
    pub(super) fn are_pending(&self) -> bool {
        !self.at.is_empty()
    }

    pub(super) fn of(&mut self, operation: u64, target: usize) -> Option<Fault> {
        let fault = self.at.remove(&operation);
        if let Some(Fault::Down(requests)) = fault {
            self.down.push((target, operation..operation + requests));
        }
        let down = || self.down.iter().find(|(down, at)| *down == target && at.contains(&operation));
        fault.or_else(|| down().map(|(_, at)| Fault::Down(at.end - operation)))
    }
}
