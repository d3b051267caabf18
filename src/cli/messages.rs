//! What a command says on standard error beside its error: how much of it, in which
//! form and colour.

use crate::aws::discreet;
use crate::error::{Error, Wording};
use crate::report::{ProgressGuard, progress_bar};
use crate::runtime::Runtime;
use clap::builder::styling::{Style, Styles};
use clap::{ArgAction, ColorChoice, ValueEnum};
use std::ffi::OsString;
use std::io::{self, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Where help lists the flags of every command: behind those of the command itself.
pub(super) const OF_EVERY_COMMAND: &str = "Options of every command";

/// How messages are written: lines for people, or one JSON object a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    // No help of their own, which clap would spread over eight lines in every help.
    Text,
    Json,
}

/// Flags of every command.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Messages {
    /// Only say what is wrong: no progress, notes, warnings or summary. Standard output stays as it is
    #[arg(short, long, global = true, help_heading = OF_EVERY_COMMAND)]
    quiet: bool,
    /// Also say what is being done; -vv: with details, -vvv: those of libraries, too. Takes precedence over RUST_LOG
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = OF_EVERY_COMMAND)]
    verbose: u8,
    /// Whether messages have colors; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(
        long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto,
        help_heading = OF_EVERY_COMMAND
    )]
    color: ColorChoice,
    /// How messages are written to standard error: lines for people, or one JSON object a line
    #[arg(
        long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text,
        help_heading = OF_EVERY_COMMAND
    )]
    log_format: LogFormat,
    /// How settings are named.
    #[arg(skip)]
    pub(super) wording: Wording,
}

impl Messages {
    pub(super) fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// Why the flags cannot be obeyed. Not clap's `conflicts_with`, which sees no conflict
    /// between flags before and after the command.
    pub(super) fn conflict(&self) -> Option<&'static str> {
        (self.quiet && self.verbose > 0).then_some("the argument '--quiet' cannot be used with '--verbose'")
    }

    /// Sends log messages to standard error.
    pub(super) fn start_logging(&self) {
        let (wording, format) = (self.wording.clone(), self.log_format);
        let writer = move || Worded { wording: wording.clone(), format };
        let builder = tracing_subscriber::fmt().with_env_filter(self.filter()).with_writer(writer);
        match self.log_format {
            LogFormat::Text => builder
                .without_time()
                .with_target(false)
                .with_ansi(self.has_colors())
                .finish()
                .with(discreet())
                .init(),
            LogFormat::Json => builder.json().flatten_event(true).finish().with(discreet()).init(),
        }
    }

    /// What passes: as the flags say, else as `RUST_LOG` does, else warnings.
    fn filter(&self) -> EnvFilter {
        let levels = match (self.quiet, self.verbose) {
            (true, _) => "off",
            (false, 0) => {
                return EnvFilter::try_from_default_env()
                    .unwrap_or_else(|_| EnvFilter::new("off,sawmill=warn"));
            }
            // Libraries tell their warnings in structures of their own, and what they warn of comes
            // back as an error, which is told in words.
            (false, 1) => "off,sawmill=info",
            (false, 2) => "off,sawmill=debug",
            (false, 3..) => "debug",
        };
        EnvFilter::new(levels)
    }

    fn has_colors(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // As clap decides it for its own messages: NO_COLOR, TERM, CLICOLOR.
            ColorChoice::Auto => {
                anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
            }
        }
    }

    /// Tells a person what was done or found; `--quiet` leaves it out.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.tell("INFO", text);
        }
    }

    /// The same as fields of a line of JSON.
    pub(super) fn note_fields(&self, fields: serde_json::Value) {
        if !self.quiet {
            json_line(fields);
        }
    }

    /// Tells a person what is wrong, whatever the flags.
    pub(super) fn wrong(&self, text: &str) {
        self.tell("ERROR", text);
    }

    fn tell(&self, level: &str, text: &str) {
        let text = self.wording.shown(text);
        match self.log_format {
            LogFormat::Text => eprintln!("{text}"),
            LogFormat::Json => json_line(serde_json::json!({ "level": level, "message": text })),
        }
    }

    /// The error that a command ends with.
    pub(super) fn error(&self, error: &Error) {
        let message = self.wording.shown(&error.to_string());
        let remedy = error.what_to_do().map(|remedy| self.wording.shown(remedy));
        match self.log_format {
            LogFormat::Text => {
                let styles = Styles::styled();
                eprintln!("{} {message}", self.styled("error:", styles.get_error()));
                if let Some(remedy) = remedy {
                    eprintln!("  {} {remedy}", self.styled("help:", styles.get_valid()));
                }
            }
            LogFormat::Json => json_line(serde_json::json!({
                "level": "ERROR",
                "kind": error.kind().name(),
                "message": message,
                "help": remedy,
                "location": error.location(),
                "exit_code": error.kind().exit_code(),
            })),
        }
    }

    fn styled(&self, text: &str, style: &Style) -> String {
        if self.has_colors() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A bar that follows the work, where there is a terminal to draw it on.
    pub(super) fn progress_bar(&self, runtime: &Runtime) -> Option<ProgressGuard> {
        if self.quiet { None } else { progress_bar(runtime.progress().clone()) }
    }
}

/// Standard error, for log messages: each comes in one piece.
struct Worded {
    wording: Wording,
    format: LogFormat,
}

impl Write for Worded {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(message);
        let shown = match self.format {
            LogFormat::Text => self.wording.shown(&text),
            LogFormat::Json => self.wording.shown_in_json(&text),
        };
        io::stderr().write_all(shown.as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// One line of JSON on standard error, with the time.
fn json_line(mut fields: serde_json::Value) {
    fields["timestamp"] = chrono::Utc::now().to_rfc3339().into();
    eprintln!("{fields}");
}

/// What `--color` says, for the messages about flags that cannot be read.
pub(super) fn color_of(arguments: impl IntoIterator<Item = OsString>) -> ColorChoice {
    let mut arguments = arguments.into_iter().take_while(|argument| argument != "--");
    let mut color = ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        let when = match argument.to_str().and_then(|argument| argument.strip_prefix("--color")) {
            Some("") => arguments.next(),
            Some(when) => when.strip_prefix('=').map(OsString::from),
            None => None,
        };
        if let Some(when) = when.and_then(|when| ColorChoice::from_str(when.to_str()?, false).ok()) {
            color = when;
        }
    }
    color
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_color_is_known_before_the_flags_are() {
        let color = |arguments: &str| color_of(arguments.split(' ').map(OsString::from));
        assert_eq!(color("sawmill run job.toml"), ColorChoice::Auto);
        assert_eq!(color("sawmill --color never rum"), ColorChoice::Never);
        assert_eq!(color("sawmill run --colour --color=always --threads x"), ColorChoice::Always);
        assert_eq!(color("sawmill run --color sometimes"), ColorChoice::Auto);
        assert_eq!(color("sawmill run -- --color always"), ColorChoice::Auto);
    }
}
