//! How inputs are reached and read.

use super::open::CHUNK_BYTES;
use crate::aws::{Connection, Role};
use crate::spec::{EngineSpec, SourceSpec};

/// How inputs are reached and read, whichever they are.
#[derive(Debug, Clone)]
pub struct Access {
    /// Those on S3.
    pub(super) connection: Connection,
    /// Bytes of one GET.
    pub(super) fetch_bytes: usize,
    /// GETs of one input at once.
    pub(super) fetch_concurrency: usize,
    /// How many times its stored size a compressed input may unpack to.
    pub(super) max_expansion_ratio: u64,
}

impl Access {
    /// As a job says.
    pub fn of(spec: &SourceSpec, engine: &EngineSpec) -> Self {
        Access {
            connection: Connection {
                role: Role::Source,
                region: spec.region.clone(),
                endpoint: spec.endpoint.clone(),
                allow_http: spec.allow_http,
                path_style: spec.path_style,
                profile: spec.profile.clone(),
                owner: spec.expected_bucket_owner.clone(),
                requests: engine.requests.clone(),
            },
            fetch_bytes: engine.fetch_bytes.max(CHUNK_BYTES),
            fetch_concurrency: engine.fetch_concurrency.max(1),
            max_expansion_ratio: spec.max_expansion_ratio,
        }
    }
}
