//! Servers that speak S3 on the loopback; each stands for one region.

use super::python::Helper;
use super::readback::{self, Ids};
use super::{Workspace, files_under, is_visible};
use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server, shared by all tests of this process.
#[derive(Debug)]
pub(crate) struct Region {
    /// `us-east-1`, …
    pub(crate) name: &'static str,
    /// `http://127.0.0.1:<port>`
    pub(crate) endpoint: String,
    server: Helper,
}

impl Region {
    /// The region that holds the inputs and the first target.
    pub(crate) fn home() -> &'static Region {
        static SERVER: OnceLock<Region> = OnceLock::new();
        SERVER.get_or_init(|| Region::start("us-east-1"))
    }

    /// The region that holds the second target.
    pub(crate) fn remote() -> &'static Region {
        static SERVER: OnceLock<Region> = OnceLock::new();
        SERVER.get_or_init(|| Region::start("eu-west-1"))
    }

    /// A server of the caller's own, for tests that change how it behaves.
    pub(crate) fn start(name: &'static str) -> Region {
        let mut server = Helper::start("moto_region.py");
        // The script says its port when the server answers: no polling here.
        let port = server.answer()["port"].take();
        Region { name, endpoint: format!("http://127.0.0.1:{port}"), server }
    }

    fn ask(&self, operation: &str, mut arguments: Value) -> Value {
        arguments["server"] = json!({ "endpoint": self.endpoint, "region": self.name });
        readback::shared().ask(operation, arguments)
    }

    /// A new bucket with a name that no other test uses.
    pub(crate) fn bucket(&self, purpose: &str) -> Bucket<'_> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("{purpose}-{}-{}", self.name, MADE.fetch_add(1, Ordering::Relaxed));
        self.ask("create_bucket", json!({ "bucket": name }));
        Bucket { region: self, name }
    }

    /// Stops the server where it is: connections are accepted and no request is
    /// answered, until the guard is dropped. For a server of the caller's own,
    /// which must not be asked meanwhile.
    pub(crate) fn freeze(&self) -> Frozen<'_> {
        self.server.signal("STOP");
        Frozen(self)
    }

    /// Access key and secret of a user of this region who may do nothing,
    /// after which the server lets only such users in as have a right to.
    pub(crate) fn lock_out(&self) -> (String, String) {
        let credentials = self.user("stranger", &Value::Null);
        self.enforce_permissions(true);
        credentials
    }

    /// Access key and secret of a new user who may do what a policy says.
    pub(crate) fn user(&self, name: &str, policy: &Value) -> (String, String) {
        let mut credentials = self.ask("user", json!({ "name": name, "policy": policy }));
        let mut take = |key: &str| serde_json::from_value(credentials[key].take()).expect("a string");
        (take("id"), take("secret"))
    }

    /// Whether the server looks at signatures and policies from now on.
    pub(crate) fn enforce_permissions(&self, enforce: bool) {
        self.ask("enforce_permissions", json!({ "enforce": enforce }));
    }
}

/// A [`Region`] that does not answer.
#[derive(Debug)]
pub(crate) struct Frozen<'a>(&'a Region);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.server.signal("CONT");
    }
}

/// A bucket in a [`Region`].
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    /// Where it is.
    pub(crate) region: &'a Region,
    /// Its name.
    pub(crate) name: String,
}

impl Bucket<'_> {
    /// `s3://<bucket>/<key>`
    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// A `[[targets]]` table of a job file for a prefix of this bucket.
    pub(crate) fn target(&self, prefix: &str) -> String {
        self.target_at(&self.region.endpoint, prefix)
    }

    /// The same, reached by another endpoint.
    pub(super) fn target_at(&self, endpoint: &str, prefix: &str) -> String {
        let (url, region) = (self.url(prefix), self.region.name);
        format!("[[targets]]\nurl = {url:?}\nregion = {region:?}\nendpoint = {endpoint:?}\n")
    }

    /// The `[source]` table of a job file for keys of this bucket, reached by this endpoint.
    pub(super) fn source_at(&self, endpoint: &str, keys: &str) -> String {
        let (url, region) = (self.url(keys), self.region.name);
        format!("[source]\ninputs = [{url:?}]\nregion = {region:?}\nendpoint = {endpoint:?}\n")
    }

    /// Removes the bucket with all it holds.
    pub(crate) fn remove(&self) {
        self.region.ask("remove_bucket", json!({ "bucket": self.name }));
    }

    /// Makes it once more, with nothing in it.
    pub(crate) fn create_again(&self) {
        self.region.ask("create_bucket", json!({ "bucket": self.name }));
    }

    /// Uploads a file.
    pub(crate) fn put(&self, key: &str, file: &Path) {
        self.region.ask("put", json!({ "bucket": self.name, "key": key, "file": file }));
    }

    /// Keys of all objects, sorted.
    pub(crate) fn objects(&self) -> Vec<String> {
        let keys = self.region.ask("objects", json!({ "bucket": self.name }));
        serde_json::from_value(keys).expect("a list of keys")
    }

    /// Keys of multipart uploads that were begun and neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        let keys = self.region.ask("uploads", json!({ "bucket": self.name }));
        serde_json::from_value(keys).expect("a list of keys")
    }

    /// Algorithm and KMS key of every object's encryption, as HEAD says it.
    pub(crate) fn encryption(&self) -> BTreeMap<String, (Option<String>, Option<String>)> {
        let found = self.region.ask("encryption", json!({ "bucket": self.name }));
        serde_json::from_value(found).expect("two texts by key")
    }

    /// Fails unless the bucket holds nothing, visible or not.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        let nothing: [String; 0] = [];
        assert_eq!(self.objects(), nothing, "objects are visible in {}", self.name);
        assert_eq!(self.open_uploads(), nothing, "uploads are open in {}", self.name);
    }

    /// Copies all objects under a prefix, which is empty for the whole bucket,
    /// to a new directory of the workspace.
    pub(crate) fn download(&self, prefix: &str, workspace: &Workspace) -> PathBuf {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let directory = workspace.path(&format!("downloaded-{number}-{}", self.name));
        let arguments = json!({ "bucket": self.name, "prefix": prefix, "directory": directory });
        self.region.ask("download", arguments);
        directory
    }

    /// An object's content; fails if there is none.
    pub(crate) fn read(&self, key: &str) -> Vec<u8> {
        let content = self.region.ask("read", json!({ "bucket": self.name, "key": key }));
        let content = content.as_str().expect("text in base64");
        base64::engine::general_purpose::STANDARD.decode(content).expect("text in base64")
    }

    /// Ids of the records in the table under a prefix, as DuckDB reads it.
    pub(crate) fn ids(&self, prefix: &str, column: &str, workspace: &Workspace) -> Ids {
        Ids::of(&self.download(prefix, workspace), column)
    }

    /// Fails unless two buckets hold the same files for readers of a table, byte
    /// for byte; gives their keys relative to the prefix.
    #[track_caller]
    pub(crate) fn assert_same_files(
        &self,
        other: &Bucket<'_>,
        prefix: &str,
        workspace: &Workspace,
    ) -> Vec<String> {
        let [one, other] = [self, other].map(|bucket| bucket.download(prefix, workspace));
        let [keys, other_keys] = [&one, &other].map(|directory| {
            let mut keys = files_under(directory);
            keys.retain(|key| is_visible(key));
            keys
        });
        assert_eq!(keys, other_keys, "the buckets hold different files");
        for key in &keys {
            let read = |directory: &Path| std::fs::read(directory.join(key)).expect("it was downloaded");
            assert!(read(&one) == read(&other), "{key} is not the same in both buckets");
        }
        keys
    }
}
