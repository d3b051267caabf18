//! `sawmill recover`

use super::Global;
use super::run::JobArgs;
use crate::error::{Error, Result};
use crate::report::recovery;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Give this attempt up, though it may be alive: it will never be part of the table. Repeatable
    #[arg(long, value_name = "ATTEMPT")]
    give_up: Vec<String>,
    /// Give up the files that no target holds any more: they are no longer expected, the rest of their versions remains
    #[arg(long)]
    give_up_lost: bool,
    /// Print what was done as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let recovered = super::tend(&job, &runtime, async |table| {
        let mut history = table.checked_history().await?;
        for attempt in &args.give_up {
            if !table.knows(attempt).await? {
                let message = format!("the table has no attempt {attempt:?} that could be given up");
                return Err(
                    Error::usage(message).remedy("`sawmill recover` names those that it leaves alone")
                );
            }
            let reports = table.recorded(attempt).await?;
            if let Some(error) = table.give_up(attempt, &reports, "given up by hand").await? {
                return Err(error);
            }
        }
        table.catch_up(&mut history).await?;
        let given_up = match args.give_up_lost {
            true => table.give_up_lost(&mut history).await?,
            false => Vec::new(),
        };
        let mut recovered = table.recover(&mut history, None).await?;
        recovered.given_up = given_up;
        recovered.fenced.extend(args.give_up.iter().cloned());
        Ok(recovered)
    })?;
    if args.json {
        return super::documents::print_json(&recovered);
    }
    global.say(&format!("{}: {}", job.name, recovery(&recovered)));
    Ok(())
}
