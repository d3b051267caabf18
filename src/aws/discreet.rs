//! What no library may log.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterFn, filter_fn};

/// Libraries that handle credentials, requests and their answers. At `trace`
/// they log requests, canonical ones too, and what providers of credentials
/// say. Most of it they redact themselves, which each release has to do anew.
const LIBRARIES: [&str; 9] = [
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_",
    "aws_sigv4",
    "aws_smithy_",
    "h2",
    "hyper",
    "reqwest",
];

/// Lets everything pass but what these libraries log at `trace`, whatever
/// `RUST_LOG` asks for.
pub(crate) fn discreet() -> FilterFn {
    filter_fn(is_harmless)
}

fn is_harmless(event: &Metadata<'_>) -> bool {
    *event.level() < Level::TRACE || !LIBRARIES.iter().any(|library| event.target().starts_with(library))
}
