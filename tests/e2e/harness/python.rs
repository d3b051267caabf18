//! The Python environment of the tests, and helpers that run in it.
//!
//! `target/python-venv` is made once from `tests/e2e/requirements.txt` and kept
//! until that file changes. Whatever is missing fails the test that needs it:
//! a check that is left out in silence is worse than none.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// A set of Python packages that can be installed side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Environment {
    /// What nearly all tests stand on.
    Readers,
    /// DuckDB with what it reads S3 by.
    DuckDbOnS3,
}

impl Environment {
    /// The Python interpreter of the environment, which is made if need be.
    pub(crate) fn interpreter(self) -> &'static Path {
        static INTERPRETERS: [OnceLock<PathBuf>; 2] = [OnceLock::new(), OnceLock::new()];
        let (requirements, directory) = match self {
            Environment::Readers => ("requirements.txt", "python-venv"),
            Environment::DuckDbOnS3 => ("requirements-duckdb-s3.txt", "python-venv-duckdb-s3"),
        };
        INTERPRETERS[self as usize].get_or_init(|| make(&script(requirements), directory))
    }
}

fn make(requirements: &Path, directory: &str) -> PathBuf {
    let target = target_directory();
    // Test processes may run at the same time; one of them installs.
    let lock = File::create(target.join("python-venv.lock")).expect("the build directory is writable");
    lock.lock().expect("a lock on the build directory");

    let environment = target.join(directory);
    let interpreter = environment.join("bin").join("python");
    let stamp = environment.join("installed.sha256");
    let wanted = hex::encode(Sha256::digest(fs::read(requirements).expect("requirements are readable")));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return interpreter;
    }

    eprintln!("installing the Python environment of the tests in {}", environment.display());
    if environment.exists() {
        fs::remove_dir_all(&environment).expect("the old Python environment can be removed");
    }
    install(Command::new("python3").args(["-m", "venv"]).arg(&environment));
    let pip =
        ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"];
    install(Command::new(&interpreter).args(pip).arg(requirements));
    fs::write(&stamp, wanted).expect("the Python environment is writable");
    interpreter
}

fn install(command: &mut Command) {
    let remedy = "the end-to-end tests need Python 3.11 or later with its venv module, and a package index \
                  or wheels that pip can reach (see tests/e2e/requirements.txt)";
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("cannot run {command:?}: {error}\n{remedy}"),
    };
    assert!(
        output.status.success(),
        "{command:?} failed ({}): {remedy}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

/// The build directory, wherever Cargo was told to put it.
pub(crate) fn target_directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("Cargo's temporary directory is in the build directory")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e").join(name)
}

/// A Python script that runs as long as this process, or until it is dropped.
///
/// It must end when its standard input closes: then no failure of a test,
/// a crash and `SIGKILL` included, leaves it behind.
#[derive(Debug)]
pub(crate) struct Helper {
    name: &'static str,
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    /// Starts `tests/e2e/<name>`.
    pub(crate) fn start(name: &'static str) -> Helper {
        Helper::start_in(Environment::Readers, name)
    }

    /// The same in another environment.
    pub(crate) fn start_in(environment: Environment, name: &'static str) -> Helper {
        let mut command = Command::new(environment.interpreter());
        command.arg("-u").arg(script(name)).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (variable, _) in std::env::vars_os() {
            let settings = ["AWS_", "MOTO_", "PYTHON", "SPARK_"];
            if settings.iter().any(|prefix| variable.to_string_lossy().starts_with(prefix)) {
                command.env_remove(variable);
            }
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        Helper { name, process, requests, answers }
    }

    /// Sends a signal by name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(super::signal(&self.process, name), "{} ended", self.name);
    }

    /// The next line of its standard output, as JSON.
    pub(crate) fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("answers are UTF-8");
        assert!(!line.is_empty(), "tests/e2e/{} ended: {:?}", self.name, self.process.wait());
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{} answers {line:?}: {error}", self.name))
    }

    /// Asks for an operation with these named arguments.
    #[track_caller]
    pub(crate) fn ask(&mut self, operation: &str, arguments: Value) -> Value {
        match self.try_ask(operation, arguments) {
            Ok(answer) => answer,
            Err(error) => panic!("{} {operation} failed:\n{error}", self.name),
        }
    }

    /// The same where the operation may fail: gives its traceback.
    #[track_caller]
    pub(crate) fn try_ask(&mut self, operation: &str, mut arguments: Value) -> Result<Value, String> {
        arguments["operation"] = json!(operation);
        let requests = self.requests.as_mut().expect("open until dropped");
        writeln!(requests, "{arguments}").unwrap_or_else(|error| panic!("{} ended: {error}", self.name));
        let mut answer = self.answer();
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.requests.take());
        // What matters is that no zombie stays; its exit code says nothing.
        let _ = self.process.wait();
    }
}
