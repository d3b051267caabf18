//! Errors that several steps of the commit have.

use crate::documents::StagedFile;
use crate::error::{Error, ErrorKind, StoreReason};
use crate::store::Store;

pub(super) fn unanswered(store: &dyn Store, staged: &StagedFile) -> Error {
    let identity = store.describe();
    Error::new(ErrorKind::Target(identity.failure(
        "remove the staged",
        &staged.key,
        StoreReason::Unreachable,
        "no response in the time that the clean-up has",
    )))
}

pub(super) fn lost_everywhere(store: &dyn Store, key: &str) -> Error {
    let message = format!("{}{key} is lost, and no other target holds it", store.describe().url);
    Error::new(ErrorKind::Damage { message })
        .remedy(
            "restore it from an object version; or `sawmill recover --give-up-lost` gives up what is lost, and its \
             inputs can be run again with --reprocess",
        )
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    ErrorKind::Accounting { message: message.into() }.into()
}
