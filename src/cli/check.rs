//! `sawmill check`

use super::Global;
use super::run::JobArgs;
use crate::columns::check_header;
use crate::commit::{Choice, Standing, Table};
use crate::documents::Plan;
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{self, PlanOptions};
use crate::run::{TableState, choose};
use crate::runtime::Runtime;
use crate::source;
use crate::spec::JobSpec;
use crate::store::check_access;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(job.engine.threads, &job.engine)?;
    let mut check = Check { global, runtime: &runtime, first: None };
    global.say(&format!("ok    job file: {}", job.name));
    // Inputs and targets are looked at whatever is wrong with the other.
    let state = check.targets(&job)?;
    let plan = check.inputs(job, state.is_some())?;
    if let (Some(mut state), Some(plan)) = (state, plan) {
        check.standing(&mut state, &plan);
    }
    runtime.cancel().check()?;
    check.first.map_or(Ok(()), Err)
}

/// Everything wrong is shown where it is found; the first decides the exit code.
struct Check<'a> {
    global: &'a Global,
    runtime: &'a Runtime,
    first: Option<Error>,
}

impl Check<'_> {
    /// Access to every target, and what a run would find there.
    fn targets(&mut self, job: &JobSpec) -> Result<Option<TableState>> {
        let Some(table) = self.or_wrong("targets", self.runtime.wait(Table::open(job))) else {
            return Ok(None);
        };
        let mut accessible = true;
        for store in table.stores() {
            self.runtime.cancel().check()?;
            // What it begins it also removes, so it is not let go of at once.
            let access = self.runtime.cancel().in_time(check_access(store.as_ref()));
            match self.runtime.block_on(access).unwrap_or_else(|| Err(ErrorKind::Interrupted.into())) {
                Ok(()) => self.global.say(&format!("ok    target {}", store.describe().url)),
                Err(error) => {
                    self.wrong("target", error);
                    accessible = false;
                }
            }
        }
        if !accessible {
            self.note("the table was not checked, as not every target can be written to");
            return Ok(None);
        }
        let state = self.or_wrong("table", TableState::open(job, self.runtime));
        for version in state.iter().flat_map(|state| &state.unfinished) {
            self.note(&format!(
                "version {version} is decided, but not yet visible and announced everywhere: a run finishes it first"
            ));
        }
        Ok(state)
    }

    /// Schema and every header, of those inputs that a run would read. The plan of that run, if there would be one.
    /// `may_look`: whether the table can be read, or else that was said.
    fn inputs(&mut self, job: JobSpec, may_look: bool) -> Result<Option<Plan>> {
        let mut options = PlanOptions::default();
        let choice = if job.source.incremental { Choice::New } else { Choice::All };
        let chosen = match (choice, may_look) {
            (Choice::All, false) => Ok(true),
            _ => choose(&job, choice, &mut options, self.runtime),
        };
        let is_chosen = match self.or_wrong("inputs", chosen) {
            Some(true) => true,
            Some(false) => {
                self.note("nothing to do: every input was read by a version of the table");
                return Ok(None);
            }
            // Their headers can be looked at all the same.
            None => false,
        };
        let spec = job.clone();
        let planned = match plan::build(job, &options, self.runtime) {
            Ok(planned) => planned,
            // What keeps inputs from being chosen most likely keeps them from being read, and was said.
            Err(_) if !is_chosen => return Ok(None),
            Err(error) => {
                let error = plan::with_tried_remedies(error, &spec, &options, self.runtime);
                self.wrong("inputs and schema", error);
                return Ok(None);
            }
        };
        let plan = planned.plan;
        self.global.say(&format!(
            "ok    schema: {}; {}",
            count(plan.schema.fields.len(), "column"),
            count(plan.inputs.len(), "input")
        ));
        // What is read from a pipe would be missing in the run.
        for input in plan.inputs.iter().filter(|input| input.is_pinned()) {
            self.runtime.cancel().check()?;
            let checked = check_header(&plan, input, self.runtime);
            match checked.map_err(|error| source::or_changed(error, &plan.inputs)) {
                Ok(()) => self.global.say(&format!("ok    input {}", input.url)),
                Err(error) => self.wrong("input", error),
            }
        }
        Ok(is_chosen.then_some(plan))
    }

    fn standing(&mut self, state: &mut TableState, plan: &Plan) {
        match state.standing(plan, self.runtime) {
            Ok(Standing::Free) => self.global.say("ok    table"),
            Ok(Standing::AlreadyDone(done)) => self.note(&format!(
                "nothing to do: attempt {} already did this job on these inputs, as version {}",
                done.commit.attempt, done.version
            )),
            Err(error) => self.wrong("table", error),
        }
    }

    fn note(&self, text: &str) {
        self.global.say(&format!("note  {text}"));
    }

    fn or_wrong<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.wrong(what, error)).ok()
    }

    fn wrong(&mut self, what: &str, error: Error) {
        if matches!(error.kind(), ErrorKind::Interrupted) {
            return;
        }
        self.global.say_wrong(&format!("wrong {what}: {error}"));
        if let Some(remedy) = error.what_to_do() {
            self.global.say_wrong(&format!("      help: {remedy}"));
        }
        // The command ends with it, after everything else was shown.
        self.first.get_or_insert(error);
    }
}
