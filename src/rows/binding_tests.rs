use super::*;
use crate::spec::Framing;
use crate::split::header::Header;
use crate::value::ColumnType;

const SAME: ColumnPolicies = ColumnPolicies {
    by_position: false,
    any_case: false,
    extra: ExtraColumns::Fail,
    missing: MissingColumns::Fail,
    duplicate: DuplicateColumns::Fail,
    order: ColumnOrder::Same,
    blank: BlankNames::Auto,
};
const STRICT: ColumnPolicies = ColumnPolicies { order: ColumnOrder::Any, ..SAME };
const ANY_CASE: ColumnPolicies = ColumnPolicies { any_case: true, ..STRICT };
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

fn header(names: &[&str]) -> Vec<HeaderName> {
    Header::of(&strings(names), None, &Framing::default()).names
}

fn missing(missing: &[&str], found: &[&str]) -> InputProblem {
    InputProblem::MissingColumns { missing: strings(missing), found: strings(found) }
}

fn twice(name: &str, positions: (usize, usize)) -> InputProblem {
    InputProblem::DuplicateColumn { name: name.into(), positions }
}

#[test]
fn columns_bind_by_name() {
    let bind = |names: &[&str], policies| {
        let bound = Binding::by_name(&schema(&["b", "a"]), &header(names), policies);
        bound.map(|binding| binding.field_of_column)
    };
    let fields = |fields: [usize; 2]| Ok(fields.map(Some).to_vec());
    for (names, policies, expected) in [
        (&["a", "b"][..], STRICT, fields([1, 0])),
        (&["A", "B"], ANY_CASE, fields([1, 0])),
        (&["x", "b", "x", "a"], IGNORE, fields([1, 3])),
        (&["x", "b", "y", "a"], STRICT, Err(InputProblem::ExtraColumns { extra: strings(&["x", "y"]) })),
        (&["A", "c"], STRICT, Err(missing(&["b", "a"], &["A", "c"]))),
        (&["a", "b", "a"], IGNORE, Err(twice("a", (1, 3)))),
        (
            &["a", "b", "A"],
            ColumnPolicies { extra: ExtraColumns::Ignore, ..ANY_CASE },
            Err(twice("A", (1, 3))),
        ),
        (&["a", "b", "a", "b"], FIRST, fields([1, 0])),
        (&["a"], NULL, Ok(vec![None, Some(0)])),
        (&["a", "x"], NULL, Err(InputProblem::ExtraColumns { extra: strings(&["x"]) })),
        (&["b", "a"], SAME, fields([0, 1])),
        (
            &["a", "b"],
            SAME,
            Err(InputProblem::ReorderedColumns {
                expected: strings(&["b", "a"]),
                found: strings(&["a", "b"]),
            }),
        ),
    ] {
        assert_eq!(bind(names, policies), expected, "{names:?} {policies:?}");
    }
}

#[test]
fn a_required_column_is_never_missing() {
    let schema = schema(&["a", "b!", "c"]);
    let bind = |names: &[&str]| Binding::by_name(&schema, &header(names), NULL);
    assert_eq!(bind(&["b"]).map(|binding| binding.field_of_column), Ok(vec![None, Some(0), None]));
    assert_eq!(bind(&["a"]), Err(missing(&["b"], &["a"])));
}

#[test]
fn columns_bind_by_position() {
    let schema = schema(&["a!", "b"]);
    let ragged = |found| Err(InputProblem::Ragged { found, expected: 2 });
    let bound = |fields_per_record, fields: [Option<usize>; 2]| {
        Ok(Binding { fields_per_record, field_of_column: fields.to_vec(), empty_fields: Vec::new() })
    };
    for (fields, policies, expected) in [
        (2, STRICT, bound(2, [Some(0), Some(1)])),
        (3, IGNORE, bound(3, [Some(0), Some(1)])),
        (3, STRICT, ragged(3)),
        (1, IGNORE, ragged(1)),
        (1, NULL, bound(1, [Some(0), None])),
        (0, NULL, ragged(0)),
    ] {
        assert_eq!(Binding::by_position(&schema, fields, &[], policies), expected, "{fields} {policies:?}");
    }
}

#[test]
fn fields_without_a_name_are_columns_or_empty() {
    let drop = ColumnPolicies { blank: BlankNames::Drop, ..STRICT };
    let position = ColumnPolicies { blank: BlankNames::Position, ..STRICT };
    let fail = ColumnPolicies { blank: BlankNames::Fail, ..IGNORE };
    let extra = |name: &str| Err(InputProblem::ExtraColumns { extra: strings(&[name]) });
    for (columns, names, policies, expected) in [
        (&["a", "b"][..], &["", "a", "b"][..], STRICT, Ok(vec![0])),
        (&["a"], &["a", "", " "], STRICT, Ok(vec![1, 2])),
        (&["a", "column_1"], &["", "a"], STRICT, Ok(vec![])),
        (&["a", "column_1"], &["", "a"], drop, Ok(vec![])),
        (&["a"], &["a", ""], IGNORE, Ok(vec![])),
        (&["a"], &["a", ""], ColumnPolicies { extra: ExtraColumns::Ignore, ..drop }, Ok(vec![1])),
        (&["a"], &["a", ""], position, extra("column_2")),
        (&["a"], &["a", ""], fail, Err(InputProblem::UnnamedColumn { position: 2 })),
    ] {
        let bound = Binding::by_name(&schema(columns), &header(names), policies);
        assert_eq!(bound.map(|binding| binding.empty_fields), expected, "{names:?} {policies:?}");
    }
    let bound = |blank: &[usize], policies| Binding::by_position(&schema(&["a", "b"]), 3, blank, policies);
    assert_eq!(bound(&[2], STRICT).map(|binding| binding.empty_fields), Ok(vec![2]));
    assert_eq!(bound(&[0], STRICT), Err(InputProblem::Ragged { found: 3, expected: 2 }));
    assert_eq!(bound(&[2], position), Err(InputProblem::Ragged { found: 3, expected: 2 }));
}
