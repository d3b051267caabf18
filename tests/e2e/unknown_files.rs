//! Files that nobody has described, `testdata/unknown/`: each is read as it was meant, or the
//! first advice, followed to the letter, reads it so.

use crate::harness::{Workspace, readback, testdata};
use serde::Deserialize;
use std::time::{Duration, SystemTime};

/// A line of `testdata/unknown/cases.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    by_default: Default,
    /// What the first advice is.
    #[serde(default)]
    advice: String,
    /// Names and rows, values as text.
    table: Vec<Vec<Option<String>>>,
}

/// What happens to a file without any flag.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Default {
    /// The right table.
    Reads,
    /// Another one, and a note that names what reads the right one.
    Notes,
    /// The run fails, and names what reads the right table.
    Fails,
}

/// The flags of the first advice of a failure, as they stand there.
fn first_advice(remedy: &str) -> String {
    let first = remedy.split(';').next().unwrap_or_default();
    let first = first.split(" reads ").next().and_then(|first| first.split(" takes ").next());
    let first = first.unwrap_or_default();
    // A semicolon may be what is advised.
    let whole =
        if first.matches('\'').count() % 2 == 1 { remedy.split(" reads ").next().unwrap() } else { first };
    whole.find("--").map_or(String::new(), |at| whole[at..].to_owned())
}

/// As a shell takes them.
fn words(flags: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in flags.chars() {
        match (character, quote) {
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (end, Some(begin)) if end == begin => quote = None,
            (' ', None) => words.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_file_is_read_right_or_by_the_first_advice() {
    let cases = std::fs::read_to_string(testdata("unknown/cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    assert!(cases.len() >= 60, "{}", cases.len());
    let workspace = Workspace::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = std::fs::read(testdata(&format!("unknown/{}", case.file))).unwrap();
        let input = workspace.write(&case.file, text);
        // One that has just been written is told of.
        let still = SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::options().write(true).open(&input).unwrap().set_modified(still).unwrap();
        let convert = |flags: &str| {
            let fixed =
                ["convert", &case.file, "-o", "out.parquet", "--overwrite", "--json"].map(String::from);
            workspace.sawmill(fixed.into_iter().chain(words(flags))).run()
        };
        let run = convert("");
        let found = match (run.succeeded(), &case.by_default) {
            (true, Default::Reads) => case.advice.clone(),
            (true, Default::Notes) if run.stderr.contains(&case.advice) => case.advice.clone(),
            (false, Default::Fails) => {
                first_advice(run.json()["error"]["remedy"].as_str().unwrap_or_default())
            }
            _ => {
                wrong.push(format!("{}: not {:?}: {run}", case.file, case.by_default));
                continue;
            }
        };
        if found != case.advice {
            wrong.push(format!("{}: advises {found:?} and not {:?}: {run}", case.file, case.advice));
            continue;
        }
        let again = if found.is_empty() { run } else { convert(&found) };
        if !again.succeeded() {
            wrong.push(format!("{}: {found}: {again}", case.file));
            continue;
        }
        let table = workspace.path("out.parquet");
        let names = readback::query(&table, "SELECT column_name FROM (DESCRIBE SELECT * FROM t)");
        let rows = readback::query(&table, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM t");
        let names = names.into_iter().map(|mut name| name.remove(0)).collect();
        let read = [vec![names], rows].concat();
        if read != case.table {
            wrong.push(format!("{}: {found}: {read:?} and not {:?}", case.file, case.table));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}
