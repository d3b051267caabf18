//! `sawmill verify`

use super::Global;
use super::run::JobArgs;
use crate::commit::{Audit, Depth, FilesOf, Table};
use crate::count::count;
use crate::error::{Error, ErrorKind, Result};
use crate::report::Found;
use indicatif::{HumanBytes, HumanCount};

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
    let unsound = (!audit.is_sound()).then(|| unsound(&audit));
    if args.json {
        super::documents::print_json(&Found::new(audit, unsound.as_ref()))?;
    } else {
        describe(&job.name, job.targets.len(), &audit, global);
    }
    unsound.map_or(Ok(()), Err)
}

fn describe(job: &str, targets: usize, audit: &Audit, global: &Global) {
    global.say(&format!(
        "{job}: version {}: {} files, {} rows, {} in each of {targets} targets",
        audit.version,
        HumanCount(audit.files as u64),
        HumanCount(audit.rows),
        HumanBytes(audit.bytes),
    ));
    for version in &audit.unfinished {
        global.say(&format!(
            "note  version {version} is decided, and not visible and announced everywhere yet: a run is at it, \
             or `sawmill recover` finishes it"
        ));
    }
    if audit.outdated > 0 {
        global.say(&format!(
            "note  {} are of before a change of the table's columns, and lack some or have narrower types: readers that \
             take the columns of one file for those of all need them written anew, with `sawmill run --reprocess`",
            files(audit.outdated)
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
        global.say_wrong(&format!("wrong {} (version {}): {}", damage.url, damage.version, damage.what));
    }
    for stranger in &audit.strangers {
        global.say(&format!("note  {}: the log does not know it", stranger.url));
    }
}

fn files(count: usize) -> String {
    format!("{} {}", HumanCount(count as u64), if count == 1 { "file" } else { "files" })
}

fn unsound(audit: &Audit) -> Error {
    let (message, remedy) = match audit.damages.len() {
        0 => (
            format!("versions {:?} are decided, and not visible and announced everywhere", audit.unfinished),
            "finish them with `sawmill recover`",
        ),
        count => (
            format!("{count} objects are not as the log says"),
            "`sawmill catchup` copies from another target what one has lost",
        ),
    };
    Error::new(ErrorKind::Damage { message }).remedy(remedy)
}
