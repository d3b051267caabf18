//! `sawmill check`

use super::Global;
use super::run::JobArgs;
use crate::commit::{Standing, Table};
use crate::error::{Error, Result};
use crate::pipeline::check_header;
use crate::plan::{self, PlanOptions};

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
    let table = runtime.block_on(Table::open(&job));
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
            if let Ok(table) = &table {
                let standing = runtime.block_on(async {
                    let mut history = table.history().await?;
                    table.standing(&mut history, &plan).await
                });
                match standing {
                    Ok(Standing::Free) => {}
                    Ok(Standing::AlreadyDone(done)) => global.say(&format!(
                        "note  attempt {} did this job already, as version {}",
                        done.commit.attempt, done.version
                    )),
                    Err(error) => findings.wrong("table", error, global),
                }
            }
        }
    }
    match table {
        Err(error) => findings.wrong("targets", error, global),
        Ok(table) => {
            for store in table.stores() {
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
            global.say_wrong(&format!("wrong {what}: {error}"));
            if let Some(remedy) = error.what_to_do() {
                global.say_wrong(&format!("      help: {remedy}"));
            }
            return;
        }
        // The first is the command's own error and is shown as such at the end.
        self.first = Some(error);
    }
}
