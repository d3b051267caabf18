//! Every rule that a schema has for the text of its columns, over one file, and
//! what DuckDB finds in the table.

use crate::harness::{Workspace, readback};

const SCHEMA: &str = r##"{ "missingValues": ["", "-"], "fields": [
    { "name": "id", "type": "int", "leadingZeros": "error", "constraints": { "required": true } },
    { "name": "day", "type": "date", "formats": ["%d.%m.%y", "%e %B %Y"], "twoDigitYearPivot": 2000 },
    { "name": "seen", "type": "timestamp(us,UTC)", "format": "%Y-%m-%d %H:%M:%S.%f",
      "sourceTimeZone": "Europe/Berlin", "ambiguousTime": "later" },
    { "name": "sent", "type": "timestamp(ms,UTC)", "format": "%Q" },
    { "name": "at", "type": "time", "format": "%I:%M %p" },
    { "name": "price", "type": "decimal(9,2)", "decimalChar": ",", "groupChar": ".", "bareNumber": false },
    { "name": "share", "type": "numeric(5,1)", "rounding": "half_even" },
    { "name": "whole", "type": "bigint", "rounding": "half_up" },
    { "name": "ratio", "type": "double precision", "missingValues": ["#NUM!"] },
    { "name": "open", "type": "bool", "trueValues": ["yes"], "falseValues": ["no"], "ignoreCase": true },
    { "name": "code", "type": "varchar(4)", "missingValues": ["NULL"], "quotedNulls": true },
    { "name": "note", "type": "string" },
    { "name": "raw", "type": "binary", "format": "hex" }
] }"##;

const CSV: &str = r#"id;day;seen;sent;at;price;share;whole;ratio;open;code;note;raw
1;31.12.68;2024-07-01 12:00:00.5;1500;12:05 AM;€ 1.234,50;0.25;1.5;NaN;YES;007;;00ff
2; 1 march 1999;2024-10-27 02:30:00.000001;-1;1:00 pm;-5 EUR;0.35;-2.5;-Infinity;no;"NULL";"";
3;-;-;-;-;-;-;-;#NUM!;-;"";"-";-
"#;

const JOB: &str = "schema = \"schema.json\"\n[source]\ninputs = [\"in.csv\"]\n[dialect]\ndelimiter = \";\"\n\
                   [output]\nprofile = \"standard\"\n[[targets]]\nurl = \"out/\"\n";

fn workspace(schema: &str, csv: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("schema.json", schema);
    workspace.write("in.csv", csv);
    workspace.write("job.toml", JOB);
    workspace
}

#[test]
fn every_rule_of_a_column() {
    let workspace = workspace(SCHEMA, CSV);
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let rows: Vec<String> =
        readback::query(&workspace.path("out"), "SELECT COLUMNS(*)::VARCHAR FROM t ORDER BY ALL")
            .into_iter()
            .map(|row| {
                row.into_iter().map(|value| value.unwrap_or("NULL".into())).collect::<Vec<_>>().join("|")
            })
            .collect();
    let expected = [
        r"1|2068-12-31|2024-07-01 10:00:00.5+00|1970-01-01 00:00:01.5+00|00:05:00|1234.50|0.2|2|nan|true|007|NULL|\x00\xFF",
        "2|1999-03-01|2024-10-27 01:30:00.000001+00|1969-12-31 23:59:59.999+00|13:00:00|-5.00|0.4|-3|-inf|false|NULL||NULL",
        "3|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL||-|NULL",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn values_that_would_lose_something() {
    for (field, value, says) in [
        (r#""type": "int", "leadingZeros": "error""#, "007", "it begins with a zero"),
        (r#""type": "int""#, "1.0", "unless the column has a `rounding`"),
        (r#""type": "double""#, "1e-999", "the type can hold it only as zero"),
        (r#""type": "decimal(5,2)""#, "1.005", "more fractional digits than the type keeps"),
        (r#""type": "number", "bareNumber": false"#, "(5)", "\"(5)\" is not a valid float64"),
        (r#""type": "date", "format": "%d/%m/%Y""#, "01/02/24", "in the format \"%d/%m/%Y\""),
        (
            r#""type": "timestamptz", "sourceTimeZone": "Europe/Berlin""#,
            "2024-10-27T02:30:00",
            "`ambiguousTime` of the column says which is meant",
        ),
        (
            r#""type": "timestamptz", "sourceTimeZone": "Europe/Berlin""#,
            "2024-03-31T02:30:00",
            "put forward over it",
        ),
    ] {
        let schema = format!(r#"{{ "fields": [{{ "name": "a", {field} }}, {{ "name": "b" }}] }}"#);
        let workspace = workspace(&schema, &format!("a;b\n{value};\n"));
        let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(3).says(&[
            "line 2",
            "column \"a\"",
            says,
        ]);
        workspace.assert_untouched("out");
    }
}
