//! `sawmill recover`

use super::Global;
use super::run::JobArgs;
use crate::commit::Table;
use crate::error::Result;
use crate::report::recovery;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Give this attempt up, though it may be alive: it will never be part of the table. Repeatable
    #[arg(long, value_name = "ATTEMPT")]
    give_up: Vec<String>,
    /// Print what was done as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1)?;
    let recovered = runtime.block_on(async {
        let table = Table::open(&job).await?;
        for attempt in &args.give_up {
            let reports = table.recorded(attempt).await?;
            if let Some(error) = table.give_up(attempt, &reports, "given up by hand").await? {
                return Err(error);
            }
        }
        let mut history = table.history().await?;
        table.recover(&mut history, None).await
    })?;
    if args.json {
        return super::documents::print_json(&recovered);
    }
    global.say(&format!("{}: {}", job.name, recovery(&recovered)));
    Ok(())
}
