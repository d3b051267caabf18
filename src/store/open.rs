//! From a target of the job file to its [`Store`].

use super::Store;
use super::local::LocalStore;
use super::s3::S3Store;
use crate::aws::Role;
use crate::error::{Error, Result};
use crate::job::{EngineSpec, TargetSpec};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the `position`th target of the job (from 0): `s3://…`, `file:///…` or
/// a path. Writes nothing; [`Store::check_access`] proves that it can be written.
///
/// # Errors
/// A usage error for a URL of another scheme, an S3 target without a region or
/// with an endpoint that is not encrypted.
pub async fn open_target(spec: &TargetSpec, engine: &EngineSpec, position: usize) -> Result<Arc<dyn Store>> {
    if spec.url.starts_with("s3://") {
        return Ok(Arc::new(S3Store::open(spec, engine, position).await?));
    }
    let key = Role::Target(position).key("url");
    let root = local_path(&spec.url).ok_or_else(|| {
        Error::usage(format!("`{key}`: {:?} is no place to write to", spec.url))
            .remedy("a target is `s3://bucket/prefix/`, `file:///directory/` or a path")
    })?;
    Ok(Arc::new(LocalStore::new(root, engine.part_bytes, position)?))
}

/// The path of a `file://` URL or of a plain path; `None` for other schemes.
pub(crate) fn local_path(url: &str) -> Option<PathBuf> {
    match url.strip_prefix("file://") {
        Some(rest) => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
            path.starts_with('/').then(|| PathBuf::from(decoded.as_ref()))
        }
        None if url.is_empty() || url.contains("://") => None,
        None => Some(PathBuf::from(url)),
    }
}
