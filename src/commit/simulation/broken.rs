//! Three steps of the protocol, each left out in turn: were that not noticed,
//! nothing here would be worth much.

use super::enumeration::{scenes, singles};
use super::races::{meetings, paused};
use super::{Violation, with_timers};
use crate::commit::table::Broken;

/// What the searches find, each by itself.
fn found(broken: Broken) -> (Option<Violation>, Option<Violation>) {
    with_timers(|| {
        let by_faults = scenes().iter().find_map(|scene| singles(scene, Some(broken), 1).err());
        let by_races = meetings().iter().find_map(|meeting| paused(meeting, Some(broken), true, None).err());
        for violation in [&by_faults, &by_races].into_iter().flatten() {
            println!("{broken:?}: {}", violation.what);
        }
        (by_faults, by_races)
    })
}

#[test]
fn an_abort_without_a_fence_is_caught() {
    let (by_faults, by_races) = found(Broken::Fence);
    assert!(by_faults.is_some(), "a commit that comes late");
    assert!(by_races.is_some(), "a run that is taken for dead");
}

#[test]
fn an_entry_without_a_condition_is_caught() {
    let (by_faults, by_races) = found(Broken::Condition);
    assert!(by_faults.is_some(), "a commit that comes late");
    assert!(by_races.is_some(), "two runs that want the same version");
}

#[test]
fn word_of_what_is_not_everywhere_is_caught() {
    let (by_faults, _) = found(Broken::Gate);
    assert!(by_faults.is_some(), "a target that does not answer");
}
