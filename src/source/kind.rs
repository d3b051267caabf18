//! What an input is that is not CSV, by its first bytes: a workbook, say, whose
//! bytes would else be bad UTF-8 or NULs somewhere.

use super::decompress::CompressionFormat;
use crate::error::{Error, InputProblem, Location};

/// Bytes that [`NotCsv::of`] wants to see, if the object has that many: the mark
/// of a tar archive stands behind the first name and its numbers.
pub(super) const HEAD_BYTES: usize = 512;

/// A format that is recognized and not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotCsv {
    what: String,
    remedy: &'static str,
}

const SAVE_AS_CSV: &str = "save the sheet or table as CSV in the program that made it, and read that";
const OTHER_READER: &str =
    "read it with a program for that format, such as DuckDB or pyarrow, which also write CSV";
const UNPACK: &str = "unpack it, and read the files in it";
const TO_UTF8: &str = "write it as UTF-8, such as by `iconv -f UTF-32 -t UTF-8`";
const UNPACK_ONCE: &str = "unpack it once, and read what comes out";
const LOOK: &str = "check what delivers the input";

impl NotCsv {
    /// Of an object that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Option<NotCsv> {
        let (what, remedy) = match head {
            [b'%', b'P', b'D', b'F', b'-', ..] => ("a PDF document", SAVE_AS_CSV),
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => {
                ("an Excel workbook (.xls) or another document of old Office", SAVE_AS_CSV)
            }
            [b'P', b'K', 3, 4, ..] => of_zip(head)?,
            [b'{', b'\\', b'r', b't', b'f', ..] => ("an RTF document", SAVE_AS_CSV),
            // Text may begin with these letters, too.
            [b'P', b'A', b'R', b'1' | b'E', ..] if is_binary(head) => (
                "a Parquet file",
                "it is what sawmill writes; to write it anew, read it with DuckDB, Spark or pyarrow",
            ),
            [b'O', b'R', b'C', ..] if is_binary(head) => ("an ORC file", OTHER_READER),
            [b'O', b'b', b'j', 1, ..] => ("an Avro file", OTHER_READER),
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => ("an Arrow file", OTHER_READER),
            [b'F', b'E', b'A', b'1', ..] if is_binary(head) => ("a Feather file", OTHER_READER),
            [0x89, b'H', b'D', b'F', b'\r', b'\n', ..] => ("an HDF5 file", OTHER_READER),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => ("a NumPy array", OTHER_READER),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', ..] | [0xff, 0xd8, 0xff, ..] => ("a picture", LOOK),
            [0x7f, b'E', b'L', b'F', ..] => ("a program", LOOK),
            _ if head.starts_with(b"SQLite format 3\0") => ("an SQLite database", OTHER_READER),
            _ if head.get(257..262) == Some(b"ustar") && head.contains(&0) => ("a tar archive", UNPACK),
            _ if is_utf32(head) => ("UTF-32 text", TO_UTF8),
            _ => return None,
        };
        Some(NotCsv { what: what.to_owned(), remedy })
    }

    /// Of what came out of a compressed object.
    pub(super) fn unpacked(outer: CompressionFormat, head: &[u8]) -> Option<NotCsv> {
        NotCsv::of(head).or_else(|| {
            let inner = CompressionFormat::of(head);
            let what = format!("compressed twice, {} inside {}", inner.name()?, outer.name()?);
            let remedy = if let CompressionFormat::Unsupported(_) = inner { UNPACK } else { UNPACK_ONCE };
            Some(NotCsv { what, remedy })
        })
    }

    pub(super) fn into_error(self, url: &str) -> Error {
        Error::input(InputProblem::NotCsv { what: self.what }, Location::object(url)).remedy(self.remedy)
    }
}

/// What is packed in a zip archive tells Office documents from others. Those are
/// left to [`CompressionFormat`].
fn of_zip(head: &[u8]) -> Option<(&'static str, &'static str)> {
    /// Bytes before the name of the first file (APPNOTE.TXT, section 4.3.7).
    const NAME_AT: usize = 30;
    let name = head.get(NAME_AT..)?;
    let office = [&b"[Content_Types].xml"[..], b"_rels/", b"docProps/", b"xl/"];
    if office.iter().any(|first| name.starts_with(first)) {
        return Some(("an Excel workbook (.xlsx) or another Office document", SAVE_AS_CSV));
    }
    // OpenDocument, part 3: it comes first and is not compressed.
    name.starts_with(b"mimetypeapplication/vnd.oasis.opendocument")
        .then_some(("an OpenDocument spreadsheet or text", SAVE_AS_CSV))
}

/// Whether control characters stand there that no text has.
fn is_binary(head: &[u8]) -> bool {
    head.iter().any(|byte| matches!(byte, 0..=8 | 0x0e..=0x1a))
}

/// With its byte order mark, or with three NULs beside each of the first ASCII characters.
fn is_utf32(head: &[u8]) -> bool {
    const LOOKED_AT: usize = 64;
    let mut units = head[..head.len().min(LOOKED_AT)].chunks_exact(4);
    let is_little = |unit: &[u8]| unit[0] != 0 && unit[1..] == [0, 0, 0];
    let is_big = |unit: &[u8]| unit[3] != 0 && unit[..3] == [0, 0, 0];
    matches!(head, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..])
        || units.len() > 1 && (units.clone().all(is_little) || units.all(is_big))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let zip = |name: &str| [b"PK\x03\x04", &[0; 26][..], name.as_bytes()].concat();
        let tar = [b"a.csv", &[0; 252][..], b"ustar\0", &[0; 200]].concat();
        let utf32 =
            |bytes: fn(u32) -> [u8; 4]| "a,b\n".chars().flat_map(|c| bytes(c as u32)).collect::<Vec<u8>>();
        for (head, expected) in [
            (b"%PDF-1.7\n".to_vec(), Some("PDF")),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(), Some(".xls")),
            (zip("[Content_Types].xml"), Some(".xlsx")),
            (zip("xl/workbook.xml"), Some(".xlsx")),
            (zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), Some("OpenDocument")),
            (zip("a.csv"), None),
            (b"PAR1\x15\x04\x15".to_vec(), Some("Parquet")),
            (b"PAR1,PAR2\n1,2\n".to_vec(), None),
            (b"ORC\x0a\x0b\x08\x01".to_vec(), Some("ORC")),
            (b"ORC,Elf\n1,2\n".to_vec(), None),
            (b"Obj\x01\x04\x16avro.schema".to_vec(), Some("Avro")),
            (b"Objects,n\n".to_vec(), None),
            (b"ARROW1\0\0".to_vec(), Some("Arrow")),
            (b"SQLite format 3\0\x10".to_vec(), Some("SQLite")),
            (b"SQLite format 3,x\n".to_vec(), None),
            (tar, Some("tar")),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), Some("UTF-32")),
            (b"\0\0\xfe\xff\0\0\0a".to_vec(), Some("UTF-32")),
            (utf32(u32::to_le_bytes), Some("UTF-32")),
            (utf32(u32::to_be_bytes), Some("UTF-32")),
            (b"\xff\xfea\0,\0".to_vec(), None),
            (b"a\0,\0b\0".to_vec(), None),
            (b"".to_vec(), None),
            (b"a,b\n1,2\n".to_vec(), None),
        ] {
            let found = NotCsv::of(&head);
            match (expected, &found) {
                (Some(expected), Some(found)) => assert!(found.what.contains(expected), "{found:?}"),
                (None, None) => {}
                _ => panic!("{head:x?}: {found:?}"),
            }
        }
    }
}
