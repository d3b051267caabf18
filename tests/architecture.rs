//! The rooms under `src/` and their floors: a room imports from the floors
//! below it, never from its own or from one above. Test code is free. And no
//! dependency that nothing uses: each costs every first build.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails where it unwraps")]

use std::path::{Path, PathBuf};

/// Bottom first. Rooms of one floor know nothing of each other.
const FLOORS: &[&[&str]] = &[
    // What knows nothing of CSV.
    &["error"],
    &["runtime", "spanned"],
    // Fields and values.
    &["value", "parse"],
    // What the user says.
    &["spec"],
    &["schema"],
    &["profile"],
    &["job"],
    // What verbs exchange, and the outside.
    &["documents"],
    &["aws"],
    &["source", "store"],
    // Text → blocks of whole records → rows → Parquet.
    &["split"],
    &["rows", "infer"],
    &["transform"],
    &["partition"],
    &["order"],
    &["encode"],
    // The verbs.
    &["columns", "account"],
    &["plan"],
    &["commit"],
    &["task"],
    // The front.
    &["report"],
    &["run"],
    &["cli"],
];

/// Rooms that few may import, whatever the floors: job files are read in one place.
const ONLY: &[(&str, &[&str])] = &[("job", &["cli"])];

/// The first and the last floor of the stages: they take the parts of a job that they need, or who
/// calls them has to make a whole one.
const STAGES: [&str; 2] = ["aws", "encode"];

#[test]
fn rooms_import_from_the_floors_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut wrong, mut rooms) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let files = code(&path);
        assert!(!files.is_empty(), "no file of {room} is read");
        // `run.rs` and `run/` are one.
        if !rooms.contains(&room) {
            rooms.push(room.clone());
        }
        for (file, text) in files {
            let file = file.strip_prefix(&src).unwrap().display().to_string();
            wrong.extend(violations(&room, &text).into_iter().map(|what| format!("src/{file}:{what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut on_floors: Vec<&str> = FLOORS.iter().flat_map(|rooms| rooms.iter().copied()).collect();
    on_floors.sort_unstable();
    rooms.sort_unstable();
    assert_eq!(on_floors, rooms, "rooms on floors, and rooms in src/");
}

#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text_of = |directories: &[&str]| -> String {
        directories.iter().flat_map(|directory| rust_files(&root.join(directory))).collect()
    };
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let in_src = text_of(&["src"]);
    assert_eq!(unused(&manifest, "dependencies", &in_src), [""; 0], "of [dependencies], in src/");
    let in_tests = text_of(&["src", "tests", "benches"]);
    assert_eq!(unused(&manifest, "dev-dependencies", &in_tests), [""; 0], "of [dev-dependencies]");
    let some = "[dependencies]\na-b = \"1\"\nc = \"1\"\n";
    assert_eq!(unused(some, "dependencies", "use a_b::X; // c::y\nlet abc::d"), ["c"]);
}

/// Crates of a section of `Cargo.toml` that no path in `text` begins with.
fn unused(manifest: &str, section: &str, text: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let code = without_comments(text);
    let begins = |path: &str| {
        let mut before = code.match_indices(path).map(|(at, _)| code[..at].chars().next_back());
        before.any(|c| !c.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    };
    // `md-5` is `md5`.
    let is_used = |name: &str| ["_", ""].iter().any(|dash| begins(&format!("{}::", name.replace('-', dash))));
    manifest[section].as_table().unwrap().keys().filter(|name| !is_used(name)).cloned().collect()
}

fn rust_files(path: &Path) -> Vec<String> {
    if path.is_dir() {
        return std::fs::read_dir(path)
            .unwrap()
            .flat_map(|entry| rust_files(&entry.unwrap().path()))
            .collect();
    }
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    is_rust.then(|| std::fs::read_to_string(path).unwrap()).into_iter().collect()
}

#[test]
fn wrong_imports_are_found() {
    for (room, text, expected) in [
        ("error", "use crate::job::JobSpec;", "floor 0 and may not import job, floor 6"),
        ("split", "fn f() {}\nuse crate::{error::Error, plan::{self, x}};", "2: `crate::plan`: split is on"),
        ("store", "fn f(x: crate::source::Input) {}", "store is on floor 9 and may not import source"),
        ("commit", "use crate::job::load;", "job is for cli only"),
        ("parse", "pub use crate::error::Error;", "hides where it is from"),
        ("encode", "use crate::spec::{JobSpec, Layout};", "1: `JobSpec`: a stage"),
        ("rooms", "", "is on no floor"),
    ] {
        let found = violations(room, text);
        assert!(found.iter().any(|what| what.contains(expected)), "{room}: {text}: {found:?}");
    }
    let fine =
        "//! [`crate::cli`]\nuse crate::spec::OutputSpec; // crate::cli, JobSpec\nuse crate::encode::Shape;";
    assert_eq!(violations("encode", fine), [""; 0]);
}

#[test]
fn only_modules_of_tests_are_free() {
    let text = "#[cfg(test)]\npub(crate) mod faulty;\npub mod local;\nmod s3;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\n";
    assert_eq!(test_modules(text), ["faulty", "tests"]);
    assert_eq!(test_modules("#[cfg(any(test, fuzzing))]\n#[doc(hidden)]\npub mod twins;\n"), ["twins"]);
}

/// What is wrong with the imports of a file, each with its line.
fn violations(room: &str, text: &str) -> Vec<String> {
    let Some(floor) = floor_of(room) else { return vec![format!("1: {room} is on no floor")] };
    let mut wrong = Vec::new();
    let code = without_comments(text);
    if (floor_of(STAGES[0])..=floor_of(STAGES[1])).contains(&Some(floor)) {
        let whole = code.lines().enumerate().filter(|(_, line)| line.contains("JobSpec"));
        let say = |number: usize| format!("{number}: `JobSpec`: a stage takes the part that it needs");
        wrong.extend(whole.map(|(before, _)| say(before + 1)));
    }
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            continue;
        }
        let line = code[..at].lines().count().max(1);
        let statement = code[..at].rsplit([';', '}']).next().unwrap_or_default();
        let exported = statement.trim_start().starts_with("pub use");
        for imported in first_names(&code[at + "crate::".len()..]) {
            // `crate::Error` and the like.
            let imported = if imported.starts_with(char::is_uppercase) { "error" } else { imported };
            let mut say = |what: String| wrong.push(format!("{line}: `crate::{imported}`: {what}"));
            if exported && imported != room {
                say("a name of another room that is exported hides where it is from".into());
            }
            match floor_of(imported) {
                _ if imported == room => {}
                None => say(format!("{imported} is on no floor")),
                Some(other) if other >= floor => say(format!(
                    "{room} is on floor {floor} and may not import {imported}, floor {other}: rooms import \
                     from the floors below them"
                )),
                Some(_) => {
                    for (rare, by) in
                        ONLY.iter().filter(|(rare, by)| *rare == imported && !by.contains(&room))
                    {
                        say(format!("{rare} is for {} only", by.join(", ")));
                    }
                }
            }
        }
    }
    wrong
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The first name of a path, or of each in `{…}`.
fn first_names(path: &str) -> Vec<&str> {
    let end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(list) = path.strip_prefix('{') else { return vec![&path[..end(path)]] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = list[start..at].trim_start();
                names.push(&item[..end(item)]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// With the lines as they are.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| match line.find("//") {
        // An address in a string is not a comment.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    code.collect::<Vec<_>>().join("\n")
}

/// The files of a room without its tests.
fn code(path: &Path) -> Vec<(PathBuf, String)> {
    if path.is_dir() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        // `mod tests;` under `#[cfg(test)]`, in `mod.rs` or in the file beside the directory.
        let parents = [path.join("mod.rs"), path.with_extension("rs")];
        let of_tests: Vec<String> = parents
            .iter()
            .chain(&files)
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .flat_map(|text| test_modules(&text))
            .collect();
        files.retain(|file| {
            let name = file.file_stem().unwrap().to_string_lossy();
            !name.ends_with("tests") && !of_tests.iter().any(|module| *module == name)
        });
        return files.iter().flat_map(|file| code(file)).collect();
    }
    let text = std::fs::read_to_string(path).unwrap();
    // Tests stand at the end of a file.
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    vec![(path.to_owned(), text[..end].to_owned())]
}

/// Modules that only tests have.
fn test_modules(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let attributes = |at: usize| lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    let is_test = |at: usize| attributes(at).any(|line| line.starts_with("#[cfg(") && line.contains("test"));
    let modules = lines.iter().enumerate().filter(|(at, _)| is_test(*at));
    modules.filter_map(|(_, line)| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_owned())).collect()
}
