//! Tables of many columns: time and memory grow with their number, not with its square.

use crate::harness::{Workspace, readback};
use std::io::Write;

/// A header and one record of integers.
fn wide(columns: usize) -> String {
    let list = |text: &dyn Fn(usize) -> String| (0..columns).map(text).collect::<Vec<_>>().join(",");
    format!("{}\n{}\n", list(&|n| format!("c{n}")), list(&|n| (n % 97).to_string()))
}

/// Converts that table, and gives the greatest resident memory of the process in
/// KiB and the seconds of CPU that it took: other processes change neither.
fn cost_of(workspace: &Workspace, columns: usize) -> (f64, f64) {
    // The kernel tells a parent that has waited.
    const WAIT: &str = "import resource, subprocess, sys\ncode = subprocess.call(sys.argv[1:])\n\
                        used = resource.getrusage(resource.RUSAGE_CHILDREN)\n\
                        print(used.ru_maxrss, used.ru_utime + used.ru_stime)\nsys.exit(code)";
    workspace.write("in.csv", wide(columns));
    let words =
        ["convert", "in.csv", "-o", "out.parquet", "--overwrite", "--header", "--max-fields", "100000", "-q"];
    let run = workspace.sawmill(words).within(&["python3", "-c", WAIT]).run().succeeds();
    let (peak, seconds) = run.stdout.trim().split_once(' ').expect("two figures");
    (peak.parse().expect("KiB"), seconds.parse().expect("seconds"))
}

#[cfg(target_os = "linux")]
#[test]
fn time_and_memory_are_linear_in_the_columns() {
    let workspace = Workspace::new();
    let few = cost_of(&workspace, 5_000);
    let many = cost_of(&workspace, 20_000);
    let found = readback::query(&workspace.path("out.parquet"), "SELECT c0, c96, c97, c19999 FROM t");
    let expected = [0, 96, 0, 19_999 % 97].map(|number| Some(number.to_string()));
    assert_eq!(found, [expected.to_vec()]);
    // An encoder for each column at once took 98 KiB a column.
    let a_column = (many.0 - few.0) / 15_000.0;
    assert!(a_column < 40.0, "{a_column} KiB a column: {few:?} {many:?}");
    // Four times the columns: looking for each in the list of all would take sixteen times as long.
    assert!(many.1 < few.1 * 8.0, "CPU grows faster than columns: {few:?} {many:?}");
}

#[test]
fn a_header_beyond_the_limit_is_refused_with_its_flag() {
    let workspace = Workspace::new();
    workspace.write("in.csv", wide(16_385));
    let refused = workspace.sawmill(["convert", "in.csv", "-o", "out.parquet"]).run().exits_with(3);
    let _ = refused.says(&[
        "more fields than the limit of 16384",
        "help: --max-fields 65536 reads 1 record with 16,385 columns",
    ]);
    let words = ["convert", "in.csv", "-o", "out.parquet", "--max-fields", "65536"];
    let _ = workspace.sawmill(words).run().succeeds();
}

#[test]
fn a_signal_ends_a_run_in_the_middle_of_its_header() {
    let workspace = Workspace::new();
    let pipe = workspace.pipe("in.csv");
    let words = ["convert", "in.csv", "-o", "out.parquet", "--max-fields", "1000000"];
    let (running, mut writer) = workspace.sawmill(words).start().until_it_reads(&pipe);
    // As much as a pipe holds: it is not waited for.
    writer.write_all(&wide(20_000).as_bytes()[..60_000]).expect("there is room");
    running.signal("TERM");
    let _ = running.wait().exits_with(130).says(&["interrupted"]);
    drop(writer);
    assert!(!workspace.path("out.parquet").exists());
}
