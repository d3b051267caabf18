//! Names of columns and what reads them: which are refused where, and plain ones instead.

use crate::error::lists::listed;
use crate::schema::Column;
use std::collections::HashSet;

/// What Athena, AWS Glue and Spark make of a name that Redshift Spectrum reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// AWS Glue, and with it all that reads its catalog: a control character
    /// other than a tab ("API_Column", pattern of `Name`).
    Glue,
    /// Athena ("Name databases, tables, and columns": special characters other
    /// than the underscore), and Spark before 3.3 (SPARK-27442).
    AthenaAndSpark,
    /// Athena alone.
    Athena,
}

/// Who refuses a name, the strictest where several do.
pub fn refusal(name: &str) -> Option<RefusedBy> {
    // `ParquetSchemaConverter.checkFieldName`.
    let is_special_to_spark =
        |c: char| matches!(c, ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '\n' | '\t' | '=');
    if name.chars().any(|c| c.is_control() && c != '\t') {
        Some(RefusedBy::Glue)
    } else if name.chars().any(is_special_to_spark) {
        Some(RefusedBy::AthenaAndSpark)
    } else {
        name.chars().any(|c| !is_plain(c)).then_some(RefusedBy::Athena)
    }
}

/// Letters and digits of any language, and the underscore.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A name of letters, digits and underscores: what stands between them becomes
/// one underscore, and none at the ends.
fn plain(name: &str) -> String {
    if name.chars().all(is_plain) && !name.is_empty() {
        return name.to_owned();
    }
    let words: Vec<&str> = name.split(|c| !is_plain(c)).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "column".to_owned() } else { words.join("_") }
}

/// Gives each column a plain name. Those that have one keep it; of others that
/// come to the same, the later ones end in `_2`, `_3`, …
pub(super) fn make_plain(columns: &mut [Column]) {
    let wanted: Vec<String> = columns.iter().map(|column| plain(&column.name)).collect();
    let kept = columns.iter().zip(&wanted).filter(|(column, wanted)| column.name == **wanted);
    let mut taken: HashSet<String> = kept.map(|(_, wanted)| wanted.to_lowercase()).collect();
    for (column, wanted) in columns.iter_mut().zip(wanted) {
        if column.name == wanted {
            continue;
        }
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let free = std::iter::once(wanted.clone())
            .chain(numbered)
            .find(|name| !taken.contains(&name.to_lowercase()));
        column.name = free.unwrap_or(wanted);
        taken.insert(column.name.to_lowercase());
    }
}

/// Says which names some readers of a table in the profile `spectrum` refuse.
pub fn note<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let told: Vec<String> = names
        .filter_map(|name| {
            let by = match refusal(name)? {
                RefusedBy::Glue => "AWS Glue, Athena, Spark before 3.3",
                RefusedBy::AthenaAndSpark => "Athena, Spark before 3.3",
                RefusedBy::Athena => "Athena",
            };
            Some(format!("{name:?} ({by})"))
        })
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "some readers refuse column names: {}; rename them in the schema, or use \
             `output.column_names = \"plain\"` (--column-names plain)",
            listed(told)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ColumnType;

    #[test]
    fn names_become_plain_and_stay_apart() {
        let names = ["order id", "order_id", "a.b", "A B", "größe (cm)", "\n", "a;b", "x", "%", "_y"];
        let mut columns: Vec<Column> =
            names.iter().map(|name| Column::new(*name, ColumnType::Text)).collect();
        make_plain(&mut columns);
        let found: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            found,
            ["order_id_2", "order_id", "a_b", "A_B_2", "größe_cm", "column", "a_b_3", "x", "column_2", "_y"]
        );
        assert!(columns.iter().all(|column| refusal(&column.name).is_none()));
        assert!(columns.iter().zip(names).all(|(column, name)| column.source_name == name));
    }

    #[test]
    fn it_is_said_who_refuses_a_name() {
        for (name, expected) in [
            ("order_id", None),
            ("größe", None),
            ("2024", None),
            ("order id", Some(RefusedBy::AthenaAndSpark)),
            ("a;b", Some(RefusedBy::AthenaAndSpark)),
            ("a\tb", Some(RefusedBy::AthenaAndSpark)),
            ("a.b", Some(RefusedBy::Athena)),
            ("a\nb", Some(RefusedBy::Glue)),
        ] {
            assert_eq!(refusal(name), expected, "{name:?}");
        }
        assert_eq!(note(["a", "b"].into_iter()), None);
        let many: Vec<String> = (0..30).map(|number| format!("c {number}")).collect();
        assert!(note(many.iter().map(String::as_str)).unwrap().contains("and 10 more"));
    }
}
