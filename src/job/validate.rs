//! What must hold of a job beyond its types.

mod output;

use crate::schema::ResolveContext;
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::location::{
    self, LocationError, absolute, before_glob, check_endpoint, comparable, local_directory, output,
    with_slash,
};
use crate::spec::{ACCOUNT_REMEDY, JobSpec, RequestsSpec, SchemaSpec, WriteMode};
use std::path::Path;

/// Smallest part of a multipart upload but the last ("Amazon S3 multipart upload limits").
const MIN_PART_BYTES: u64 = 5 << 20;
/// Largest part, same source.
const MAX_PART_BYTES: u64 = 5 << 30;

/// A day: whoever has to wait longer does so outside.
const MAX_SETTLE_SECONDS: u64 = 86_400;
/// A week.
const MAX_SETTLE_LIMIT_SECONDS: u64 = 604_800;

impl JobSpec {
    /// Makes every location absolute (relative ones are taken from `base_dir`)
    /// and checks every value. [`super::load()`] calls this; a job made from flags
    /// goes through it, too. All mistakes are reported at once.
    pub fn finish(mut self, base_dir: &Path) -> Result<JobSpec, Problems> {
        let mut check = Check::default();
        check.resolve_locations(&mut self, base_dir);
        // Comparing places that are not absolute would accuse the innocent.
        if check.problems.0.is_empty() {
            check.targets(&self);
            check.inputs(&self);
        }
        check.dialect_and_schema(&self);
        check.output(&self);
        check.errors(&self);
        check.commit(&self);
        check.engine(&self);
        check.problems.or_ok(self)
    }
}

#[derive(Default)]
struct Check {
    problems: Problems,
}

impl Check {
    fn problem(&mut self, key: KeyPath, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.0.push(Problem::new(key, message).remedy(remedy));
    }

    /// Replaces `location` by its absolute form.
    fn resolve<T>(
        &mut self,
        key: KeyPath,
        location: &mut T,
        absolute: impl Fn(&T, &Path) -> Result<T, LocationError>,
        base_dir: &Path,
    ) {
        match absolute(location, base_dir) {
            Ok(resolved) => *location = resolved,
            Err(error) => self.problem(key, error.message, error.remedy),
        }
    }

    fn resolve_locations(&mut self, job: &mut JobSpec, base_dir: &Path) {
        let source = KeyPath::from("source");
        for (i, input) in job.source.inputs.iter_mut().enumerate() {
            self.resolve(
                source.key("inputs").index(i),
                input,
                |text, base| location::input(text, base),
                base_dir,
            );
        }
        self.endpoint(source.key("endpoint"), job.source.endpoint.as_deref());
        self.owner(source.key("expected_bucket_owner"), job.source.expected_bucket_owner.as_deref());
        if let Some(SchemaSpec::Location(location)) = &mut job.schema {
            self.resolve("schema".into(), location, |text, base| absolute(text, base), base_dir);
        }
        if let Some(directory) = &mut job.engine.spill_directory
            && !directory.as_os_str().is_empty()
        {
            let key = KeyPath::from("engine").key("spill_directory");
            self.resolve(key, directory, |directory, base| local_directory(directory, base), base_dir);
        }
        for (i, target) in job.targets.iter_mut().enumerate() {
            let key = KeyPath::from("targets").index(i);
            self.endpoint(key.key("endpoint"), target.endpoint.as_deref());
            self.owner(key.key("expected_bucket_owner"), target.expected_bucket_owner.as_deref());
            if target.url.contains(['*', '?']) {
                self.problem(
                    key.key("url"),
                    "a target is one place, not a glob",
                    "name the root of the table",
                );
            }
            self.resolve(key.key("url"), &mut target.url, |url, base| output(url, base), base_dir);
            with_slash(&mut target.url);
        }
    }

    fn endpoint(&mut self, key: KeyPath, endpoint: Option<&str>) {
        if let Some(Err(error)) = endpoint.map(check_endpoint) {
            self.problem(key, error.message, error.remedy);
        }
    }

    fn owner(&mut self, key: KeyPath, owner: Option<&str>) {
        let is_account = |owner: &str| owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(owner) = owner.filter(|owner| !is_account(owner)) {
            self.problem(key, format!("{owner:?} is not an account ID"), ACCOUNT_REMEDY);
        }
    }

    fn targets(&mut self, job: &JobSpec) {
        if job.targets.is_empty() {
            self.problem("targets".into(), "there is no target", "name at least one place to write to");
        }
        let places = job.targets.iter().map(|target| comparable(&target.url, target.endpoint.as_deref()));
        let places = places.collect::<Vec<_>>();
        for (i, place) in places.iter().enumerate() {
            let key = KeyPath::from("targets").index(i).key("url");
            for (other, earlier) in places[..i].iter().enumerate() {
                let remedy = "give each target a place of its own";
                if place == earlier {
                    self.problem(key.clone(), format!("is the same place as targets[{other}]"), remedy);
                } else if place.starts_with(earlier) {
                    self.problem(key.clone(), format!("lies inside targets[{other}]"), remedy);
                } else if earlier.starts_with(place) {
                    self.problem(key.clone(), format!("targets[{other}] lies inside it"), remedy);
                }
            }
        }
    }

    fn inputs(&mut self, job: &JobSpec) {
        let inputs = KeyPath::from("source").key("inputs");
        if job.source.inputs.is_empty() {
            self.problem(inputs.clone(), "there is no input", "name at least one file, glob or prefix");
        }
        if job.source.incremental && job.output.mode == WriteMode::ErrorIfExists {
            let remedy = "use `output.mode = \"append\"`, or \"overwrite_partitions\"";
            let message = "only what is new is read, but a table that holds data is not written to";
            self.problem(KeyPath::from("source").key("incremental"), message, remedy);
        }
        self.settling(job);
        for (i, name) in job.source.path_columns.iter().enumerate() {
            let key = KeyPath::from("source").key("path_columns").index(i);
            if name.is_empty() {
                self.problem(key, "the name is empty", "write the name before `=` of a directory");
            } else if job.source.path_columns[..i].contains(name) {
                self.problem(key, format!("duplicate name {name:?}"), "remove one of them");
            }
        }
        let ratio = KeyPath::from("source").key("max_expansion_ratio");
        self.above_zero(ratio, job.source.max_expansion_ratio);
        for (i, input) in job.source.inputs.iter().enumerate() {
            let place = comparable(input, job.source.endpoint.as_deref());
            for (t, target) in job.targets.iter().enumerate() {
                let root = comparable(&target.url, target.endpoint.as_deref());
                let remedy = "keep inputs and tables apart: a second run would read what the first wrote";
                if before_glob(&place).starts_with(&root) {
                    self.problem(inputs.index(i), format!("lies inside targets[{t}]"), remedy);
                } else if place.ends_with('/') && root.starts_with(&place) {
                    self.problem(inputs.index(i), format!("targets[{t}] lies inside it"), remedy);
                }
            }
        }
    }

    fn settling(&mut self, job: &JobSpec) {
        let key = |name: &str| KeyPath::from("source").key(name);
        let settle = job.source.settle_seconds.unwrap_or(0);
        if settle > MAX_SETTLE_SECONDS {
            let message = format!("must be between 0 and {MAX_SETTLE_SECONDS}, got {settle}");
            self.problem(
                key("settle_seconds"),
                message,
                "write the pause that a writer never makes, such as 30",
            );
        } else if let Some(limit) = job.source.settle_limit_seconds
            && !(settle..=MAX_SETTLE_LIMIT_SECONDS).contains(&limit)
        {
            let message = format!(
                "must be between {settle} (`source.settle_seconds`) and {MAX_SETTLE_LIMIT_SECONDS}, got {limit}"
            );
            self.problem(key("settle_limit_seconds"), message, "leave it out for the default");
        }
    }

    fn dialect_and_schema(&mut self, job: &JobSpec) {
        if let Err(problem) = job.dialect.resolve() {
            self.problems.0.push(problem.under(&"dialect".into()));
        }
        if let Some(SchemaSpec::Inline(schema)) = &job.schema {
            let context = ResolveContext { null_sequence: job.dialect.null_sequence.as_deref(), file: "" };
            if let Err(problems) = schema.try_resolve(&context) {
                self.problems.0.extend(problems.under(&"schema".into()).0);
            }
        }
    }

    fn errors(&mut self, job: &JobSpec) {
        let errors = KeyPath::from("errors");
        let shares = [
            ("max_rejected_share", job.errors.max_rejected_share),
            ("max_rejected_share_per_input", job.errors.max_rejected_share_per_input),
        ];
        for (key, share) in shares {
            if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(share)) {
                let message = format!("must be between 0 and 1, got {share}");
                self.problem(errors.key(key), message, "write 0.01 for one record in a hundred");
            }
        }
        if let (Some(min), Some(max)) = (job.errors.min_rows, job.errors.max_rows)
            && min > max
        {
            let message = format!("{min} is more than `errors.max_rows`, which is {max}");
            self.problem(errors.key("min_rows"), message, "no number of rows can satisfy both");
        }
    }

    fn commit(&mut self, job: &JobSpec) {
        let key = |name: &str| KeyPath::from("commit").key(name);
        let limits = [
            ("lease_seconds", job.commit.lease_seconds, 1, 86_400),
            ("staged_hours", job.commit.staged_hours, 1, 8_760),
            ("wait_seconds", job.commit.wait_seconds, 0, 604_800),
        ];
        for (name, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                self.problem(
                    key(name),
                    format!("must be between {least} and {most}, got {value}"),
                    "leave it out for the default",
                );
            }
        }
    }

    fn engine(&mut self, job: &JobSpec) {
        let key = |name: &str| KeyPath::from("engine").key(name);
        let engine = &job.engine;
        self.above_zero(key("open_files_bytes"), engine.open_files_bytes);
        self.above_zero(key("sort_bytes"), engine.sort_bytes);
        self.above_zero(key("key_bytes"), engine.key_bytes);
        if engine.spill_directory.as_ref().is_some_and(|directory| directory.as_os_str().is_empty()) {
            self.problem(key("spill_directory"), "names no directory", "leave it out for the default");
        }
        self.above_zero(key("max_open_files"), engine.max_open_files as u64);
        self.above_zero(key("shutdown_seconds"), engine.shutdown_seconds);
        self.above_zero(key("fetch_bytes"), engine.fetch_bytes as u64);
        self.above_zero(key("fetch_concurrency"), engine.fetch_concurrency as u64);
        self.requests(&engine.requests);
        if !(MIN_PART_BYTES..=MAX_PART_BYTES).contains(&(engine.part_bytes as u64)) {
            let message =
                format!("must be between 5242880 (5 MiB) and 5368709120 (5 GiB), got {}", engine.part_bytes);
            self.problem(key("part_bytes"), message, "leave it out for the default, 8388608 (8 MiB)");
        } else if engine.upload_bytes_in_flight < engine.part_bytes {
            let message = format!("{} is less than one part", engine.upload_bytes_in_flight);
            let remedy = format!("write at least `engine.part_bytes`, which is {}", engine.part_bytes);
            self.problem(key("upload_bytes_in_flight"), message, remedy);
        }
    }

    fn requests(&mut self, requests: &RequestsSpec) {
        let key = |name: &str| KeyPath::from("engine").key("requests").key(name);
        for (name, value) in [
            ("max_attempts", requests.max_attempts.into()),
            ("retry_budget", requests.retry_budget.into()),
            ("connect_timeout_seconds", requests.connect_timeout_seconds),
            ("read_timeout_seconds", requests.read_timeout_seconds),
            ("small_timeout_seconds", requests.small_timeout_seconds),
            ("list_timeout_seconds", requests.list_timeout_seconds),
            ("complete_timeout_seconds", requests.complete_timeout_seconds),
            ("slowest_bytes_per_second", requests.slowest_bytes_per_second),
        ] {
            self.above_zero(key(name), value);
        }
        let (one, all) = (requests.read_timeout_seconds, requests.small_timeout_seconds);
        if all < one {
            let message = format!("{all} is less than one attempt may take");
            let remedy = format!("write at least `engine.requests.read_timeout_seconds`, which is {one}");
            self.problem(key("small_timeout_seconds"), message, remedy);
        }
    }

    fn above_zero(&mut self, key: KeyPath, value: u64) {
        if value == 0 {
            self.problem(key, "must be more than 0", "leave it out for the default");
        }
    }
}
