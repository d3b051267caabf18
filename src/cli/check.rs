//! `sawmill check`

use super::Global;
use super::run::JobArgs;
use crate::error::{Error, Result};
use crate::pipeline::check_header;
use crate::plan::{self, PlanOptions};
use crate::run::{check_standing, open_stores};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(job.engine.threads)?;
    let mut findings = Findings::default();
    global.say(&format!("ok    job file: {}", job.name));
    // Inputs and targets are looked at whatever is wrong with the other.
    let targets = open_stores(&job, &runtime);
    match plan::build(job, &PlanOptions::default(), &runtime) {
        Err(error) => findings.wrong("inputs and schema", error, global),
        Ok(planned) => {
            let plan = planned.plan;
            global.say(&format!(
                "ok    schema: {} columns; {} {}",
                plan.schema.fields.len(),
                plan.inputs.len(),
                if plan.inputs.len() == 1 { "input" } else { "inputs" }
            ));
            // What is read from a pipe would be missing in the run.
            for input in plan.inputs.iter().filter(|input| input.is_pinned()) {
                runtime.cancel().check()?;
                match check_header(&plan, input, &runtime) {
                    Ok(()) => global.say(&format!("ok    input {}", input.url)),
                    Err(error) => findings.wrong("input", error, global),
                }
            }
            if let Ok(stores) = &targets {
                match check_standing(&plan, stores, &runtime) {
                    Ok(None) => {}
                    Ok(Some(earlier)) => {
                        global.say(&format!("note  attempt {} did this job already", earlier.attempt))
                    }
                    Err(error) => findings.wrong("table", error, global),
                }
            }
        }
    }
    match targets {
        Err(error) => findings.wrong("targets", error, global),
        Ok(stores) => {
            for store in stores {
                match runtime.block_on(store.check_access()) {
                    Ok(()) => global.say(&format!("ok    target {}", store.describe().url)),
                    Err(error) => findings.wrong("target", error, global),
                }
            }
        }
    }
    findings.first.map_or(Ok(()), Err)
}

/// Everything wrong is shown; the first decides the exit code.
#[derive(Default)]
struct Findings {
    first: Option<Error>,
}

impl Findings {
    fn wrong(&mut self, what: &str, error: Error, global: &Global) {
        if self.first.is_some() {
            global.say(&format!("wrong {what}: {error}"));
            if let Some(remedy) = error.what_to_do() {
                global.say(&format!("      help: {remedy}"));
            }
            return;
        }
        // The first is the command's own error and is shown as such at the end.
        self.first = Some(error);
    }
}
