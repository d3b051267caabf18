//! Stores of other vendors, which are refused with the reason.
//!
//! What a target needs (docs/s3.md, "Other stores") is more than object_store
//! offers for them, as of 0.14: its `MultipartStore` creates, completes and
//! aborts an upload but lists none, and for Azure its abort does nothing.

use super::location::LocationError;

/// A store whose URLs are known, and that is neither read nor written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignStore {
    Azure,
    Google,
}

impl ForeignStore {
    /// Whose URL this is, if it is one of these.
    pub(crate) fn of(url: &str) -> Option<ForeignStore> {
        let (scheme, rest) = url.split_once(":/")?;
        let host = rest
            .trim_start_matches('/')
            .split(['/', '?', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let host_ends = |ends: &[&str]| ends.iter().any(|end| host == end[1..] || host.ends_with(end));
        match scheme.to_ascii_lowercase().as_str() {
            "az" | "azure" | "abfs" | "abfss" | "adl" | "wasb" | "wasbs" => Some(ForeignStore::Azure),
            "gs" | "gcs" => Some(ForeignStore::Google),
            "http" | "https" if host_ends(&[".core.windows.net", ".fabric.microsoft.com"]) => {
                Some(ForeignStore::Azure)
            }
            "http" | "https" if host_ends(&[".storage.googleapis.com", ".storage.cloud.google.com"]) => {
                Some(ForeignStore::Google)
            }
            _ => None,
        }
    }

    /// Why nothing is written there. URLs may hold signatures: none is repeated.
    pub(crate) fn refused_as_target(self) -> LocationError {
        let (message, copier) = match self {
            ForeignStore::Azure => (
                "Azure Blob Storage is not supported as a target: an upload has no ID there, and the blocks of an abandoned one \
                 can neither be listed through object_store nor removed, but stay for a week, so a recovery could not keep the promise that no staged data is left",
                "AzCopy",
            ),
            ForeignStore::Google => (
                "Google Cloud Storage is not supported as a target: object_store does not list the uploads that a killed run left \
                 open, so a recovery could not keep the promise that no staged data is left",
                "Storage Transfer Service",
            ),
        };
        let remedy = format!(
            "write to S3 or a directory, and copy the table once its `_SUCCESS` is there, with {copier}"
        );
        LocationError { message: message.to_owned(), remedy }
    }

    /// That nothing is read from there, and what to do.
    pub(crate) fn refused_as_source(self) -> LocationError {
        let (store, copy) = match self {
            ForeignStore::Azure => ("Azure Blob Storage", "azcopy copy"),
            ForeignStore::Google => ("Google Cloud Storage", "gcloud storage cp"),
        };
        LocationError {
            message: format!("{store} is not read: this version reads S3, files and pipes"),
            remedy: format!(
                "copy the inputs to S3 or a directory, with `{copy}`, or pipe one input into `-`"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_other_vendors_are_known() {
        for (url, expected) in [
            ("gs://bucket/t/", Some(ForeignStore::Google)),
            ("GS://bucket/t/", Some(ForeignStore::Google)),
            ("https://storage.googleapis.com/bucket/t/", Some(ForeignStore::Google)),
            ("https://bucket.storage.googleapis.com/t/", Some(ForeignStore::Google)),
            ("gs:/bucket/t/", Some(ForeignStore::Google)),
            ("az://container/t/", Some(ForeignStore::Azure)),
            ("abfss://container@account.dfs.core.windows.net/t/", Some(ForeignStore::Azure)),
            ("https://account.blob.core.windows.net/c/t/?sv=1&sig=secret", Some(ForeignStore::Azure)),
            ("https://account.blob.core.windows.net:443/c", Some(ForeignStore::Azure)),
            ("s3://bucket/gs://", None),
            ("https://example.com/core.windows.net", None),
            ("https://notcore.windows.net.example.com/", None),
            ("/data/az", None),
        ] {
            assert_eq!(ForeignStore::of(url), expected, "{url}");
        }
    }
}
