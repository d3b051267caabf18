//! Signals that are ignored since before the process began.
//!
//! `nohup` starts a program with SIGHUP ignored, and a shell without job control
//! one in the background with SIGINT ignored: the terminal's signals are not meant
//! for them. Ignoring is all that a process inherits, and a handler would undo it.

use tokio::signal::unix::SignalKind;

/// Whether the process ignores a signal. To be asked before a handler is installed.
///
/// Linux says so in `/proc`. Elsewhere only `sigaction` could tell, which is unsafe
/// to call; there, and where `/proc` is missing, a signal counts as not ignored.
pub(super) fn is_ignored(signal: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in(ignored(&status), signal)
}

/// The mask of the signals that `/proc/<pid>/status` shows as ignored.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Signal 1 is the lowest bit.
fn is_in(mask: u64, signal: SignalKind) -> bool {
    let bit = u32::try_from(signal.as_raw_value() - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read() {
        let status = "SigBlk:\t0000000000004000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000004002\n";
        let found = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()]
            .map(|signal| is_in(ignored(status), signal));
        assert_eq!(found, [true, false, false]);
        assert_eq!(ignored("Name:\tsawmill\n"), 0);
    }
}
