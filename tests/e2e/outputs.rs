//! What `-o` names and is not a regular file: a pipe or a device is written to or
//! refused, a link is followed to its end, and none of them is replaced.
//!
//! No test names a device that the machine needs: as root, code that is wrong would
//! take it away.

use crate::harness::Workspace;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

const JOB: &str = "source.inputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id\n1\n2\n");
    workspace.write("job.toml", JOB);
    workspace
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Reads a pipe to its end, which is when its writer has closed it.
fn reader_of(path: &Path) -> JoinHandle<String> {
    let path = path.to_owned();
    std::thread::spawn(move || fs::read_to_string(path).unwrap())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

#[test]
fn documents_go_into_pipes() {
    let workspace = workspace();
    let pipe = workspace.path("pipe");
    make_pipe(&pipe);
    symlink("pipe", workspace.path("link")).unwrap();
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).run().succeeds();
    for (command, key) in [
        (&["plan", "job.toml", "-o", "pipe"][..], "tasks"),
        (&["plan", "job.toml", "-o", "link"], "tasks"),
        (&["task", "plan.json", "-o", "pipe"], "splits"),
        (&["infer", "in.csv", "-o", "pipe"], "schema"),
        (&["infer", "in.csv", "-o", "link", "--overwrite"], "schema"),
    ] {
        let reader = reader_of(&pipe);
        let _ = workspace.sawmill(command).run().succeeds();
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "{command:?} replaced the pipe");
        assert!(fs::symlink_metadata(workspace.path("link")).unwrap().is_symlink(), "{command:?}");
        let document = json(&reader.join().unwrap());
        assert!(document.get(key).is_some(), "{command:?}: {document}");
    }
}

/// By a link of another name: the code under test must not be let at `/dev` itself.
#[cfg(target_os = "linux")]
#[test]
fn documents_go_to_open_descriptors() {
    let workspace = workspace();
    symlink("/proc/self/fd/1", workspace.path("stdout")).unwrap();
    for (command, key) in
        [(["plan", "job.toml", "-o", "stdout"], "tasks"), (["infer", "in.csv", "-o", "stdout"], "schema")]
    {
        let run = workspace.sawmill(command).run().succeeds();
        assert!(run.json().get(key).is_some(), "{run}");
        assert!(fs::symlink_metadata(workspace.path("stdout")).unwrap().is_symlink());
    }
    // A file that a shell has opened to append to.
    workspace.write("log", "before\n");
    let appending = ["sh", "-c", "exec \"$@\" >> log", "sh"];
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "stdout"]).within(&appending).run().succeeds();
    let log = fs::read_to_string(workspace.path("log")).unwrap();
    assert!(json(log.strip_prefix("before\n").unwrap()).get("tasks").is_some(), "{log}");
}

#[test]
fn links_are_followed() {
    let workspace = workspace();
    workspace.write("elsewhere/there.json", "old");
    for (link, target) in [("there", "elsewhere/there.json"), ("none", "elsewhere/none.json")] {
        symlink(target, workspace.path(link)).unwrap();
        let is_link = || fs::symlink_metadata(workspace.path(link)).unwrap().is_symlink();
        let _ = workspace.sawmill(["plan", "job.toml", "-o", link]).run().succeeds();
        assert!(is_link(), "plan -o {link}");
        let plan = json(&fs::read_to_string(workspace.path(target)).unwrap());
        assert!(plan.get("tasks").is_some(), "{plan}");
        let _ = workspace.sawmill(["task", link, "-o", link]).run().succeeds();
        assert!(is_link(), "task -o {link}");
        let _ = workspace.sawmill(["infer", "in.csv", "-o", link]).run().exits_with(5).helps();
        let _ = workspace.sawmill(["infer", "in.csv", "-o", link, "--overwrite"]).run().succeeds();
        assert!(is_link(), "infer -o {link}");
        let schema = json(&fs::read_to_string(workspace.path(target)).unwrap());
        assert!(schema.get("schema").is_some(), "{schema}");
    }
    assert_eq!(workspace.staged("elsewhere"), [""; 0]);
}

#[test]
fn parquet_goes_to_the_end_of_links_and_into_no_pipe() {
    let workspace = workspace();
    workspace.write("elsewhere/real", "old");
    symlink("elsewhere/real", workspace.path("link.parquet")).unwrap();
    make_pipe(&workspace.path("pipe.parquet"));
    make_pipe(&workspace.path("pipe"));
    symlink("pipe", workspace.path("to-pipe.parquet")).unwrap();
    fs::create_dir(workspace.path("directory.parquet")).unwrap();
    let convert = |output: &str, more: &[&str]| {
        workspace.sawmill(["convert", "in.csv", "-o", output].iter().chain(more)).run()
    };

    let _ = convert("link.parquet", &[]).exits_with(5).says(&["already exists"]).helps();
    assert_eq!(fs::read(workspace.path("elsewhere/real")).unwrap(), b"old");
    let _ = convert("link.parquet", &["--overwrite"]).succeeds();
    assert!(fs::symlink_metadata(workspace.path("link.parquet")).unwrap().is_symlink());
    assert_eq!(fs::read(workspace.path("elsewhere/real")).unwrap()[..4], *b"PAR1");

    let before = workspace.files("");
    for (output, more) in [
        ("pipe.parquet", &[][..]),
        ("pipe.parquet", &["--overwrite"]),
        ("to-pipe.parquet", &[]),
        ("to-pipe.parquet", &["--overwrite"]),
        ("pipe", &[]),
        ("pipe", &["--append"]),
    ] {
        let _ = convert(output, more).exits_with(2).says(&["is a pipe"]).helps();
        assert!(fs::metadata(workspace.path(output)).unwrap().file_type().is_fifo(), "{output}");
    }
    let _ = convert("directory.parquet", &["--overwrite"]).exits_with(2).says(&["is a directory"]).helps();
    assert_eq!(workspace.files(""), before);
}
