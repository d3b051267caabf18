//! How much is said on standard error, and in which colors.

use crate::harness::{Run, Workspace};
use std::fs;

const JOB: &str = "schema = { fields = [{ name = \"id\", type = \"int32\" }] }\n\
                   [source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id\n1\n2\n");
    workspace.write("job.toml", JOB);
    workspace.write("other.toml", JOB.replace("out/", "other/"));
    workspace
}

/// The same commands with one more flag, in their order.
fn run_all(flag: Option<&str>) -> Vec<Run> {
    run_all_in(&workspace(), flag)
}

fn run_all_in(workspace: &Workspace, flag: Option<&str>) -> Vec<Run> {
    let commands = [
        "check job.toml",
        "run job.toml",
        "run job.toml",
        "log job.toml",
        "verify job.toml",
        "catchup job.toml",
        "recover job.toml",
        "gc job.toml",
        "plan other.toml -o plan.json",
        "task plan.json",
        "commit plan.json",
        "infer in.csv",
        "convert in.csv -o out.parquet",
    ];
    let run = |command: &str| workspace.sawmill(command.split(' ').chain(flag)).run().succeeds();
    commands.map(run).into()
}

#[test]
fn quiet_commands_that_succeed_say_nothing() {
    for (quiet, loud) in run_all(Some("-q")).iter().zip(run_all(None)) {
        assert_eq!(quiet.stderr, "", "{quiet}");
        // What they print is what they are for.
        assert_eq!(quiet.stdout.is_empty(), loud.stdout.is_empty(), "{quiet}{loud}");
        assert!(!loud.stderr.is_empty() || !loud.stdout.is_empty(), "nothing would be left out: {loud}");
    }
}

/// Everything there is one of: a record, a column, a file, a task.
#[test]
fn one_of_anything_is_singular() {
    let workspace = workspace();
    workspace.write("in.csv", "id\n1\n");
    let nouns =
        ["file", "record", "row", "column", "input", "task", "partition", "document", "byte", "target"];
    let plurals = nouns.map(|noun| format!(" 1 {noun}s"));
    for run in run_all_in(&workspace, None) {
        let said = format!(" {} {}", run.stdout, run.stderr).replace('\n', " ");
        for plural in &plurals {
            assert!(!said.contains(plural.as_str()), "{plural:?}: {run}");
        }
    }
}

#[test]
fn quiet_commands_leave_notes_and_warnings_out() {
    let workspace = workspace();
    workspace.write("in.csv", b"id\n1\n\xff\n");
    workspace.write("job.toml", JOB.replace("int32", "string") + "[dialect]\ninvalidBytes = \"replace\"\n");
    let _ = workspace.sawmill(["--quiet", "run", "job.toml", "--log-format", "json"]).run().says_nothing();
    let _ = workspace.sawmill(["run", "job.toml", "--reprocess", "-q"]).run().says_nothing();
    let _ = workspace.sawmill(["run", "job.toml", "--reprocess"]).run().says(&["WARN", "U+FFFD", "done in"]);
}

#[test]
fn quiet_commands_print_their_documents_and_errors() {
    let workspace = workspace();
    let done = workspace.sawmill(["-q", "run", "job.toml", "--json"]).run().says_nothing();
    assert_eq!(done.json()["status"], "committed", "{done}");

    let part = workspace.files("out").into_iter().find(|name| name.ends_with(".parquet")).unwrap();
    fs::remove_file(workspace.path("out").join(part)).unwrap();
    let damaged = workspace.sawmill(["verify", "job.toml", "-q"]).run().exits_with(9);
    let damaged = damaged.says(&["wrong", ".parquet"]).helps();
    assert!(!damaged.stderr.contains("version 1: "), "the summary is a note: {damaged}");

    // The first mistake is the error at the end, the second is said before.
    workspace.write("in.csv", "other\n1\n");
    workspace.write("job.toml", JOB.replace("out/", "in.csv/below/"));
    let refused = workspace.sawmill(["check", "job.toml", "-q"]).run().fails().helps();
    let refused = refused.says(&["wrong target", "in.csv"]);
    assert!(!refused.stderr.contains("ok "), "{refused}");

    workspace.write("job.toml", JOB.replace("int32", "int23"));
    let failed = workspace.sawmill(["run", "job.toml", "-q", "--json"]).run().exits_with(2).helps();
    assert_eq!(failed.json()["error"]["kind"], "job", "{failed}");
}

#[test]
fn verbose_commands_say_what_they_do() {
    let steps = ["planned", "staged in every target", "decided", "visible", "announced"];
    let details = ["reading", "staged a file"];
    let of = |flags: &[&str]| {
        let workspace = workspace();
        // The flag goes before the variable.
        let command = workspace.sawmill(["run", "job.toml"].iter().chain(flags)).env("RUST_LOG", "error");
        command.run().succeeds()
    };
    let says = |run: &Run, texts: &[&str]| {
        let lines = || run.stderr.lines().filter(|line| line.contains("INFO") || line.contains("DEBUG"));
        texts.iter().filter(|text| lines().any(|line| line.contains(**text))).count()
    };
    for (flags, expected) in
        [(&[][..], (0, 0)), (&["-v"], (5, 0)), (&["-vv"], (5, 2)), (&["-v", "-v"], (5, 2))]
    {
        let run = of(flags);
        assert_eq!((says(&run, &steps), says(&run, &details)), expected, "{flags:?}: {run}");
        assert!(run.stderr.contains("done in"), "{run}");
    }
    let _ =
        of(&["--verbose", "--log-format", "json"]).says(&["\"message\":\"planned\"", "\"level\":\"INFO\""]);
    let workspace = workspace();
    for both in [["run", "job.toml", "-q", "-v"], ["-q", "run", "job.toml", "-v"]] {
        let _ = workspace.sawmill(both).run().exits_with(2).says(&["--quiet", "--verbose"]);
    }
}

#[test]
fn rust_log_counts_where_no_flag_is_given() {
    let workspace = workspace();
    let _ = workspace.sawmill(["run", "job.toml"]).env("RUST_LOG", "sawmill=info").run().says(&["planned"]);
}

/// Whether a sequence in the text changes colors, and does not only move the cursor, as a
/// progress bar does.
#[cfg(target_os = "linux")]
fn has_colors(text: &str) -> bool {
    let ends_with_m = |rest: &str| {
        rest.find(|c: char| c.is_ascii_alphabetic()).is_some_and(|end| rest[end..].starts_with('m'))
    };
    text.split("\u{1b}[").skip(1).any(ends_with_m)
}

/// An error of a job, a warning, and flags that cannot be read, each in color or not.
#[cfg(target_os = "linux")]
fn in_color(flags: &[&str], variables: &[(&str, &str)], wrapper: &[&str]) -> [bool; 3] {
    let workspace = workspace();
    workspace.write("bad.toml", JOB.replace("int32", "int23"));
    workspace.write("in.csv", b"id\n1\n\xff\n");
    workspace.write("job.toml", JOB.replace("int32", "string") + "[dialect]\ninvalidBytes = \"replace\"\n");
    [("bad.toml", "error:"), ("job.toml", "U+FFFD"), ("--theads", "error:")].map(|(argument, says)| {
        let mut command = workspace.sawmill(["run", argument].iter().chain(flags));
        if !wrapper.is_empty() {
            command = command.within(wrapper);
        }
        for (name, value) in variables.iter().chain(&[("TERM", "xterm")]) {
            command = command.env(name, value);
        }
        let run = command.run();
        let said = run.stderr.clone() + &run.stdout;
        assert!(said.contains(says), "{run}");
        said.lines().any(|line| line.contains(says) && has_colors(line))
    })
}

/// A terminal in front of what is written.
#[cfg(target_os = "linux")]
const TERMINAL: [&str; 3] =
    ["python3", "-c", "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"];

#[test]
#[cfg(target_os = "linux")]
fn colors_are_for_terminals() {
    assert_eq!(in_color(&[], &[], &TERMINAL), [true; 3]);
    assert_eq!(in_color(&["--color", "auto"], &[("NO_COLOR", "")], &TERMINAL), [true; 3]);
    assert_eq!(in_color(&[], &[("NO_COLOR", "1")], &TERMINAL), [false; 3]);
    assert_eq!(in_color(&["--color=never"], &[], &TERMINAL), [false; 3]);
    assert_eq!(in_color(&["--color", "always"], &[("NO_COLOR", "1")], &TERMINAL), [true; 3]);
}

#[test]
#[cfg(target_os = "linux")]
fn colors_are_not_for_pipes() {
    assert_eq!(in_color(&[], &[], &[]), [false; 3]);
    assert_eq!(in_color(&["--color", "always"], &[], &[]), [true; 3]);
    assert_eq!(in_color(&["--color", "never"], &[], &[]), [false; 3]);
}
