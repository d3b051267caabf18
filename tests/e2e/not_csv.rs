//! Files that are not CSV are called what they are, compressed or not, by every command that reads them.

use crate::harness::Workspace;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar() -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..5].copy_from_slice(b"a.csv");
    header[257..262].copy_from_slice(b"ustar");
    [header, b"id,v\n1,2\n".to_vec(), vec![0; 1024]].concat()
}

fn utf32(text: &str) -> Vec<u8> {
    text.chars().flat_map(|character| (character as u32).to_le_bytes()).collect()
}

#[test]
fn each_is_named_with_what_to_do() {
    let workspace = Workspace::new();
    workspace.write("real.csv", "id,v\n1,2\n");
    let _ = workspace.sawmill(["convert", "real.csv", "-o", "real.parquet"]).run().succeeds();
    let parquet = std::fs::read(workspace.path("real.parquet")).unwrap();
    let zip = |name: &str| [b"PK\x03\x04\x14\0", &[0; 24][..], name.as_bytes(), &[7; 50]].concat();
    let cases: [(Vec<u8>, &str, &str); 13] = [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n".to_vec(), "a PDF document", "as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), "an Excel workbook (.xls)", "as CSV"),
        (zip("[Content_Types].xml"), "an Excel workbook (.xlsx)", "as CSV"),
        (zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), "an OpenDocument", "as CSV"),
        (zip("data.csv"), "zip", "unpack it"),
        (parquet.clone(), "a Parquet file", "DuckDB"),
        (b"ORC\x0a\x0b\x08\x01".to_vec(), "an ORC file", "DuckDB"),
        (b"Obj\x01\x04\x16avro.schema\xf2".to_vec(), "an Avro file", "DuckDB"),
        (b"SQLite format 3\0\x10\0".to_vec(), "an SQLite database", "DuckDB"),
        (tar(), "a tar archive", "unpack it"),
        (utf32("\u{feff}id,v\n1,2\n"), "UTF-32 text", "iconv"),
        (utf32("id,v\n1,2\n"), "UTF-32 text", "iconv"),
        (gzip(b"id,v\n1,2\n"), "compressed twice, gzip inside gzip", "unpack it once"),
    ];
    for (content, what, remedy) in cases {
        // The last is CSV once it is unpacked.
        let is_csv = what.contains("twice");
        for (name, content) in [("in.csv", content.clone()), ("in.csv.gz", gzip(&content))] {
            let path = workspace.write(name, content);
            for words in [vec!["convert", name, "-o", "o.parquet"], vec!["infer", name]] {
                let run = workspace.sawmill(words).run();
                if is_csv && name == "in.csv" {
                    let _ = std::fs::remove_file(workspace.path("o.parquet"));
                    let _ = run.succeeds();
                } else {
                    let _ = run.exits_with(3).says(&[name, what, remedy]).says_it_once().helps();
                }
            }
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_pipe_and_ranges_say_the_same() {
    let workspace = Workspace::new();
    let run = workspace.sawmill(["convert", "-", "-o", "o.parquet"]).stdin(&b"%PDF-1.4\n"[..]).run();
    let _ = run.exits_with(3).says(&["a PDF document"]);
    // Text that begins with the letters of a mark is text.
    for text in ["PAR1,PAR2\n1,2\n", "ORC,Elf\n1,2\n", "Objects,n\na,2\n", "PK,n\n1,2\n"] {
        workspace.write("in.csv", text);
        let _ = workspace.sawmill(["convert", "in.csv", "-o", "o.parquet", "--overwrite"]).run().succeeds();
    }
}
