//! The transforms of a job, compiled.

use super::project;
use super::rows::{BlockContext, KeyCheck, Outcome, Rows, RunContext};
use crate::error::Result;
use crate::job::JobSpec;
use crate::schema::{Schema, profile};
use std::collections::BTreeMap;

/// What is done to the rows of every block.
#[derive(Debug)]
pub struct Program {
    input: Schema,
    from: Vec<usize>,
    output: Schema,
}

impl Program {
    /// Settles the columns; everything that can be wrong about them is an
    /// error here, before any data is read.
    pub fn compile(schema: &Schema, job: &JobSpec, _run: &RunContext) -> Result<Self> {
        let projection = project(schema, &job.transforms)?;
        let output = profile::for_profile(&projection.schema, job.output.profile)
            .map_err(|problems| problems.into_error("the schema"))?;
        Ok(Program { input: output.clone(), from: projection.from, output })
    }

    /// The columns to be parsed.
    pub fn input(&self) -> &Schema {
        &self.input
    }

    /// For each column of [`Self::input`]: its position in the schema of the job.
    pub fn input_positions(&self) -> &[usize] {
        &self.from
    }

    /// The columns of the rows that [`Self::apply`] gives, partition columns included.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Comparisons of rows that one block cannot make for itself.
    pub fn key_checks(&self) -> &[KeyCheck] {
        &[]
    }

    /// Applies the transforms to rows with the columns of [`Self::input`].
    pub fn apply(&self, rows: Rows, _block: &BlockContext<'_>) -> Result<Outcome> {
        Ok(Outcome { rows, filtered: 0, faults: Vec::new(), nulled: BTreeMap::new(), keys: Vec::new() })
    }
}
