//! What messages in the source say of settings, checked against the flags and the job file.

use super::dialect::FLAG_OF_KEY;
use super::{Cli, Command};
use crate::error::Wording;
use crate::error::wording::{flags_in, named_in};
use crate::job::job_json_schema;
use clap::{CommandFactory, Parser};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Sections of a job file: a key in a message begins with one of them.
const SECTIONS: [&str; 8] =
    ["source", "dialect", "errors", "output", "commit", "engine", "targets", "schema"];

/// What only those read who have a job file: its own mistakes, and commands on a table.
const OF_JOBS: [&str; 6] =
    ["src/job/", "src/commit/", "src/transform/", "src/cli/", "src/run.rs", "src/report/terminal.rs"];

/// A string of the source, with its file.
struct Literal {
    file: String,
    text: String,
}

/// Every string outside tests.
fn literals() -> Vec<Literal> {
    let mut literals = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![root.join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
            if path.is_dir() && name != "tests" && name != "simulation" {
                directories.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let source = fs::read_to_string(&path).expect("readable");
                let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let file = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
                literals.extend(strings(code).into_iter().map(|text| Literal { file: file.clone(), text }));
            }
        }
    }
    literals
}

/// The strings of Rust code, as they are without their escapes.
fn strings(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/', 'r']) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        let is_raw = rest.starts_with('r')
            && rest[1 + hashes..].starts_with('"')
            && before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if is_raw {
            let (start, end) = (hashes + 2, format!("\"{}", "#".repeat(hashes)));
            let length = rest[start..].find(&end).expect("closed");
            found.push(rest[start..start + length].to_owned());
            start + length + end.len()
        } else if rest.starts_with('"') {
            let (text, length) = unescaped(rest);
            found.push(text);
            length
        } else if let Some(inside) = rest.strip_prefix('\'') {
            // A character, or a lifetime.
            match inside.chars().next() {
                Some('\\') => 3 + inside[2..].find('\'').expect("closed") + 1,
                Some(one) if inside[one.len_utf8()..].starts_with('\'') => one.len_utf8() + 2,
                _ => 1,
            }
        } else {
            1
        };
        rest = &rest[skipped..];
    }
    found
}

/// A string in quotes at the start of code, and the bytes that it takes there.
fn unescaped(code: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = code.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, at + 1),
            '\\' => match characters.next().expect("closed").1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                '\n' => while characters.next_if(|(_, next)| next.is_whitespace()).is_some() {},
                'u' | 'x' => text.push('\u{fffd}'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    panic!("a string is not closed")
}

#[test]
fn strings_of_code_are_found() {
    let code = "// \"no\"\nlet a: &'static str = \"say \\\"x\\\" \\\n    now\"; let b = '\"'; let c = r#\"raw \"q\" \\n\"#; f('\\'', \"y\\n\")";
    assert_eq!(strings(code), ["say \"x\" now", "raw \"q\" \\n", "y\n"]);
}

fn all_commands() -> clap::Command {
    let mut all = Cli::command();
    all.build();
    all
}

fn flags_of(command: &str) -> BTreeSet<String> {
    let all = all_commands();
    let found = all.find_subcommand(command).expect("there");
    found.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect()
}

/// Whether a dotted key is one of the job file, or of a part of it that files of their own have.
fn is_key(key: &str) -> bool {
    let schema = job_json_schema();
    let of = |name: &str| serde_json::json!({ "$ref": format!("#/$defs/{name}") });
    let roots = [schema.clone(), of("DialectSpec"), of("TableSchema"), of("Field")];
    let steps: Vec<&str> = key.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect();
    roots.iter().any(|root| leads_to(&schema, root, &steps))
}

fn leads_to(schema: &Value, node: &Value, steps: &[&str]) -> bool {
    if let Some(reference) = node["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return leads_to(schema, &schema["$defs"][name], steps);
    }
    let choices = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| node[key].as_array()).flatten();
    let mut choices = choices.filter(|choice| choice["type"] != "null");
    let Some((first, rest)) = steps.split_first() else { return true };
    let next = match first.parse::<usize>() {
        Ok(_) => &node["items"],
        Err(_) if node["properties"][first].is_object() => &node["properties"][first],
        Err(_) => &node["additionalProperties"],
    };
    next.is_object() && leads_to(schema, next, rest) || choices.any(|choice| leads_to(schema, choice, steps))
}

/// The keys of the job file that a text has in backticks.
fn job_keys(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, (at, _)) in text.match_indices('`').enumerate() {
        let Some(span) = text[at + 1..].split('`').next().filter(|_| number % 2 == 0) else { continue };
        let key = span.split(" = ").next().unwrap_or_default();
        let section = key.split(['.', '[']).next().unwrap_or_default();
        if SECTIONS.contains(&section) && !key.contains([' ', '{']) {
            found.push((at, key));
        }
    }
    found
}

#[test]
fn each_setting_has_a_key_of_the_job_file_and_a_flag_of_convert() {
    let convert = flags_of("convert");
    let mut settings = 0;
    for Literal { file, text } in literals() {
        for (keys, flags) in named_in(&text) {
            settings += 1;
            for flag in flags_in(flags) {
                assert!(convert.contains(flag), "{file}: convert has no --{flag}: {text}");
            }
            let keys = keys.trim_end_matches(" in a schema").trim_matches('`').split("` and `");
            for key in keys.map(|key| key.split(" = ").next().unwrap_or_default()) {
                assert!(
                    key.contains('{') || is_key(key),
                    "{file}: {key} is not a key of the job file: {text}"
                );
            }
        }
    }
    assert!(settings > 60, "{settings} were found");
    assert!(is_key("targets[0].region") && is_key("source.inputs") && is_key("errors.columns.x"));
    assert!(!is_key("source.inptus") && !is_key("quote") && !is_key("dialect.delimiter.x"));
}

#[test]
fn keys_in_messages_are_keys_of_the_job_file() {
    for Literal { file, text } in literals() {
        for (_, key) in job_keys(&text) {
            assert!(is_key(key), "{file}: {key} is not a key of the job file: {text}");
        }
    }
}

/// What has no flag is said to stand in a file, so that nobody looks for the flag.
#[test]
fn convert_names_no_key_that_has_no_flag() {
    let wording = Wording::Flags(flags_of("convert"));
    for Literal { file, text } in literals().iter().filter(|literal| !of_jobs(&literal.file)) {
        let shown = wording.shown(text);
        for (at, key) in job_keys(&shown) {
            let clause = shown[at..].split([';', '\n']).next().unwrap_or_default();
            let stands_in_a_file = ["job file", "schema file"].iter().any(|file| clause.contains(file));
            assert!(stands_in_a_file, "{file}: convert shows {key}: {shown}");
        }
    }
}

/// A flag that stands alone would be shown by commands that lack it.
#[test]
fn flags_stand_beside_their_keys() {
    let all = all_commands();
    let flags: BTreeSet<&str> = all
        .get_subcommands()
        .flat_map(clap::Command::get_arguments)
        .filter_map(clap::Arg::get_long)
        .collect();
    for Literal { file, text } in literals() {
        // In pieces of a setting a flag comes first.
        let alone = if ["--", "convert: "].iter().any(|start| text.starts_with(start)) {
            String::new()
        } else {
            Wording::Keys.shown(&text)
        };
        for flag in flags_in(&alone) {
            assert!(flags.contains(flag), "{file}: no command has --{flag}: {text}");
            let is_of_a_command = alone.contains("sawmill ") || alone.contains("aws ");
            assert!(is_of_a_command || of_jobs(&file), "{file}: --{flag} stands without its key: {text}");
        }
    }
}

fn of_jobs(file: &str) -> bool {
    OF_JOBS.iter().any(|start| file.starts_with(start))
}

#[test]
fn mistakes_are_placed_at_flags() {
    for (key, flag) in FLAG_OF_KEY {
        assert!(is_key(key), "{key}");
        assert!(flags_of("convert").contains(flag.trim_start_matches("--")), "{flag}");
    }
}

#[test]
fn commands_know_their_flags() {
    let wording = |arguments: &[&str]| {
        let command: Command = Cli::parse_from(arguments).command;
        command.wording(&all_commands())
    };
    let text = "`errors.bad_value = \"null\"` (--on-bad-value null), `engine.threads` (--threads)";
    let shown = |arguments: &[&str]| wording(arguments).shown(text);
    assert_eq!(shown(&["sawmill", "run", "job.toml"]), "`errors.bad_value = \"null\"`, `engine.threads`");
    assert_eq!(shown(&["sawmill", "infer", "a.csv"]), "--on-bad-value null of `convert`, --threads");
    assert_eq!(shown(&["sawmill", "convert", "a.csv", "-o", "b"]), "--on-bad-value null, --threads");
}
