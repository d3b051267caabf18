//! What is read and is not data is counted, and its bytes and those of the data
//! are all there are.

use crate::harness::report::{Counts, Report};
use crate::harness::{Run, Workspace};

/// Reads with titles, a footer and comments.
#[track_caller]
fn convert(workspace: &Workspace, flags: &[&str]) -> Run {
    let given = ["convert", "in.csv", "-o", "out.parquet", "--skip-records", "1", "--footer-records", "1"];
    workspace.sawmill(given.iter().chain(&["--comment", "#"]).chain(flags)).run()
}

/// Kind, count, bytes, and line and text of the first ones.
fn told(counts: &Counts) -> Vec<(&str, u64, u64, String)> {
    let kinds = counts.not_data.iter().map(|(kind, found)| {
        let first = found.first.iter().map(|line| match &line.text {
            Some(text) => format!("{} {text}", line.line),
            None => line.line.to_string(),
        });
        (kind.as_str(), found.count, found.bytes, first.collect::<Vec<_>>().join("; "))
    });
    kinds.collect()
}

const TEXT: &str = "Report\n# by hand\nid,name\n\n1,x\n#2,y\n\n3,z\n#4\n#5\nTotal;2\n";

#[test]
fn everything_that_is_no_data_is_told() {
    let workspace = Workspace::new();
    workspace.write("in.csv", format!("\u{feff}{TEXT}"));
    let report = Report::of(convert(&workspace, &["--json"]));
    let [input] = &report.inputs[..] else { panic!("one input") };
    assert_eq!((input.counts.read, input.counts.data_bytes), (2, 8));
    assert_eq!(input.counts.text_bytes, TEXT.len() as u64, "without the byte order mark");
    assert_eq!(
        told(&input.counts),
        [
            ("blank", 2, 2, "4; 7".into()),
            ("comments", 4, 21, "2 # by hand; 6 #2,y; 9 #4".into()),
            ("footer", 1, 8, "11 Total;2".into()),
            ("header", 1, 8, "3 id,name".into()),
            ("skipped", 1, 7, "1 Report".into()),
        ]
    );
    let of = |line: u32| format!("line {line} of {}", input.url);
    let _ = convert(&workspace, &["--overwrite"]).succeeds().says(&[
        &format!("skipped   1 record before the data, on {}: \"Report\"", of(1)),
        &format!("comments  4 comments, the first on {}: \"# by hand\"", of(2)),
        &format!("blank     2 blank lines, the first on {}", of(4)),
        &format!("footer    1 record after the data, on {}: \"Total;2\"", of(11)),
    ]);
}

#[test]
fn a_plain_file_has_nothing_to_tell() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id,name\n1,x\n2,\"a\n\nb\"\n");
    let run = workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"]).run().succeeds();
    assert!(!["blank", "comment", "before the data"].iter().any(|word| run.stderr.contains(word)), "{run}");
}

/// No text of the input where rejects leave it out, too.
#[test]
fn texts_are_left_out_where_values_are() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", TEXT);
    workspace.write("in/b.csv", TEXT.replace("Report", "Other"));
    workspace.write(
        "job.toml",
        "source.inputs = [\"in/*\"]\n[dialect]\nskipRecords = 1\nfooterRecords = 1\ncommentChar = \"#\"\n\
         [errors]\nquarantine_values = false\n[[targets]]\nurl = \"out/\"\n",
    );
    let run = workspace.sawmill(["run", "job.toml", "--json"]).run();
    for text in ["Report", "Total;2", "by hand"] {
        assert!(!run.stderr.contains(text) && !run.stdout.contains(text), "{run}");
    }
    let report = Report::of(run);
    for input in &report.inputs {
        assert_eq!(told(&input.counts)[1], ("comments", 4, 21, "2; 6; 9".into()), "{}", input.url);
    }
    assert_eq!(told(&report.totals)[1], ("comments", 8, 42, String::new()));
}

/// Blocks of nothing but titles never reach a parser, and the splits of an
/// input are read by several tasks.
#[test]
fn titles_of_many_blocks_and_splits_of_one_input() {
    let workspace = Workspace::new();
    let title = "-".repeat(999);
    let mut text = format!("{title}\n").repeat(900);
    text.push_str("id,name\n");
    (0..100_000)
        .for_each(|id| text.push_str(&format!("{id},x\n{}", if id % 1_000 == 0 { "# note\n" } else { "" })));
    workspace.write("in.csv", &text);
    workspace.write(
        "job.toml",
        "source.inputs = [\"in.csv\"]\n[dialect]\nskipRecords = 900\ncommentChar = \"#\"\n\
         [[targets]]\nurl = \"out/\"\n",
    );
    let plan = ["plan", "job.toml", "-o", "plan.json", "--tasks", "3", "--split-bytes", "600000"];
    let _ = workspace.sawmill(plan).run().succeeds();
    for task in ["2", "0", "1"] {
        let report = format!("task-{task}.json");
        let _ = workspace.sawmill(["task", "plan.json", "--task", task, "-o", &report]).run().succeeds();
    }
    let commit = ["commit", "plan.json", "task-2.json", "task-0.json", "task-1.json", "--json"];
    let report = Report::of(workspace.sawmill(commit).run());
    let [input] = &report.inputs[..] else { panic!("one input") };
    assert_eq!((input.counts.read, input.counts.text_bytes), (100_000, text.len() as u64));
    let found = told(&input.counts);
    let comments = ("comments", 100, 700, "903 # note; 1904 # note; 2905 # note".into());
    assert_eq!((&found[0], &found[1]), (&comments, &("header", 1, 8, "901 id,name".into())));
    assert_eq!((found[2].0, found[2].1, found[2].2), ("skipped", 900, 900_000));
    assert!(found[2].3.starts_with(&format!("1 {}; 2 -", &title[..80])), "{found:?}");
}
