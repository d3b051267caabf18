//! Whose buckets are written, how objects are encrypted, and what no log tells.

use crate::harness::moto::{Bucket, Region};
use crate::harness::proxy::{Operation, Proxy};
use crate::harness::{Run, Workspace, testdata};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRETKEY";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDSESSIONTOKEN";

/// Every command that speaks to S3, one after the other.
fn every_step(workspace: &Workspace) -> Vec<Run> {
    let run = |arguments: &[&str]| {
        workspace
            .sawmill(arguments)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("RUST_LOG", "trace")
            .run()
    };
    let plan = ["plan", "job.toml", "-o", "plan.json"];
    let task = ["task", "plan.json", "--task", "0", "-o", "report.json"];
    let other = "errors.bad_value=null";
    let again = ["--json", "--set", "output.mode=append", "--set", "source.read_again=allow", "--set", other];
    vec![
        run(&["check", "job.toml"]),
        run(&plan),
        run(&task),
        run(&["commit", "plan.json", "report.json"]),
        run(&["run", "job.toml", "--json"]),
        run(&["run", "job.toml"].into_iter().chain(again).collect::<Vec<_>>()),
        run(&["recover", "job.toml"]),
        run(&["verify", "job.toml", "--deep"]),
        run(&["catchup", "job.toml", "--deep"]),
        run(&["log", "job.toml"]),
        run(&["gc", "job.toml", "--delete"]),
    ]
}

/// The flights from a bucket into two others, through these endpoints.
fn job(source: (&Bucket<'_>, &str), targets: [(&Bucket<'_>, &str, &str); 2]) -> String {
    let schema = testdata("flights/schema.json");
    let (bucket, endpoint) = source;
    let mut job = format!(
        "schema = {schema:?}\n[source]\ninputs = [{:?}, {:?}]\nregion = \"us-east-1\"\nendpoint = {endpoint:?}\n\
         expected_bucket_owner = \"111111111111\"\n",
        bucket.url("in/one.csv"),
        bucket.url("in/*.csv")
    );
    for (bucket, endpoint, more) in targets {
        let (url, region) = (bucket.url("t/"), bucket.region.name);
        job.push_str(&format!(
            "[[targets]]\nurl = {url:?}\nregion = {region:?}\nendpoint = {endpoint:?}\n{more}\n"
        ));
    }
    job
}

#[test]
fn every_request_names_the_owner_and_every_object_is_encrypted_as_the_job_says() {
    let workspace = Workspace::new();
    let (home, remote) = (Region::home(), Region::remote());
    let input = home.bucket("owned-in");
    input.put("in/one.csv", &testdata("flights/flights-2013-h1.csv"));
    let (first, second) = (home.bucket("owned"), remote.bucket("owned"));
    let (read, one, two) = (Proxy::before(home), Proxy::before(home), Proxy::before(remote));
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234";
    let settings = [
        "expected_bucket_owner = \"222222222222\"\nencryption = \"s3\"".to_owned(),
        format!("expected_bucket_owner = \"333333333333\"\nencryption = {{ kms_key = {key:?} }}"),
    ];
    let targets = [(&first, &*one.endpoint, &*settings[0]), (&second, &*two.endpoint, &*settings[1])];
    workspace.write("job.toml", job((&input, &read.endpoint), targets));
    for run in every_step(&workspace) {
        let _ = run.succeeds();
    }

    use Operation::{
        AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, GetObject, HeadObject,
        ListMultipartUploads, ListObjectsV2, PutObject, UploadPart,
    };
    let written = [
        AbortMultipartUpload,
        CompleteMultipartUpload,
        CreateMultipartUpload,
        GetObject,
        HeadObject,
        ListMultipartUploads,
        ListObjectsV2,
        PutObject,
        UploadPart,
    ];
    for (proxy, owner, operations) in [
        (&read, "111111111111", &[GetObject, HeadObject, ListObjectsV2][..]),
        (&one, "222222222222", &written),
        (&two, "333333333333", &written),
    ] {
        for exchange in proxy.exchanges() {
            assert_eq!(exchange.header("x-amz-expected-bucket-owner"), Some(owner), "{exchange}");
        }
        for operation in operations {
            assert!(proxy.count(*operation) > 0, "no {operation} was seen, so none is tested");
        }
    }
    let encrypted = first.encryption();
    assert!(encrypted.keys().any(|key| key.ends_with("_SUCCESS")), "{encrypted:?}");
    for (object, found) in encrypted {
        assert_eq!(found.0.as_deref(), Some("AES256"), "{object}");
    }
    for (object, found) in second.encryption() {
        assert_eq!((found.0.as_deref(), found.1.as_deref()), (Some("aws:kms"), Some(key)), "{object}");
    }
}

/// Fails if a text holds what must stay secret.
#[track_caller]
fn assert_discreet(text: &str, place: &str) {
    // Signatures are of use to whoever reads them within 15 minutes; the elements
    // are those of an answer of STS.
    for secret in [SECRET, TOKEN, "Signature=", "<SecretAccessKey>", "<SessionToken>"] {
        if let Some(at) = text.find(secret) {
            let line = text[..at].lines().count();
            let around: String = text[..at].chars().rev().take(600).collect();
            let around: String = around.chars().rev().collect();
            panic!("{secret:?} stands in {place}, line {line}, after: {around}");
        }
    }
}

fn assert_all_discreet(workspace: &Workspace, runs: &[Run]) {
    assert!(runs.iter().any(|run| run.stderr.contains("DEBUG")), "nothing was logged, so nothing is tested");
    for run in runs {
        // What the SDK logs at that level is held back.
        let held_back = |line: &&str| line.starts_with("TRACE") && line.contains("try_attempt");
        assert_eq!(run.stderr.lines().find(held_back), None);
        assert_discreet(&run.stderr, "the log");
        assert_discreet(&run.stdout, "standard output");
    }
    for file in workspace.files("") {
        let bytes = std::fs::read(workspace.path(&file)).unwrap();
        assert_discreet(&String::from_utf8_lossy(&bytes), &file);
    }
}

#[test]
fn no_log_report_or_document_holds_a_secret() {
    let workspace = Workspace::new();
    let (home, remote) = (Region::home(), Region::remote());
    let input = home.bucket("quiet-in");
    input.put("in/one.csv", &testdata("flights/flights-2013-h1.csv"));
    let (first, second) = (home.bucket("quiet"), remote.bucket("quiet"));
    let targets = [(&first, &*home.endpoint, ""), (&second, &*remote.endpoint, "")];
    workspace.write("job.toml", job((&input, &home.endpoint), targets));
    let runs: Vec<Run> = every_step(&workspace).into_iter().map(Run::succeeds).collect();
    for bucket in [&first, &second] {
        let copy = bucket.download("t/", &workspace);
        assert!(copy.join("_sawmill").is_dir(), "the documents are looked at, too");
    }
    assert_all_discreet(&workspace, &runs);
}

#[test]
fn credentials_of_a_role_are_not_told() {
    let workspace = Workspace::new();
    let home = Region::home();
    let bucket = home.bucket("role");
    workspace.write("in.csv", "id\n1\n");
    workspace.write(
        "job.toml",
        format!("source.inputs = [\"in.csv\"]\n{}profile = \"role\"\n", bucket.target("t/")),
    );
    workspace.write(
        ".aws/config",
        "[profile base]\naws_access_key_id = base\naws_secret_access_key = base\n\
         [profile role]\nrole_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = base\n",
    );
    let run = workspace.sawmill(["run", "job.toml"]).env("RUST_LOG", "trace");
    let run = run.env("AWS_ENDPOINT_URL_STS", &home.endpoint).env("AWS_REGION", home.name).run().succeeds();
    assert!(
        run.stderr.contains("AssumeRole"),
        "the role was not assumed, whatever the environment says: {run}"
    );
    assert_all_discreet(&workspace, &[run]);
}

#[test]
fn credentials_that_are_refused_are_not_told() {
    let workspace = Workspace::new();
    let strict = Region::start("us-east-1");
    let (input, first, second) = (strict.bucket("in"), strict.bucket("one"), strict.bucket("two"));
    input.put("in/one.csv", &testdata("flights/flights-2013-h1.csv"));
    let _ = strict.lock_out();
    let targets = [(&first, &*strict.endpoint, ""), (&second, &*strict.endpoint, "")];
    let job = job((&input, &strict.endpoint), targets);
    workspace.write("job.toml", job.clone());
    let runs = every_step(&workspace).into_iter().map(Run::fails).collect::<Vec<_>>();
    assert_all_discreet(&workspace, &runs);
    // The same where inputs are local and only targets refuse.
    let local = format!("inputs = [{:?}]", testdata("flights/flights-2013-h1.csv"));
    let inputs = job.lines().find(|line| line.starts_with("inputs")).unwrap();
    workspace.write("job.toml", job.replace(inputs, &local));
    assert_all_discreet(&workspace, &every_step(&workspace));
}

#[test]
fn plain_http_to_another_machine_has_to_be_allowed() {
    let workspace = Workspace::new();
    let csv = testdata("flights/flights-2013-h1.csv");
    let job = |source: &str, target: &str| {
        format!("[source]\n{source}\n[[targets]]\nurl = \"s3://bucket/t/\"\nregion = \"us-east-1\"\n{target}")
    };
    let local = format!("inputs = [{csv:?}]");
    let remote =
        "inputs = [\"s3://bucket/in.csv\"]\nregion = \"us-east-1\"\nendpoint = \"http://192.0.2.1:9\"";
    for (job, key) in [
        (job(&local, "endpoint = \"http://192.0.2.1:9\""), "targets[0].allow_http"),
        (job(remote, ""), "source.allow_http"),
    ] {
        workspace.write("job.toml", job);
        let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(2);
        let _ = run.says(&["http://192.0.2.1:9", "not encrypted", key]).helps();
    }
    // 192.0.2.0/24 is no network: what is allowed fails for that.
    let limits =
        "\n[engine.requests]\nmax_attempts = 1\nconnect_timeout_seconds = 1\nlist_timeout_seconds = 2\n";
    let allowed = job(&local, "endpoint = \"http://192.0.2.1:9\"\nallow_http = true");
    workspace.write("job.toml", allowed + limits);
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).helps();
}
