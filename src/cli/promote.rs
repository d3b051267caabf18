//! `sawmill promote`

use super::Global;
use super::run::JobArgs;
use crate::commit::{FilesOf, Loss, Promoted, Table};
use crate::error::count::count;
use crate::error::lists::numbered;
use crate::error::{Error, ErrorKind, Result};
use crate::report::WithError;
use crate::spec::location::{absolute, local_path};
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// The target that becomes home: one of the job's, as written there
    #[arg(long, value_name = "URL")]
    home: String,
    /// Go on even if versions may be lost; without it the command names them and changes nothing
    #[arg(long)]
    accept_loss: bool,
    /// Print what was done, or what may be lost, as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(1, &job.engine)?;
    let promoted = super::tend(&job, &runtime, async |table| {
        let home = position(table, &args.home)?;
        table.promote(home, args.accept_loss).await
    })?;
    let refused = (promoted.version.is_none() && !promoted.was_home).then(|| refused(&promoted));
    if args.json {
        super::documents::print_json(&WithError::new(&promoted, refused.as_ref(), global.wording()))?;
        return refused.map_or(Ok(()), Err);
    }
    for unread in &promoted.unread {
        global.say(&format!("{}: {} was passed over: {}", job.name, unread.url, unread.why));
    }
    match refused {
        Some(error) => Err(error),
        None => {
            global.say(&format!("{}: {}", job.name, told(&promoted)));
            Ok(())
        }
    }
}

/// Which of the job's targets a text means.
fn position(table: &Table, text: &str) -> Result<usize> {
    let wanted = absolute(text, &super::current_directory()?).unwrap_or_else(|_| text.to_owned());
    let urls: Vec<String> = table.identities().into_iter().map(|target| target.url).collect();
    let is_meant = |url: &String| match (local_path(url), local_path(&wanted)) {
        // Paths are compared by their parts, so that a final slash does not matter.
        (Some(place), Some(wanted)) => place == wanted,
        _ => url.trim_end_matches('/') == wanted.trim_end_matches('/'),
    };
    urls.iter().position(is_meant).ok_or_else(|| {
        Error::usage(format!("--home {text:?} is not a target of the job"))
            .remedy(format!("the job has {}", urls.join(", ")))
    })
}

fn told(promoted: &Promoted) -> String {
    let Promoted { home, epoch, newest, .. } = promoted;
    let mut text = match promoted.was_home {
        true => format!("{home} is home already (epoch {epoch})"),
        false => format!(
            "{home} is home now (epoch {epoch}), with version {newest} as its newest. Put it first in `targets` of \
             every job of this table"
        ),
    };
    // Writing to a String cannot fail.
    if let (Some(old), false) = (&promoted.old_home, promoted.was_home) {
        let _ = write!(
            text,
            ", and take {old} out until it is back; then list it later and run `sawmill catchup`"
        );
    }
    if !promoted.unfinished.is_empty() {
        let versions = numbered("version", promoted.unfinished.iter().copied());
        let _ = write!(text, ". The next run, or `sawmill recover`, finishes {versions}");
    }
    if !promoted.loss.is_none() {
        let _ = write!(text, ". {}", what(&promoted.loss));
    }
    text
}

/// What may be missing, for people.
fn what(loss: &Loss) -> String {
    let mut parts = Vec::new();
    for undecided in &loss.undecided {
        parts.push(format!(
            "only the old home knew whether attempt {} of {} ({} of {}) was decided: run it again",
            undecided.attempt,
            undecided.job,
            count(undecided.rows, "row"),
            count(undecided.inputs, "input")
        ));
    }
    for FilesOf { version, files, rows } in &loss.files {
        parts.push(format!(
            "{} of version {version} with {} in no target that answers: run its inputs again with --reprocess",
            count(files.len(), "file"),
            count(*rows, "row")
        ));
    }
    if loss.decided_alone {
        parts.push(
            "with `commit.unreachable_target = \"catch_up\"` the old home may have decided runs while the others did \
             not answer: run those again"
                .into(),
        );
    }
    if !loss.epochs.is_empty() {
        let epochs = numbered("epoch", loss.epochs.iter().copied());
        parts.push(format!("no target that answers knows what was decided in {epochs}"));
    }
    parts.join("; ")
}

fn refused(promoted: &Promoted) -> Error {
    let loss = what(&promoted.loss);
    let (message, remedy) = match promoted.is_begun {
        false => (
            format!("nothing was changed, as something may be lost: {loss}"),
            "bring the old home back, if that can be; or go on without it: the same command with --accept-loss",
        ),
        // No run follows the old home any more.
        true => (
            format!("the change of home has begun, and something may be lost: {loss}"),
            "finish it: the same command with --accept-loss, and the old home among `targets` if it answers again, \
             so that what only it knows is taken over",
        ),
    };
    Error::new(ErrorKind::Damage { message }).remedy(remedy)
}
