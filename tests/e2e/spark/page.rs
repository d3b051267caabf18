//! `docs/coming-from-spark.md` against the cases: nothing stands there that no
//! case shows, and no case is left out.

use super::{Case, cases, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A row of a table of the page.
#[derive(Debug)]
struct Row {
    /// What stands in the columns, without the cases.
    spark: String,
    sawmill: String,
    differs: String,
    /// Ids, from the comment in the last column.
    cases: Vec<String>,
}

impl Row {
    fn parse(line: &str) -> Row {
        // A bar inside a column is written with a backslash.
        let line = line.replace("\\|", "\u{0}");
        let mut columns = line.trim_matches('|').split('|').map(|text| text.trim().replace('\u{0}', "|"));
        let mut next = || columns.next().unwrap_or_else(|| panic!("too few columns: {line}"));
        let (spark, sawmill, last) = (next(), next(), next());
        assert_eq!(columns.next(), None, "too many columns: {line}");
        let (differs, comment) =
            last.split_once("<!--").unwrap_or_else(|| panic!("no case stands behind: {line}"));
        let cases = comment.trim_end_matches("-->").split(',').map(|id| id.trim().to_owned()).collect();
        Row { spark, sawmill, differs: differs.trim().into(), cases }
    }
}

/// The rows of all tables, without their headers.
fn rows(page: &str) -> Vec<Row> {
    let lines: Vec<_> = page.lines().collect();
    let is_rule = |line: &str| line.starts_with("|---");
    let is_row = |i: &usize| {
        let header = lines.get(i + 1).is_some_and(|next| is_rule(next));
        lines[*i].starts_with('|') && !is_rule(lines[*i]) && !header
    };
    (0..lines.len()).filter(is_row).map(|i| Row::parse(lines[i])).collect()
}

/// What stands in backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The first fenced block of a language.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("the page has an example");
    rest.split_once("```").expect("the example ends").0
}

impl Case {
    /// Whether Spark and sawmill give different tables.
    fn is_a_difference(&self) -> bool {
        self.spark_rows.is_some() || self.sawmill_rows.is_some() || self.other_types.is_some()
    }
}

#[test]
fn every_row_has_a_case_and_every_case_a_row() {
    let page = fs::read_to_string(repository("docs/coming-from-spark.md")).unwrap();
    let cases = cases();
    let by_id: BTreeMap<_, _> = cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut unused: BTreeSet<_> = by_id.keys().copied().collect();

    let example = by_id["example"];
    assert_eq!((block(&page, "python"), block(&page, "toml")), (&*example.spark, &*example.sawmill));
    unused.remove("example");

    for row in rows(&page) {
        let behind = row.cases.iter().map(|id| {
            unused.remove(id.as_str());
            *by_id.get(id.as_str()).unwrap_or_else(|| panic!("there is no case {id}: {row:?}"))
        });
        let behind: Vec<&Case> = behind.collect();
        for text in code(&row.spark) {
            let shows = |case: &&Case| {
                case.spark.contains(text) || case.csv.as_ref().is_some_and(|csv| csv.contains(text))
            };
            if row.spark.starts_with("no ") {
                assert!(!behind.iter().any(shows), "a case has {text:?}: {row:?}");
            } else {
                assert!(behind.iter().any(shows), "no case has {text:?}: {row:?}");
            }
        }
        for text in code(&row.sawmill) {
            assert!(behind.iter().any(|case| case.sawmill.contains(text)), "no case has {text:?}: {row:?}");
        }
        assert!(
            !row.differs.is_empty() || !behind.iter().any(|case| case.is_a_difference()),
            "a case differs and the page does not say it: {row:?}"
        );
    }
    assert!(unused.is_empty(), "the page does not say what these cases show: {unused:?}");
}
