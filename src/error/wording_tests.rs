use super::*;

fn shown(text: &str) -> [String; 3] {
    let flags = |known: &[&str]| Wording::Flags(known.iter().map(|flag| (*flag).to_owned()).collect());
    let convert = [
        "no-quote",
        "quote",
        "delimiter",
        "skip-records",
        "type",
        "null",
        "on-bad-value",
        "escape",
        "settle",
        "max-fields",
        "compression",
    ];
    let infer = ["no-quote", "quote", "delimiter", "skip-records", "type", "null", "escape", "max-fields"];
    [Wording::Keys, flags(&convert), flags(&infer)].map(|wording| wording.shown(text))
}

/// Text, and what of it is shown with keys and with flags.
const CASES: &[(&str, &str, &str)] = &[
    ("", "", ""),
    ("fix the header (line 1), or `x`", "fix the header (line 1), or `x`", "fix the header (line 1), or `x`"),
    ("use `dialect.quoteChar = \"\"` (--no-quote)", "use `dialect.quoteChar = \"\"`", "use --no-quote"),
    (
        "`dialect.quoteChar = \"\"` (--no-quote) reads all 3,993 records with 5 columns; or `dialect.skipRecords = 2` \
         (--skip-records 2) together with `dialect.delimiter = \"\\t\"` (--delimiter '\\t') reads 4",
        "`dialect.quoteChar = \"\"` reads all 3,993 records with 5 columns; or `dialect.skipRecords = 2` together with \
         `dialect.delimiter = \"\\t\"` reads 4",
        "--no-quote reads all 3,993 records with 5 columns; or --skip-records 2 together with --delimiter '\\t' reads 4",
    ),
    // Quotes, backticks, parentheses and backslashes as values.
    ("`dialect.quoteChar = \"\\\"\"` (--quote '\"')", "`dialect.quoteChar = \"\\\"\"`", "--quote '\"'"),
    ("`dialect.quoteChar = \"'\"` (--quote \"'\").", "`dialect.quoteChar = \"'\"`.", "--quote \"'\"."),
    ("`dialect.quoteChar = \"`\"` (--quote '`')", "`dialect.quoteChar = \"`\"`", "--quote '`'"),
    ("`dialect.delimiter = \";\"` (--delimiter ';')", "`dialect.delimiter = \";\"`", "--delimiter ';'"),
    (
        "a `dialect.delimiter = \")\"` (--delimiter ')') b",
        "a `dialect.delimiter = \")\"` b",
        "a --delimiter ')' b",
    ),
    (
        "`dialect.delimiter = \"(\"` (--delimiter '('), c",
        "`dialect.delimiter = \"(\"`, c",
        "--delimiter '(', c",
    ),
    ("`dialect.escapeChar = \"\\\\\"` (--escape '\\')", "`dialect.escapeChar = \"\\\\\"`", "--escape '\\'"),
    (
        "`output.compression = \"zstd(3)\"` (--compression zstd(3))",
        "`output.compression = \"zstd(3)\"`",
        "--compression zstd(3)",
    ),
    (
        "`missingValues = [\"it's (\"]` in a schema (--null 'it'\\''s (')",
        "`missingValues = [\"it's (\"]` in a schema",
        "--null 'it'\\''s ('",
    ),
    // Several settings as one.
    (
        "use `dialect.delimiter = \";\"` and `dialect.skipRecords = 3` (--delimiter ';' --skip-records 3)",
        "use `dialect.delimiter = \";\"` and `dialect.skipRecords = 3`",
        "use --delimiter ';' --skip-records 3",
    ),
    // A key alone takes nothing before it.
    (
        "not `a` and `dialect.maxFields` (--max-fields)",
        "not `a` and `dialect.maxFields`",
        "not `a` and --max-fields",
    ),
    ("`source.inputs` (convert: INPUT): no", "`source.inputs`: no", "INPUT: no"),
    // No settings.
    ("`a b` (--null)", "`a b` (--null)", "`a b` (--null)"),
    ("a (--null) b `c", "a (--null) b `c", "a (--null) b `c"),
    ("`dialect.quoteChar` (--quote '", "`dialect.quoteChar` (--quote '", "`dialect.quoteChar` (--quote '"),
    // What the data has, as it is quoted.
    (
        "\"`\" is not a valid integer: `dialect.quoteChar = \"\"` (--no-quote)",
        "\"`\" is not a valid integer: `dialect.quoteChar = \"\"`",
        "\"`\" is not a valid integer: --no-quote",
    ),
];

#[test]
fn each_setting_is_shown_by_the_name_that_the_user_has() {
    for (text, keys, flags) in CASES {
        let [of_run, of_convert, _] = shown(text);
        assert_eq!((of_run.as_str(), of_convert.as_str()), (*keys, *flags), "{text}");
        // What was shown is shown the same again.
        assert_eq!([shown(keys)[0].as_str(), shown(flags)[1].as_str()], [*keys, *flags]);
    }
}

#[test]
fn flags_that_only_convert_has_are_named_as_its_own() {
    let text = settings([
        ("type = \"int64\"".into(), "--type v=int64".into(), IN_A_SCHEMA),
        ("errors.bad_value = \"reject\"".into(), "--on-bad-value reject".into(), ""),
    ]);
    let [keys, convert, infer] = shown(&text);
    assert_eq!(keys, "`type = \"int64\"` in a schema and `errors.bad_value = \"reject\"`");
    assert_eq!(convert, "--type v=int64 --on-bad-value reject");
    assert_eq!(infer, "--type v=int64 --on-bad-value reject of `convert`");
    assert_eq!(shown("`source.inputs` (convert: INPUT)")[2], "INPUT");
}

#[test]
fn strings_of_json_lines_are_shown_alike() {
    for (text, keys, flags) in CASES {
        let line = |text: &str| {
            serde_json::json!({ "level": "WARN", "n": [1, "\"\\"], "message": text }).to_string() + "\n"
        };
        let known =
            ["no-quote", "quote", "delimiter", "skip-records", "null", "escape", "max-fields", "compression"];
        let by_flags = Wording::Flags(known.map(str::to_owned).into());
        assert_eq!(Wording::Keys.shown_in_json(&line(text)), line(keys));
        assert_eq!(by_flags.shown_in_json(&line(text)), line(flags));
    }
    assert_eq!(Wording::Keys.shown_in_json("{\"a\": \"b"), "{\"a\": \"b");
}

#[test]
fn texts_are_written_as_toml_takes_them() {
    for value in ["", "\t", "\u{1f}", "\"", "\\", "a`b", "\u{e4}"] {
        let document = format!("key = {}", text(value));
        let read: toml::Table = document.parse().expect("valid");
        assert_eq!(read["key"].as_str(), Some(value), "{document}");
    }
}
