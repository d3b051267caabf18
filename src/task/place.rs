//! Faults of a block → records that are set aside, or the error that ends the run.

use super::quarantine::Reject;
use super::remedies::remedy;
use crate::columns::Columns;
use crate::documents::Plan;
use crate::error::{Error, InputProblem, Location, Result};
use crate::parse::{RecordIndex, ScanError};
use crate::rows::{Fault, Origin};
use crate::spec::ValuePolicy;
use crate::split::blocks::Block;
use crate::split::place::data_record;
use crate::split::problems::scan_problem;
use crate::transform::rows::BlockContext;

/// Where a block stands, for everything that names a place in it.
pub(super) struct BlockPlace<'a> {
    pub(super) plan: &'a Plan,
    pub(super) columns: &'a Columns,
    pub(super) block: &'a Block,
    /// Of its input.
    pub(super) url: &'a str,
}

impl BlockPlace<'_> {
    pub(super) fn context(&self) -> BlockContext<'_> {
        let preamble = self.plan.dialect.framing.preamble_records();
        BlockContext {
            url: self.url,
            first_record_number: self.block.records_before as i64 + 1 - preamble as i64,
        }
    }

    /// A record of the block that breaks the dialect and may be set aside.
    pub(super) fn broken(&self, error: &ScanError) -> Fault {
        let problem = scan_problem(error, self.block, &self.plan.dialect);
        Fault {
            record: error.record as u32,
            column: None,
            // Without a quarantine nothing is kept, and the message must not say so.
            problem: if self.plan.job.errors.quarantine { problem } else { problem.without_values() },
            policy: ValuePolicy::Reject,
            origin: Origin::Text { byte_offset: error.offset, line: error.line },
        }
    }

    /// Sets the record of a fault aside.
    ///
    /// # Errors
    /// The fault itself, if its policy is to fail.
    pub(super) fn settle(&self, index: &RecordIndex, fault: Fault) -> Result<Reject> {
        if fault.policy == ValuePolicy::Fail {
            return Err(self.error(index, fault));
        }
        let record = fault.record as usize;
        // As it stands in the text, without its terminator.
        let raw =
            &self.block.bytes[index.record_starts[record] as usize..index.record_stops[record] as usize];
        let (problem, location) = self.locate(index, fault);
        Ok(Reject::new(problem, location, record, raw, self.plan.job.errors.quarantine_values))
    }

    /// A fault that ends the run.
    pub(super) fn error(&self, index: &RecordIndex, fault: Fault) -> Error {
        let remedy = remedy(&fault, self.inferred(&fault));
        let (problem, location) = self.locate(index, fault);
        Error::input(problem, location).remedy(remedy)
    }

    fn locate(&self, index: &RecordIndex, fault: Fault) -> (InputProblem, Location) {
        let Fault { record, column, problem, origin, .. } = fault;
        let (byte_offset, line) = match origin {
            Origin::Text { byte_offset, line } => (byte_offset as u64, line as u64),
            Origin::Row { .. } => {
                let record = record as usize;
                (u64::from(index.record_starts[record]), u64::from(index.record_lines[record]))
            }
        };
        let location = Location {
            url: self.url.to_owned(),
            byte_offset: Some(self.block.byte_offset + byte_offset),
            line: Some(self.block.lines_before + line + 1),
            record: data_record(self.block.records_before + u64::from(record), &self.plan.dialect.framing),
            column,
        };
        (problem, location)
    }

    /// The column of a fault in the inputs, if its type was inferred.
    fn inferred(&self, fault: &Fault) -> Option<&str> {
        let named = fault.column.as_ref()?;
        let column = self.columns.program.input().columns.iter().find(|column| column.name == *named)?;
        let is_given = self.plan.job.schema.is_some() || self.plan.types_given.contains(&column.source_name);
        (!is_given).then_some(column.source_name.as_str())
    }
}

/// A fault of a row whose record is not known any more; it ends the run.
pub(super) fn unplaced(url: &str, fault: Fault) -> Error {
    let remedy = remedy(&fault, None);
    let location = Location { column: fault.column, ..Location::object(url) };
    Error::input(fault.problem, location).remedy(remedy)
}
