//! The plan of a run that has nothing to do.

use super::build::new_attempt;
use crate::documents::{DOCUMENT_FORMAT, Plan};
use crate::error::Result;
use crate::spec::table_schema::TableSchema;
use crate::spec::{JobSpec, SchemaSpec};
use std::collections::BTreeMap;

impl Plan {
    /// The plan of a job whose inputs the table has all read: no inputs and no tasks. What comes
    /// after planning needs a document, so that a schedule ends well on a day without news.
    pub fn of_nothing(job: JobSpec) -> Result<Plan> {
        let dialect = job.dialect.resolve().map_err(|problem| problem.into_error("dialect"))?;
        let schema = match &job.schema {
            Some(SchemaSpec::Inline(schema)) => schema.clone(),
            _ => TableSchema::default(),
        };
        Ok(Plan {
            format: DOCUMENT_FORMAT,
            engine: concat!("sawmill ", env!("CARGO_PKG_VERSION")).into(),
            attempt: new_attempt(),
            job_key: String::new(),
            planned_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            encoding: job.dialect.encoding.clone(),
            dialect,
            schema,
            types_given: Vec::new(),
            written: None,
            salts: BTreeMap::new(),
            single_file: None,
            chosen_at: None,
            chosen_in: None,
            replaces: Vec::new(),
            inputs: Vec::new(),
            tasks: Vec::new(),
            job,
        })
    }
}
