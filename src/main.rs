//! Flags → job → exit code.

use clap::Parser;
use sawmill::cli::{Cli, report_bad_flags, report_error};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            report_bad_flags(&error);
            error.exit();
        }
    };
    cli.start_logging();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&error, cli.log_format());
            ExitCode::from(error.kind().exit_code())
        }
    }
}
