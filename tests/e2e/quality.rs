//! The worked example, `testdata/quality/`: spoilt flights, and what the report
//! and the table make of them.

use crate::harness::{Workspace, readback, testdata};

const NAMES: [&str; 3] = ["landing.csv", "job.toml", "schema.json"];

fn example() -> Workspace {
    let workspace = Workspace::new();
    for name in NAMES {
        let content = std::fs::read(testdata(&format!("quality/{name}"))).expect("test data");
        workspace.write(&format!("testdata/quality/{name}"), content);
    }
    workspace
}

#[test]
fn the_report_tells_what_became_of_every_record() {
    let workspace = example();
    let run = workspace.sawmill(["run", "testdata/quality/job.toml"]).env("SAWMILL_SALT", "pepper").run();
    let _ = run.succeeds().says(&[
        "325 read = 220 written + 96 filtered + 7 rejected + 2 deduplicated",
        "1 × type in \"distance\": \"far\" is not a valid int32",
        "line 54, record 53, column \"distance\"",
        "1 × constraint in \"day\": \"32\" violates the constraint `maximum: 31`",
        "1 × quote",
        "1 × ragged: the record has 11 fields where 19 are expected",
        "nulled    2 bad values of \"dep_delay\"",
        "_sawmill/quarantine/_rejects=00000-",
    ]);

    // The same, said in SQL over the landed file read as text.
    let table = workspace.path("out/eu-west-1/flights-quality");
    let landing = workspace.path("testdata/quality/landing.csv");
    let expected = format!(
        "WITH landed AS (SELECT *, row_number() OVER () AS number
            FROM read_csv('{}', all_varchar = true, null_padding = true, quote = '', header = true)),
         good AS (SELECT *, TRY_CAST(distance AS INT) AS miles FROM landed
            WHERE year <> 'TRAILER' AND time_hour IS NOT NULL AND tailnum NOT LIKE '%\"%'
              AND TRY_CAST(distance AS INT) > 0 AND CAST(day AS INT) <= 31),
         kept AS (SELECT *, upper(trim(carrier)) AS code FROM good
            WHERE miles > 100 AND origin IN ('JFK', 'EWR')
            QUALIFY row_number() OVER (PARTITION BY upper(trim(carrier)), flight, origin, time_hour
                                       ORDER BY number DESC) = 1)
         SELECT count(*), sum(miles), sum(TRY_CAST(dep_delay AS INT)), sum(TRY_CAST(arr_delay AS INT)),
                string_agg(DISTINCT code, ',' ORDER BY code) FROM kept",
        landing.display()
    );
    let written = "SELECT count(*), sum(distance), sum(dep_delay), sum(arr_delay),
                   string_agg(DISTINCT carrier, ',' ORDER BY carrier) FROM t";
    assert_eq!(readback::query(&table, written), readback::query(&table, &expected));
    let hashed =
        "SELECT count(*) FROM t WHERE tailnum IS NOT NULL AND NOT regexp_matches(tailnum, '^[0-9a-f]{64}$')";
    assert_eq!(readback::query(&table, hashed), [[Some("0".to_owned())]]);
    for file in workspace.files("out") {
        let content = std::fs::read(workspace.path("out").join(&file)).expect("a file");
        assert!(!content.windows(6).any(|part| part == b"pepper"), "the salt stands in {file}");
    }
}

#[test]
fn without_a_salt_nothing_starts() {
    let workspace = example();
    let _ = workspace
        .sawmill(["run", "testdata/quality/job.toml"])
        .run()
        .exits_with(2)
        .says(&["SAWMILL_SALT"])
        .helps();
    workspace.assert_untouched("out");
}

#[test]
fn a_trailer_that_lies_fails_the_run() {
    let workspace = example();
    let landing = std::fs::read_to_string(testdata("quality/landing.csv")).expect("test data");
    workspace.write("testdata/quality/landing.csv", landing.replace("TRAILER,325", "TRAILER,326"));
    let _ = workspace
        .sawmill(["run", "testdata/quality/job.toml"])
        .env("SAWMILL_SALT", "pepper")
        .run()
        .exits_with(3)
        .says(&["landing.csv", "326", "325"])
        .helps();
    workspace.assert_untouched("out");
}
