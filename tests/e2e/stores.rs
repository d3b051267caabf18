//! The store for S3 does what every store has to do.

#[path = "../../src/store/conformance_tests.rs"]
mod conformance_tests;

use crate::harness::moto::Region;
use sawmill::spec::{EngineSpec, RequestsSpec, TargetSpec};
use serde_json::json;
use std::process::Command;

/// Holds the target of the process that looks at it.
const TARGET: &str = "SAWMILL_TEST_TARGET";

/// Credentials are of the environment, and the environment is of a process: this test
/// runs itself in one that has some.
#[test]
fn the_store_for_s3_conforms() {
    if let Ok(target) = std::env::var(TARGET) {
        return conforms(&serde_json::from_str(&target).unwrap());
    }
    let bucket = Region::home().bucket("stores");
    let (url, region, endpoint) = (bucket.url("table/"), bucket.region.name, &bucket.region.endpoint);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "stores::the_store_for_s3_conforms"])
        .env(TARGET, json!({ "url": url, "region": region, "endpoint": endpoint }).to_string())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let (said, failed) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && said.contains("1 passed"), "{said}{failed}");
    bucket.assert_untouched();
}

fn conforms(target: &TargetSpec) {
    // S3 takes no smaller parts. Moto answers 500 where S3 knows no upload, which is not worth a retry here.
    let requests = RequestsSpec { max_attempts: 1, ..RequestsSpec::default() };
    let engine = EngineSpec { part_bytes: 5 << 20, requests, ..EngineSpec::default() };
    let runtime = sawmill::runtime::Runtime::new(1).unwrap();
    runtime.block_on(async {
        let store = sawmill::store::open_target(target, &engine, 0).await.unwrap();
        conformance_tests::conforms(store.as_ref()).await;
    });
}
