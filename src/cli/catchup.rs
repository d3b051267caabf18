//! `sawmill catchup`

use super::Global;
use super::run::JobArgs;
use crate::commit::{CaughtUp, Depth};
use crate::error::count::{agree, count};
use crate::error::{Error, ErrorKind, Result};
use crate::report::WithError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Read every byte, and copy what differs, too [default: what is missing, or has another size, stored checksum or footer]
    #[arg(long)]
    deep: bool,
    /// Print what was done as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let depth = if args.deep { Depth::Bytes } else { Depth::Footers };
    let (urls, done) = super::tend(&job, &runtime, async |table| {
        let done = table.catch_up_targets(depth).await?;
        Ok((table.identities().into_iter().map(|target| target.url), done))
    })?;
    let failure = failure(&done);
    if args.json {
        super::documents::print_json(&WithError::new(done, failure.as_ref(), global.wording()))?;
        return failure.map_or(Ok(()), Err);
    }
    for version in &done.finished {
        global.say(&format!("{}: finished version {version}", job.name));
    }
    for (url, copied) in urls.zip(&done.copied) {
        global.say(&format!(
            "{url}: {copied} of {} {} copied there",
            count(done.files, "file"),
            agree(*copied, "was", "were")
        ));
    }
    if done.removed > 0 {
        let removed = count(done.removed, "file");
        global.say(&format!("{}: {removed} that were replaced meanwhile are removed", job.name));
    }
    for damage in &done.unrepaired {
        global.say_wrong(&format!("wrong {} (version {}): {}", damage.url, damage.version, damage.what));
    }
    if !done.deep {
        global.say(
            "note  bytes were not compared, only sizes, footers and, where a target stores them, checksums: \
             `sawmill catchup --deep` compares them",
        );
    }
    failure.map_or(Ok(()), Err)
}

/// What is not as the log says and stays so.
fn failure(done: &CaughtUp) -> Option<Error> {
    if let Some(first) = done.lost.first() {
        let message = format!(
            "{} {} no longer in any target: {first}",
            count(done.lost.len(), "file"),
            agree(done.lost.len(), "is", "are")
        );
        return Some(Error::new(ErrorKind::Damage { message }).remedy(
            "restore them from object versions, or write their inputs again with `sawmill run --reprocess`; \
             `sawmill recover --give-up-lost` ends the search for them",
        ));
    }
    let damage = done.unrepaired.first()?;
    let message = format!("{}: {}, and its bytes are those that were written", damage.url, damage.what);
    Some(
        Error::new(ErrorKind::Damage { message })
            .remedy("write its inputs again with `sawmill run --reprocess`"),
    )
}
