use super::*;
use SchemaChange::{AddColumns, Fail, Widen};

/// Columns as `name type`, with `!` after the type of one that is required; keys as `name=values`.
fn schema(columns: &[&str], keys: &[&str]) -> WrittenSchema {
    let column = |text: &&str| {
        let (name, column_type) = text.split_once(' ').unwrap();
        let required = column_type.ends_with('!');
        let (column_type, int96) = match column_type.trim_end_matches('!') {
            "int96" => ("timestamp(us)", true),
            other => (other, false),
        };
        WrittenColumn { name: name.into(), column_type: column_type.parse().unwrap(), int96, required }
    };
    let key = |text: &&str| match text.split_once('=') {
        Some((name, values)) => WrittenKey { name: name.into(), values: Some(values.into()) },
        None => WrittenKey { name: (*text).into(), values: None },
    };
    WrittenSchema {
        columns: columns.iter().map(column).collect(),
        partition_by: keys.iter().map(key).collect(),
    }
}

fn evolved(table: &[&str], job: &[&str], change: SchemaChange) -> Result<WrittenSchema, Misfit> {
    evolve(&schema(table, &[]), &schema(job, &[]), change)
}

#[test]
fn what_a_run_may_change_the_job_says() {
    let table = ["id int32!", "name string", "at timestamp(ms)"];
    /// Columns of the job, and of the table after each kind of change.
    type Case<'a> = (&'a [&'a str], Option<&'a [&'a str]>, Option<&'a [&'a str]>, Option<&'a [&'a str]>);
    let cases: [Case<'_>; 13] = [
        // The same, in another order, and with columns left out that may be null.
        (&table[..], Some(&table[..]), Some(&table[..]), Some(&table[..])),
        (&["at timestamp(ms)", "id int32!", "name string"], Some(&table), Some(&table), Some(&table)),
        (&["id int32!"], Some(&table), Some(&table), Some(&table)),
        (&["name string"], None, None, None),
        // New ones, which rows of before lack; and some that may be others under another name.
        (
            &["id int32!", "name string", "at timestamp(ms)", "x date!"],
            None,
            Some(&["id int32!", "name string", "at timestamp(ms)", "x date"]),
            Some(&["id int32!", "name string", "at timestamp(ms)", "x date"]),
        ),
        (&["id int32!", "x date", "at timestamp(ms)"], None, None, None),
        // Types: wider, narrower, and others.
        (&["id int64!"], None, None, Some(&["id int64!", "name string", "at timestamp(ms)"])),
        (&["id int16!"], None, None, Some(&table)),
        (&["id string!"], None, None, None),
        (&["id int32!", "name int32"], None, None, None),
        (&["id int32!", "at timestamp(ms,UTC)"], None, None, None),
        (&["id int32!", "at int96"], None, None, None),
        (&["id int32"], None, None, Some(&["id int32", "name string", "at timestamp(ms)"])),
    ];
    for (job, fail, add, widen) in cases {
        for (change, expected) in [(Fail, fail), (AddColumns, add), (Widen, widen)] {
            let found = evolved(&table, job, change);
            let expected = expected.map(|columns| schema(columns, &[]));
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{job:?} {change:?}: {found:?}");
            if let Err(misfit) = &found {
                assert!(!misfit.remedy().is_empty() && !misfit.to_string().is_empty());
            }
            // Who plans by what came out may add to it.
            if let Ok(found) = found {
                assert_eq!(evolve(&found, &found, Fail).as_ref(), Ok(&found));
                assert_eq!(admit(&schema(&table, &[]), &found, change).as_ref(), Ok(&found));
            }
        }
    }
}

#[test]
fn keys_are_what_they_were() {
    let with = |keys: &[&str]| schema(&["id int32"], keys);
    let fits = |table: &[&str], job: &[&str]| evolve(&with(table), &with(job), Widen).is_ok();
    for (table, job, expected) in [
        (&["day=string"][..], &["day=string"][..], true),
        (&["day=int32"], &["day=int64"], true),
        (&["day=string"], &["day=date"], false),
        (&["day=string"], &[], false),
        (&[], &["day=string"], false),
        (&["year=year(a)", "month=month(a)"], &["month=month(a)", "year=year(a)"], false),
        (&["year=year(a)"], &["year=year(b)"], false),
        (&["year=year(a)"], &["year=int32"], false),
        // Only the directories are known.
        (&["year"], &["year=year(b)"], true),
        (&["year"], &["month=month(b)"], false),
    ] {
        assert_eq!(fits(table, job), expected, "{table:?} {job:?}");
    }
    let misfit = evolve(&with(&["d=date(at)", "year=year(at)"]), &with(&[]), Widen).unwrap_err();
    let says = "`output.partition_by = [\"d=date(at)\", \"year(at)\"]`";
    assert!(misfit.remedy().contains(says), "{}", misfit.remedy());
}

/// Of two runs that were planned at once, the later may find another table.
#[test]
fn files_that_are_written_do_not_change_any_more() {
    let table = schema(&["id int64"], &[]);
    let narrow = schema(&["id int32"], &[]);
    assert!(evolve(&table, &narrow, Widen).is_ok());
    assert!(matches!(admit(&table, &narrow, Widen), Err(Misfit::Type { .. })));
    // It widens itself.
    assert_eq!(admit(&narrow, &table, Widen), Ok(table.clone()));
    assert!(admit(&narrow, &table, Fail).is_err());
    // A column was added in between.
    let more = schema(&["id int64", "x date"], &[]);
    assert_eq!(admit(&more, &table, Fail), Ok(more.clone()));
    assert!(admit(&more, &schema(&["id int64", "y date"], &[]), AddColumns).is_err());
}

#[test]
fn a_wider_type_holds_each_value() {
    for (wide, narrow, expected) in [
        ("int64", "int32", true),
        ("int16", "uint8", true),
        ("int16", "uint16", false),
        ("uint64", "int8", false),
        ("float64", "float32", true),
        ("float64", "int32", true),
        ("float64", "int64", false),
        ("float32", "int16", true),
        ("decimal(12,2)", "int32", true),
        ("decimal(11,2)", "int32", false),
        ("decimal(12,2)", "decimal(10,2)", true),
        ("decimal(12,4)", "decimal(10,2)", true),
        ("decimal(12,4)", "decimal(11,2)", false),
        ("timestamp(us)", "timestamp(ms)", true),
        ("timestamp(ns)", "timestamp(us)", false),
        ("timestamp(us,UTC)", "timestamp(ms)", false),
        ("timestamp(us)", "date", false),
        ("string", "int32", false),
        ("int32", "int32", false),
    ] {
        let (wide_type, narrow_type) = (wide.parse().unwrap(), narrow.parse().unwrap());
        assert_eq!(holds(wide_type, narrow_type), expected, "{wide} {narrow}");
    }
}

#[test]
fn the_log_has_types_as_schemas_spell_them() {
    let written = schema(&["id int32!", "at int96", "d decimal(9,2)"], &["year=year(at)", "k"]);
    let text = serde_json::to_string(&written).unwrap();
    let expected = r#"{"columns":[{"name":"id","type":"int32","required":true},{"name":"at","type":"timestamp(us)","int96":true},{"name":"d","type":"decimal(9,2)"}],"partition_by":[{"name":"year","values":"year(at)"},{"name":"k"}]}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<WrittenSchema>(&text).unwrap(), written);
    for (wanted, name) in [(Some("int32"), "id"), (None, "at"), (None, "year"), (None, "x")] {
        assert_eq!(written.types().get(name).map(|found| found.to_string()).as_deref(), wanted);
    }
}

#[test]
fn a_file_has_what_the_table_has() {
    let table = schema(&["id int32!", "name string"], &[]);
    for (file, says, is_of) in [
        (&["id int32!", "name string"][..], None, true),
        (&["id int32!"], None, false),
        (&["id int32", "name string"], Some("may be null"), false),
        (&["name string"], Some("lacks the column \"id\""), false),
        (&["id int64!"], Some("its column \"id\" is `int64`, that of the table `int32`"), false),
        (&["id int32!", "x date"], Some("a column \"x\""), false),
    ] {
        let file = schema(file, &[]).columns;
        let found = table.mismatch(&file);
        assert_eq!(found.is_some(), says.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(says.unwrap_or_default()));
        assert_eq!(table.is_of(&file), is_of);
    }
}
