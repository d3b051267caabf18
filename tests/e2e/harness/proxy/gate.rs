//! Requests that wait for the test: to kill a process before or after exactly
//! this request, or to let a request arrive late.

use std::cell::OnceCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// No test waits longer for a request that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a request is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The server has not seen it.
    Before,
    /// The server has carried it out; the client has no answer.
    After,
}

/// The test's side. Dropped without [`Gate::release`], it ends the connection:
/// the request is lost ([`Moment::Before`]), or its answer ([`Moment::After`]).
#[derive(Debug)]
pub(crate) struct Gate {
    arrivals: Receiver<String>,
    /// The request's, once it was seen to be held.
    key: OnceCell<String>,
    leave: Sender<()>,
    /// Closed when the proxy is through with the request.
    done: Receiver<()>,
    what: String,
}

impl Gate {
    /// Waits until the request is held, and gives its key. Where a process may
    /// end before it makes the request, `Running::until` with
    /// [`Gate::is_reached`] says so at once.
    #[track_caller]
    pub(crate) fn reached(&self) -> &str {
        if !self.is_reached() {
            match self.arrivals.recv_timeout(PATIENCE) {
                Ok(key) => drop(self.key.set(key)),
                Err(RecvTimeoutError::Timeout) => panic!("in vain waited for {}", self.what),
                Err(RecvTimeoutError::Disconnected) => panic!("the proxy was gone before {}", self.what),
            }
        }
        self.key.get().expect("set above")
    }

    /// Whether the request is held by now.
    pub(crate) fn is_reached(&self) -> bool {
        if let Ok(key) = self.arrivals.try_recv() {
            let _ = self.key.set(key);
        }
        self.key.get().is_some()
    }

    /// Lets the request go on, and waits until the server has answered it,
    /// whether anyone is still there to hear the answer or not.
    #[track_caller]
    pub(crate) fn release(self) {
        self.reached();
        self.leave.send(()).expect("the proxy waits for leave");
        let ended = self.done.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "in vain waited for the end of {}", self.what);
    }
}

/// The proxy's side.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) moment: Moment,
    arrivals: Sender<String>,
    leave: Receiver<()>,
    _done: Sender<()>,
}

impl Checkpoint {
    /// Holds a request; gives whether it may go on.
    pub(super) fn pass(&self, key: &str) -> bool {
        let _ = self.arrivals.send(key.to_owned());
        self.leave.recv().is_ok()
    }
}

pub(super) fn pair(moment: Moment, what: String) -> (Gate, Checkpoint) {
    let ((arrived, arrivals), (leave, left), (end, done)) = (channel(), channel(), channel());
    let gate = Gate { arrivals, key: OnceCell::new(), leave, done, what };
    (gate, Checkpoint { moment, arrivals: arrived, leave: left, _done: end })
}
