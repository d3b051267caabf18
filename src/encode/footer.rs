//! What footers say about where the rows come from.
//!
//! Nothing here may differ from run to run of the same plan, or the same rows
//! would give other bytes: no time, no name of the attempt.

use crate::documents::{Input, RecordCounts};
use parquet::file::metadata::KeyValue;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Inputs that a footer lists; the others are counted.
const LISTED_SOURCES: usize = 100;

/// The pairs that are the same in each file of a run: `sawmill.job`,
/// `sawmill.job_key`, `sawmill.engine`, `sawmill.sources` and the job's own
/// `output.metadata`.
pub fn run_metadata(
    job: &str,
    job_key: &str,
    engine: &str,
    inputs: &[Input],
    metadata: &BTreeMap<String, String>,
) -> Vec<KeyValue> {
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut pairs = vec![
        pair("sawmill.job", job.to_owned()),
        pair("sawmill.job_key", job_key.to_owned()),
        pair("sawmill.engine", engine.to_owned()),
        pair("sawmill.sources", sources(inputs).to_string()),
    ];
    pairs.extend(metadata.iter().map(|(key, value)| pair(key, value.clone())));
    pairs
}

/// `[{"url": …, "etag": …, "bytes": …}, …]`, with `{"more": n}` at the end where there are too many.
fn sources(inputs: &[Input]) -> Value {
    let listed = inputs.iter().take(LISTED_SOURCES).map(|input| {
        let mut source = json!({ "url": input.url });
        if let Some(etag) = &input.etag {
            source["etag"] = json!(etag);
        }
        if let Some(bytes) = input.bytes {
            source["bytes"] = json!(bytes);
        }
        source
    });
    let more = inputs.len().saturating_sub(LISTED_SOURCES);
    listed.chain((more > 0).then(|| json!({ "more": more }))).collect()
}

/// `sawmill.ledger`: the records of the task by the time the file is closed.
pub(super) fn ledger(task: u32, records: &RecordCounts) -> KeyValue {
    #[derive(Serialize)]
    struct FooterLedger<'a> {
        task: u32,
        #[serde(flatten)]
        records: &'a RecordCounts,
    }
    let ledger = json!(FooterLedger { task, records });
    KeyValue::new("sawmill.ledger".to_owned(), ledger.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_sources_are_cut_to_a_count() {
        let input = |n: usize| Input {
            url: format!("s3://b/{n}.csv"),
            bytes: Some(n as u64),
            etag: (n == 0).then(|| "abc".into()),
            last_modified: Some("2024-01-01T00:00:00Z".into()),
            ..Input::default()
        };
        let inputs: Vec<_> = (0..103).map(input).collect();
        let listed = sources(&inputs);
        assert_eq!(listed.as_array().map(Vec::len), Some(101));
        assert_eq!(listed[0], json!({ "url": "s3://b/0.csv", "etag": "abc", "bytes": 0 }));
        assert_eq!(listed[100], json!({ "more": 3 }));
        assert_eq!(sources(&inputs[..1]).as_array().map(Vec::len), Some(1));
    }
}
