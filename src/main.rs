//! Flags → job → exit code.

use sawmill::cli::{Cli, report_bad_flags};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::of_process() {
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
            cli.report_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
