//! What a job says of how files are written, against what it said when they were.
//!
//! Such settings change bytes and no rows, so they are not part of the job key: a run of a job
//! that differs in nothing else finds its rows in the table and has nothing to do. Who changed
//! the codec should hear of that.

use super::documents::{Intent, intent_key};
use super::table::{self, Table};
use crate::spec::OutputSpec;

impl Table {
    /// Keys of the job file whose values were others when `attempt` wrote its files. None where
    /// that is not known any more: `gc` removes the intents of old attempts.
    pub async fn unapplied(&self, attempt: &str, output: &OutputSpec) -> Vec<String> {
        match table::read::<Intent>(self.home(), &intent_key(attempt)).await {
            Ok(Some(intent)) => differences(&intent.plan.job.output, output),
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "it cannot be said how the files were written");
                Vec::new()
            }
        }
    }
}

/// Settings under `output` that decide how the files of the same rows are written. Those that
/// decide which rows are where are in the job key; `mode` and the like decide what happens to
/// data that is there.
const OF_BYTES: [&str; 11] = [
    "columns",
    "compression",
    "dictionary_page_bytes",
    "max_row_group_bytes",
    "max_row_group_rows",
    "metadata",
    "page_bytes",
    "page_rows",
    "sort_by",
    "statistics",
    "target_file_bytes",
];

fn differences(then: &OutputSpec, now: &OutputSpec) -> Vec<String> {
    let (Ok(then), Ok(now)) = (serde_json::to_value(then), serde_json::to_value(now)) else {
        return Vec::new();
    };
    let differing = OF_BYTES.into_iter().filter(|key| then.get(key) != now.get(key));
    differing.map(|key| format!("output.{key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::WriteMode;

    #[test]
    fn what_changes_bytes_is_named() {
        let then = OutputSpec::default();
        let again = OutputSpec { mode: WriteMode::Append, ..then.clone() };
        assert_eq!(differences(&then, &again), [""; 0]);
        let metadata = [("team".to_owned(), "lake".to_owned())].into();
        let now = OutputSpec { compression: "zstd".parse().unwrap(), page_rows: 7, metadata, ..again };
        assert_eq!(differences(&then, &now), ["output.compression", "output.metadata", "output.page_rows"]);
        assert_eq!(differences(&now, &then), ["output.compression", "output.metadata", "output.page_rows"]);
    }
}
