//! The policies of `docs/iam.md`: each is all that its command needs, and none
//! of it is for nothing.
//!
//! The server's IAM looks at actions and resources; conditions it lets pass,
//! and KMS it does not ask.

use crate::harness::moto::Region;
use crate::harness::{Run, Workspace, testdata};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

/// A command of its own section in `docs/iam.md`.
struct Step {
    /// The section.
    section: &'static str,
    /// What comes before it, done by somebody who may do everything.
    before: &'static [&'static str],
    /// Its arguments. `{attempt}` is that of `plan.json`, `{elsewhere}` beside the table.
    command: &'static str,
    /// What only a run needs in which something goes wrong: the rest fails
    /// without any one of its permissions.
    spare: &'static [&'static str],
}

/// One test for each: name, section, commands before, command, what is spare.
macro_rules! steps {
    ($($name:ident: $section:literal, $before:expr, $command:literal, $spare:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let (before, spare): (&[&str], &[&str]) = (&$before, &$spare);
                Step { section: $section, before, command: $command, spare }.holds();
            }
        )*
    };
}

const PLAN: &str = "plan job.toml -o plan.json";
const TASK: &str = "task plan.json -o report.json";
const RUN: &str = "run job.toml";
const GIVE_UP: &str = "recover job.toml --give-up {attempt}";

steps! {
    check: "check", [RUN], "check job.toml", [];
    plan: "plan", [RUN], "plan job.toml -o plan.json", [];
    task: "task", [PLAN], "task plan.json -o report.json", ["s3:GetObject", "s3:AbortMultipartUpload"];
    commit: "commit", [PLAN, TASK], "commit plan.json report.json", ["s3:AbortMultipartUpload", "s3:DeleteObject"];
    run: "run", [], "run job.toml", ["s3:AbortMultipartUpload", "s3:DeleteObject"];
    overwrite: "run that overwrites partitions", ["run old.toml"],
        "run job.toml --set output.mode=overwrite_partitions", ["s3:AbortMultipartUpload"];
    recover: "recover", [PLAN, TASK], "recover job.toml --give-up {attempt}", ["s3:DeleteObject"];
    verify: "verify", [RUN], "verify job.toml", [];
    catchup: "catchup", ["run one.toml"], "catchup job.toml",
        ["s3:AbortMultipartUpload", "s3:DeleteObject"];
    promote: "promote", [PLAN, TASK, "run old.toml"], "promote job.toml --home {two}", [];
    log: "log", [RUN], "log job.toml", [];
    gc: "gc", [PLAN, TASK, GIVE_UP], "gc job.toml --keep-hours 0 --delete",
        ["s3:PutObject", "s3:AbortMultipartUpload"];
}

impl Step {
    #[track_caller]
    fn holds(&self) {
        let strict = Region::start("us-east-1");
        let policy = policy(self.section);
        let run = self.run(&strict, &policy).succeeds();
        assert!(!run.stderr.contains("WARN"), "something was refused: {run}");
        let mut spare = Vec::new();
        for (s, statement) in policy["Statement"].as_array().expect("statements").iter().enumerate() {
            let of_source = statement["Resource"].to_string().contains("LANDING");
            for (a, action) in statement["Action"].as_array().expect("actions").iter().enumerate() {
                let action = action.as_str().expect("text");
                let run = self.run(&strict, &without(&policy, s, a));
                if run.succeeded() {
                    spare.push(action);
                } else {
                    let _ = run.exits_with(if of_source { 4 } else { 5 }).says(&[action]).helps();
                }
            }
        }
        assert_eq!(spare, self.spare, "what a run does without is not what it is said to be");
    }

    /// On buckets of its own, by a user with this policy.
    #[track_caller]
    fn run(&self, strict: &Region, policy: &Value) -> Run {
        static USERS: AtomicU32 = AtomicU32::new(0);
        strict.enforce_permissions(false);
        let workspace = Workspace::new();
        let (landing, one, two) = (strict.bucket("landing"), strict.bucket("one"), strict.bucket("two"));
        landing.put("daily/in.csv", &testdata("flights/flights-2013-h1.csv"));
        let head = format!(
            "schema = {:?}\n[output]\npartition_by = [\"carrier\"]\n[source]\n",
            testdata("flights/schema.json")
        );
        let (url, endpoint) = (landing.url("daily/*.csv"), &strict.endpoint);
        let source = format!("{head}inputs = [{url:?}]\nregion = \"us-east-1\"\nendpoint = {endpoint:?}\n");
        let old = format!("{head}inputs = [{:?}]\n", testdata("flights/flights-2013-h2.csv"));
        let (first, both) = (one.target("flights/"), one.target("flights/") + &two.target("flights/"));
        workspace.write("one.toml", source.clone() + &first);
        workspace.write("job.toml", source + &both);
        workspace.write("old.toml", old + &both);
        let command = |line: &str| {
            let mut line =
                line.replace("{elsewhere}", &two.url("elsewhere/")).replace("{two}", &two.url("flights/"));
            if line.contains("{attempt}") {
                let plan = std::fs::read(workspace.path("plan.json")).expect("planned before");
                let plan: Value = serde_json::from_slice(&plan).expect("JSON");
                line = line.replace("{attempt}", plan["attempt"].as_str().expect("an attempt"));
            }
            workspace.sawmill(line.split(' '))
        };
        for line in self.before {
            let _ = command(line).run().succeeds();
        }
        let mut text = policy.to_string();
        for (placeholder, name) in [
            ("LANDING-BUCKET", &*landing.name),
            ("LANDING-PREFIX", "daily"),
            ("TABLE-BUCKET-1", &one.name),
            ("TABLE-BUCKET-2", &two.name),
            ("TABLE-PREFIX", "flights"),
        ] {
            text = text.replace(placeholder, name);
        }
        let policy = serde_json::from_str(&text).expect("placeholders stand in texts");
        let name = format!("user-{}", USERS.fetch_add(1, Ordering::Relaxed));
        let (id, secret) = strict.user(&name, &policy);
        strict.enforce_permissions(true);
        command(self.command).env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).run()
    }
}

#[test]
fn policies_end_at_their_prefix() {
    let strict = Region::start("us-east-1");
    let command = "run job.toml --set targets[1].url={elsewhere}";
    let step = Step { section: "run", before: &[], command, spare: &[] };
    let _ = step.run(&strict, &policy("run")).exits_with(5).says(&["elsewhere/", "s3:PutObject"]).helps();
}

/// A policy that lacks an action of a statement.
fn without(policy: &Value, statement: usize, action: usize) -> Value {
    let mut less = policy.clone();
    let statements = less["Statement"].as_array_mut().expect("statements");
    let actions = statements[statement]["Action"].as_array_mut().expect("actions");
    actions.remove(action);
    // A statement without actions is none.
    if actions.is_empty() {
        statements.remove(statement);
    }
    less
}

/// The policy of a section of `docs/iam.md`.
fn policy(section: &str) -> Value {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/iam.md");
    let document = std::fs::read_to_string(document).expect("docs/iam.md");
    let heading = format!("\n## {section}\n");
    let (_, rest) = document.split_once(&heading).unwrap_or_else(|| panic!("docs/iam.md has no{heading}"));
    let block = rest.split("\n## ").next().and_then(|text| text.split("```json\n").nth(1));
    let block = block.and_then(|text| text.split("```").next()).expect("a block of JSON");
    serde_json::from_str(block).unwrap_or_else(|error| panic!("{section}: {error}: {block}"))
}
