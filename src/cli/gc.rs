//! `sawmill gc`

use super::Global;
use super::run::JobArgs;
use crate::commit::Table;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Remove what was found [default: only say what it is]
    #[arg(long)]
    delete: bool,
    /// Print what was found as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1)?;
    let garbage = runtime.block_on(async {
        let table = Table::open(&job).await?;
        table.collect_garbage(args.delete).await
    })?;
    if args.json {
        return super::documents::print_json(&garbage);
    }
    for url in garbage.files.iter().chain(&garbage.documents) {
        global.say(url);
    }
    let count = format!("{} files and {} documents", garbage.files.len(), garbage.documents.len());
    global.say(&match args.delete {
        true => format!("{}: removed {count}", job.name),
        false => format!("{}: {count} can be removed, with --delete", job.name),
    });
    Ok(())
}
