//! From a signal to the end of the process.

use super::{failure, ignored};
use crate::runtime::{Cancel, Runtime};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From now on the first signal stops the work cleanly, and the second at once. One that was
/// ignored when the process began stays so.
pub(super) fn stop_cleanly(runtime: &Runtime) {
    let handle = runtime.handle();
    // Not in the task: until it is scheduled, a signal would end the process at once.
    let caught = {
        let _within = handle.enter();
        Signals::catch()
    };
    match caught {
        Ok(signals) => drop(handle.spawn(signals.stop(runtime.cancel().clone()))),
        Err(error) => tracing::warn!(
            %error,
            "signals cannot be caught; SIGINT, SIGTERM and SIGHUP will stop the process at once"
        ),
    }
}

struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hang_up: Option<Signal>,
}

impl Signals {
    fn catch() -> io::Result<Signals> {
        let caught = |kind| match ignored::is_ignored(kind) {
            true => Ok(None),
            false => signal(kind).map(Some),
        };
        Ok(Signals {
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
            hang_up: caught(SignalKind::hangup())?,
        })
    }

    async fn stop(mut self, cancel: Cancel) {
        let next = async |signal: &mut Option<Signal>| match signal {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        };
        loop {
            tokio::select! {
                _ = next(&mut self.interrupt) => {}
                _ = next(&mut self.terminate) => {}
                _ = next(&mut self.hang_up) => {}
            }
            if cancel.is_cancelled() {
                cut_off("interrupted twice", &cancel);
            }
            tracing::warn!("stopping; a second signal stops at once and may leave staged files behind");
            cancel.shut_down();
            end_in_time(cancel.clone());
        }
    }
}

/// What to do about a process that ended before its clean-up did.
const NEXT_RUN_FINISHES: &str = "the next run, or `sawmill recover` with the same job, finishes what was decided \
                                 and removes what else was staged";

/// Ends the process when its clean-up takes too long, whatever holds it: a file system
/// that hangs, or a thread that cannot be interrupted. A thread of its own, as those of
/// Tokio may be what hangs. Every step of the commit may be the last one of a process, so
/// nothing is lost.
fn end_in_time(cancel: Cancel) {
    let watch = std::thread::Builder::new().name("sawmill-end".into()).spawn(move || {
        let time = cancel.shutdown().time();
        std::thread::sleep(time);
        let seconds = time.as_secs();
        cut_off(&format!("stopped {seconds} s after the signal, before the clean-up was done"), &cancel);
    });
    if let Err(error) = watch {
        tracing::warn!(%error, "the time of the clean-up cannot be limited");
    }
}

/// Ends the process where it stands.
fn cut_off(stopped: &str, cancel: &Cancel) -> ! {
    let words = cancel.shutdown().last_words();
    let words = words.as_deref().unwrap_or(NEXT_RUN_FINISHES);
    tracing::warn!("{stopped}: {words}");
    failure::report_cut_off(stopped, words);
    std::process::exit(130)
}
