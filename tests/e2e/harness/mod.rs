//! Runs the binary as a user would, and says all there is to know when it
//! does something else than the test expects.

pub(crate) mod moto;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod readback;
pub(crate) mod report;
pub(crate) mod tables;

use serde_json::Value;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No run of these tests takes so long: one that does, hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A directory of one test, removed with it.
#[derive(Debug)]
pub(crate) struct Workspace {
    directory: tempfile::TempDir,
}

impl Workspace {
    /// Empty.
    pub(crate) fn new() -> Workspace {
        // Not hidden, as temporary directories are by default: those are skipped
        // where tables are listed.
        let named = tempfile::Builder::new().prefix("e2e-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        Workspace { directory: named.expect("the build directory is writable") }
    }

    /// With the flights example laid out as in the repository, so that its
    /// targets are `out/us-east-1/flights` and `out/eu-west-1/flights` here.
    pub(crate) fn with_flights() -> Workspace {
        let workspace = Workspace::new();
        for name in ["flights-2013-h1.csv", "flights-2013-h2.csv", "job.toml", "schema.json"] {
            let original = testdata(&format!("flights/{name}"));
            workspace.write(&format!("testdata/flights/{name}"), std::fs::read(original).expect("test data"));
        }
        workspace
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, and the directories it is in.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("in the workspace")).expect("directories are made");
        std::fs::write(&path, content).expect("files are written");
        path
    }

    /// Makes a named pipe.
    pub(crate) fn pipe(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("`mkfifo` runs").success());
        path
    }

    /// Every file under a directory of the workspace, hidden ones too.
    pub(crate) fn files(&self, directory: &str) -> Vec<String> {
        files_under(&self.path(directory))
    }

    /// Files that a reader of the table sees: no part of the name begins with
    /// `_` or `.`.
    pub(crate) fn visible(&self, directory: &str) -> Vec<String> {
        let mut files = self.files(directory);
        files.retain(|name| is_visible(name));
        files
    }

    /// Files that are on their way into the table.
    pub(crate) fn staged(&self, directory: &str) -> Vec<String> {
        let mut files = self.files(directory);
        files.retain(|name| name.split('/').any(|part| part.starts_with('.')));
        files
    }

    /// Fails unless a directory holds no file, visible or hidden, or is not there.
    #[track_caller]
    pub(crate) fn assert_untouched(&self, directory: &str) {
        let nothing: [String; 0] = [];
        assert_eq!(self.files(directory), nothing, "files were left in {directory}");
    }

    /// The binary with a subcommand, to run in this directory.
    pub(crate) fn sawmill<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Sawmill {
        // Cargo has just built one; SAWMILL_BINARY puts another to the test, such
        // as the one that is to be shipped.
        let binary = std::env::var_os("SAWMILL_BINARY").unwrap_or(env!("CARGO_BIN_EXE_sawmill").into());
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        Sawmill::of(std::iter::once(binary).chain(arguments).collect(), self.directory.path())
    }
}

/// A file of `testdata/`.
pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Whether readers of a table look at a file with this name below its root.
pub(crate) fn is_visible(name: &str) -> bool {
    !name.split('/').any(|part| part.starts_with(['_', '.']))
}

/// Names of all files under a directory, hidden ones too, with `/`, sorted.
/// A directory that is not there has none.
pub(crate) fn files_under(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.expect("directories can be read").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("under the directory");
                found.push(name.to_str().expect("names are UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A command that is about to run the binary, in an environment without the
/// user's own AWS settings.
#[derive(Debug)]
pub(crate) struct Sawmill {
    /// Program and arguments.
    words: Vec<OsString>,
    command: Command,
    directory: PathBuf,
    stdin: Option<Vec<u8>>,
}

impl Sawmill {
    fn of(words: Vec<OsString>, directory: &Path) -> Sawmill {
        let prefix = if signals_are_ignored() { &["env", "--default-signal=HUP,INT,TERM"][..] } else { &[] };
        let mut all = prefix.iter().map(OsStr::new).chain(words.iter().map(OsString::as_os_str));
        let mut command = Command::new(all.next().expect("a program"));
        command.args(all).current_dir(directory).env_clear();
        for kept in ["PATH", "LLVM_PROFILE_FILE", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("HOME", directory)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("RUST_BACKTRACE", "1");
        Sawmill { words, command, directory: directory.to_owned(), stdin: None }
    }

    /// The same command as arguments of a wrapper, such as a shell that
    /// prepares something first; the wrapper finds it in `"$@"`. To be called
    /// before [`Sawmill::env`].
    #[cfg(target_os = "linux")]
    pub(crate) fn within(self, wrapper: &[&str]) -> Sawmill {
        let words = wrapper.iter().map(OsString::from).chain(self.words).collect();
        Sawmill { stdin: self.stdin, ..Sawmill::of(words, &self.directory) }
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Sawmill {
        self.command.env(name, value);
        self
    }

    /// Gives bytes to standard input; it is empty otherwise.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Sawmill {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs to the end.
    #[track_caller]
    pub(crate) fn run(mut self) -> Run {
        let input = self.stdin.take().unwrap_or_default();
        let mut running = self.start();
        let mut stdin = running.process.0.stdin.take().expect("stdin is piped");
        // A run that fails early closes its end: that is its right.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let run = running.wait();
        feeder.join().expect("the feeder does not panic");
        run
    }

    /// Starts without waiting. Standard input stays open as long as it runs.
    #[track_caller]
    pub(crate) fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut process =
            self.command.spawn().unwrap_or_else(|error| panic!("cannot run {:?}: {error}", self.command));
        let stdout = collect(process.stdout.take().expect("stdout is piped"));
        let stderr = collect(process.stderr.take().expect("stderr is piped"));
        Running { sawmill: self, process: Mortal(process), stdout, stderr, begun }
    }
}

/// Whether the tests themselves began with a signal ignored, as in the background of a
/// shell without job control: what they start would inherit that.
fn signals_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    [libc::SIGHUP, libc::SIGINT, libc::SIGTERM].iter().any(|signal| mask >> (signal - 1) & 1 == 1)
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("pipes can be read");
        bytes
    })
}

/// A process that does not outlive its test.
#[derive(Debug)]
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        // Fails if it is over, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal by name; gives whether the process was there.
fn signal(process: &Child, name: &str) -> bool {
    let process = process.id().to_string();
    Command::new("kill").args(["-s", name, &process]).status().expect("`kill` runs").success()
}

/// The binary while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    sawmill: Sawmill,
    process: Mortal,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    begun: Instant,
}

impl Running {
    /// Writes to standard input and leaves it open.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.process
            .0
            .stdin
            .as_mut()
            .expect("stdin is open")
            .write_all(bytes)
            .expect("the run reads its input");
    }

    /// Sends a signal by name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(signal(&self.process.0, name), "the run was over before it was sent SIG{name}");
    }

    /// Stops it where it is: to the rest of the world it does not answer.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Running::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// Kills it at once, which leaves it no time to clear up, and waits until it
    /// is gone. Fails if it was over before.
    #[track_caller]
    pub(crate) fn kill(self) -> Run {
        self.signal("KILL");
        let run = self.wait();
        assert!(run.status.code().is_none(), "the run was over before it was killed: {run}");
        run
    }

    /// Waits until the condition holds; fails if the run ends before.
    #[track_caller]
    pub(crate) fn until(mut self, what: &str, condition: impl Fn() -> bool) -> Running {
        let begun = Instant::now();
        while !condition() {
            if self.ended().is_some() {
                panic!("the run ended before {what}: {}", self.wait());
            }
            assert!(begun.elapsed() < PATIENCE, "in vain waited for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// Waits until a named pipe is read; gives the end to write to.
    #[track_caller]
    pub(crate) fn until_it_reads(self, pipe: &Path) -> (Running, File) {
        let writer = RefCell::new(None);
        let running = self.until("the pipe is read", || {
            // Opens only once somebody reads.
            let opened = File::options().write(true).custom_flags(libc::O_NONBLOCK).open(pipe);
            *writer.borrow_mut() = opened.ok();
            writer.borrow().is_some()
        });
        (running, writer.into_inner().expect("waited for"))
    }

    /// Waits until the condition holds, or gives the run if it ends before.
    #[track_caller]
    pub(crate) fn until_or_end(mut self, condition: impl Fn() -> bool) -> Result<Running, Run> {
        while !condition() {
            if self.ended().is_some() {
                return Err(self.wait());
            }
            assert!(self.begun.elapsed() < PATIENCE, "in vain waited for the condition or the end");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(self)
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.process.0.try_wait().expect("the process can be waited for")
    }

    /// Waits for the end, and kills what does not come to it.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Run {
        let mut hangs = false;
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            if self.begun.elapsed() > PATIENCE {
                hangs = true;
                self.process.0.kill().expect("a child can be killed");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        drop(self.process.0.stdin.take());
        let run = Run {
            command: format!("{:?}", self.sawmill.command),
            directory: self.sawmill.directory,
            status,
            elapsed: self.begun.elapsed(),
            stdout: String::from_utf8(self.stdout.join().expect("stdout was read")).expect("stdout is UTF-8"),
            stderr: String::from_utf8(self.stderr.join().expect("stderr was read")).expect("stderr is UTF-8"),
        };
        assert!(!hangs, "killed after {PATIENCE:?}: {run}");
        run
    }
}

/// A run that is over.
#[derive(Debug)]
#[must_use = "a run says nothing until its exit code was looked at"]
pub(crate) struct Run {
    command: String,
    directory: PathBuf,
    status: ExitStatus,
    elapsed: Duration,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Whether the exit code is 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// From the start of the process to its end.
    pub(crate) fn seconds(&self) -> f64 {
        self.elapsed.as_secs_f64()
    }

    /// Fails unless the exit code is 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Run {
        self.exits_with(0)
    }

    /// Fails unless the exit code is this.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Run {
        assert!(self.status.code() == Some(code), "exit code {code} was expected: {self}");
        assert!(!self.stderr.contains("panicked at"), "a panic: {self}");
        self
    }

    /// Fails unless the run did, in any of the ways that are errors.
    #[track_caller]
    pub(crate) fn fails(self) -> Run {
        let code = self.status.code().unwrap_or_else(|| panic!("killed: {self}"));
        assert!(code != 0, "a failure was expected: {self}");
        self.exits_with(code)
    }

    /// The exit code; fails if a signal ended the run.
    #[track_caller]
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("killed: {self}"))
    }

    /// Fails unless standard error has all of these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Run {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} was expected on standard error: {self}");
        }
        self
    }

    /// Fails unless the exit code is 0 and standard error is empty.
    #[track_caller]
    pub(crate) fn says_nothing(self) -> Run {
        let run = self.succeeds();
        assert!(run.stderr.is_empty(), "nothing was expected on standard error: {run}");
        run
    }

    /// Fails unless standard error has exactly one `error:`.
    #[track_caller]
    pub(crate) fn says_it_once(self) -> Run {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert!(errors == 1, "one error was expected: {self}");
        self
    }

    /// Fails unless standard error has one `error:` and a `help:` of substance.
    #[track_caller]
    pub(crate) fn helps(self) -> Run {
        let run = self.says_it_once();
        let help = run.stderr.lines().find_map(|line| line.strip_prefix("  help: "));
        assert!(help.is_some_and(|text| !text.trim().is_empty()), "a remedy was expected: {run}");
        run
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("JSON was expected on standard output: {error}: {self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { command, directory, status, elapsed, stdout, stderr } = self;
        write!(
            f,
            "\n==========\ncommand:   {command}\ndirectory: {}\nended:     {status} after {elapsed:.1?}\n\
             ---------- stdout\n{stdout}\n---------- stderr\n{stderr}\n==========",
            directory.display(),
        )
    }
}
