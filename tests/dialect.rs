//! Small odd files, each with what it holds: `testdata/csv-spectrum` and
//! `testdata/regression`.
//!
//! Every text goes the way of the engine, block cutter, footer, preamble and
//! scanner, in blocks of several sizes.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use sawmill::error::Error;
use sawmill::parse::{RecordIndex, Scanner, field_value};
use sawmill::spec::{Dialect, DialectSpec};
use sawmill::split::footer::check_footer;
use sawmill::split::stream::{BlockStream, Edges, FramedBlock};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const URL: &str = "file:///a.csv";

/// What a text holds.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Content {
    header: Vec<String>,
    records: Vec<Vec<String>>,
    /// Positions in `records` of those that break the dialect.
    faults: Vec<usize>,
    /// What the text ends with, if it cannot be read to its end.
    error: Option<String>,
}

/// A file of `testdata/regression`.
#[derive(Deserialize)]
struct Case {
    /// What is odd.
    #[allow(dead_code, reason = "for people")]
    why: String,
    dialect: DialectSpec,
    #[serde(flatten)]
    content: Content,
}

fn read(dialect: &Dialect, text: &[u8], block_bytes: usize) -> Content {
    let mut content = Content::default();
    let mut blocks = BlockStream::new(Some(text), dialect, URL, block_bytes, Edges::Both).tolerant(true);
    for framed in &mut blocks {
        match framed {
            Ok(framed) => read_block(dialect, &framed, &mut content),
            Err(error) => content.error = Some(name_of(&error)),
        }
    }
    content.header = blocks.into_start().header.unwrap_or_default();
    content
}

fn read_block(dialect: &Dialect, framed: &FramedBlock, content: &mut Content) {
    let FramedBlock { block, preamble, footer, .. } = framed;
    if let Some(unclosed) = block.unclosed {
        let problem = unclosed.scanned(block, &mut RecordIndex::default()).problem;
        content.error = Some(format!("{problem:?}"));
        return;
    }
    let (mut index, mut faults, mut scratch) = (RecordIndex::default(), Vec::new(), Vec::new());
    Scanner::new(&dialect.grammar).scan_tolerant(&block.bytes, &mut index, &mut faults).unwrap();
    assert_eq!(index.len() as u64, block.records, "the cutter counts what the scanner finds");
    if let Err(error) = check_footer(dialect, framed, URL) {
        content.error = Some(name_of(&error));
    }
    for record in *preamble..index.len() - footer {
        if faults.iter().any(|fault| fault.record == record) {
            content.faults.push(content.records.len());
        }
        let fields = index.record(record).iter().map(|span| {
            String::from_utf8(field_value(&dialect.grammar, &block.bytes, span, &mut scratch).to_vec())
                .unwrap()
        });
        content.records.push(fields.collect());
    }
}

/// Of the problem of an input.
fn name_of(error: &Error) -> String {
    format!("{:?}", error.kind()).split(['(', ' ']).nth(1).unwrap().into()
}

/// Every CSV file in a directory of `testdata`, with the JSON beside it.
fn files(directory: &str) -> Vec<(PathBuf, Vec<u8>, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(directory);
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect();
    texts.sort();
    assert!(!texts.is_empty());
    let read = |path: PathBuf| {
        let (text, json) =
            (std::fs::read(&path).unwrap(), std::fs::read(path.with_extension("json")).unwrap());
        (path, text, json)
    };
    texts.into_iter().map(read).collect()
}

const BLOCK_SIZES: [usize; 3] = [1, 16, 1 << 20];

#[test]
fn csv_spectrum() {
    for (path, text, json) in files("csv-spectrum") {
        let expected: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_slice(&json).unwrap();
        let value = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let expected = Content {
            header: expected[0].keys().cloned().collect(),
            records: expected.iter().map(|record| record.values().map(value).collect()).collect(),
            ..Content::default()
        };
        for block_bytes in BLOCK_SIZES {
            assert_eq!(read(&Dialect::default(), &text, block_bytes), expected, "{}", path.display());
        }
    }
}

#[test]
fn regression() {
    for (path, text, json) in files("regression") {
        let case: Case = serde_json::from_slice(&json).unwrap();
        let dialect = case.dialect.resolve().unwrap();
        for block_bytes in BLOCK_SIZES {
            assert_eq!(read(&dialect, &text, block_bytes), case.content, "{}", path.display());
        }
    }
}
