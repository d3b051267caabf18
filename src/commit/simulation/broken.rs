//! Steps of the protocol, each left out in turn: were that not noticed,
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

/// What is found where these two meet, one of which stands still.
fn found_where(name: &str, broken: Broken) -> Option<Violation> {
    let meeting =
        meetings().into_iter().find(|(scene, _)| scene.name == name).expect("a meeting of this name");
    let found = with_timers(|| paused(&meeting, Some(broken), false, None).err());
    println!("{broken:?}: {}", found.as_ref().map_or("nothing", |violation| &violation.what));
    found
}

#[test]
fn an_input_that_is_read_twice_is_caught() {
    let found = found_where("both append one input", Broken::Inputs).expect("rows that stand twice");
    assert!(found.what.contains("which was read before"), "{}", found.what);
}

#[test]
fn files_of_other_types_are_caught() {
    let found = found_where("different types", Broken::Columns).expect("a table of two types");
    assert!(found.what.contains("Date") && found.what.contains("Time"), "{}", found.what);
}
