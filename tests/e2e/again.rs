//! Runs that follow runs: what was done is not done twice, what is new is.

use crate::harness::readback::{Layout, Table};
use crate::harness::report::Report;
use crate::harness::{Run, Workspace};

fn rows(workspace: &Workspace, table: &str) -> u64 {
    Table::of_parquet(&workspace.path(table)).rows
}

/// A job that appends what `${DAY}` delivered to two places.
fn daily(workspace: &Workspace) {
    workspace.write("in/01.csv", "id,name\n1,one\n2,two\n");
    workspace.write("in/02.csv", "id,name\n3,three\n");
    workspace.write(
        "job.toml",
        "[source]\ninputs = [\"in/${DAY}.csv\"]\n[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"other/\"\n\
         [output]\nmode = \"append\"\n",
    );
}

fn run_day(workspace: &Workspace, day: &str) -> Run {
    workspace.sawmill(["run", "job.toml"]).env("DAY", day).run()
}

#[test]
fn an_older_day_that_is_retried_is_not_appended_again() {
    let workspace = Workspace::new();
    daily(&workspace);
    for day in ["01", "02"] {
        let _ = run_day(&workspace, day).succeeds();
    }
    for day in ["01", "02", "01"] {
        let _ = run_day(&workspace, day).succeeds().says(&["nothing to do"]);
    }
    for table in ["one", "other"] {
        assert_eq!(rows(&workspace, table), 3);
    }
    // A new delivery under the old name is new.
    workspace.write("in/01.csv", "id,name\n1,one\n2,two\n4,four\n");
    let _ = run_day(&workspace, "01").succeeds();
    assert_eq!(rows(&workspace, "one"), 6);
}

#[test]
fn a_commit_that_broke_off_is_finished_and_not_run_again() {
    let workspace = Workspace::new();
    daily(&workspace);
    // A directory in the place of a marker: files become visible, the end is not reached.
    std::fs::create_dir_all(workspace.path("other/_SUCCESS")).unwrap();
    let _ =
        run_day(&workspace, "01").exits_with(5).helps().says(&["version 1 is decided", "sawmill recover"]);
    // The mistake is still there, for any run of the table.
    let _ = run_day(&workspace, "02").exits_with(5).helps();
    std::fs::remove_dir(workspace.path("other/_SUCCESS")).unwrap();
    let _ = run_day(&workspace, "01").succeeds().says(&["nothing to do"]);
    for table in ["one", "other"] {
        assert_eq!(rows(&workspace, table), 2);
        assert!(workspace.files(table).contains(&"_SUCCESS".to_owned()));
        assert!(workspace.staged(table).is_empty());
    }
}

#[test]
fn two_plans_of_one_job_are_committed_once() {
    let workspace = Workspace::new();
    daily(&workspace);
    for name in ["a", "b"] {
        let (plan, report) = (format!("{name}.json"), format!("{name}-0.json"));
        let _ = workspace.sawmill(["plan", "job.toml", "-o", &plan]).env("DAY", "01").run().succeeds();
        let _ = workspace.sawmill(["task", &plan, "-o", &report]).run().succeeds();
    }
    let _ = workspace.sawmill(["commit", "a.json", "a-0.json"]).run().succeeds();
    for _ in 0..2 {
        let again = workspace.sawmill(["commit", "b.json", "b-0.json"]).run();
        let _ = again.succeeds().says(&["nothing to do"]);
    }
    let _ = workspace.sawmill(["commit", "--abort", "a.json", "a-0.json"]).run().exits_with(8).helps();
    let _ = workspace.sawmill(["commit", "--abort", "b.json", "b-0.json"]).run().succeeds();
    for table in ["one", "other"] {
        assert_eq!(rows(&workspace, table), 2);
        assert!(workspace.staged(table).is_empty());
    }
}

#[test]
fn what_comes_through_a_pipe_is_always_new() {
    let workspace = Workspace::new();
    for (records, expected) in [("1,one\n", 1), ("2,two\n", 2), ("2,two\n", 3)] {
        let run = workspace.sawmill(["convert", "-", "-o", "table", "--append"]);
        let _ = run.stdin(format!("id,name\n{records}")).run().succeeds();
        assert_eq!(rows(&workspace, "table"), expected);
    }
}

#[test]
fn a_named_pipe_is_read_once() {
    let workspace = Workspace::new();
    let script = "mkfifo pipe && (printf 'id,name\\n1,one\\n2,two\\n' > pipe &) && exec \"$0\" \"$@\"";
    let run =
        workspace.sawmill(["convert", "pipe", "-o", "out.parquet", "--json"]).within(&["sh", "-c", script]);
    assert_eq!(Report::of(run.run()).totals.read, 2);
}

/// Limits that make many row groups and files.
#[test]
fn row_groups_and_files_are_cut_where_they_should() {
    let workspace = Workspace::new();
    let mut csv = String::from("id,key,text\n");
    for id in 0..500_000_u64 {
        let text = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        csv.push_str(&format!("{id},{},{text:016x}{text:016x}\n", id % 3));
    }
    workspace.write("in.csv", csv);
    workspace.write(
        "job.toml",
        "[source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n\
         [output]\npartition_by = [\"key\"]\ncompression = \"none\"\n\
         max_row_group_rows = 7000\ntarget_file_bytes = 1000000\n",
    );
    let report = Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
    assert!(report.files.len() > 6, "{} files", report.files.len());
    let layout = Layout::of(&workspace.path("out"));
    assert_eq!(layout.row_group_rows.iter().max(), Some(&7_000));
    let sizes: Vec<u64> = report.files.iter().map(|file| file.bytes).collect();
    assert!(sizes.iter().all(|bytes| (666_000..1_600_000).contains(bytes)), "{sizes:?}");
    assert_eq!(rows(&workspace, "out"), 500_000);

    // Files of earlier row groups are gone, too, when the last record is bad.
    let mut bad = std::fs::read_to_string(workspace.path("in.csv")).unwrap();
    bad.push_str("x,0,last\n");
    workspace.write("in.csv", bad);
    workspace.write(
        "schema.json",
        r#"{"fields": [{"name": "id", "type": "integer"}, {"name": "key", "type": "string"}, {"name": "text", "type": "string"}]}"#,
    );
    let to = ["--set", "targets[0].url=bad/", "--set", "schema=schema.json"];
    let run = workspace.sawmill(["run", "job.toml"].into_iter().chain(to)).run();
    let _ = run.exits_with(3).says(&["record 500001"]).helps();
    workspace.assert_untouched("bad");
}

/// Far more partitions than the budgets allow open.
#[test]
fn many_partitions_stay_within_the_budgets() {
    let workspace = Workspace::new();
    let mut csv = String::from("id,key\n");
    for id in 0..60_000_u64 {
        csv.push_str(&format!("{id},{}\n", id.wrapping_mul(7_919) % 2_000));
    }
    workspace.write("in.csv", csv);
    workspace.write(
        "job.toml",
        "[source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"out/\"\n[output]\npartition_by = [\"key\"]\n\
         [engine]\nmax_open_files = 50\nopen_files_bytes = 1000000\n",
    );
    let report = Report::of(workspace.sawmill(["run", "job.toml", "--json"]).run());
    assert_eq!((report.totals.read, rows(&workspace, "out")), (60_000, 60_000));
}

/// Jobs that are not the one that was done, and read what it has read.
#[test]
fn rows_that_the_table_holds_are_not_appended_again() {
    let workspace = Workspace::new();
    daily(&workspace);
    for day in ["01", "02"] {
        let _ = run_day(&workspace, day).succeeds();
    }
    workspace.write("in/03.csv", "id,name\n4,four\n");
    let all = ["--input", "in/01.csv", "--input", "in/02.csv", "--input", "in/03.csv"];
    let another = ["--input", "in/01.csv", "--set", "errors.bad_value=null"];
    let sawmill = |verb: &str, arguments: &[&str], more: &[&str]| {
        let arguments = [&[verb, "job.toml"], arguments, more].concat();
        workspace.sawmill(arguments).env("DAY", "01").run()
    };
    let assert_rows = |expected: u64| {
        for table in ["one", "other"] {
            assert_eq!(rows(&workspace, table), expected);
            assert!(workspace.staged(table).is_empty());
        }
    };
    let dry: &[&str] = &["--dry-run"];
    for (verb, more) in [("run", &[][..]), ("run", dry), ("plan", &[]), ("check", &[])] {
        let held = [
            "versions 1 and 2 hold the rows of 2 of 3 inputs",
            "01.csv",
            "source.incremental",
            "--reprocess",
        ];
        let _ = sawmill(verb, &all, more).exits_with(5).helps().says(&held);
        let held = ["version 1 holds the rows of", "01.csv"];
        let _ = sawmill(verb, &another, more).exits_with(5).helps().says(&held);
    }
    assert_rows(3);
    // Each way out of the help.
    let _ = sawmill("run", &all, &["--set", "source.incremental=true"]).succeeds().says(&["1 written"]);
    assert_rows(4);
    let _ = sawmill("run", &another, &["--reprocess"]).succeeds().says(&["2 written"]);
    assert_rows(4);
    // The version that replaced the first holds its rows now.
    let held = ["version 4 holds the rows of"];
    let _ = sawmill("run", &["--input", "in/01.csv"], &["--set", "errors.bad_value=reject"])
        .exits_with(5)
        .says(&held);
    let _ = sawmill("run", &all, &["--set", "source.read_again=allow"]).succeeds().says(&["4 written"]);
    assert_rows(8);
}

/// The commits of older versions do not say what they have read; their changes do.
#[test]
fn tables_without_marks_of_their_inputs_know_them_too() {
    let workspace = Workspace::new();
    daily(&workspace);
    let _ = run_day(&workspace, "01").succeeds();
    let entry = "one/_sawmill/log/00000000000000000001.json";
    let mut old = std::fs::read(workspace.path(entry))
        .map(|text| serde_json::from_slice::<serde_json::Value>(&text).unwrap())
        .unwrap();
    assert!(old.as_object_mut().unwrap().remove("input_marks").is_some(), "{old}");
    workspace.write(entry, old.to_string());
    let another = ["run", "job.toml", "--set", "errors.bad_value=null"];
    let run = workspace.sawmill(another).env("DAY", "01").run().exits_with(5);
    let _ = run.helps().says(&["version 1 holds the rows of", "01.csv"]);
    let _ = run_day(&workspace, "02").succeeds();
}

/// Who is told that a table holds data, and adds to it, must not have its rows twice.
#[test]
fn a_table_that_holds_these_rows_is_not_to_be_appended_to() {
    let workspace = Workspace::new();
    daily(&workspace);
    let convert = |more: &[&str]| {
        let arguments = ["convert", "in/*.csv", "-o", "table"];
        workspace.sawmill(arguments.iter().chain(more)).run()
    };
    let _ = workspace.sawmill(["convert", "in/01.csv", "-o", "table"]).run().succeeds();
    let refused = convert(&[]).exits_with(5).helps().says(&["already exists", "version 1 holds the rows of"]);
    let refused = refused.says(&["source.incremental", "--read-again"]);
    assert!(!refused.stderr.contains("add the rows of other inputs"), "{}", refused.stderr);
    let _ = convert(&["--append"]).exits_with(5).helps().says(&["version 1 holds the rows of"]);
    assert_eq!(rows(&workspace, "table"), 2);
    let _ = convert(&["--append", "--read-again"]).succeeds();
    assert_eq!(rows(&workspace, "table"), 5);
    let _ = convert(&["--read-again"]).exits_with(2);
    // Other inputs: the advice is as before, and right.
    let other = ["convert", "in/03.csv", "-o", "table"];
    workspace.write("in/03.csv", "id,name\n4,four\n");
    let _ = workspace
        .sawmill(other)
        .run()
        .exits_with(5)
        .helps()
        .says(&["add the rows of other inputs", "--append"]);
    let _ = workspace.sawmill(other.iter().chain(&["--append"])).run().succeeds();
    assert_eq!(rows(&workspace, "table"), 6);
}

#[test]
fn what_changes_no_row_does_not_append_them_again() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id\n1\n");
    workspace.write(
        "job.toml",
        "source.inputs = [\"in/*.csv\"]\ntargets = [{ url = \"one/\" }]\noutput.mode = \"append\"\n",
    );
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["1 written"]);
    for set in ["errors.max_rejected=5", "output.compression=zstd", "source.extra_columns=ignore"] {
        let _ =
            workspace.sawmill(["run", "job.toml", "--set", set]).run().succeeds().says(&["nothing to do"]);
    }
}
