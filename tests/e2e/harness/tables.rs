//! A table that jobs append to, `job.toml` with the input `${INPUT}.csv`, for tests that change its targets.

use super::readback::Ids;
use super::{Run, Workspace};

/// Writes the job, with these directories as its targets.
pub(crate) fn job(workspace: &Workspace, targets: &[&str]) {
    let targets: Vec<String> = targets.iter().map(|name| format!("{{ url = \"{name}/\" }}")).collect();
    workspace.write(
        "job.toml",
        format!(
            "source.inputs = [\"${{INPUT}}.csv\"]\ntargets = [{}]\n\
             [output]\nmode = \"append\"\npartition_by = [\"day\"]\n",
            targets.join(", ")
        ),
    );
}

/// Any command, with `a.csv` as the job's input.
pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Run {
    workspace.sawmill(arguments).env("INPUT", "a").run()
}

/// A run of the job with this input.
pub(crate) fn run(workspace: &Workspace, input: &str) -> Run {
    workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run()
}

/// Each target holds each id below `end` once, and `verify` finds nothing wrong.
#[track_caller]
pub(crate) fn assert_ids(workspace: &Workspace, targets: &[&str], end: u64) {
    for target in targets {
        assert_eq!(Ids::of(&workspace.path(target), "id"), Ids::once(0..end), "{target}");
    }
    let _ = command(workspace, &["verify", "job.toml", "--deep"]).succeeds();
}
