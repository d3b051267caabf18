//! Mistakes in job files, schema files and flags: exit code 2, the place, and
//! what was probably meant. Nothing is read or written.

use crate::harness::Workspace;

const SCHEMA: &str = r#"{ "fields": [ { "name": "id", "type": "int32" } ] }"#;
const JOB: &str = "schema = \"schema.json\"\n\
                   [source]\n\
                   inputs = [\"in.csv\"]\n\
                   [[targets]]\n\
                   url = \"out/\"\n\
                   [output]\n\
                   compression = \"snappy\"\n";

/// A good job with one text in it replaced by another.
#[track_caller]
fn refuses(good: &str, bad: &str, says: &[&str]) {
    assert!(JOB.contains(good) || SCHEMA.contains(good), "nothing is replaced");
    let workspace = Workspace::new();
    workspace.write("in.csv", "id\n1\n");
    workspace.write("job.toml", JOB.replace(good, bad));
    workspace.write("schema.json", SCHEMA.replace(good, bad));
    for command in ["run", "check"] {
        let _ = workspace.sawmill([command, "job.toml"]).run().exits_with(2).says(says).says_it_once();
        workspace.assert_untouched("out");
    }
}

macro_rules! bad_jobs {
    ($($name:ident: $good:expr => $bad:expr, [$($says:expr),+ $(,)?];)+) => {$(
        #[test]
        fn $name() {
            refuses($good, $bad, &[$($says),+]);
        }
    )+};
}

bad_jobs! {
    unknown_key: "compression =" => "compresion =", ["job.toml:7:1", "output.compresion", "\n  help: ", "`compression`"];
    unknown_table: "[output]" => "[outputs]", ["job.toml:6", "outputs", "\n  help: ", "`output`"];
    unknown_codec: "\"snappy\"" => "\"brotly\"", ["job.toml:7", "output.compression", "brotly", "\n  help: "];
    wrong_type: "\"snappy\"" => "7", ["job.toml:7", "output.compression"];
    not_toml: "[source]" => "[source", ["job.toml:2", "\n  help: "];
    text_without_quotes: "\"snappy\"" => "snappy", ["job.toml:7:15: text must be in double quotes", "\n  help: write \"snappy\""];
    text_that_begins_like_true: "\"snappy\"" => "t", ["job.toml:7:15: text must be in double quotes", "\n  help: write \"t\""];
    value_that_is_missing: "\"snappy\"" => "", ["job.toml:7:", "the value is missing", "\n  help: write one"];
    two_steps_in_one: "[output]" => "[[transforms]]\nfilter = \"id > 0\"\ndrop = [\"id\"]\n[output]", ["job.toml:8:1: transforms[0].drop: cannot be combined with `filter`", "\n  help: ", "`[[transforms]]`"];
    step_without_anything: "[output]" => "[[transforms]]\n[output]", ["job.toml:6:1: transforms[0]: is empty", "\n  help: write one of `select`, "];
    steps_that_are_no_list: "[output]" => "[transforms]\nfilter = \"id > 0\"\n[output]", ["job.toml:6:2: transforms: must be a list", "\n  help: ", "`[[transforms]]`"];
    text_in_double_quotes: "[output]" => "[[transforms]]\nfilter = '\"JFK\" = \"x\"'\n[output]", ["transforms[0].filter: there is no column \"JFK\"", "\n  help: text must be in single quotes: 'JFK'"];
    variable_that_is_not_set: "out/" => "${SAWMILL_TEST_UNSET}/", ["job.toml:5", "targets[0].url", "SAWMILL_TEST_UNSET", "\n  help: "];
    no_target: "[[targets]]\nurl = \"out/\"\n" => "", ["the key `targets` is missing"];
    no_schema_file: "schema.json" => "scheme.json", ["scheme.json"];
    unknown_type: "int32" => "int23", ["schema.json", "int23", "int32"];
    delimiter_that_is_too_long: "[output]" => "[dialect]\ndelimiter = \"|||||\"\n[output]", ["job.toml:7", "dialect.delimiter", "\n  help: "];
    format_of_java_in_an_expression: "[output]" => "[[transforms]]\nderive = { month = \"date_format(DATE '2024-11-26', 'yyyy-MM')\" }\n[output]", ["transforms[0].derive.month", "'yyyy-MM' is not a strftime format", "^^^^^^^^^", "\n  help: write '%Y-%m'"];
    partition_key_that_is_no_column: "[output]" => "[output]\npartition_by = [\"yaer\"]", ["output.partition_by[0]", "yaer", "\n  help: the columns here are id"];
    partition_key_misspelt: "[output]" => "[output]\npartition_by = [\"id\", \"year(idd)\"]", ["output.partition_by[1]: there is no column \"idd\"", "\n  help: did you mean `id`?"];
}

#[test]
fn no_job_file() {
    let workspace = Workspace::new();
    let _ = workspace.sawmill(["run", "gone.toml"]).run().exits_with(2).says(&["gone.toml"]).helps();
}

#[test]
fn unknown_key_of_set() {
    let workspace = Workspace::new();
    workspace.write("in.csv", "id\n1\n");
    workspace.write("job.toml", JOB);
    workspace.write("schema.json", SCHEMA);
    let arguments = ["run", "job.toml", "--set", "output.compresion=zstd"];
    let _ = workspace.sawmill(arguments).run().exits_with(2).says(&["--set", "`compression`"]).helps();
    workspace.assert_untouched("out");
}

#[test]
fn unknown_flags_and_commands() {
    let workspace = Workspace::new();
    for arguments in [&["rum", "job.toml"][..], &["run", "job.toml", "--theads", "2"], &["run"], &[]] {
        let _ = workspace.sawmill(arguments).run().exits_with(2);
    }
}

/// Locations that would else become directories below the job file, or below the
/// current directory, wherever one is given.
#[test]
fn places_that_cannot_be_meant() {
    const BAD: [(&str, &str); 6] = [
        ("s3:/b/x", "`s3://b/x`"),
        ("s3:b/x", "`s3://b/x`"),
        ("arn:aws:s3:::b/x", "`s3://b/x`"),
        ("hdfs://b/x", "`s3://…`"),
        ("~/x", "`${HOME}/x`"),
        ("$HOME/x", "`${HOME}`"),
    ];
    let workspace = Workspace::new();
    workspace.write("in.csv", "id\n1\n");
    workspace.write("schema.json", SCHEMA);
    workspace.write("job.toml", JOB);
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).run().succeeds();
    let before = workspace.files("");
    let key = |key: &str, bad: &str| format!("{key}={bad}");
    for (bad, meant) in BAD {
        let (schema, target) = (key("schema", bad), key("targets[0].url", bad));
        let (input, spill) = (format!("source.inputs=['{bad}']"), key("engine.spill_directory", bad));
        let commands: Vec<Vec<&str>> = vec![
            vec!["run", "job.toml", "--input", bad],
            vec!["run", "job.toml", "--set", &target],
            vec!["run", "job.toml", "--set", &schema],
            vec!["run", "job.toml", "--set", &spill],
            vec!["check", "job.toml", "--set", &input],
            vec!["check", "job.toml", "--set", &target],
            vec!["plan", "job.toml", "-o", bad],
            vec!["task", bad],
            vec!["task", "plan.json", "-o", bad],
            vec!["commit", bad],
            vec!["commit", "plan.json", bad],
            vec!["convert", bad, "-o", "out"],
            vec!["convert", "in.csv", "-o", bad],
            vec!["convert", "in.csv", "-o", "out", "--schema", bad],
            vec!["infer", bad],
        ];
        for command in commands {
            let _ = workspace.sawmill(command).run().exits_with(2).says(&[meant]).helps();
            assert_eq!(workspace.files(""), before, "{bad}");
        }
    }
    let with_endpoint = ["plan", "job.toml", "-o", "s3://b/p.json", "--document-endpoint", "localhost:9000"];
    let _ = workspace.sawmill(with_endpoint).run().exits_with(2).says(&["--document-endpoint"]).helps();
}

/// The way out that each of these errors names.
#[test]
fn files_with_odd_names_are_reached() {
    let workspace = Workspace::new();
    for name in ["~x.csv", "$DAY.csv", "s3:x.csv"] {
        workspace.write(name, "id\n1\n");
        let output = format!("{name}.parquet");
        let _ = workspace.sawmill(["convert", name, "-o", "out.parquet"]).run().exits_with(2).helps();
        let (input, output) = (format!("./{name}"), format!("./{output}"));
        let _ = workspace.sawmill(["convert", &input, "-o", &output]).run().succeeds();
        assert!(workspace.path(&output).is_file(), "{output}");
        let _ = workspace.sawmill(["infer", &input]).run().succeeds();
    }
    let url = format!("file:{}", workspace.path("~x.csv").display());
    let _ = workspace.sawmill(["convert", &url, "-o", "url.parquet"]).run().succeeds();
}
