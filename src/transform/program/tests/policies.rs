//! What happens to bad values, and by which key and name.

use super::*;
use crate::rows::{Fault, Origin};

#[test]
fn bad_values_follow_the_policy() {
    use ValuePolicy::{Fail, Reject};
    let cast = "[[transforms]]\ncast = { n = 'int8' }";
    let cast_null = "[[transforms]]\ncast = { n = { type = 'int8', on_error = 'null' } }";
    let derive = "[[transforms]]\nderive = { q = '10 / n' }";
    let check = "[[transforms]]\ncheck = { name = 'small', expression = 'n < 100' }";
    for (errors, steps, faults, nulled, left) in [
        ("", cast, vec![(2, Some("n"), "type", Fail)], vec![], vec![1, 3, 4]),
        (
            "errors = { bad_value = 'reject' }",
            cast,
            vec![(2, Some("n"), "type", Reject)],
            vec![],
            vec![1, 3, 4],
        ),
        ("errors = { columns = { n = 'null' } }", cast, vec![], vec![("n", 1)], vec![1, 2, 3, 4]),
        ("", cast_null, vec![], vec![("n", 1)], vec![1, 2, 3, 4]),
        // A required column cannot hold null.
        (
            "errors = { bad_value = 'null' }",
            "[[transforms]]\nderive = { id2 = 'id' }\n[[transforms]]\ncast = { id = 'boolean' }",
            vec![
                (2, Some("id"), "type", Reject),
                (3, Some("id"), "type", Reject),
                (4, Some("id"), "type", Reject),
            ],
            vec![],
            vec![1],
        ),
        (
            "errors = { bad_value = 'reject' }",
            derive,
            vec![(1, Some("q"), "expression", Reject)],
            vec![],
            vec![2, 3, 4],
        ),
        ("errors = { columns = { q = 'null' } }", derive, vec![], vec![("q", 1)], vec![1, 2, 3, 4]),
        (
            "",
            "[[transforms]]\nderive = { q = { expression = '10 / n', on_error = 'reject' } }",
            vec![(1, Some("q"), "expression", Reject)],
            vec![],
            vec![2, 3, 4],
        ),
        ("", check, vec![(2, None, "check", Fail)], vec![], vec![1, 3, 4]),
        ("errors = { bad_value = 'null' }", check, vec![(2, None, "check", Reject)], vec![], vec![1, 3, 4]),
        (
            "",
            "[[transforms]]\ncheck = { expression = 'n < 100', on_fail = 'reject' }",
            vec![(2, None, "check", Reject)],
            vec![],
            vec![1, 3, 4],
        ),
        (
            "errors = { bad_value = 'reject' }",
            "[[transforms]]\nfilter = '10 / n < 1'",
            vec![(1, None, "expression", Reject)],
            vec![],
            vec![2],
        ),
        // One fault a record, in the order of the records.
        (
            "errors = { bad_value = 'reject' }",
            "[[transforms]]\ncast = { n = 'int8' }\n[[transforms]]\nderive = { q = '10 / n' }",
            vec![(1, Some("q"), "expression", Reject), (2, Some("n"), "type", Reject)],
            vec![],
            vec![3, 4],
        ),
    ] {
        let (_, outcome) = apply(&format!("{errors}\n{steps}"));
        let brief = |fault: &Fault| (fault.record, fault.column.clone(), fault.problem.rule(), fault.policy);
        let found: Vec<_> = outcome.faults.iter().map(brief).collect();
        let expected: Vec<_> = faults
            .into_iter()
            .map(|(record, column, rule, policy)| (record, column.map(str::to_owned), rule, policy))
            .collect();
        assert_eq!(found, expected, "{errors} {steps}");
        let nulled: BTreeMap<String, u64> =
            nulled.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        assert_eq!(outcome.nulled, nulled, "{errors} {steps}");
        assert_eq!(outcome.rows.records, left, "{errors} {steps}");
    }
}

#[test]
fn faults_name_the_key_that_has_the_last_word() {
    for (errors, steps, expected) in [
        ("", "cast = { n = 'int8' }", "errors.bad_value"),
        ("errors = { columns = { n = 'reject' } }", "cast = { n = 'int8' }", "errors.columns.n"),
        ("", "cast = { n = { type = 'int8', on_error = 'fail' } }", "transforms[0].cast.n.on_error"),
        (
            "errors = { columns = { q = 'reject' } }",
            "derive = { q = { expression = '10 / n', on_error = 'reject' } }",
            "transforms[0].derive.q.on_error",
        ),
        ("errors = { columns = { q = 'reject' } }", "derive = { q = '10 / n' }", "errors.columns.q"),
        ("", "filter = '10 / n < 1'", "errors.bad_value"),
        ("", "check = { expression = 'n < 100' }", "errors.bad_value"),
        ("", "check = { expression = 'n < 100', on_fail = 'fail' }", "transforms[0].check.on_fail"),
    ] {
        let (_, outcome) = apply(&format!("{errors}\n{}", step(steps)));
        let origin = Origin::Row { policy_key: Some(expected.to_owned()) };
        assert_eq!(outcome.faults[0].origin, origin, "{errors} {steps}");
    }
    let mut unique = schema();
    unique.keys = vec![vec![2]];
    for (errors, expected) in
        [("", "errors.bad_value"), ("errors = { columns = { n = 'reject' } }", "errors.columns.n")]
    {
        let program = compile_for(&unique, errors).unwrap();
        assert_eq!(program.key_checks()[0].policy_key.as_deref(), Some(expected));
    }
}

#[test]
fn policies_are_looked_up_by_the_name_at_the_step() {
    for (steps, expected) in [
        (vec![], vec!["id", "n", "name"]),
        // Neither the new name of what is only renamed, nor what has a policy of its own.
        (vec!["rename = { n = 'm' }"], vec!["id", "n", "name"]),
        (vec!["rename = { n = 'm' }", "cast = { m = 'int8' }"], vec!["id", "m", "n", "name"]),
        (vec!["derive = { q = { expression = '1 / n', on_error = 'null' } }"], vec!["id", "n", "name"]),
        (vec!["derive = { q = '1 / n' }", "select = ['id']"], vec!["id", "n", "name", "q"]),
        (vec!["derive = { Q = '1 / n' }", "rename = { Q = 'r' }"], vec!["Q", "id", "n", "name"]),
    ] {
        let text: String = steps.iter().map(|text| step(text)).collect();
        let program = compile(&text).unwrap();
        assert_eq!(program.policy_names().iter().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn a_year_that_begins_before_the_type_does_is_a_bad_value() {
    use ValuePolicy::{Fail, Reject};
    for (policy, nullable, faults, nulled) in [
        ("fail", true, vec![(1, Fail)], 0),
        ("reject", true, vec![(1, Reject)], 0),
        ("null", true, vec![], 1),
        ("null", false, vec![(1, Reject)], 0),
    ] {
        let schema = Schema::new(vec![column("born", "timestamp(ns)", nullable)]);
        let steps = format!(
            "output = {{ profile = 'standard' }}\nerrors = {{ bad_value = '{policy}' }}\n{}",
            step("mask = { born = 'year_only' }")
        );
        let program = compile_for(&schema, &steps).unwrap();
        // 1677-09-21, where nanoseconds begin, and 1970-01-02.
        let values = arrow::array::TimestampNanosecondArray::from(vec![i64::MIN + 1, 86_400_000_000_000]);
        let batch = RecordBatch::try_new(arrow_schema(program.input()), vec![Arc::new(values)]).unwrap();
        let outcome = program.apply(Rows { batch, records: vec![1, 2] }, &BLOCK).unwrap();
        let found: Vec<_> = outcome.faults.iter().map(|fault| (fault.record, fault.policy)).collect();
        assert_eq!((found, outcome.nulled.values().sum::<u64>()), (faults, nulled), "{policy}");
        assert!(table(&outcome).ends_with("1970-01-01T00:00:00"), "{}", table(&outcome));
        for fault in &outcome.faults {
            assert!(!fault.problem.to_string().contains("1677"), "{}", fault.problem);
        }
    }
}

#[test]
fn values_that_fill_the_memory_fail_the_run_whatever_the_policy() {
    let (_, outcome) = apply(
        "errors = { bad_value = 'null' }\n[[transforms]]\nderive = { x = \"repeat('x', id * 30000000)\" }",
    );
    // 30 and 60 MB do not fit together; 90 MB are too much for one value.
    let brief: Vec<_> = outcome.faults.iter().map(|fault| (fault.record, fault.policy)).collect();
    assert_eq!(brief, [(2, ValuePolicy::Fail)]);
    assert_eq!(outcome.faults[0].origin, Origin::Row { policy_key: None });
    assert!(outcome.faults[0].problem.to_string().contains("64 MiB"));
}
