//! One file of a target against what was written: what is wrong with it, if anything.

use super::documents::StagedData;
use super::fit::{Expected, footer};
use super::repair::{self, is_gone};
use crate::encode::footer_rows;
use crate::error::Result;
use crate::error::count::{agree, count};
use crate::store::{Store, is_hidden};
use indicatif::HumanCount;
use schemars::JsonSchema;
use serde::Serialize;

/// How closely files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// They are there, of the right size, with the rows that their footers are to say and the
    /// checksum of the whole object where the store keeps one.
    Footers,
    /// And every byte is read and its SHA-256 compared.
    Bytes,
}

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A file is not there.
    Missing,
    /// A file has another size.
    Size,
    /// The store keeps another checksum for a file of the right size.
    Checksum,
    /// A file of the right size has other bytes: only reading all of them tells.
    Bytes,
    /// A file of the right size has a footer that cannot be read or says other rows.
    Footer,
    /// A file does not have the columns or the partition keys of the table.
    Columns,
    /// A document is missing or says something else.
    Document,
    /// The bucket of a target does not exist, and so nothing of the table there.
    Bucket,
}

impl Fault {
    /// Whether a file does not have the bytes that were written, which another target may have.
    pub(super) fn is_of_bytes(self) -> bool {
        !matches!(self, Fault::Columns | Fault::Document | Fault::Bucket)
    }
}

/// What is wrong with a file, in a class and in words.
pub(super) type Finding = (Fault, String);

/// Looks at one file of a version. Gives what is wrong with it, or else whether it is of before a
/// change of the table's columns.
pub(super) async fn examine(
    store: &dyn Store,
    version: u64,
    staged: &StagedData,
    expected: &Expected<'_>,
    depth: Depth,
) -> Result<std::result::Result<bool, Finding>> {
    match look_into(store, version, staged, expected, depth).await {
        // Removed since it was looked for.
        Err(error) if is_gone(&error) => Ok(Err(missing())),
        found => found,
    }
}

fn missing() -> Finding {
    (Fault::Missing, "it is missing".into())
}

async fn look_into(
    store: &dyn Store,
    version: u64,
    staged: &StagedData,
    expected: &Expected<'_>,
    depth: Depth,
) -> Result<std::result::Result<bool, Finding>> {
    let file = &staged.file;
    let Some(found) = store.head(&file.key).await? else { return Ok(Err(missing())) };
    if found.bytes != file.bytes {
        let what = {
            let were = agree(file.bytes, "was", "were");
            format!("{} {were} written, it has {}", count(file.bytes, "byte"), HumanCount(found.bytes))
        };
        return Ok(Err((Fault::Size, what)));
    }
    let crc = staged.staged.first().map_or("", |staged| staged.crc64nvme.as_str());
    if let Some(stored) = found.crc64nvme.filter(|stored| !crc.is_empty() && stored != crc) {
        return Ok(Err((
            Fault::Checksum,
            format!("its CRC64NVME is {stored}, that of what was written {crc}"),
        )));
    }
    if depth == Depth::Bytes && !repair::holds(store, file).await? {
        let what = format!("its bytes are not those that were written (SHA-256 {})", file.sha256);
        return Ok(Err((Fault::Bytes, what)));
    }
    let footer = match footer(store, &file.key, file.bytes).await? {
        Ok(footer) => footer,
        Err(cause) => return Ok(Err((Fault::Footer, format!("its footer cannot be read: {cause}")))),
    };
    let rows = footer_rows(&footer);
    if rows != file.rows {
        let what = {
            let were = agree(file.rows, "was", "were");
            format!("{} {were} written, its footer says {}", count(file.rows, "row"), HumanCount(rows))
        };
        return Ok(Err((Fault::Footer, what)));
    }
    // Rejected records have columns of their own.
    if is_hidden(&file.key) {
        return Ok(Ok(false));
    }
    Ok(expected.check(version, &file.key, &footer).map_err(|what| (Fault::Columns, what)))
}
