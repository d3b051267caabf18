#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use crate::error::{Error, ErrorKind};
use crate::job::{Override, interpolate, load, load_str};
use crate::spanned::DocumentFormat;
use crate::spec::*;
use proptest::prelude::*;
use std::path::Path;

const GOOD: &str = r#"
[source]
inputs = ["in/*.csv", "../shared/x.csv", "s3://bucket/a/../b/*.gz", "file:///data/./y.csv"]

[dialect]
delimiter = ";"

[[targets]]
url = "out"

[[targets]]
url = "s3://${BUCKET}/table"
region = "${REGION:-eu-west-1}"

[output]
partition_by = ["country", "year(sold_at)", "m=month(sold_at)", { name = "d", column = "sold_at", part = "day" }]
"#;

fn env(name: &str) -> Option<String> {
    match name {
        "BUCKET" => Some("lake".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn read(text: &str, overrides: &[(&str, &str)]) -> Result<JobSpec, Error> {
    let over = |(key, value): &(&str, &str)| Override { key: key.to_string(), value: value.to_string() };
    let overrides = overrides.iter().map(over).collect::<Vec<_>>();
    load_str(text, DocumentFormat::Toml, "job.toml", Path::new("/srv/jobs"), &env, &overrides)
}

/// A job that loads, with `lines` in place of its end.
fn job_with(lines: &str) -> String {
    format!("source.inputs = [\"a.csv\"]\ntargets = [{{ url = \"out\" }}]\n{lines}\n")
}

fn message(result: Result<JobSpec, Error>) -> String {
    let error = result.expect_err("the job has a mistake");
    assert_eq!(error.kind().exit_code(), 2);
    match error.what_to_do() {
        Some(remedy) => format!("{error} => {remedy}"),
        None => error.to_string(),
    }
}

#[test]
fn a_job_is_resolved() {
    let job = read(GOOD, &[]).unwrap();
    assert_eq!(job.name, "job");
    let inputs = ["/srv/jobs/in/*.csv", "/srv/shared/x.csv", "s3://bucket/a/../b/*.gz", "file:///data/y.csv"];
    assert_eq!(job.source.inputs, inputs);
    assert_eq!(job.targets[0].url, "/srv/jobs/out/");
    assert_eq!(job.targets[1].url, "s3://lake/table/");
    assert_eq!(job.targets[1].region.as_deref(), Some("eu-west-1"));
    let names = job.output.partition_by.iter().map(PartitionKey::name).collect::<Vec<_>>();
    assert_eq!(names, ["country", "year", "m", "d"]);
    assert_eq!(job.engine, EngineSpec::default());
    let again: JobSpec = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
    assert_eq!(again, job);
    assert_eq!(again.finish(Path::new("/elsewhere")).unwrap(), job);
}

#[test]
fn json_is_read_like_toml() {
    let text = r#"{ "source": { "inputs": ["a.csv"] }, "targets": [{ "url": "out/", "regoin": "x" }] }"#;
    let error = load_str(text, DocumentFormat::Json, "job.json", Path::new("/w"), &env, &[]).unwrap_err();
    assert_eq!(error.to_string(), "job.json:1:67: targets[0].regoin: unknown key");
    assert_eq!(error.what_to_do(), Some("did you mean `region`?"));
}

#[test]
fn mistakes_have_their_place() {
    for (lines, expected) in [
        (
            "output.compresion = 'zstd'",
            "job.toml:3:8: output.compresion: unknown key => did you mean `compression`?",
        ),
        (
            "[output]\nmode = 'apend'",
            "job.toml:4:1: output.mode: unknown word `apend` => did you mean `append`?",
        ),
        (
            "[output]\nmax_row_group_rows = 'many'",
            "job.toml:4:1: output.max_row_group_rows: must be a whole number, not text => Largest row group in records. Default: 1,048,576.",
        ),
        (
            "[output]\nmax_row_group_rows = -1",
            "job.toml:4:1: output.max_row_group_rows: must be at least 0, not -1 => Largest row group in records. Default: 1,048,576.",
        ),
        (
            "[output]\nmax_row_group_rows = 0",
            "job.toml:4:1: output.max_row_group_rows: must be more than 0 => leave it out for the default",
        ),
        (
            "[output]\ncompression = 'zstd(23)'",
            "job.toml:4:1: output.compression: `23` is not a level of zstd => write `zstd(1)` to `zstd(22)`",
        ),
        (
            "[output]\npartition_by = ['a',\n  'yaer(b)']",
            "job.toml:5:3: output.partition_by[1]: `yaer` is not a part of a date; did you mean `year(b)`?",
        ),
        (
            "[output]\npartition_by = [{ name = 'y', colum = 'b', part = 'year' }]",
            "job.toml:4:31: output.partition_by[0].colum: unknown key => did you mean `column`?",
        ),
        (
            "[output]\npartition_by = ['year(a)', 'year(b)']",
            "job.toml:4:28: output.partition_by[1]: duplicate partition key \"year\" => name derived keys: `name=year(column)`",
        ),
        (
            "[engine]\nsort_bytes = 0",
            "job.toml:4:1: engine.sort_bytes: must be more than 0 => leave it out for the default",
        ),
        (
            "[engine]\nkey_bytes = 0",
            "job.toml:4:1: engine.key_bytes: must be more than 0 => leave it out for the default",
        ),
        (
            "[engine]\nspill_directory = ''",
            "job.toml:4:1: engine.spill_directory: names no directory => leave it out for the default",
        ),
        (
            "[engine]\nshutdown_seconds = 0",
            "job.toml:4:1: engine.shutdown_seconds: must be more than 0 => leave it out for the default",
        ),
        (
            "[engine.requests]\nlist_timeout_seconds = 0",
            "job.toml:4:1: engine.requests.list_timeout_seconds: must be more than 0 => leave it out for the default",
        ),
        (
            "[engine]\nrequests.read_timeout_seconds = 90",
            "job.toml:4:1: engine.requests.small_timeout_seconds: 60 is less than one attempt may take => write at least `engine.requests.read_timeout_seconds`, which is 90",
        ),
        (
            "[engine]\npart_bytes = 1024",
            "job.toml:4:1: engine.part_bytes: must be between 5242880 (5 MiB) and 5368709120 (5 GiB), got 1024 => leave it out for the default, 8388608 (8 MiB)",
        ),
        (
            "[engine]\npart_bytes = 67108864",
            "job.toml:3:2: engine.upload_bytes_in_flight: 33554432 is less than one part => write at least `engine.part_bytes`, which is 67108864",
        ),
        (
            "[dialect]\ndelimiter = '|||||'",
            "job.toml:4:1: dialect.delimiter: \"|||||\" is not one to four bytes => write what separates fields, such as \",\", \"\\t\" or \"||\"",
        ),
        (
            "[dialect]\nquoteChar = ','",
            "job.toml:4:1: dialect.quoteChar: ',' is the `delimiter` (--delimiter) => give `quoteChar` (--quote) and `delimiter` (--delimiter) different characters",
        ),
        (
            "[dialect]\nencoding = 'utf9'",
            "job.toml:4:1: dialect.encoding: unknown encoding `utf9` => write a label of the WHATWG Encoding Standard: utf-8, utf-16le, latin1, windows-1252, …",
        ),
        ("[dialect]\nsep = ';'", "job.toml:4:1: dialect.sep: unknown key => did you mean `delimiter`?"),
        (
            "[[transforms]]\nselct = ['a']",
            "job.toml:4:1: transforms[0].selct: unknown key => did you mean `select`?",
        ),
        ("[[transforms]]\nselect = 'a'", "job.toml:4:1: transforms[0].select: must be a list, not text"),
        (
            "name = '${NOPE}'",
            "job.toml:3:1: name: the environment variable `NOPE` is not set => set it, or give a default: `${NOPE:-…}`",
        ),
        (
            "name = '${'",
            "job.toml:3:1: name: `${` is not closed => close it with `}`, or write `$${` for a literal `${`",
        ),
        (
            "schema = 7",
            "job.toml:3:1: schema: must be text or a table, not a whole number => The columns: a path or URL of a Table Schema file, or the schema itself.",
        ),
        (
            "[[schema.fields]]\nname = 'a'\ntype = 'intger'",
            "job.toml:5:1: schema.fields[0].type: unknown type `intger` => did you mean `integer`?",
        ),
        (
            "[[schema.fields]]\nname = 5",
            "job.toml:4:1: schema.fields[0].name: must be text, not a whole number => Name in the output, and in the header unless `sourceName` says otherwise.",
        ),
        (
            "[[schema.fields]]\ntype = 'date'",
            "job.toml:3:1: schema.fields[0]: the key `name` is missing => add `name`: Name in the output, and in the header unless `sourceName` says otherwise.",
        ),
        (
            "a = ",
            "job.toml:3:5: the value is missing => write one: text in double quotes, a number, true or false",
        ),
    ] {
        assert_eq!(message(read(&job_with(lines), &[])), expected, "{lines}");
    }
}

#[test]
fn several_mistakes_are_one_error() {
    let error = read("targts = []\n[source]\ninput = ['a']\n[zzz]\n", &[]).unwrap_err();
    let expected = "job.toml:1:1: targts: unknown key\n\
        job.toml:3:1: source.input: unknown key (did you mean `inputs`?)\n\
        job.toml:4:2: zzz: unknown key (known here: `$schema`, `name`, `source`, `dialect`, `schema`, `transforms`, `errors`, `targets`, `output`, `commit`, `engine`)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.what_to_do(), Some("did you mean `targets`?"));
}

#[test]
fn what_is_missing_is_named() {
    let text = "[source]\nregion = 'x'\n";
    let expected = "job.toml:1:2: source: the key `inputs` is missing\n\
        job.toml: the key `targets` is missing (add `targets`: Where the table is written: every target gets the same files.)";
    assert_eq!(read(text, &[]).unwrap_err().to_string(), expected);
}

#[test]
fn places_do_not_overlap() {
    for (inputs, targets, expected) in [
        ("'a'", "", Some("targets: there is no target")),
        ("", "'out'", Some("source.inputs: there is no input")),
        ("'a'", "'out', 'x/../out/'", Some("targets[1].url: is the same place as targets[0]")),
        ("'a'", "'/o', 'file:///o/'", Some("targets[1].url: is the same place as targets[0]")),
        ("'a'", "'s3://b/t', 's3://b/t/u'", Some("targets[1].url: lies inside targets[0]")),
        ("'a'", "'s3://b/t/u', 's3://b/t'", Some("targets[1].url: targets[0] lies inside it")),
        ("'a'", "'s3://b/t', 's3://b/tu'", None),
        ("'a', 'out/*.csv'", "'out'", Some("source.inputs[1]: lies inside targets[0]")),
        ("'s3://b/data/'", "'s3://b/data/out'", Some("source.inputs[0]: targets[0] lies inside it")),
        ("'s3://b/data/*.csv'", "'s3://b/data/out'", None),
        ("'-'", "'out'", None),
        ("'a'", "'s3:/b/t'", Some("targets[0].url: an S3 URL has two slashes after the colon")),
        (
            "'a'",
            "'gs:/b/t'",
            Some(
                "targets[0].url: Google Cloud Storage is not supported as a target: object_store does not list the uploads that a killed run left open, so a recovery could not keep the promise that no staged data is left",
            ),
        ),
        ("'s3://'", "'out'", Some("source.inputs[0]: the URL does not name a bucket")),
        ("'ftp://b/x'", "'out'", Some("source.inputs[0]: locations of kind `ftp://` are not supported")),
        ("'file://x'", "'out'", Some("source.inputs[0]: a file URL has three slashes")),
        ("'a'", "'out/*'", Some("targets[0].url: a target is one place, not a glob")),
        ("''", "'out'", Some("source.inputs[0]: the location is empty")),
    ] {
        let targets = targets.split(", ").filter(|t| !t.is_empty()).map(|t| format!("{{ url = {t} }}"));
        let targets = targets.collect::<Vec<_>>().join(", ");
        let text = format!("source.inputs = [{inputs}]\ntargets = [{targets}]\n");
        let found = read(&text, &[]).err().map(|error| error.to_string());
        let found = found.as_deref().and_then(|text| text.split_once(": "));
        assert_eq!(found.map(|(_, message)| message), expected, "{text}");
    }
}

#[test]
fn two_servers_may_have_a_bucket_of_the_same_name() {
    let text = "source.inputs = ['a']\ntargets = [\n{ url = 's3://b/t', endpoint = 'http://localhost:1' },\n{ url = 's3://b/t', endpoint = 'http://localhost:2' }]\n";
    assert_eq!(read(text, &[]).unwrap().targets.len(), 2);
}

#[test]
fn secrets_are_refused_and_not_repeated() {
    for lines in [
        "source.inputs = 's3://me:hunter2@b/x'",
        "source.inputs = ['s3://me:hunter2@b/x']",
        "source.endpoint = 'http://me:hunter2@host'",
    ] {
        let text = if lines.contains("inputs") {
            format!("{lines}\ntargets = [{{ url = 'o' }}]")
        } else {
            job_with(lines)
        };
        let text = message(read(&text, &[]));
        assert!(text.contains("the URL holds credentials"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn variables_are_replaced() {
    for (text, expected) in [
        ("plain $x {y}", Ok("plain $x {y}")),
        ("a/${BUCKET}/b", Ok("a/lake/b")),
        ("${BUCKET}${BUCKET}", Ok("lakelake")),
        ("${NOPE:-x}${NOPE:-}", Ok("x")),
        ("${EMPTY:-x}|${EMPTY}|", Ok("x||")),
        ("$${BUCKET} ${BUCKET}", Ok("${BUCKET} lake")),
        ("${NOPE}", Err("the environment variable `NOPE` is not set")),
        ("${1x}", Err("`1x` is not a valid variable name")),
        ("${A", Err("`${` is not closed")),
    ] {
        let found = interpolate::interpolate(text, &env).map_err(|(message, _)| message);
        assert_eq!(found.as_deref().map_err(|m| m.as_str()), expected, "{text}");
    }
}

#[test]
fn flags_override_the_file() {
    let job = read(
        GOOD,
        &[
            ("output.compression", "zstd(9)"),
            ("output.mode", "\"append\""),
            ("engine.threads", "3"),
            ("targets[1].region", "us-east-1"),
            ("source.inputs", "['b.csv']"),
        ],
    )
    .unwrap();
    assert_eq!(job.output.compression.name(), "zstd(9)");
    assert_eq!(job.output.mode, WriteMode::Append);
    assert_eq!(job.engine.threads, 3);
    assert_eq!(job.targets[1].region.as_deref(), Some("us-east-1"));
    assert_eq!(job.source.inputs, ["/srv/jobs/b.csv"]);
    for (key, value, expected) in [
        ("output.compresion", "zstd", "--set: output.compresion: unknown key => did you mean `compression`?"),
        (
            "engine.threads",
            "many",
            "--set: engine.threads: must be a whole number, not text => Threads that compute. Default: 0, which is one for each core. Never changes what is written.",
        ),
        (
            "output.compression",
            "zst",
            "--set: output.compression: unknown codec `zst` => did you mean `zstd`?",
        ),
        (
            "name",
            "2013",
            "--set: name: must be text, not a whole number => put quotes into the value: 'name=\"2013\"'",
        ),
        (
            "targets[0].expected_bucket_owner",
            "123",
            "--set: targets[0].expected_bucket_owner: must be text, not a whole number => put quotes into the value: 'targets[0].expected_bucket_owner=\"123\"'",
        ),
        ("targets[5].url", "x", "--set: targets[5].url: there is no element [5]: the array has 2"),
        ("a..b", "x", "--set: a..b: a key is empty => write a key such as `targets[0].region`"),
    ] {
        assert_eq!(message(read(GOOD, &[(key, value)])), expected);
    }
}

#[test]
fn misspelt_keys_of_an_inline_schema_are_notes() {
    let text = job_with("[[schema.fields]]\nname = 'a'\nnulls = ['-']\nowner = 'me'");
    let Some(SchemaSpec::Inline(schema)) = read(&text, &[]).unwrap().schema else { panic!("inline") };
    let expected = "job.toml:5:1: schema.fields[0].nulls: unknown key (did you mean `missingValues`?)";
    assert_eq!(schema.notes, [expected]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_job_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("job.toml");
    let error = load(&path, &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Job { .. }), "{error}");
    std::fs::write(&path, b"a = 1\n# \xff\n").unwrap();
    assert!(load(&path, &[]).unwrap_err().to_string().ends_with("job.toml:2: the text is not UTF-8"));
    std::fs::write(&path, job_with("")).unwrap();
    let job = load(&path, &[]).unwrap();
    assert_eq!(job.source.inputs, [dir.path().join("a.csv").to_string_lossy()]);
}

#[test]
fn partition_keys_are_read() {
    let derived = |name: &str, column: &str, part| {
        Ok(PartitionKey::Derived(DerivedKey { name: name.into(), column: column.into(), part }))
    };
    for (text, expected) in [
        ("region", Ok(PartitionKey::Column("region".into()))),
        ("amount (EUR)", Ok(PartitionKey::Column("amount (EUR)".into()))),
        ("month( a b )", derived("month", "a b", DatePart::Month)),
        ("d = date(t)", derived("d", "t", DatePart::Date)),
        ("=day(t)", Err("the name before `=` is missing in `=day(t)`".into())),
        ("hour()", Err("the column is missing: write `hour(column)`".into())),
        (" ", Err("a partition key needs the name of a column".into())),
    ] {
        assert_eq!(text.parse(), expected, "{text}");
    }
}

proptest! {
    /// Whatever a file holds, loading ends in a job or an error about the job file.
    #[test]
    fn no_job_file_panics(at in 0..GOOD.len(), cut in 0..40_usize, text in "[\\[\\]{}\"'=.,$:@/ \n*a1-]{0,12}") {
        // GOOD is ASCII, so every byte is a boundary.
        let end = (at + cut).min(GOOD.len());
        let mutated = format!("{}{text}{}", &GOOD[..at], &GOOD[end..]);
        if let Err(error) = read(&mutated, &[("name", text.as_str())]) {
            let is_job = matches!(error.kind(), ErrorKind::Job { .. });
            prop_assert!(is_job);
        }
    }

    /// A location that is absolute stays as it is.
    #[test]
    fn locations_are_made_absolute_once(text in "(file:/|file:///|s3://b/|S3://b/|/|./|)[a./*~$:%s3]{1,12}") {
        if let Ok(once) = location::absolute(&text, Path::new("/base")) {
            prop_assert!(once.starts_with('/') || once.contains("://"));
            prop_assert_eq!(location::absolute(&once, Path::new("/other")), Ok(once));
        }
    }
}
