//! `sawmill plan`

use super::Global;
use super::documents::DocumentArgs;
use super::run::JobArgs;
use crate::error::{Error, Result};
use crate::plan::{self, PlanOptions};
use crate::run::{check_standing, open_stores};
use std::num::{NonZeroU32, NonZeroU64};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Where the plan goes: a path, an s3:// URL, or `-` for standard output
    #[arg(short, long, value_name = "PLAN", default_value = "-")]
    output: String,
    /// Spread the inputs over this many tasks
    #[arg(long, value_name = "N", default_value = "1")]
    tasks: NonZeroU32,
    /// Cut uncompressed UTF-8 inputs into splits of about this many bytes, at true record boundaries; reads every input once [default: whole inputs]
    #[arg(long, value_name = "BYTES")]
    split_bytes: Option<NonZeroU64>,
    #[command(flatten)]
    documents: DocumentArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    if job.source.inputs.iter().any(|input| input == "-") {
        return Err(Error::usage("standard input cannot be planned: tasks could not read it again")
            .remedy("use `sawmill run` or `sawmill convert`"));
    }
    let runtime = global.runtime(job.engine.threads)?;
    let options = PlanOptions {
        tasks: args.tasks.get(),
        split_bytes: args.split_bytes.map(NonZeroU64::get),
        ..PlanOptions::default()
    };
    let plan = plan::build(job, &options, &runtime)?.plan;
    let stores = open_stores(&plan.job, &runtime)?;
    if let Some(earlier) = check_standing(&plan, &stores, &runtime)? {
        global.say(&format!(
            "note: attempt {} did this job on these inputs already; committing this plan would write them twice",
            earlier.attempt
        ));
    }
    args.documents.write(&args.output, &plan, &runtime)?;
    global.say(&format!(
        "{}: planned {} {} in {} {}, attempt {}",
        plan.job.name,
        plan.inputs.len(),
        if plan.inputs.len() == 1 { "input" } else { "inputs" },
        plan.tasks.len(),
        if plan.tasks.len() == 1 { "task" } else { "tasks" },
        plan.attempt
    ));
    Ok(())
}
