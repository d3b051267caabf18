//! The harness itself: what it claims to check, it checks.

use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::readback::{self, Ids, Layout, Table};
use serde_json::json;

fn write_parquet(sql: &str, file: &std::path::Path) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    readback::shared().ask("write_parquet", json!({ "sql": sql, "file": file }));
}

#[test]
fn tables_compare_by_value_and_not_by_order() {
    let workspace = Workspace::new();
    let csv = workspace.write("a.csv", "n,s,k\n1,x,1\nNA,,1\n3,\"é,\",2\n");
    write_parquet("SELECT 1 AS n, 'x' AS s", &workspace.path("t/k=1/b.parquet"));
    write_parquet("SELECT NULL::INT AS n, NULL::VARCHAR AS s", &workspace.path("t/k=1/a.parquet"));
    write_parquet("SELECT 3 AS n, 'é,' AS s", &workspace.path("t/k=2/a.parquet"));

    let table = Table::of_parquet(&workspace.path("t"));
    let types = [("n", "INTEGER"), ("s", "VARCHAR"), ("k", "INTEGER")];
    let expected = Table::of_csv(std::slice::from_ref(&csv), &types, &["", "NA"]);
    table.assert_same_values(&expected);
    assert_eq!((table.rows, table.columns["n"].nulls, table.columns["n"].sum.as_deref()), (3, 1, Some("4")));

    // Two values change places between rows: the columns are the same, the table is not.
    workspace.write("a.csv", "n,s,k\n3,x,1\nNA,,1\n1,\"é,\",2\n");
    let swapped = Table::of_csv(std::slice::from_ref(&csv), &types, &["", "NA"]);
    assert_eq!(swapped.columns, expected.columns);
    assert_ne!(swapped, expected);
}

#[test]
fn ids_tell_records_that_are_lost_or_repeated() {
    let workspace = Workspace::new();
    let ids = |list: &str| {
        write_parquet(&format!("SELECT unnest({list})::INT AS id"), &workspace.path("t/a.parquet"));
        Ids::of(&workspace.path("t"), "id")
    };
    let once = Ids::once(1..5);
    assert_eq!(ids("[4, 2, 1, 3]"), once);
    // The second has the same count and sum.
    for other in ["[1, 2, 3]", "[1, 1, 4, 4]", "[1, 2, 3, 4, 4]"] {
        assert_ne!(ids(other), once, "{other}");
    }
    assert_eq!(Ids::of(&workspace.path("nothing"), "id"), Ids::once(0..0));
}

#[test]
fn readers_agree_on_a_table_of_duckdb() {
    let workspace = Workspace::new();
    let sql = "SELECT 7 AS n, NULL::VARCHAR AS s, TIMESTAMPTZ '2013-01-01 10:00:00Z' AS t";
    write_parquet(sql, &workspace.path("t/k=1/a.parquet"));

    let arrow = readback::arrow(&workspace.path("t"));
    assert_eq!((arrow.rows, arrow.nulls["s"]), (1, 1));
    assert_eq!(arrow.types["t"], "timestamp[us, tz=UTC]");
    let layout = Layout::of(&workspace.path("t"));
    assert_eq!((layout.codecs, layout.page_versions), (vec!["SNAPPY".to_owned()], vec![1]));
    assert_eq!(readback::query(&workspace.path("t"), "SELECT n, s FROM t"), [[Some("7".to_owned()), None]]);
    if let Some(spark) = readback::spark(&workspace.path("t")) {
        assert_eq!((spark.rows, spark.nulls["s"]), (1, 1));
        assert_eq!(spark.types["n"], "int");
    }
}

#[test]
fn two_regions_are_two_servers() {
    let workspace = Workspace::new();
    let file = workspace.write("a.txt", "a");
    let (home, remote) = (Region::home().bucket("harness"), Region::remote().bucket("harness"));
    home.put("x/a.txt", &file);
    assert_eq!(home.objects(), ["x/a.txt"]);
    remote.assert_untouched();
    assert_eq!(std::fs::read(home.download("x/", &workspace).join("a.txt")).unwrap(), b"a");
}

#[test]
fn a_failure_shows_the_whole_run() {
    let workspace = Workspace::new();
    let run = workspace.sawmill(["--no-such-flag"]).run();
    let shown = run.to_string();
    for part in ["--no-such-flag", "stdout", "stderr", "ended:", workspace.path("").to_str().unwrap()] {
        assert!(shown.contains(part.trim_end_matches('/')), "{part:?} is missing in {shown}");
    }
}
