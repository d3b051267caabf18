//! What `docs/coming-from-spark.md` says: every row of its tables has a case in
//! `spark/*.toml`, which runs through Spark and through sawmill.

mod page;

use crate::harness::python::Helper;
use crate::harness::{Workspace, readback};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// One claim of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What rows of the page call it.
    id: String,
    /// The input `in/data.csv`.
    csv: Option<String>,
    /// WHATWG label of what the input is encoded in.
    encoding: Option<String>,
    /// How often the last line of the input stands in it.
    #[serde(default = "once")]
    repeat: usize,
    /// Other inputs, by their names in `in/`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Inputs that are compressed.
    #[serde(default)]
    gzip: BTreeMap<String, String>,
    /// Whether those end in the middle.
    #[serde(default)]
    cut_off: bool,
    /// What the table holds already: the job runs with this input first.
    before: Option<String>,
    /// Python, see `spark_cases.py`.
    spark: String,
    /// The job file, without `source.inputs` and `targets` where they are the usual.
    sawmill: String,
    /// Environment of the run.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// What is compared: a query over the table `t` and its `{files}`.
    #[serde(default = "everything")]
    select: String,
    /// Whether `t` is sawmill's quarantine, with this query instead of `select`.
    quarantine: Option<String>,
    /// What both give: rows with ` | ` between values and `∅` for null.
    rows: Option<Vec<String>>,
    /// What Spark gives, where that is something else.
    spark_rows: Option<Vec<String>>,
    /// Part of what Spark raises.
    spark_error: Option<String>,
    /// What sawmill gives, where that is something else.
    sawmill_rows: Option<Vec<String>>,
    /// Part of what sawmill says when it fails.
    sawmill_error: Option<String>,
    /// Records that sawmill puts aside.
    rejected: Option<u64>,
    /// Why the types differ where the values do not.
    other_types: Option<String>,
}

fn everything() -> String {
    "SELECT * FROM t".into()
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// What came of a case in one of the two.
#[derive(Debug)]
enum Outcome {
    Rows { rows: Vec<String>, types: Vec<String> },
    Error(String),
}

/// What a case says of one of the two.
enum Expected<'a> {
    Rows(&'a [String]),
    Error(&'a str),
}

impl Case {
    fn of_spark(&self) -> Expected<'_> {
        Expected::of(&self.spark_error, &self.spark_rows, &self.rows)
            .unwrap_or_else(|| panic!("{} does not say what Spark gives", self.id))
    }

    fn of_sawmill(&self) -> Expected<'_> {
        Expected::of(&self.sawmill_error, &self.sawmill_rows, &self.rows)
            .unwrap_or_else(|| panic!("{} does not say what sawmill gives", self.id))
    }

    /// Lays out the inputs, and gives the names that both sides know.
    fn lay_out(&self, workspace: &Workspace) -> Value {
        if let Some(csv) = &self.csv {
            let last_line = csv.split_inclusive('\n').next_back().unwrap_or_default();
            let csv = csv.clone() + &last_line.repeat(self.repeat - 1);
            workspace.write("in/data.csv", encoded(&csv, self.encoding.as_deref()));
        }
        for (name, csv) in &self.files {
            workspace.write(&format!("in/{name}"), csv);
        }
        for (name, csv) in &self.gzip {
            let mut packed = gzip(csv);
            if self.cut_off {
                packed.truncate(packed.len() / 2);
            }
            workspace.write(&format!("in/{name}"), packed);
        }
        if let Some(csv) = &self.before {
            workspace.write("before/data.csv", csv);
        }
        json!({
            "root": workspace.path("in"), "csv": workspace.path("in/data.csv"),
            "before": workspace.path("before/data.csv"), "out": workspace.path("spark"),
        })
    }

    fn run_spark(&self, helper: &mut Helper, names: Value, workspace: &Workspace) -> Outcome {
        let mut answer =
            helper.ask("case", json!({ "code": self.spark, "names": names, "select": self.select }));
        if let Some(raised) = answer["raised"].as_str() {
            return Outcome::Error(raised.into());
        }
        if answer["wrote"] == true {
            return read(&parquet_files(&workspace.path("spark")), &self.select);
        }
        let types = serde_json::from_value(answer["types"].take()).unwrap();
        let rows: Vec<Vec<Option<String>>> = serde_json::from_value(answer["rows"].take()).unwrap();
        Outcome::rows(rows, types)
    }

    fn run_sawmill(&self, workspace: &Workspace) -> Result<Outcome, String> {
        let job = |inputs: &str| {
            let inputs = match self.sawmill.contains("source.inputs") {
                true => String::new(),
                false => format!("source.inputs = [\"{inputs}\"]\n"),
            };
            format!("{inputs}targets = [{{ url = \"out/\" }}]\n{}", self.sawmill)
        };
        let run = |inputs: &str| {
            workspace.write("job.toml", job(inputs));
            let mut sawmill = workspace.sawmill(["run", "job.toml", "--json"]);
            for (name, value) in &self.env {
                sawmill = sawmill.env(name, value);
            }
            sawmill.run()
        };
        if self.before.is_some() {
            let _ = run("before/*.csv").succeeds();
        }
        let run = run("in/*.csv");
        // No case is about keys that sawmill does not know.
        if run.stderr.contains("unknown key") {
            return Err(run.stderr);
        }
        if !run.succeeded() {
            let error = run.stderr.clone();
            let _ = run.fails();
            return Ok(Outcome::Error(error));
        }
        let report = run.json();
        let _ = run.succeeds();
        let rejected = &report["totals"]["rejected"];
        if self.rejected.is_some_and(|expected| *rejected != expected) {
            return Err(format!("sawmill rejects {rejected} records"));
        }
        let out = workspace.path("out");
        Ok(match &self.quarantine {
            Some(select) => read(&parquet_files(&out.join("_sawmill/quarantine")), select),
            None => read(&parquet_files(&out), &self.select),
        })
    }
}

impl Expected<'_> {
    fn of<'a>(
        error: &'a Option<String>,
        own: &'a Option<Vec<String>>,
        both: &'a Option<Vec<String>>,
    ) -> Option<Expected<'a>> {
        match (error, own, both) {
            (Some(error), None, _) => Some(Expected::Error(error)),
            (None, Some(rows), _) | (None, None, Some(rows)) => Some(Expected::Rows(rows)),
            _ => None,
        }
    }

    /// What is not as expected.
    fn differs(&self, outcome: &Outcome) -> Option<String> {
        match (self, outcome) {
            (Expected::Error(part), Outcome::Error(error)) if error.contains(part) => None,
            (Expected::Rows(expected), Outcome::Rows { rows, .. }) => {
                let mut expected = expected.to_vec();
                expected.sort();
                (expected != *rows).then(|| format!("gives {rows:#?}"))
            }
            (_, Outcome::Rows { rows, .. }) => Some(format!("gives {rows:#?} and no error")),
            (_, Outcome::Error(error)) => Some(format!("fails: {error}")),
        }
    }
}

impl Outcome {
    fn rows(rows: Vec<Vec<Option<String>>>, types: Vec<String>) -> Outcome {
        let as_text = |row: Vec<Option<String>>| {
            let values: Vec<_> = row.into_iter().map(|value| value.unwrap_or("∅".into())).collect();
            values.join(" | ")
        };
        let mut rows: Vec<_> = rows.into_iter().map(as_text).collect();
        rows.sort();
        Outcome::Rows { rows, types }
    }
}

/// The text in an encoding, with a byte order mark if it is of UTF-16 or UTF-32.
fn encoded(text: &str, label: Option<&str>) -> Vec<u8> {
    let Some(label) = label else { return text.into() };
    // `encoding_rs` encodes neither UTF-16 nor UTF-32.
    let marked = format!("\u{feff}{text}");
    match label {
        "utf-16le" => return marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-32be" => {
            return marked.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect();
        }
        _ => {}
    }
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label of the standard");
    encoding.encode(text).0.into_owned()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// The result of a query over Parquet files; nothing, if there are none.
fn read(files: &[PathBuf], select: &str) -> Outcome {
    if files.is_empty() {
        return Outcome::Rows { rows: Vec::new(), types: Vec::new() };
    }
    let select = select.replace("{files}", &format!("{files:?}").replace('"', "'"));
    let ask = |sql: String| -> Vec<Vec<Option<String>>> {
        let answer = readback::shared().ask("query", json!({ "sql": sql, "files": files }));
        serde_json::from_value(answer).unwrap()
    };
    let types = ask(format!("SELECT column_type FROM (DESCRIBE {select})"));
    let types = types.into_iter().flatten().flatten().collect();
    Outcome::rows(ask(format!("SELECT COLUMNS(*)::VARCHAR FROM ({select})")), types)
}

/// Parquet files that readers of a table see, and those of a quarantine.
fn parquet_files(directory: &Path) -> Vec<PathBuf> {
    let names = crate::harness::files_under(directory);
    let is_quarantine = directory.ends_with("quarantine");
    let is_read = |name: &&String| match is_quarantine {
        true => name.ends_with(".rejects"),
        false => name.ends_with(".parquet") && !name.split('/').any(|part| part.starts_with(['.', '_'])),
    };
    names.iter().filter(is_read).map(|name| directory.join(name)).collect()
}

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The cases of all files of `tests/e2e/spark/`.
fn cases() -> Vec<Case> {
    let directory = repository("tests/e2e/spark");
    let mut cases: Vec<Case> = Vec::new();
    for name in crate::harness::files_under(&directory).iter().filter(|name| name.ends_with(".toml")) {
        let text = fs::read_to_string(directory.join(name)).unwrap();
        let file: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases.extend(file.case);
    }
    let ids: BTreeSet<_> = cases.iter().map(|case| &case.id).collect();
    assert_eq!(ids.len(), cases.len(), "two cases have one id");
    cases
}

/// Dirty inputs through Spark and through sawmill. The same table, unless the
/// case states both. `SAWMILL_SPARK_CASE` picks cases by a part of their ids.
#[test]
fn spark_and_sawmill_do_what_the_page_says() {
    let mut cases = cases();
    if let Ok(part) = std::env::var("SAWMILL_SPARK_CASE") {
        cases.retain(|case| case.id.contains(&part));
        assert!(!cases.is_empty(), "no case has {part:?} in its id");
    }
    let mut helper = readback::spark_is_wanted().then(|| Helper::start("spark_cases.py"));
    let mut wrong = String::new();
    for case in &cases {
        let workspace = Workspace::new();
        let names = case.lay_out(&workspace);
        let mut complain = |what: String| writeln!(wrong, "\n== {}: {what}", case.id).unwrap();
        let ours = match case.run_sawmill(&workspace) {
            Ok(outcome) => outcome,
            Err(what) => {
                complain(what);
                continue;
            }
        };
        if let Some(difference) = case.of_sawmill().differs(&ours) {
            complain(format!("sawmill {difference}"));
        }
        let Some(helper) = &mut helper else { continue };
        let theirs = case.run_spark(helper, names, &workspace);
        if let Some(difference) = case.of_spark().differs(&theirs) {
            complain(format!("Spark {difference}"));
        }
        let same = case.rows.is_some() && case.spark_rows.is_none() && case.sawmill_rows.is_none();
        if let (true, Outcome::Rows { types: ours, .. }, Outcome::Rows { types: theirs, .. }) =
            (same, &ours, &theirs)
            && (ours != theirs) != case.other_types.is_some()
        {
            complain(format!("sawmill's types are {ours:?}, Spark's {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
