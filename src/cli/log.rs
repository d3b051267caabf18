//! `sawmill log`

use super::Global;
use super::run::JobArgs;
use crate::commit::{Entry, Event, FilesOf, Table};
use crate::documents::Removed;
use crate::error::Result;
use crate::error::count::{agree, count};
use crate::error::lists::numbered;
use crate::report::{LoggedEntry, foreign_part, removal};
use indicatif::HumanBytes;
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// The first version to show
    #[arg(long, value_name = "VERSION", default_value_t = 1)]
    from: u64,
    /// Print the entries as JSON on standard output: an array of them, each with its number (`version`), of a commit whether it is visible and announced everywhere (`published`), and the targets that did not answer (`unseen`)
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let (entries, open, elsewhere, unseen) = runtime.wait(async {
        let table = Table::open(&job).await?;
        let mut history = table.history().await?;
        // A target that is to catch up since home has changed may hold what is to be shown.
        let (elsewhere, unseen) = table.commits_elsewhere(&mut history).await?;
        let (entries, open) = (table.entries(args.from).await?, table.unfinished(&history).await?);
        Ok::<_, crate::Error>((entries, open, elsewhere, unseen))
    })?;
    // The log is the first target's: what it says holds whoever else answers.
    super::say_unseen(&unseen, global);
    let elsewhere = elsewhere.into_iter().filter(|(_, entry)| entry.version >= args.from);
    let shown = |entry, published, only_in| LoggedEntry { entry, published, only_in, unseen: unseen.clone() };
    let elsewhere = elsewhere.map(|(url, entry)| shown(entry, Some(false), Some(url)));
    let entries: Vec<LoggedEntry> = entries
        .into_iter()
        .map(|entry| {
            let is_commit = matches!(entry.event, Event::Commit(_));
            let published = is_commit.then(|| !open.contains(&entry.version));
            shown(entry, published, None)
        })
        .chain(elsewhere)
        .collect();
    if args.json {
        return super::documents::print_json(&entries);
    }
    if entries.is_empty() {
        global.say(&format!("{}: nothing was ever decided here", job.name));
        return Ok(());
    }
    super::print(&entries.iter().map(line).collect::<String>())
}

fn line(shown: &LoggedEntry) -> String {
    let Entry { version, at, event, .. } = &shown.entry;
    let mut text = format!("{version:>6}  {at}  ");
    // Writing to a String cannot fail.
    let _ = match event {
        Event::Commit(commit) => {
            let replaced = match commit.replaces.as_slice() {
                [] => String::new(),
                versions => format!(", in place of {}", numbered("version", versions.iter().copied())),
            };
            let removed = commit.removed.as_ref().map(removed).unwrap_or_default();
            let state = match (&shown.only_in, shown.published) {
                (Some(url), _) => format!("; not part of the table: only in the log of {url}, run it again"),
                (None, Some(true)) => String::new(),
                (None, _) => "; not finished: `sawmill recover`".into(),
            };
            write!(
                text,
                "commit  {} {}: {}, {}, {} from {} in {}{replaced}{removed}{state}",
                commit.job,
                commit.attempt,
                count(commit.files, "file"),
                count(commit.records.written, "row"),
                HumanBytes(commit.bytes),
                count(commit.inputs, "input"),
                count(commit.partitions.len(), "partition"),
            )
        }
        Event::Fence { attempt, reason } => write!(text, "fence   {attempt}: {reason}"),
        Event::Repair { target, files } => {
            let (files, were) = (count(*files, "file"), agree(*files, "was", "were"));
            write!(text, "repair  {files} {were} copied to {target} from another target")
        }
        Event::Promotion(promotion) => {
            let old = promotion.old_home.as_deref().unwrap_or("a home that is not known");
            write!(
                text,
                "home    {} in place of {old}, whose log is known until entry {} (epoch {})",
                promotion.home, promotion.old_tip, promotion.epoch
            )
        }
        Event::GivenUp { lost } => {
            let lost = lost.iter().map(|FilesOf { version, files, rows }| {
                format!("{} of version {version} with {}", count(files.len(), "file"), count(*rows, "row"))
            });
            write!(text, "lost    given up, as no target holds them: {}", lost.collect::<Vec<_>>().join(", "))
        }
    };
    text.push('\n');
    text
}

fn removed(removed: &Removed) -> String {
    let foreign = removed.foreign.as_ref().map(|foreign| format!(" ({})", foreign_part(foreign)));
    format!("; removed {}{}", removal(removed), foreign.unwrap_or_default())
}
