//! `sawmill plan`

use super::Global;
use super::documents::DocumentArgs;
use super::run::{JobArgs, ReprocessArgs};
use crate::commit::{Standing, Table};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::plan::{self, PlanOptions};
use crate::run::choose;
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
    let runtime = global.runtime(job.engine.threads)?;
    let mut options = PlanOptions {
        tasks: args.tasks.get(),
        split_bytes: args.split_bytes.map(NonZeroU64::get),
        ..PlanOptions::default()
    };
    if !choose(&job, args.reprocess.choice(&job)?, &mut options, &runtime)? {
        return Err(nothing_new(&job.source.inputs));
    }
    let plan = plan::build(job, &options, &runtime)?.plan;
    if let Some(pipe) = plan.inputs.iter().find(|input| !input.is_pinned()) {
        let message = format!("{} is a pipe: tasks could not read again what planning has read", pipe.url);
        return Err(Error::usage(message).remedy("use `sawmill run` or `sawmill convert`"));
    }
    let table = runtime.block_on(Table::open(&plan.job))?;
    let standing = runtime.block_on(async {
        let mut history = table.history().await?;
        table.check_places(&mut history).await?;
        table.standing(&mut history, &plan).await
    });
    if let Standing::AlreadyDone(done) = standing? {
        global.say(&format!(
            "note: attempt {} did this job on these inputs already, as version {}; this plan would be refused",
            done.commit.attempt, done.version
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

/// A plan without inputs is none, and tasks that wait for one should not be started.
fn nothing_new(inputs: &[String]) -> Error {
    Error::new(ErrorKind::Source(StoreFailure {
        operation: "find new inputs in".into(),
        url: inputs.join(", "),
        region: None,
        attempts: None,
        elapsed: None,
        reason: StoreReason::NoMatch,
        detail: "the table holds the rows of all that are there".into(),
    }))
    .remedy("nothing need be done; `--reprocess` reads them again")
}
