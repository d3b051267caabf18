//! `sawmill plan`

use super::Global;
use super::documents::DocumentArgs;
use super::run::{JobArgs, ReprocessArgs};
use crate::documents::Plan;
use crate::error::count::count;
use crate::error::{Error, Result};
use crate::plan::PlanOptions;
use crate::run::{Outlook, TableState, preview};
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
    reprocess: ReprocessArgs,
    #[command(flatten)]
    documents: DocumentArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let destination = args.documents.destination(&args.output)?;
    let runtime = global.runtime(job.engine.threads, &job.engine)?;
    let options = PlanOptions {
        tasks: args.tasks.get(),
        split_bytes: args.split_bytes.map(NonZeroU64::get),
        ..PlanOptions::default()
    };
    let choice = args.reprocess.choice(&job)?;
    let (TableState { unfinished, .. }, outlook) = preview(job.clone(), choice, options, &runtime)?;
    for version in unfinished {
        global.say(&format!(
            "note: version {version} is decided, but not yet visible and announced everywhere: \
             `sawmill commit` of this plan finishes it first"
        ));
    }
    // A plan is written all the same: what is scheduled to come next reads it, and has nothing to do either.
    let plan = match outlook {
        Outlook::Free(planned) => planned.plan,
        Outlook::AlreadyDone(plan, done) => {
            global.say(&format!(
                "{}: nothing to do. Attempt {} already did this job on these inputs, as version {}: \
                 tasks and commit of this plan do nothing",
                job.name, done.commit.attempt, done.version
            ));
            *plan
        }
        Outlook::NothingNew => {
            global.say(&format!(
                "{}: nothing to do. Every input was read by an earlier run: the plan has no tasks",
                job.name
            ));
            Plan::of_nothing(job)?
        }
    };
    if let Some(pipe) = plan.inputs.iter().find(|input| !input.is_pinned()) {
        let message = format!("{} is a pipe: tasks could not read again what planning has read", pipe.url);
        return Err(Error::usage(message).remedy("use `sawmill run` or `sawmill convert`"));
    }
    destination.write(&plan, &runtime)?;
    global.say(&format!(
        "{}: planned {} in {}, attempt {}",
        plan.job.name,
        count(plan.inputs.len(), "input"),
        count(plan.tasks.len(), "task"),
        plan.attempt
    ));
    Ok(())
}
