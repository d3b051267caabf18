//! From a target of the job file to its [`Store`].

use super::Store;
use super::local::LocalStore;
use super::s3::S3Store;
use crate::aws::Role;
use crate::error::{Error, Result};
use crate::spec::foreign::ForeignStore;
use crate::spec::location::{in_s3, local_path};
use crate::spec::{EngineSpec, TargetSpec};
use std::sync::Arc;

/// Part size where all targets are local: files take parts of any size, and
/// what waits to become a part is memory for each open file.
const LOCAL_PART_BYTES: usize = 1 << 20;

/// Opens the `position`th target of the job (from 0): `s3://…`, `file:///…` or
/// a path. Writes nothing; [`check_access`](super::check_access) proves that it can be written.
///
/// # Errors
/// A usage error for a URL of another scheme, an S3 target without a region or
/// with an endpoint that is not encrypted.
pub async fn open_target(spec: &TargetSpec, engine: &EngineSpec, position: usize) -> Result<Arc<dyn Store>> {
    if in_s3(&spec.url).is_some() {
        return Ok(Arc::new(S3Store::open(spec, engine, position).await?));
    }
    let key = Role::Target(position).setting("url");
    // Before their URLs are taken for odd paths: they may hold signatures.
    if let Some(foreign) = ForeignStore::of(&spec.url) {
        let refused = foreign.refused_as_target();
        return Err(Error::usage(format!("{key}: {}", refused.message)).remedy(refused.remedy));
    }
    let root = local_path(&spec.url).ok_or_else(|| {
        Error::usage(format!("{key}: {:?} is not a place to write to", spec.url))
            .remedy("a target is `s3://bucket/prefix/`, `file:///directory/` or a path")
    })?;
    Ok(Arc::new(LocalStore::new(root, LOCAL_PART_BYTES, position)?))
}
