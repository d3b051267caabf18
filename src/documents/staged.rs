//! A file that a target holds and readers do not see yet.

/// A file that is durable in a target but invisible.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct StagedFile {
    /// Final key, relative to the target's URL.
    pub key: String,
    /// Size in bytes; 0 while the file is being written.
    pub bytes: u64,
    /// CRC64NVME of the whole file in base64; empty while the file is being written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub crc64nvme: String,
    /// What holds it.
    pub staging: Staging,
}

/// What holds a staged file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Staging {
    /// An S3 multipart upload that is not completed.
    MultipartUpload {
        /// As CreateMultipartUpload gave it.
        upload_id: String,
        /// Random; the upload gives its object the metadata `sawmill-upload` with
        /// this value, which tells it from an object of the same size that was
        /// there before. Empty where not known: such a file can be aborted only.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        identity: String,
        /// In ascending order.
        parts: Vec<StagedPart>,
    },
    /// A hidden file beside its final place.
    TemporaryFile {
        /// File name, in the directory of the final key.
        name: String,
    },
    /// Nothing: the target did not answer, and is to get a copy from another.
    Absent,
}

impl Staging {
    /// What a store calls the staged file: one name, one staging.
    pub fn handle(&self) -> &str {
        match self {
            Staging::MultipartUpload { upload_id, .. } => upload_id,
            Staging::TemporaryFile { name } => name,
            Staging::Absent => "",
        }
    }
}

/// One part of a staged file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct StagedPart {
    /// From 1.
    pub number: u32,
    /// Size in bytes.
    pub bytes: u64,
    /// What the store calls it; empty for local files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
}
