//! The command line: one file a command.

mod arguments;
mod catchup;
mod check;
mod commit;
mod convert;
mod dialect;
mod documents;
mod failure;
mod gc;
mod ignored;
mod infer;
mod log;
mod messages;
mod places;
mod plan;
mod promote;
mod recover;
mod run;
mod signals;
mod task;
mod verify;

pub use failure::report_bad_flags;

use crate::commit::{Table, Unseen};
use crate::error::{Error, ErrorKind, Result, Wording};
use crate::report::FailureReport;
use crate::runtime::Runtime;
use crate::spec::{EngineSpec, JobSpec};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use messages::{LogFormat, Messages, color_of};
use std::io::Write;

/// CSV in, partitioned Parquet out, in every target or in none.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 2 usage or job file, 3 input data, 4 input not found, not readable or changed, \
5 target, 6 records do not add up or a file is not fit for its readers, 7 temporary files, \
8 another run was first, 9 a target does not hold what the log says, or there is no table, 130 interrupted.";

/// Flags of every command.
#[derive(Debug, Clone, clap::Args)]
struct Global {
    #[command(flatten)]
    messages: Messages,
    /// Threads that compute; 0 is one for each core. Never changes what is written [default: the job's, or 0]
    #[arg(long, global = true, value_name = "N", help_heading = messages::OF_EVERY_COMMAND)]
    threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job: plan, task and commit in one process
    Run(run::Args),
    /// Convert CSV to Parquet without a job file
    Convert(convert::Args),
    /// Print dialect and column types of CSV as a schema file to keep
    Infer(infer::Args),
    /// Check a job without writing: the file, every header, access to inputs and targets, what a run would refuse
    Check(check::Args),
    /// First of the three steps of `run`: list and pin the inputs, settle the schema, cut the work into tasks
    Plan(plan::Args),
    /// Second step: carry out one task of a plan; files are staged in every target, invisible
    Task(task::Args),
    /// Third step: verify the task reports and make the files visible in every target
    Commit(commit::Args),
    /// Finish what was decided and broke off, remove what dead runs have staged
    Recover(recover::Args),
    /// Show what happened to the table: every version, and what was given up
    Log(log::Args),
    /// Check every target against the log: files, sizes, checksums, columns and rows
    Verify(verify::Args),
    /// Copy to each target what it lacks and another holds, after an outage or for a new target
    Catchup(catchup::Args),
    /// Make another target home, where the log stands, when the first one is lost
    Promote(promote::Args),
    /// Find what is no longer needed: replaced files, and what dead runs have left: documents, files and open uploads
    Gc(gc::Args),
}

impl Cli {
    /// The flags of this process.
    ///
    /// # Errors
    /// What is wrong with them, or the help that they ask for, in the colors that they ask for.
    pub fn of_process() -> Result<Cli, clap::Error> {
        let mut command = Cli::command().color(color_of(std::env::args_os()));
        let mut cli = Cli::from_arg_matches(&command.try_get_matches_from_mut(arguments::of_process())?)?;
        cli.global.messages.wording = cli.command.wording(&command);
        match cli.global.messages.conflict() {
            Some(conflict) => Err(command.error(clap::error::ErrorKind::ArgumentConflict, conflict)),
            None => Ok(cli),
        }
    }

    /// Sends log messages to standard error, as many as the flags or `RUST_LOG` say.
    pub fn start_logging(&self) {
        self.global.messages.start_logging();
    }

    /// Writes an error with its place and remedy to standard error, and as a document to
    /// standard output if `--json` was given and nothing was printed there.
    pub fn report_error(&self, error: &Error) {
        self.global.messages.error(error);
        let report = FailureReport::from(error);
        failure::print_if_expected(&FailureReport { error: report.error.worded(self.wording()), ..report });
    }

    fn wording(&self) -> &Wording {
        &self.global.messages.wording
    }

    /// Whether the command was asked for one JSON document on standard output.
    fn wants_json(&self) -> bool {
        match &self.command {
            Command::Run(args) => args.json,
            Command::Convert(args) => args.json,
            Command::Commit(args) => args.json,
            Command::Recover(args) => args.json,
            Command::Log(args) => args.json,
            Command::Verify(args) => args.json,
            Command::Catchup(args) => args.json,
            Command::Promote(args) => args.json,
            Command::Gc(args) => args.json,
            Command::Infer(_) | Command::Check(_) | Command::Plan(_) | Command::Task(_) => false,
        }
    }

    /// Runs the command to its end.
    pub fn run(&self) -> Result<()> {
        if self.wants_json() {
            failure::expect_document();
        }
        self.run_command().map_err(|error| match error.kind() {
            ErrorKind::Interrupted if error.what_to_do().is_none() => {
                error.remedy("run the same command again: it continues from what is there")
            }
            _ => error,
        })
    }

    fn run_command(&self) -> Result<()> {
        match &self.command {
            Command::Run(args) => run::run(args, &self.global),
            Command::Convert(args) => convert::run(args, &self.global),
            Command::Infer(args) => infer::run(args, &self.global),
            Command::Check(args) => check::run(args, &self.global),
            Command::Plan(args) => plan::run(args, &self.global),
            Command::Task(args) => task::run(args, &self.global),
            Command::Commit(args) => commit::run(args, &self.global),
            Command::Recover(args) => recover::run(args, &self.global),
            Command::Log(args) => log::run(args, &self.global),
            Command::Verify(args) => verify::run(args, &self.global),
            Command::Catchup(args) => catchup::run(args, &self.global),
            Command::Promote(args) => promote::run(args, &self.global),
            Command::Gc(args) => gc::run(args, &self.global),
        }
    }
}

impl Command {
    /// How the messages of the command name settings; `all` has its flags, once it was matched.
    fn wording(&self, all: &clap::Command) -> Wording {
        let name = match self {
            Command::Convert(_) => "convert",
            Command::Infer(_) => "infer",
            _ => return Wording::Keys,
        };
        let flags = all.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
        Wording::Flags(flags.filter_map(clap::Arg::get_long).map(str::to_owned).collect())
    }
}

/// Tells of targets that did not answer.
fn say_unseen(unseen: &[Unseen], global: &Global) {
    for unseen in unseen {
        global.say_wrong(&format!("note  {unseen}"));
    }
}

impl Global {
    /// Tells a person what was done or found; `--quiet` leaves it out.
    fn say(&self, text: &str) {
        self.messages.note(text);
    }

    /// How messages name settings.
    fn wording(&self) -> &Wording {
        &self.messages.wording
    }

    /// Tells a person what is wrong, whatever the flags.
    fn say_wrong(&self, text: &str) {
        self.messages.wrong(text);
    }

    /// A runtime with `threads` (unless the flag says otherwise) that SIGINT,
    /// SIGTERM and SIGHUP stop, unless the process began with them ignored.
    fn runtime(&self, threads: usize, engine: &EngineSpec) -> Result<Runtime> {
        let runtime = Runtime::new(self.threads.unwrap_or(threads))?;
        runtime.cancel().shutdown().take_at_most(engine.shutdown_seconds);
        signals::stop_cleanly(&runtime);
        Ok(runtime)
    }
}

/// Does something for the table of a job until it is done or a signal comes: what was begun is then
/// removed, as far as `engine.shutdown_seconds` allow, and what is left is named.
fn tend<T>(job: &JobSpec, runtime: &Runtime, work: impl AsyncFnOnce(&Table) -> Result<T>) -> Result<T> {
    let table = runtime.wait(Table::open(job))?.stopped_by(runtime.cancel());
    runtime.block_on(table.until_stopped(work(&table))).map_err(|error| {
        match (error.kind(), runtime.cancel().shutdown().last_words()) {
            (ErrorKind::Interrupted, Some(words)) => error.remedy(words),
            _ => error,
        }
    })
}

fn current_directory() -> Result<std::path::PathBuf> {
    std::env::current_dir().map_err(|e| Error::usage(format!("the current directory is not known: {e}")))
}

/// Writes to standard output; a reader that went away (`| head`) is not an error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::usage(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// A policy by the word that the job file has for it.
fn policy<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod settings_tests;
