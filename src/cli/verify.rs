//! `sawmill verify`

use super::Global;
use super::run::JobArgs;
use crate::commit::{Audit, Damage, Depth, Fault, FilesOf, Table, Unseen, create_again};
use crate::error::count::{agree, count};
use crate::error::lists::numbered;
use crate::error::{Error, ErrorKind, Result};
use crate::report::WithError;
use indicatif::HumanBytes;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Read every byte of every file and compare its SHA-256 [default: sizes, stored checksums and footers]
    #[arg(long)]
    deep: bool,
    /// Print what was found as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let depth = if args.deep { Depth::Bytes } else { Depth::Footers };
    let audit = runtime.wait(async {
        let table = Table::open(&job).await?;
        table.audit(depth).await
    })?;
    let unsound = verdict(&audit);
    if args.json {
        super::documents::print_json(&WithError::new(audit, unsound.as_ref(), global.wording()))?;
    } else {
        describe(&job.name, job.targets.len(), &audit, global);
    }
    unsound.map_or(Ok(()), Err)
}

fn describe(job: &str, targets: usize, audit: &Audit, global: &Global) {
    let gone = audit.damages.iter().filter(|damage| damage.kind == Fault::Bucket).count();
    let seen = targets - audit.unseen.len() - gone;
    global.say(&format!(
        "{job}: version {}: {}, {}, {} in {}{}{}",
        audit.version,
        count(audit.files, "file"),
        count(audit.rows, "row"),
        HumanBytes(audit.bytes),
        if seen == 1 { "" } else { "each of " },
        count(seen, "target"),
        if audit.unseen.is_empty() && gone == 0 { "" } else { agree(seen, " that answers", " that answer") },
    ));
    for version in &audit.unfinished {
        global.say(&match audit.publishing.contains(version) {
            true => format!("note  a run is publishing version {version}: its files are not checked yet"),
            false => format!(
                "note  version {version} is decided, but not yet visible and announced everywhere: no run is working on it"
            ),
        });
    }
    if audit.outdated > 0 {
        global.say(&format!(
            "note  {} written before the table's columns changed: such files lack columns or have narrower types, and \
             readers that take the columns of one file for those of all need them written anew, with \
             `sawmill run --reprocess`",
            count(audit.outdated, "file")
        ));
    }
    for FilesOf { version, files, rows } in &audit.given_up {
        global.say(&format!(
            "note  version {version}: given up as lost: {} with {}",
            count(files.len(), "file"),
            count(*rows, "row")
        ));
    }
    for damage in &audit.damages {
        let lost = if damage.lost { ", and no target holds it" } else { "" };
        global
            .say_wrong(&format!("wrong {} (version {}): {}{lost}", damage.url, damage.version, damage.what));
    }
    for stranger in &audit.strangers {
        global.say(&format!("note  {}: it is not in the log", stranger.url));
    }
    super::say_unseen(&audit.unseen, global);
}

/// What is wrong, with what repairs it; what could not be seen, only if nothing is.
fn verdict(audit: &Audit) -> Option<Error> {
    let mut broken_off = audit.unfinished.clone();
    broken_off.retain(|version| !audit.publishing.contains(version));
    let message = match (audit.damages.len(), broken_off.as_slice()) {
        (0, []) => return audit.unseen.first().map(Unseen::failure),
        (0, versions) => {
            let are = agree(versions.len(), "is", "are");
            let versions = numbered("version", versions.iter().copied());
            format!("{versions} {are} decided, but not yet visible and announced everywhere")
        }
        (found, _) => {
            format!("{} {} not as the log says", count(found, "object"), agree(found, "is", "are"))
        }
    };
    let mut remedies = Vec::new();
    if audit.unseen.iter().any(Unseen::is_silent) {
        remedies.push("first bring back the targets that did not answer: they may hold what the others lack");
    } else if !audit.unseen.is_empty() {
        remedies.push(
            "first make the targets readable that could not be checked: they may hold what the others lack",
        );
    }
    let gone = audit.damages.iter().find(|damage| damage.kind == Fault::Bucket);
    let gone = gone.map(|damage| create_again(&damage.url));
    remedies.extend(gone.as_deref());
    let is_copied = |damage: &&Damage| !damage.lost && !matches!(damage.kind, Fault::Columns | Fault::Bucket);
    let mut copied = audit.damages.iter().filter(is_copied).peekable();
    if copied.peek().is_some() {
        // What can only be seen by reading every byte, only that repairs.
        remedies.push(match copied.any(|damage| damage.kind == Fault::Bytes) {
            true => {
                "`sawmill catchup --deep` with the same job copies from another target what differs in one"
            }
            false => "`sawmill catchup` with the same job copies from another target what one has lost",
        });
    } else if !broken_off.is_empty() {
        remedies.push("finish them with `sawmill recover`");
    }
    if audit.damages.iter().any(|damage| damage.kind == Fault::Columns) {
        remedies.push(
            "files that do not have the columns of the table: write their inputs again with `sawmill run --reprocess`",
        );
    }
    if audit.damages.iter().any(|damage| damage.lost) {
        remedies.push(
            "files that no target holds: restore them from object versions, or write their inputs again \
             with `sawmill run --reprocess`",
        );
    }
    Some(Error::new(ErrorKind::Damage { message }).remedy(remedies.join("; ")))
}
