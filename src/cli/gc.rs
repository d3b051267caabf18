//! `sawmill gc`

use super::Global;
use super::run::JobArgs;
use crate::commit::{OpenUploads, Unseen};
use crate::error::Result;
use crate::error::count::count;
use crate::report::WithError;
use indicatif::{HumanBytes, HumanDuration};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Keep files of a versioned layout that were replaced less than this many hours ago
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    keep_hours: u64,
    /// Remove what was found [default: only say what it is]
    #[arg(long)]
    delete: bool,
    /// Print what was found as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let keep = Duration::from_secs(args.keep_hours.saturating_mul(3600));
    let garbage = super::tend(&job, &runtime, async |table| table.collect_garbage(keep, args.delete).await)?;
    let unseen = garbage.unseen.first().map(Unseen::failure);
    if args.json {
        super::documents::print_json(&WithError::new(garbage, unseen.as_ref(), global.wording()))?;
        return unseen.map_or(Ok(()), Err);
    }
    super::say_unseen(&garbage.unseen, global);
    for url in garbage.files.iter().chain(&garbage.documents) {
        global.say(url);
    }
    for uploads in &garbage.uploads {
        let OpenUploads { attempt, planned_at, age_seconds, count: staged, left, bytes } = uploads;
        let size = bytes.map(|bytes| format!(", {}", HumanBytes(bytes))).unwrap_or_default();
        let age = HumanDuration(Duration::from_secs(u64::try_from(*age_seconds).unwrap_or(0)));
        let files = count(*staged, "staged file");
        let left = match left {
            0 => String::new(),
            left => format!("; {left} more may still be there"),
        };
        global.say(&format!(
            "{files} of attempt {attempt}, which is dead{size}; planned {planned_at}, {age} ago{left}"
        ));
    }
    let staged: u64 = garbage.uploads.iter().map(|uploads| uploads.count).sum();
    let found = format!(
        "{}, {} and {}",
        count(garbage.files.len(), "file"),
        count(garbage.documents.len(), "document"),
        count(staged, "staged file")
    );
    global.say(&match args.delete {
        true => format!("{}: removed {found}", job.name),
        false => format!("{}: {found} can be removed, with --delete", job.name),
    });
    let left: u64 = garbage.uploads.iter().map(|uploads| uploads.left).sum();
    if left > 0 || !garbage.left.is_empty() {
        garbage.left.iter().for_each(|url| global.say_wrong(&format!("left  {url}")));
        let (objects, staged) = (count(garbage.left.len(), "object"), count(left, "staged file"));
        global.say_wrong(&format!("{}: {objects} and {staged} may still be there", job.name));
    }
    unseen.map_or(Ok(()), Err)
}
