//! Which process holds a lease, and whether it is still there.
//!
//! A lease alone would make a run that follows a killed one wait until it ends.
//! On Linux a process can be told from every other one by the boot of its
//! machine, its process namespace, its number and the time it began; another
//! process of the same namespace then sees at once that it is gone. Anywhere
//! else the lease decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A process, told from all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Boot of the machine and namespace of processes.
    pub place: String,
    /// Number of the process.
    pub id: u32,
    /// Clock ticks from the boot to its start.
    pub started: u64,
}

impl Process {
    /// This process, where the system tells enough of it.
    pub fn this() -> Option<Process> {
        let id = std::process::id();
        Some(Process { place: place()?, id, started: started(id)? })
    }

    /// Whether it can be seen from here that the process is gone.
    pub fn is_gone(&self) -> bool {
        place().is_some_and(|place| place == self.place) && started(self.id) != Some(self.started)
    }
}

fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// Field 22 of `/proc/<id>/stat` (proc_pid_stat(5)), counted after the name of the program,
/// which may hold anything. A zombie has ended, though it still has a number.
fn started(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_there_until_it_has_ended() {
        let this = Process::this().expect("Linux tells");
        assert!(!this.is_gone());
        assert!(
            Process { started: this.started + 1, ..this.clone() }.is_gone(),
            "another of the same number"
        );
        assert!(!Process { place: "elsewhere".into(), started: 0, ..this }.is_gone());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let started = started(child.id()).expect("it runs");
        let process = Process { place: place().expect("Linux tells"), id: child.id(), started };
        assert!(!process.is_gone());
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
        assert!(process.is_gone());
    }
}
