#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

//! Files by rule, whose table is known: whatever inference reads wrongly, it
//! says something about.

use super::readings_tests::{Outcome, Table, read};
use crate::spec::DialectSpec;

/// Files of one run of the tests; `SAWMILL_GENERATED_FILES` sets another number.
const FILES: u64 = 3_000;

/// A file, and what it holds.
struct Generated {
    text: String,
    table: Table,
}

/// SplitMix64, so that a seed names a file for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One time in so many.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Integer,
    Fraction,
    DecimalComma,
    Date,
    Time,
    Word,
    Code,
    /// Words, and what delimiters, quotes and comment marks are made of.
    Text,
    Path,
    Tag,
}

const KINDS: [Kind; 10] = [
    Kind::Integer,
    Kind::Fraction,
    Kind::DecimalComma,
    Kind::Date,
    Kind::Time,
    Kind::Word,
    Kind::Code,
    Kind::Text,
    Kind::Path,
    Kind::Tag,
];

const WORDS: [&str; 16] = [
    "ann", "bob", "Paris", "Rome", "red", "blue", "fig", "pear", "Oslo", "zinc", "tin", "Ada", "Lima",
    "jade", "Kyiv", "oak",
];

const NAMES: [&str; 12] =
    ["id", "name", "city", "price", "qty", "day", "note", "path", "kind", "first name", "total_eur", "x"];

fn value(kind: Kind, random: &mut Random) -> String {
    let number = random.below(10_000);
    match kind {
        Kind::Integer => number.to_string(),
        Kind::Fraction => format!("{}.{}", number / 100, number % 100),
        Kind::DecimalComma => format!("{},{:02}", number / 100, number % 100),
        Kind::Date => format!("2024-{:02}-{:02}", 1 + number % 12, 1 + number % 28),
        Kind::Time => format!("2024-01-{:02} {:02}:{:02}:00", 1 + number % 28, number % 24, number % 60),
        Kind::Word => random.of(&WORDS).to_owned(),
        Kind::Code => format!("{}-{}", random.of(&["A", "B", "X9"]), number),
        Kind::Text => {
            let parts = 1 + random.below(4);
            let mut text = random.of(&WORDS).to_owned();
            for _ in 1..parts {
                text.push_str(
                    random.of(&[" ", ", ", "; ", ",", ";", "|", " - ", "'", " \"", "\" ", ": ", "\t"]),
                );
                text.push_str(random.of(&WORDS));
            }
            text
        }
        Kind::Path => format!("/{};{}", random.of(&WORDS), random.of(&WORDS)),
        Kind::Tag => {
            format!(
                "#{}",
                if number.is_multiple_of(2) { number.to_string() } else { random.of(&WORDS).into() }
            )
        }
    }
}

/// A field as some program would write it.
fn field(value: &str, delimiter: &str, all_quoted: bool, escape: &str) -> String {
    let special = value.contains(delimiter) || value.contains(['"', '\n', '\r']);
    match special || all_quoted {
        true => format!("\"{}\"", value.replace('"', &format!("{escape}\""))),
        false => value.to_owned(),
    }
}

fn generated(seed: u64) -> Generated {
    let mut random = Random(seed);
    let delimiter = random.of(&[",", ",", ",", ";", ";", "\t", "|", "^"]);
    let columns = 1 + random.below(6);
    let kinds: Vec<Kind> = (0..columns).map(|_| KINDS[random.below(KINDS.len())]).collect();
    let most = if random.one_in(4) { 4 } else { 40 };
    let rows = random.below(most);
    let (all_quoted, escape) = (random.one_in(4), if random.one_in(6) { "\\" } else { "\"" });
    let line_end = random.of(&["\n", "\n", "\r\n", "\r\n", "\r"]);
    let gaps = columns > 1 && random.one_in(3);
    let rows: Vec<Vec<String>> = (0..rows)
        .map(|_| {
            let mut row: Vec<_> = kinds.iter().map(|kind| value(*kind, &mut random)).collect();
            if gaps && random.one_in(3) {
                row[random.below(columns)].clear();
            }
            row
        })
        .collect();
    let names = (!random.one_in(3)).then(|| {
        let first = random.below(NAMES.len());
        (0..columns).map(|column| NAMES[(first + column) % NAMES.len()].to_owned()).collect::<Vec<_>>()
    });
    let mut lines = Vec::new();
    // A line with the fields of the records above them is a header, and so is any above one column.
    if random.one_in(6) && (columns > 1 || names.is_some()) {
        let title = random.of(&["Report 2024", "Sales, all regions", "made by; nobody", "Q1", "a\tb"]);
        let repeats = 1 + random.below(2);
        if names.is_some() || title.split(delimiter).count() != columns {
            lines.extend(std::iter::repeat_n(title.to_owned(), repeats));
        }
    }
    let comments = random.one_in(6);
    let comment = |random: &mut Random| {
        let text =
            random.of(&["# made by hand", "#", "# a, b; c", "#note", "#1", "# 20;7", "#!x", "# Total: 5,5"]);
        text.to_owned()
    };
    if comments && random.one_in(2) {
        lines.push(comment(&mut random));
    }
    for record in names.iter().chain(&rows) {
        let fields = record.iter().map(|value| field(value, delimiter, all_quoted, escape));
        let line = fields.collect::<Vec<_>>().join(delimiter);
        lines.push(line);
        if comments && random.one_in(6) {
            lines.push(comment(&mut random));
        }
        if random.one_in(40) {
            lines.push(String::new());
        }
    }
    // One with the fields of the data is a record like any other: only types may tell.
    let footer = random.of(&["Total;6", "\t", ";", "3 records", "EOF,1"]);
    if random.one_in(10) && columns > 1 && rows.len() > 2 && footer.split(delimiter).count() != columns {
        lines.push(footer.to_owned());
    }
    let end = if random.one_in(3) { "" } else { line_end };
    Generated { text: lines.join(line_end) + end, table: Table { names, rows } }
}

/// Whether the file is read otherwise than it was meant, and nothing is said.
#[test]
fn no_generated_file_is_read_wrongly_without_a_word() {
    let files = std::env::var("SAWMILL_GENERATED_FILES").map_or(FILES, |files| files.parse().unwrap());
    let (mut exact, mut refused, mut fails, mut noted, mut silent) = (0, 0, 0, 0, Vec::new());
    for seed in 0..files {
        let Generated { text, table } = generated(seed);
        match read(&text, &DialectSpec::default()) {
            Outcome::Refused(..) => refused += 1,
            Outcome::Fails(_) => fails += 1,
            Outcome::Read(found, _) if found == table => exact += 1,
            Outcome::Read(_, notes) if !notes.is_empty() => noted += 1,
            Outcome::Read(found, _) => silent.push((seed, text, found)),
        }
    }
    println!(
        "{files} files: {exact} read exactly, {refused} refused, {fails} fail in a run, {noted} read otherwise \
         with a note, {} without",
        silent.len()
    );
    for (seed, text, found) in &silent {
        println!("--- {seed}\n{text:?}\n{found:?}");
    }
    assert!(silent.is_empty());
}
