use super::*;
use crate::schema::ColumnType;

const SAME: ColumnPolicies = ColumnPolicies {
    extra: ExtraColumns::Fail,
    missing: MissingColumns::Fail,
    duplicate: DuplicateColumns::Fail,
    order: ColumnOrder::Same,
};
const STRICT: ColumnPolicies = ColumnPolicies { order: ColumnOrder::Any, ..SAME };
const IGNORE: ColumnPolicies = ColumnPolicies { extra: ExtraColumns::Ignore, ..STRICT };
const NULL: ColumnPolicies = ColumnPolicies { missing: MissingColumns::Null, ..STRICT };
const FIRST: ColumnPolicies = ColumnPolicies { duplicate: DuplicateColumns::First, ..STRICT };

/// Columns of text; those with a `!` are required.
fn schema(names: &[&str]) -> Schema {
    let column = |name: &&str| Column {
        source_name: name.trim_end_matches('!').into(),
        name: name.to_uppercase(),
        column_type: ColumnType::Text,
        nullable: !name.ends_with('!'),
        ..Column::new("", ColumnType::Text)
    };
    Schema::new(names.iter().map(column).collect())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn missing(missing: &[&str], found: &[&str]) -> InputProblem {
    InputProblem::MissingColumns { missing: strings(missing), found: strings(found) }
}

fn twice(name: &str) -> InputProblem {
    InputProblem::DuplicateColumn { name: name.into() }
}

#[test]
fn columns_bind_by_name() {
    let bind = |header: &[&str], policies, case_sensitive| {
        let bound = Binding::by_name(&schema(&["b", "a"]), &strings(header), policies, case_sensitive);
        bound.map(|binding| binding.field_of_column)
    };
    let fields = |fields: [usize; 2]| Ok(fields.map(Some).to_vec());
    for (header, policies, case_sensitive, expected) in [
        (&["a", "b"][..], STRICT, true, fields([1, 0])),
        (&["A", "B"], STRICT, false, fields([1, 0])),
        (&["x", "b", "x", "a"], IGNORE, true, fields([1, 3])),
        (
            &["x", "b", "y", "a"],
            STRICT,
            true,
            Err(InputProblem::ExtraColumns { extra: strings(&["x", "y"]) }),
        ),
        (&["A", "c"], STRICT, true, Err(missing(&["b", "a"], &["A", "c"]))),
        (&["a", "b", "a"], IGNORE, true, Err(twice("a"))),
        (&["a", "b", "A"], IGNORE, false, Err(twice("A"))),
        (&["a", "b", "a", "b"], FIRST, true, fields([1, 0])),
        (&["a"], NULL, true, Ok(vec![None, Some(0)])),
        (&["a", "x"], NULL, true, Err(InputProblem::ExtraColumns { extra: strings(&["x"]) })),
        (&["b", "a"], SAME, true, fields([0, 1])),
        (
            &["a", "b"],
            SAME,
            true,
            Err(InputProblem::ReorderedColumns {
                expected: strings(&["b", "a"]),
                found: strings(&["a", "b"]),
            }),
        ),
    ] {
        assert_eq!(bind(header, policies, case_sensitive), expected, "{header:?} {policies:?}");
    }
}

#[test]
fn a_required_column_is_never_missing() {
    let schema = schema(&["a", "b!", "c"]);
    let bind = |header: &[&str]| Binding::by_name(&schema, &strings(header), NULL, true);
    assert_eq!(bind(&["b"]).map(|binding| binding.field_of_column), Ok(vec![None, Some(0), None]));
    assert_eq!(bind(&["a"]), Err(missing(&["b"], &["a"])));
}

#[test]
fn columns_bind_by_position() {
    let schema = schema(&["a!", "b"]);
    let ragged = |found| Err(InputProblem::Ragged { found, expected: 2 });
    let bound = |fields_per_record, fields: [Option<usize>; 2]| {
        Ok(Binding { fields_per_record, field_of_column: fields.to_vec() })
    };
    for (fields, policies, expected) in [
        (2, STRICT, bound(2, [Some(0), Some(1)])),
        (3, IGNORE, bound(3, [Some(0), Some(1)])),
        (3, STRICT, ragged(3)),
        (1, IGNORE, ragged(1)),
        (1, NULL, bound(1, [Some(0), None])),
        (0, NULL, ragged(0)),
    ] {
        assert_eq!(Binding::by_position(&schema, fields, policies), expected, "{fields} {policies:?}");
    }
}
