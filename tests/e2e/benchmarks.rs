//! The comparison with other engines (`benches/compare`), on data that takes no time.

use crate::harness::Workspace;
use crate::harness::python::Environment;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `benches/compare/run.py` with the peers that the tests have anyway.
fn compare(work: &Path, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare/run.py");
    let mut command = Command::new(Environment::Readers.interpreter());
    command.arg(script).args(["--installed", "--scale", "0.001", "--runs", "1", "--sawmill"]);
    command.arg(env!("CARGO_BIN_EXE_sawmill")).arg("--work").arg(work).args(arguments);
    command.output().expect("the interpreter runs")
}

/// Rows are compared, results are written, and a ratio that fell ends with 1.
#[test]
fn results_are_checked_and_compared_with_a_baseline() {
    let workspace = Workspace::new();
    let work = workspace.path("work");
    let workloads = ["tiny", "quoted", "lineitem-84", "small-files-store", "lineitem-two-targets"];
    let output = compare(&work, &[&workloads[..], &["--engines", "sawmill,duckdb,polars"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let results = work.join("results.json");
    let mut document: Value =
        serde_json::from_slice(&std::fs::read(&results).expect("results")).expect("JSON");
    for workload in document["workloads"].as_array().expect("workloads") {
        let name = workload["name"].as_str().unwrap_or_default();
        assert!(workload["engines"]["sawmill"]["wall"].as_f64().is_some_and(|wall| wall > 0.0), "{stderr}");
        assert!(workload["ratios"]["polars"].as_f64().is_some_and(|ratio| ratio > 0.0), "{stderr}");
        assert_eq!(workload["failures"].get("duckdb").is_some(), name == "small-files-store", "{stderr}");
    }
    assert!(std::fs::read_to_string(work.join("results.md")).expect("results").contains("| tiny: "));
    let chart = std::fs::read_to_string(work.join("results.svg")).expect("results");
    assert!(chart.starts_with("<svg") && chart.contains("lineitem-84"), "{chart}");

    let baseline = workspace.path("baseline.json");
    for (ratio, code) in [(0.000_1, 0), (10_000.0, 1)] {
        for workload in document["workloads"].as_array_mut().expect("workloads") {
            workload["ratios"]["polars"] = ratio.into();
        }
        std::fs::write(&baseline, document.to_string()).expect("a baseline");
        let output = compare(
            &work,
            &["tiny", "--engines", "sawmill,polars", "--baseline", &baseline.to_string_lossy()],
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.contains("fell: tiny: polars"), code == 1, "{stderr}");
    }
}
