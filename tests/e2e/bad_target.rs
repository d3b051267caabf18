//! Targets that cannot be written, in whole or in part way: exit code 5, and
//! the other target stays untouched, too.

use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::testdata;

/// The flights of the example into these targets.
fn flights_to(workspace: &Workspace, targets: &str) {
    let (schema, csv) = (testdata("flights/schema.json"), testdata("flights/*.csv"));
    workspace.write("job.toml", format!("schema = {schema:?}\n[source]\ninputs = [{csv:?}]\n{targets}"));
}

#[test]
fn directory_below_a_file() {
    let workspace = Workspace::new();
    workspace.write("file", "");
    flights_to(&workspace, "[[targets]]\nurl = \"good/\"\n[[targets]]\nurl = \"file/table/\"\n");
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).says(&["file/table/"]).helps();
    workspace.assert_untouched("good");
    assert_eq!(workspace.files("").len(), 2, "the file and the job, nothing else");
}

#[test]
fn bucket_that_does_not_exist() {
    let workspace = Workspace::new();
    let home = Region::home().bucket("good");
    let gone = home.target("t/").replace(&home.name, "no-such-bucket");
    flights_to(&workspace, &(home.target("t/") + &gone));
    let run = workspace.sawmill(["run", "job.toml"]).run();
    let _ = run.exits_with(5).says(&["s3://no-such-bucket/", "us-east-1"]).helps();
    home.assert_untouched();
}

#[test]
fn bucket_that_refuses() {
    let workspace = Workspace::new();
    let home = Region::home().bucket("good");
    let strict = Region::start("eu-west-1");
    let refusing = strict.bucket("refusing");
    let (id, secret) = strict.lock_out();
    flights_to(&workspace, &(home.target("t/") + &refusing.target("t/")));
    let run = workspace
        .sawmill(["run", "job.toml"])
        .env("AWS_ACCESS_KEY_ID", &id)
        .env("AWS_SECRET_ACCESS_KEY", &secret)
        .run();
    let run = run.exits_with(5).says(&[&refusing.url("t/"), "eu-west-1", "s3:ListBucket"]).helps();
    assert!(!run.stderr.contains(&secret), "the secret is shown: {run}");
    home.assert_untouched();
}

#[test]
fn server_that_is_not_there() {
    let workspace = Workspace::new();
    let home = Region::home().bucket("good");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = home.target("t/").replace(&home.region.endpoint, &format!("http://127.0.0.1:{port}"));
    flights_to(&workspace, &(home.target("u/") + &away));
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).says(&[&home.url("t/")]).helps();
    home.assert_untouched();
}

#[test]
fn input_that_may_not_be_read() {
    let workspace = Workspace::new();
    let strict = Region::start("us-east-1");
    let bucket = strict.bucket("locked");
    bucket.put("in.csv", &testdata("flights/flights-2013-h1.csv"));
    let (id, secret) = strict.lock_out();
    let (schema, url, endpoint) = (testdata("flights/schema.json"), bucket.url("in.csv"), &strict.endpoint);
    workspace.write(
        "job.toml",
        format!(
            "schema = {schema:?}\n[source]\ninputs = [{url:?}]\nregion = \"us-east-1\"\n\
             endpoint = {endpoint:?}\n[[targets]]\nurl = \"out/\"\n"
        ),
    );
    let run = workspace.sawmill(["run", "job.toml"]).env("AWS_ACCESS_KEY_ID", &id);
    let run = run.env("AWS_SECRET_ACCESS_KEY", &secret).run();
    let _ = run.exits_with(4).says(&[&url]).helps();
    workspace.assert_untouched("out");
}

#[test]
fn table_that_holds_data_already() {
    let workspace = Workspace::new();
    workspace.write("one/part-0.parquet", "of another table");
    flights_to(&workspace, "[[targets]]\nurl = \"other/\"\n[[targets]]\nurl = \"one/\"\n");
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).says(&["one/", "output.mode"]).helps();
    workspace.assert_untouched("other");
    assert_eq!(workspace.files("one"), ["part-0.parquet"]);
}

#[test]
fn stores_that_cannot_keep_the_promises_are_refused_with_the_reason() {
    for (url, reason) in [
        ("gs://bucket/t/", "does not list the uploads that a killed run left open"),
        ("az://container/t/", "can neither be listed through object_store nor removed"),
        ("abfss://container@account.dfs.core.windows.net/t/", "no staged data is left"),
        ("https://account.blob.core.windows.net/c/t/?sv=1&sig=s3cr3t", "no staged data is left"),
    ] {
        let workspace = Workspace::new();
        flights_to(&workspace, &format!("[[targets]]\nurl = \"good/\"\n[[targets]]\nurl = {url:?}\n"));
        for command in ["check", "run"] {
            let run = workspace.sawmill([command, "job.toml"]).run().exits_with(2).helps();
            let run = run.says(&["targets[1].url", reason, "_SUCCESS"]);
            assert!(!run.stderr.contains("s3cr3t"), "the signature is shown: {run}");
        }
        let convert = workspace.sawmill(["convert", "in.csv", "-o", url]).run().exits_with(2).helps();
        let document = workspace.sawmill(["plan", "job.toml", "--set", "targets[1].url=other/", "-o", url]);
        let document = document.run().exits_with(2).says(&[reason]);
        let input = ["run", "job.toml", "--set", "targets[1].url=other/", "--input", url];
        let input = workspace.sawmill(input).run().exits_with(2).says(&["is not read"]).helps();
        for run in [convert, document, input] {
            assert!(!run.stderr.contains("s3cr3t"), "the signature is shown: {run}");
        }
        workspace.assert_untouched("good");
    }
}

/// A file system of 3 MiB in a mount namespace of its own: it goes away with
/// the run, so that the shell lists what the run left there.
#[cfg(target_os = "linux")]
#[test]
fn disk_that_is_full() {
    if std::env::var_os("SAWMILL_SKIP_DISK_FULL").is_some_and(|value| value == "1") {
        eprintln!("SAWMILL_SKIP_DISK_FULL=1: a full disk is NOT tested");
        return;
    }
    let namespaces = [&["unshare", "--user", "--map-root-user", "--mount"][..], &["unshare", "--mount"]];
    let allowed = |namespace: &&&[&str]| {
        let tried = std::process::Command::new(namespace[0]).args(&namespace[1..]).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(namespace) = namespaces.iter().find(allowed) else {
        panic!(
            "this machine lets the user mount nothing, not even in a namespace of its own (`unshare --mount`): \
             run as root, or set SAWMILL_SKIP_DISK_FULL=1 to leave out the test of a full disk"
        )
    };

    let workspace = Workspace::new();
    std::fs::create_dir(workspace.path("small")).unwrap();
    // Text that does not compress, 12 MB of it.
    let mut state = 1_u64;
    let mut csv = String::from("id,text\n");
    for id in 0..200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        csv.push_str(&format!("{id},{:016x}{:016x}{state:016x}\n", state.rotate_left(21), !state));
    }
    workspace.write("in.csv", csv);
    workspace.write(
        "job.toml",
        "schema = { fields = [{ name = \"id\", type = \"int32\" }, { name = \"text\", type = \"string\" }] }\n\
         [source]\ninputs = [\"in.csv\"]\n[[targets]]\nurl = \"good/\"\n[[targets]]\nurl = \"small/table/\"\n\
         [output]\nmax_row_group_rows = 20000\n",
    );
    let script = r#"mount -t tmpfs -o size=3m tmpfs small || exit 99
                    "$@"; code=$?
                    echo "left: $(find small -type f)"
                    exit $code"#;
    let wrapper: Vec<&str> = namespace.iter().copied().chain(["sh", "-c", script, "sh"]).collect();
    let run = workspace.sawmill(["run", "job.toml"]).within(&wrapper).run().exits_with(5);
    let run = run.says(&["small/table/", "No space left"]).helps();
    assert!(run.stdout.lines().any(|line| line == "left: "), "files were left: {run}");
    workspace.assert_untouched("good");
}
