#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;
use crate::schema::constraint;
use crate::schema::{Constraint, ResolveContext, read_schema};
use crate::spec::TableSchema;
use crate::spec::table_schema::Field;
use crate::value::{AmbiguousTime, BinaryForm, ColumnType, LeadingZeros, Rounding, TypeName};
use arrow::datatypes::TimeUnit;
use proptest::prelude::*;

/// A descriptor as portals publish them: v1 vocabulary, custom properties.
const PUBLISHED: &str = r##"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "fields": [
    { "name": "id", "type": "integer", "title": "Identifier", "constraints": { "required": true, "unique": true } },
    { "name": "email", "type": "string", "format": "email", "constraints": { "pattern": ".+@.+" } },
    { "name": "price", "type": "number", "decimalChar": ",", "groupChar": ".", "missingValues": ["", "n/a"] },
    { "name": "active", "type": "boolean", "trueValues": ["yes"], "falseValues": ["no"] },
    { "name": "born", "type": "date", "format": "%d/%m/%Y", "rdfType": "http://schema.org/birthDate" },
    { "name": "seen", "type": "datetime", "constraints": { "minimum": "2020-01-01T00:00:00Z" } },
    { "name": "place", "type": "geopoint", "example": "1, 2", "my:custom": { "a": [1] } },
    { "name": "month", "type": "yearmonth" },
    { "name": "since", "type": "year", "constraints": { "enum": [2020, 2021], "unique": true } }
  ],
  "missingValues": ["", { "value": "-99", "label": "unknown" }],
  "primaryKey": "id",
  "foreignKeys": [{ "fields": "id", "reference": { "resource": "", "fields": "id" } }],
  "x-owner": "somebody"
}"##;

fn resolve(json: &str) -> std::result::Result<(Schema, Vec<String>), String> {
    let file = read_schema(json, "s.json").map_err(|error| match error.what_to_do() {
        Some(remedy) => format!("{error} => {remedy}"),
        None => error.to_string(),
    })?;
    file.schema.resolve(&ResolveContext::default()).map_err(|error| error.to_string())
}

#[test]
fn a_published_descriptor_works_unmodified() {
    let (schema, warnings) = resolve(PUBLISHED).unwrap();
    let types = schema.columns.iter().map(|c| c.column_type.to_string()).collect::<Vec<_>>();
    let expected =
        ["int64", "string", "float64", "boolean", "date", "timestamp(us)", "string", "string", "int32"];
    assert_eq!(types, expected);
    assert!(!schema.columns[0].nullable && schema.columns[1].nullable);
    assert_eq!(schema.columns[0].rules.null_tokens, ["", "-99"]);
    let price = &schema.columns[2].rules;
    assert_eq!((price.decimal_mark, price.group_mark), (b',', Some(b'.')));
    assert_eq!(price.null_tokens, ["", "n/a"]);
    assert_eq!(schema.columns[3].rules.true_tokens, ["yes"]);
    assert_eq!(schema.columns[4].rules.formats, ["%d/%m/%Y"]);
    let expected = ["`foreignKeys` is not checked"];
    assert_eq!(warnings, expected);
    assert_eq!(schema.keys, [vec![0], vec![8]]);
    let constraints = |column: usize| schema.columns[column].constraints.iter().map(Constraint::describe);
    let all = (0..9).flat_map(constraints).collect::<Vec<_>>();
    assert_eq!(all, ["pattern: .+@.+", "minimum: 2020-01-01T00:00:00Z", "enum: 2020, 2021"]);
}

#[test]
fn resources_and_packages_are_unwrapped() {
    let resource = r#"{ "name": "r", "path": "a.csv", "dialect": { "delimiter": ";" }, "schema": { "fields": [{ "name": "a" }] } }"#;
    let package = format!("{{ \"name\": \"p\", \"resources\": [{resource}] }}");
    for text in [resource, package.as_str()] {
        let file = read_schema(text, "s.json").unwrap();
        assert_eq!(file.schema.fields[0].name, "a");
        assert_eq!(file.dialect.and_then(|d| d.delimiter).as_deref(), Some(";"));
    }
    let toml = "[[fields]]\nname = 'a'\ntype = 'date'\n";
    assert_eq!(read_schema(toml, "s.toml").unwrap().dialect, None);
}

#[test]
fn mistakes_in_a_schema_have_their_place() {
    for (json, expected) in [
        (
            r#"{}"#,
            "s.json: the key `fields` is missing => add `fields`: The columns, in the order of the output.",
        ),
        (
            r#"{"fields": []}"#,
            "s.json:1:2: fields: the schema has no fields => list at least one column in `fields`",
        ),
        (
            r#"{"fields": [{"name": "a"}, {"name": "a"}]}"#,
            "s.json:1:29: fields[1].name: the name \"a\" is already that of fields[0] => give each column a name of its own",
        ),
        (
            r#"{"fields": [{"name": "a"}, {"name": "b", "sourceName": "a"}]}"#,
            "s.json:1:42: fields[1].sourceName: the column \"a\" of the CSV is already read by fields[0] => read each column once",
        ),
        (
            r#"{"schema": {"fields": [{"name": 1}]}}"#,
            "s.json:1:25: fields[0].name: must be text, not a whole number => Name in the output, and in the header unless `sourceName` says otherwise.",
        ),
        (
            r#"{"schema": "other.json"}"#,
            "s.json:1:2: schema: the schema is in another file => name that file instead",
        ),
        (
            r#"{"dialect": {"delimiter": "abcde"}, "schema": {"fields": [{"name": "a"}]}}"#,
            "s.json:1:14: delimiter: \"abcde\" is not one to four bytes => write what separates fields, such as \",\", \"\\t\" or \"||\"",
        ),
    ] {
        assert_eq!(resolve(json).unwrap_err(), expected, "{json}");
    }
}

#[test]
fn mistakes_in_a_field_name_the_key() {
    for (field, expected) in [
        (r#""type": "dat""#, "type: unknown type `dat` => did you mean `date`?"),
        (r#""type": "float""#, "type: unknown type `float` => did you mean `float64` or `float32`?"),
        (
            r#""type": "varchar(0)""#,
            "type: `varchar(0)` does not say how many bytes a text may have => write `varchar(n)` with n from 1, or `string`",
        ),
        (
            r#""type": "decimal(39,2)""#,
            "type: `decimal(39,2)` is not a decimal that can be stored => write `decimal(precision,scale)` with precision 1 to 38 and scale 0 to precision",
        ),
        (
            r#""type": "decimal(5,6)""#,
            "type: `decimal(5,6)` is not a decimal that can be stored => write `decimal(precision,scale)` with precision 1 to 38 and scale 0 to precision",
        ),
        (
            r#""type": "timestamp(us,Europe/Rome)""#,
            "type: `timestamp(us,Europe/Rome)`: instants are stored in UTC, not in `Europe/Rome` => write `timestamp(us,UTC)` and `sourceTimeZone` = \"Europe/Rome\"",
        ),
        (
            r#""type": "timestamp""#,
            "type: `timestamp` does not say its unit => write `timestamp(us)`, or `timestamp(us,UTC)` for instants; units are s, ms, us, ns",
        ),
        (
            r#""type": "date", "format": "any""#,
            "format: `any` would leave the order of day and month to a guess => name the pattern in `format`, or several in `formats`, tried in order",
        ),
        (
            r#""type": "date", "format": "%Y-%m""#,
            "format: \"%Y-%m\" gives no day => it needs a year, a month and a day (or `%j`, `%s`, `%Q`); otherwise make the type `string`",
        ),
        (
            r#""type": "time", "format": "%I:%M""#,
            "format: \"%I:%M\" has an hour of twelve, but not which half of the day => add `%p`, or write `%H` for hours of 24",
        ),
        (
            r#""type": "time", "format": "%Y""#,
            "format: \"%Y\" gives no time of day => it needs `%H`, or `%I` and `%p`",
        ),
        (
            r#""type": "date", "format": "%y%m%d", "twoDigitYearPivot": 0"#,
            "twoDigitYearPivot: 0 is not the first of a hundred years => write a year from 1 to 9900, such as 2000",
        ),
        (
            r#""type": "date", "format": "DD.MM.YYYY""#,
            "format: \"DD.MM.YYYY\" is not a strftime pattern => did you mean `%d.%m.%Y`?",
        ),
        (
            r#""type": "date", "format": "%F", "formats": ["%F"]"#,
            "formats: cannot be combined with `format` => keep one of the two",
        ),
        (
            r#""type": "timestamp(us,UTC)", "sourceTimeZone": "Europe/Berln""#,
            "sourceTimeZone: unknown time zone `Europe/Berln` => did you mean `Europe/Berlin`?",
        ),
        (
            r#""type": "datetime", "sourceTimeZone": "Europe/Berlin""#,
            "sourceTimeZone: a time zone applies to instants only => make the type `timestamp(us,UTC)`, or leave the zone out",
        ),
        (
            r#""type": "binary", "format": "base32""#,
            "format: `base32` is not an encoding of binary values => write `base64` or `hex`",
        ),
        (
            r#""type": "number", "groupChar": ".""#,
            "groupChar: '.' is also the decimal mark => set `decimalChar` to the other mark",
        ),
        (
            r#""type": "number", "decimalChar": "5""#,
            "decimalChar: \"5\" is not a valid mark => write one ASCII character such as `,` or `.`",
        ),
        (
            r#""type": "boolean", "trueValues": ["x"], "falseValues": ["x"]"#,
            "falseValues: \"x\" is also in `trueValues` => keep it in one",
        ),
        (r#""type": "boolean", "trueValues": []"#, "trueValues: is empty => list at least one"),
        (r#""missingValues": [1]"#, "missingValues[0]: must be text or a table, not a whole number"),
    ] {
        let found = resolve(&format!("{{\"fields\": [{{\"name\": \"a\",\n {field}}}]}}")).unwrap_err();
        let (place, message) = found.split_once(": fields[0].").expect("the key is named");
        assert!(place.starts_with("s.json:2:"), "{place}");
        assert_eq!(message, expected, "{field}");
    }
}

#[test]
fn misspelt_keys_are_warnings_and_custom_ones_are_not() {
    let json = r#"{"fields": [{"name": "a", "nulls": ["-"], "owner": 1}], "missingvalues": ["-"]}"#;
    let expected = [
        "s.json:1:27: fields[0].nulls: unknown key (did you mean `missingValues`?)",
        "s.json:1:57: missingvalues: unknown key (did you mean `missingValues`?)",
    ];
    assert_eq!(resolve(json).unwrap().1, expected);
}

#[test]
fn the_null_sequence_of_the_dialect_counts_in_every_column() {
    let file = read_schema(r#"{"fields": [{"name": "a"}, {"name": "b", "missingValues": ["-"]}]}"#, "s.json")
        .unwrap();
    let context = ResolveContext { file: "s.json", null_sequence: Some("\\N") };
    let (schema, _) = file.schema.resolve(&context).unwrap();
    assert_eq!(schema.columns[0].rules.null_tokens, ["", "\\N"]);
    assert_eq!(schema.columns[1].rules.null_tokens, ["-", "\\N"]);
}

fn column(name: &str, column_type: ColumnType) -> Column {
    let field = Field { name: name.into(), field_type: Some(column_type.to_string()), ..Field::default() };
    let schema = TableSchema { fields: vec![field], ..TableSchema::default() };
    schema.resolve(&ResolveContext::default()).unwrap().0.columns.remove(0)
}

#[test]
fn a_plain_schema_is_written_plainly() {
    let (schema, _) = resolve(r#"{"fields": [{"name": "a", "type": "int64"}, {"name": "b"}]}"#).unwrap();
    let text = serde_json::to_string(&schema.to_table_schema()).unwrap();
    assert_eq!(text, r#"{"fields":[{"name":"a","type":"integer"},{"name":"b","type":"string"}]}"#);
}

fn any_type() -> impl Strategy<Value = ColumnType> {
    let bits = || prop::sample::select(vec![8_u8, 16, 32, 64]);
    let unit = prop::sample::select(vec![
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ]);
    let plain = [
        ColumnType::Boolean,
        ColumnType::Float32,
        ColumnType::Float64,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Text,
        ColumnType::Binary,
    ];
    prop_oneof![
        prop::sample::select(plain.to_vec()),
        bits().prop_map(|bits| ColumnType::Int { bits }),
        bits().prop_map(|bits| ColumnType::UInt { bits }),
        (unit, any::<bool>()).prop_map(|(unit, utc)| ColumnType::Timestamp { unit, utc }),
        (1_u8..=38).prop_flat_map(|precision| {
            (0..=precision).prop_map(move |scale| ColumnType::Decimal { precision, scale })
        }),
    ]
}

prop_compose! {
    fn any_column()(
        column_type in any_type(),
        source_name in prop::option::of("[a-z]{3}"),
        nullable: bool,
        quoted_nulls: bool,
        null_tokens in prop::collection::btree_set("[a-z]{0,2}", 0..3),
        format_count in 0..3_usize,
        zone in prop::sample::select(vec![chrono_tz::Tz::UTC, chrono_tz::Tz::Europe__Berlin]),
        comma: bool,
        words: bool,
        hex: bool,
        other_rules: bool,
        constrained: bool,
    ) -> Column {
        let temporal = matches!(column_type, ColumnType::Date | ColumnType::Time | ColumnType::Timestamp { .. });
        let instant = matches!(column_type, ColumnType::Timestamp { utc: true, .. });
        let mut column = column("name", column_type);
        column.source_name = source_name.unwrap_or_default();
        column.nullable = nullable;
        let rules = &mut column.rules;
        rules.null_tokens = null_tokens.into_iter().collect();
        rules.quoted_nulls = quoted_nulls;
        if temporal {
            rules.formats = ["%F %T", "%y%j %H"].iter().take(format_count).map(|f| f.to_string()).collect();
        }
        if instant {
            rules.source_zone = zone;
        }
        if comma {
            (rules.decimal_mark, rules.group_mark) = (b',', Some(b'.'));
        }
        if words {
            (rules.true_tokens, rules.false_tokens) = (vec!["0".into()], vec!["1".into(), "no".into()]);
        }
        if hex && column_type == ColumnType::Binary {
            rules.binary_form = BinaryForm::Hex;
        }
        if other_rules {
            rules.ambiguous_time = AmbiguousTime::Later;
            rules.two_digit_year_pivot = 2000;
            rules.ignore_case = true;
            rules.bare_number = false;
            rules.rounding = Rounding::HalfEven;
            rules.leading_zeros = LeadingZeros::Error;
        }
        if constrained {
            column.constraints = constraints_for(&column);
        }
        column
    }
}

/// Every constraint that the type of a column takes, in the order of resolving.
fn constraints_for(column: &Column) -> Vec<Constraint> {
    let constraints = match column.column_type {
        ColumnType::Text => r#"{"minLength": 1, "maxLength": 9, "pattern": "[a-z]+", "enum": ["a", "b"]}"#,
        ColumnType::Date => r#"{"minimum": "2020-01-01", "exclusiveMaximum": "2021-01-01"}"#,
        ColumnType::Float64 | ColumnType::Int { .. } => {
            r#"{"exclusiveMinimum": 0, "maximum": "9", "enum": [1, 2]}"#
        }
        _ => "{}",
    };
    let field = Field {
        name: column.name.clone(),
        constraints: serde_json::from_str(constraints).unwrap(),
        ..Field::default()
    };
    constraint::resolve::resolve(&field, column.column_type, None, &column.rules).constraints
}

#[test]
fn names_of_sql_are_read() {
    for (name, expected, max_bytes) in [
        ("BIGINT", "int64", None),
        ("smallint", "int16", None),
        ("int", "int32", None),
        ("double precision", "float64", None),
        ("real", "float32", None),
        ("numeric(10,2)", "decimal(10,2)", None),
        ("DECIMAL(5)", "decimal(5,0)", None),
        ("timestamptz", "timestamp(us,UTC)", None),
        ("bool", "boolean", None),
        ("varchar", "string", None),
        ("VARCHAR(20)", "string", Some(20)),
        ("char(3)", "string", Some(3)),
        ("character varying(7)", "string", Some(7)),
    ] {
        let found: TypeName = name.parse().unwrap();
        assert_eq!(
            (found.column_type.to_string().as_str(), found.max_bytes),
            (expected, max_bytes),
            "{name}"
        );
    }
    assert!("varchar(20)".parse::<ColumnType>().is_err(), "a length must not be dropped");
    let (schema, _) = resolve(r#"{"fields": [{"name": "a", "type": "char(3)"}]}"#).unwrap();
    assert_eq!(schema.columns[0].constraints, [Constraint::MaxBytes(3)]);
    let again = serde_json::to_string(&schema.to_table_schema()).unwrap();
    assert_eq!(again, r#"{"fields":[{"name":"a","type":"varchar(3)"}]}"#);
}

#[test]
fn rules_without_effect_are_warned_about() {
    let fields = r#"{"fields": [
        {"name": "a", "ambiguousTime": "later", "ignoreCase": true, "bareNumber": false, "leadingZeros": "error"},
        {"name": "b", "type": "date", "format": "%Y%m%d", "twoDigitYearPivot": 2000},
        {"name": "c", "type": "number", "rounding": "down"},
        {"name": "d", "type": "list", "constraints": {"maxLength": 3}}
    ]}"#;
    let expected = [
        r#"`ambiguousTime` has no effect here: "a""#,
        r#"`bareNumber` has no effect here: "a""#,
        r#"`ignoreCase` has no effect here: "a""#,
        r#"`leadingZeros` has no effect here: "a""#,
        r#"`maxLength` is not checked, as the column is kept as text: "d""#,
        r#"`rounding` has no effect here: "c""#,
        r#"`twoDigitYearPivot` has no effect here: "b""#,
    ];
    assert_eq!(resolve(fields).unwrap().1, expected);
}

#[test]
fn keys_are_columns() {
    let with = |keys: &str| {
        resolve(&format!(
            r#"{{"fields": [{{"name": "a", "constraints": {{"unique": true}}}}, {{"name": "b"}}, {{"name": "c"}}], {keys}}}"#
        ))
    };
    let (schema, warnings) =
        with(r#""primaryKey": ["c", "b"], "uniqueKeys": [["b", "c"], ["a", "c"]]"#).unwrap();
    assert_eq!(schema.keys, [vec![2, 1], vec![0, 2], vec![0]]);
    assert_eq!(schema.columns.iter().map(|c| c.nullable).collect::<Vec<_>>(), [true, false, false]);
    assert!(warnings.is_empty());
    let again = schema.to_table_schema().resolve(&ResolveContext::default()).unwrap().0;
    assert_eq!(again, schema);
    assert_eq!(schema.keys_among(&[2, 0]), [vec![1, 0], vec![1]]);
    for (keys, expected) in [
        (r#""primaryKey": "cc""#, "primaryKey: there is no column \"cc\" => did you mean `c`?"),
        (
            r#""primaryKey": []"#,
            "primaryKey: lists no columns => write the names of the columns that make the key",
        ),
        (
            r#""uniqueKeys": [["a", "a"]]"#,
            "uniqueKeys[0]: names the column \"a\" twice => name each column once",
        ),
        (
            r#""uniqueKeys": "a""#,
            "uniqueKeys: is not a list of keys => write a list of lists of names, such as `[[\"id\"], [\"city\", \"day\"]]`",
        ),
    ] {
        let error = with(keys).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }
}

proptest! {
    /// What `infer` writes is read as what it had found.
    #[test]
    fn schemas_go_both_ways(mut columns in prop::collection::vec(any_column(), 1..4)) {
        for (i, column) in columns.iter_mut().enumerate() {
            column.name = format!("c{i}");
            column.source_name = if column.source_name.is_empty() { column.name.clone() } else { format!("s{i}") };
        }
        let schema = Schema::new(columns);
        let text = serde_json::to_string(&schema.to_table_schema()).unwrap();
        let (again, _) = resolve(&text).unwrap();
        prop_assert_eq!(again, schema);
    }

    #[test]
    fn no_type_name_panics(text in "[a-z(),0-9 ]{0,20}") {
        let _ = text.parse::<ColumnType>();
    }
}
