//! What the blocks say of their records, added up and checked against each other.

use super::parser::ParsedBlock;
use crate::account;
use crate::documents::{Findings, Plan, RecordCounts, SplitAccount, Task};
use crate::encode::Consumed;
use crate::error::count::count;
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::spec::EmptyInput;
use crate::split::place::EMPTY_REMEDY;

/// Counts what passes from the parsers to the writers, and checks it against
/// what the block cutter counted before and what the job allows to be rejected.
pub(super) struct Ledger<'a> {
    plan: &'a Plan,
    accounts: Vec<SplitAccount>,
    /// Whether the last block of each split has come.
    complete: Vec<bool>,
    /// Over all splits.
    total: RecordCounts,
    findings: Findings,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(plan: &'a Plan, task: &Task) -> Self {
        let accounts = task.splits.iter().map(|split| SplitAccount {
            input: split.input,
            start: split.range.map_or(0, |range| range.start),
            ..SplitAccount::default()
        });
        Ledger {
            plan,
            accounts: accounts.collect(),
            complete: vec![false; task.splits.len()],
            total: RecordCounts::default(),
            findings: Findings::default(),
        }
    }

    /// Enters a block; blocks come in order.
    pub(super) fn enter(&mut self, block: &ParsedBlock) -> Result<()> {
        let plan = self.plan;
        let account = &mut self.accounts[block.split];
        let url = &plan.inputs[account.input].url;
        let parsed = block.not_data + block.data_records;
        if block.records_cut != parsed {
            let message = format!(
                "{url}: the block cutter counted {} in a block, the parser {parsed}",
                count(block.records_cut, "record")
            );
            return Err(ErrorKind::Accounting { message }.into());
        }
        let tiled = block.tiles.bytes();
        if tiled != block.text_bytes {
            let message = format!(
                "{url}: of {} of a block, {tiled} are data, header, comments, blank lines or footer",
                count(block.text_bytes, "byte")
            );
            return Err(ErrorKind::Accounting { message }.into());
        }
        self.complete[block.split] |= block.last;
        let written: usize = block.rows.iter().map(|rows| rows.batch.num_rows()).sum();
        let records = RecordCounts {
            read: block.data_records,
            written: written as u64,
            filtered: block.filtered,
            rejected: block.findings.rejected.iter().map(|reason| reason.records).sum(),
            deduplicated: block.deduplicated,
        };
        account.records += records;
        if account.first_reject.is_none() {
            account.first_reject = block.findings.first_reject();
        }
        account.text_bytes += block.text_bytes;
        account.data_bytes += block.tiles.data_bytes;
        account.not_data.add(&block.tiles.not_data);
        self.total += records;
        self.findings.add(&block.findings);
        let nothing = block.last && account.records.read == 0 && account.start == 0;
        if nothing && plan.job.source.empty_input == EmptyInput::Fail {
            let problem =
                if plan.dialect.framing.header { InputProblem::HeaderOnly } else { InputProblem::NoRecords };
            return Err(Error::input(problem, Location::object(url)).remedy(EMPTY_REMEDY));
        }
        if records.rejected > 0 {
            let in_input = self.of_input(self.accounts[block.split].input);
            account::check_counts(&plan.job.errors, url, in_input, self.total, &self.findings)?;
        }
        Ok(())
    }

    /// Rows of a split that had waited: what is written of them, and what repeats a key.
    pub(super) fn settle(&mut self, split: usize, written: u64, deduplicated: u64) {
        let records = RecordCounts { written, deduplicated, ..RecordCounts::default() };
        self.accounts[split].records += records;
        self.total += records;
    }

    /// The records of one input, as far as this task has come.
    fn of_input(&self, input: usize) -> RecordCounts {
        let mut records = RecordCounts::default();
        for account in self.accounts.iter().filter(|account| account.input == input) {
            records += account.records;
        }
        records
    }

    /// The accounts, if every split was read to its end, and what was found.
    pub(super) fn close(self) -> Result<(Vec<SplitAccount>, Findings)> {
        for (account, complete) in self.accounts.iter().zip(&self.complete) {
            let url = &self.plan.inputs[account.input].url;
            // An input without a byte has no blocks.
            if !complete && account.text_bytes > 0 {
                let message = format!("{url} was not read to its end");
                return Err(ErrorKind::Accounting { message }.into());
            }
        }
        Ok((self.accounts, self.findings))
    }

    /// What has been entered so far.
    pub(super) fn consumed(&self) -> Consumed {
        let text_bytes = self.accounts.iter().map(|account| account.text_bytes).sum();
        Consumed { records: self.total, text_bytes, ..Consumed::default() }
    }

    pub(super) fn records_read(&self) -> u64 {
        self.total.read
    }
}
