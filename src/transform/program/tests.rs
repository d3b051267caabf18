use super::*;
use crate::error::InputProblem;
use crate::spec::JobSpec;
use crate::spec::ValuePolicy;
use crate::transform::frame::Blame;
use crate::value::ColumnType;
use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::util::display::array_value_to_string;
use std::sync::Arc;

mod policies;

const BLOCK: BlockContext<'static> = BlockContext { url: "s3://lake/a.csv", first_record_number: 0 };

fn job(steps: &str) -> JobSpec {
    let text = format!("source = {{ inputs = ['/in/a.csv'] }}\ntargets = [{{ url = '/out' }}]\n{steps}");
    let base = std::path::Path::new("/");
    crate::job::load_str(&text, crate::spanned::DocumentFormat::Toml, "job.toml", base, &|_| None, &[])
        .unwrap_or_else(|error| panic!("{steps}: {error}"))
}

fn column(name: &str, column_type: &str, nullable: bool) -> Column {
    let source_name = name.to_uppercase();
    Column { source_name, nullable, ..Column::new(name, column_type.parse().unwrap()) }
}

/// `id` is required.
fn schema() -> Schema {
    Schema::new(vec![
        column("id", "int64", false),
        column("name", "string", true),
        column("n", "int64", true),
    ])
}

fn run_context() -> RunContext {
    RunContext { run_id: "run-7".into(), loaded_at_us: 1_700_000_000_000_000 }
}

fn environment(name: &str) -> Option<String> {
    match name {
        "SALT" => Some("pepper".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn compile(steps: &str) -> Result<Program> {
    compile_for(&schema(), steps)
}

fn compile_for(schema: &Schema, steps: &str) -> Result<Program> {
    let JobSpec { transforms, errors, output, .. } = job(steps);
    Program::compile_in(schema, &transforms, &errors, &output, &run_context(), None, &environment)
}

/// Row `i` is record `i + 1`: record 0 is the header.
fn rows(program: &Program, all: [ArrayRef; 3]) -> Rows {
    let records = (1..=all[0].len() as u32).collect();
    let columns = program.input_positions().iter().map(|&position| all[position].clone()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(all[0].len()));
    let batch = RecordBatch::try_new_with_options(arrow_schema(program.input()), columns, &options).unwrap();
    Rows { batch, records }
}

fn sample() -> [ArrayRef; 3] {
    [
        Arc::new(Int64Array::from(vec![1, 2, 3, 4])),
        Arc::new(StringArray::from(vec![Some("ann"), Some("7"), None, Some("dän")])),
        Arc::new(Int64Array::from(vec![Some(0), Some(300), Some(5), None])),
    ]
}

fn apply(steps: &str) -> (Program, TransformedRows) {
    let program = compile(steps).unwrap_or_else(|error| panic!("{steps}: {error}"));
    let outcome = program.apply(rows(&program, sample()), &BLOCK).unwrap();
    assert_eq!(outcome.rows.batch.num_rows(), outcome.rows.records.len());
    assert_eq!(outcome.rows.batch.schema(), arrow_schema(program.output()));
    (program, outcome)
}

/// `column: value value …`, a line for each column; null is `-`.
fn table(outcome: &TransformedRows) -> String {
    let batch = &outcome.rows.batch;
    let line = |i: usize| {
        let values = batch.column(i);
        let value =
            |row| if values.is_null(row) { "-".into() } else { array_value_to_string(values, row).unwrap() };
        let values: Vec<String> = (0..batch.num_rows()).map(value).collect();
        format!("{}: {}", batch.schema().field(i).name(), values.join(" "))
    };
    (0..batch.num_columns()).map(line).collect::<Vec<_>>().join("\n")
}

fn step(text: &str) -> String {
    format!("[[transforms]]\n{text}\n")
}

#[test]
fn steps_do_what_they_say() {
    for (steps, expected) in [
        (vec!["select = ['n', 'id']"], "n: 0 300 5 -\nid: 1 2 3 4"),
        (vec!["drop = ['name', 'n']"], "id: 1 2 3 4"),
        (vec!["rename = { id = 'n', n = 'id' }", "drop = ['name']"], "n: 1 2 3 4\nid: 0 300 5 -"),
        (vec!["reorder = ['n']", "drop = ['name']"], "n: 0 300 5 -\nid: 1 2 3 4"),
        (
            vec!["cast = { id = 'decimal(5,1)', n = 'string' }", "select = ['id', 'n']"],
            "id: 1.0 2.0 3.0 4.0\nn: 0 300 5 -",
        ),
        (
            vec!["default = { n = 9, name = 'nobody' }", "select = ['name', 'n']"],
            "name: ann 7 nobody dän\nn: 0 300 5 9",
        ),
        (
            // All expressions of a step see the columns before it.
            vec!["derive = { z = 'ID + 1', a = \"upper(name)\", n = '-n' }", "select = ['z', 'a', 'n']"],
            "z: 2 3 4 5\na: ANN 7 - DÄN\nn: 0 -300 -5 -",
        ),
        (vec!["derive = { k = \"'x'\" }", "select = ['k']"], "k: x x x x"),
        (vec!["filter = 'n > 1'", "select = ['id']"], "id: 2 3"),
        (vec!["mask = { name = 'redact', n = 'null' }", "drop = ['id']"], "name: *** *** - ***\nn: - - - -"),
        (vec!["mask = { name = { keep_first = 1 } }", "select = ['name']"], "name: a** * - d**"),
        (vec!["mask = { name = { keep_last = 2 } }", "select = ['name']"], "name: *nn * - *än"),
        (vec!["mask = { name = { replace_with = 'x' } }", "select = ['name']"], "name: x x - x"),
        (
            vec!["derive = { d = \"DATE '1999-12-31'\" }", "mask = { d = 'year_only' }", "select = ['d']"],
            "d: 1999-01-01 1999-01-01 1999-01-01 1999-01-01",
        ),
        (
            vec![
                "filter = 'id >= 3'",
                "lineage = { src = 'source_url', rec = 'record_number', run = 'run_id', at = 'loaded_at' }",
                "drop = ['id', 'name', 'n']",
            ],
            "src: s3://lake/a.csv s3://lake/a.csv\nrec: 3 4\nrun: run-7 run-7\nat: 2023-11-14T22:13:20Z 2023-11-14T22:13:20Z",
        ),
    ] {
        let text: String = steps.iter().map(|text| step(text)).collect();
        let (_, outcome) = apply(&text);
        assert_eq!(table(&outcome), expected, "{text}");
        assert_eq!(outcome.faults, [], "{text}");
    }
}

#[test]
fn only_columns_that_are_needed_are_parsed() {
    for (steps, positions) in [
        ("", vec![0, 1, 2]),
        ("[[transforms]]\nselect = ['n', 'id']", vec![0, 2]),
        ("[[transforms]]\nfilter = 'n > 1'\n[[transforms]]\nselect = ['name']", vec![1, 2]),
        ("[[transforms]]\nderive = { k = '1' }\n[[transforms]]\nselect = ['k']", vec![]),
        ("[[transforms]]\ndeduplicate = { key = ['n'] }\n[[transforms]]\nselect = ['id']", vec![0, 2]),
    ] {
        let program = compile(steps).unwrap();
        assert_eq!(program.input_positions(), positions, "{steps}");
        let names: Vec<_> = program.input().columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, positions.iter().map(|&i| ["id", "name", "n"][i]).collect::<Vec<_>>());
    }
}

#[test]
fn no_steps_cost_nothing() {
    let (_, outcome) = apply("");
    for (after, before) in outcome.rows.batch.columns().iter().zip(sample()) {
        assert_eq!(after.to_data(), before.to_data());
    }
    let program = compile("").unwrap();
    let given = rows(&program, sample());
    let (address, schema) = (given.batch.column(0).to_data().buffers()[0].as_ptr(), given.batch.schema());
    let rows = program.apply(given, &BLOCK).unwrap().rows;
    assert_eq!(rows.batch.column(0).to_data().buffers()[0].as_ptr(), address);
    assert!(Arc::ptr_eq(&rows.batch.schema(), &schema));
}

#[test]
fn problems_say_what_was_there() {
    let (_, outcome) = apply("[[transforms]]\ncast = { name = 'int32' }");
    let messages: Vec<_> = outcome.faults.iter().map(|fault| fault.problem.to_string()).collect();
    assert_eq!(messages, ["\"ann\" is not a valid int32", "\"dän\" is not a valid int32"]);
    let (_, outcome) = apply("[[transforms]]\nderive = { q = '10 / n' }");
    assert_eq!(
        outcome.faults[0].problem.to_string(),
        "`10 / n` cannot be computed here: Divide by zero error"
    );
}

#[test]
fn mistakes_name_the_step_and_help() {
    for (steps, key, message, remedy) in [
        ("select = ['nam']", "transforms[0].select[0]", "no column \"nam\"", "did you mean `name`?"),
        (
            "select = ['xyzzy']",
            "transforms[0].select[0]",
            "no column \"xyzzy\"",
            "the columns here are id, name, n",
        ),
        ("select = ['id', 'id']", "transforms[0].select[1]", "duplicate column \"id\"", ""),
        ("select = []", "transforms[0].select", "no column is left", ""),
        ("drop = ['id', 'name', 'n']", "transforms[0].drop", "no column is left", ""),
        ("rename = { id = 'n' }", "transforms[0].rename", "duplicate column \"n\"", ""),
        ("rename = { id = '' }", "transforms[0].rename", "no name", ""),
        ("rename = { idd = 'x' }", "transforms[0].rename.idd", "no column \"idd\"", ""),
        ("reorder = ['q']", "transforms[0].reorder[0]", "no column \"q\"", ""),
        ("cast = { n = 'in64' }", "transforms[0].cast.n", "unknown type `in64`", "did you mean `int64`?"),
        ("cast = { n = 'date' }", "transforms[0].cast.n", "a `int64` cannot be cast to `date`", "derive"),
        ("default = { n = 'x' }", "transforms[0].default.n", "\"x\" is not a valid int64", "`int64`"),
        ("default = { n = 1.5 }", "transforms[0].default.n", "\"1.5\" is not a valid int64", ""),
        ("derive = { x = 'nn + 1' }", "transforms[0].derive.x", "  | nn + 1\n  | ^^", "did you mean `n`?"),
        ("derive = { x = '1', y = 'x' }", "transforms[0].derive.y", "no column \"x\"", ""),
        ("filter = 'n + 1'", "transforms[0].filter", "gives a `int64`, not true or false", ""),
        ("check = { expression = 'name' }", "transforms[0].check.expression", "gives a `string`", ""),
        ("deduplicate = { key = [] }", "transforms[0].deduplicate.key", "lists no columns", ""),
        ("deduplicate = { key = ['x'] }", "transforms[0].deduplicate.key[0]", "no column \"x\"", ""),
        ("mask = { n = 'redact' }", "transforms[0].mask.n", "`int64`", "`cast` the column"),
        ("mask = { name = 'year_only' }", "transforms[0].mask.name", "`string`", "dates and timestamps"),
        ("mask = { id = 'null' }", "transforms[0].mask.id", "required", ""),
        (
            "hash = { columns = ['x'], salt_env = 'SALT' }",
            "transforms[0].hash.columns[0]",
            "no column \"x\"",
            "",
        ),
        (
            "hash = { columns = ['n'], salt_env = 'NOPE' }",
            "transforms[0].hash.salt_env",
            "\"NOPE\" is not set",
            "set it",
        ),
        ("hash = { columns = ['n'], salt_env = 'EMPTY' }", "transforms[0].hash.salt_env", "\"EMPTY\"", ""),
        ("lineage = { id = 'run_id' }", "transforms[0].lineage", "duplicate column \"id\"", ""),
        (
            "deduplicate = { key = ['id'] }\n[[transforms]]\nfilter = 'n > 1'",
            "transforms[1].filter",
            "after `deduplicate`",
            "before",
        ),
        (
            "deduplicate = { key = ['id'] }\n[[transforms]]\ncheck = { expression = 'n > 1' }",
            "transforms[1].check",
            "after `deduplicate`",
            "",
        ),
        (
            "deduplicate = { key = ['id'] }\n[[transforms]]\ndeduplicate = { key = ['n'] }",
            "transforms[1].deduplicate",
            "after `deduplicate`",
            "",
        ),
    ] {
        let error = compile(&step(steps)).expect_err(steps);
        let text = error.to_string();
        assert!(text.starts_with(&format!("job: {key}: ")), "{steps}: {text}");
        assert!(text.contains(message), "{steps}: {text}");
        assert!(
            error.what_to_do().is_some_and(|found| found.contains(remedy)),
            "{steps}: {:?}",
            error.what_to_do()
        );
        assert_eq!(error.kind().exit_code(), 2);
    }
}

#[test]
fn long_constants_are_refused() {
    let text = "x".repeat(1025);
    for steps in [
        format!("default = {{ name = '{text}' }}"),
        format!("mask = {{ name = {{ replace_with = '{text}' }} }}"),
    ] {
        let error = compile(&step(&steps)).expect_err(&steps).to_string();
        assert!(error.contains("name: the text has 1025 bytes"), "{error}");
    }
}

#[test]
fn hashes_are_salted_and_the_salt_is_nowhere() {
    let (program, outcome) = apply("[[transforms]]\nhash = { columns = ['name', 'id'], salt_env = 'SALT' }");
    // printf ann | openssl dgst -sha256 -hmac pepper
    let ann = "62ac51ded8a2e8b977c55c069a6e4940c70b294e885a396e11132b0d1235a390";
    assert!(table(&outcome).contains(&format!("name: {ann} ")), "{}", table(&outcome));
    assert!(outcome.rows.batch.column(1).is_null(2));
    assert_eq!(program.output().columns[0].column_type, ColumnType::Text);
    assert!(!format!("{program:?}").contains("pepper"));
}

#[test]
fn equal_keys_are_equal_and_others_are_not() {
    let program = compile("[[transforms]]\ndeduplicate = { key = ['n', 'name'], keep = 'last' }").unwrap();
    assert_eq!(
        program.key_checks(),
        [KeyCheck {
            columns: vec!["n".into(), "name".into()],
            meaning: KeyMeaning::KeepLast,
            policy_key: None
        }]
    );
    let all: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 6])),
        Arc::new(StringArray::from(vec![Some("a"), None, Some("a"), None, Some(""), Some("ab")])),
        Arc::new(Int64Array::from(vec![Some(1), None, Some(1), None, None, Some(1)])),
    ];
    let keys = program.apply(rows(&program, all.clone()), &BLOCK).unwrap().keys.remove(0);
    let same = |a: usize, b: usize| keys[a] == keys[b] && keys[a].is_some();
    assert!(same(0, 2) && same(1, 3));
    assert!(!same(0, 1) && !same(1, 4) && !same(0, 5));

    let check =
        KeyCheck { columns: vec![], meaning: KeyMeaning::Unique(ValuePolicy::Fail), policy_key: None };
    let columns = [1, 2].map(|slot| (slot, program.input().columns[slot].column_type));
    let unique = Key::new(check, &columns).unwrap();
    let frame = Frame::new(rows(&compile("").unwrap(), all), 3, &[0, 1, 2]);
    let keys = unique.of_rows(&frame).unwrap();
    assert_eq!(keys.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, false, false, true]);
    assert_eq!(keys[0], keys[2]);
}

#[test]
fn constraints_follow_the_policy_of_their_column() {
    for (policy, nullable, faults, nulled) in [
        (ValuePolicy::Fail, true, 1, 0),
        (ValuePolicy::Reject, true, 1, 0),
        (ValuePolicy::Null, true, 0, 1),
        (ValuePolicy::Null, false, 1, 0),
    ] {
        let program = compile("").unwrap();
        let mut frame = Frame::new(rows(&program, sample()), 3, &[0, 1, 2]);
        let policy = crate::rows::judge(policy, nullable);
        let blame = Blame { column: Some("name".into()), policy, policy_key: None };
        let constraint = Constraint::Pattern(crate::schema::constraint::Pattern::new("[a-zä]*").unwrap());
        CheckConstraint { slot: 1, constraint, blame }.run(&mut frame, &BLOCK).unwrap();
        let batch = RecordBatch::new_empty(arrow_schema(program.output()));
        let outcome = frame.finish(batch, Vec::new());
        assert_eq!(
            (outcome.faults.len(), outcome.nulled.values().sum::<u64>()),
            (faults, nulled),
            "{policy:?}"
        );
        if let Some(fault) = outcome.faults.first() {
            let problem =
                InputProblem::Constraint { constraint: "pattern: [a-zä]*".into(), value: "7".into() };
            assert_eq!((fault.record, &fault.problem), (2, &problem));
        }
    }
}

#[test]
fn the_profile_shapes_input_and_output() {
    let schema = Schema::new(vec![column("Id", "uint32", true), column("Clock", "time", true)]);
    let program =
        |steps: &str| compile_for(&schema, &format!("output = {{ profile = 'spectrum' }}\n{steps}"));
    let error = program("").unwrap_err().to_string();
    assert!(error.contains("Spectrum does not read times of day"), "{error}");

    let program = program("[[transforms]]\nderive = { T = \"to_timestamp('2024-01-02T03:04:05')\", Clock = 'CAST(\"Clock\" AS VARCHAR)', B = 'CAST(\"Id\" AS TINYINT)' }").unwrap();
    assert_eq!(program.input().columns[0].column_type, ColumnType::Int { bits: 64 });
    assert_eq!(program.input().columns[0].name, "Id");
    let output: Vec<_> =
        program.output().columns.iter().map(|c| format!("{} {}", c.name, c.column_type)).collect();
    assert_eq!(output, ["id int64", "clock string", "t timestamp(us)", "b int16"]);
    let batch = RecordBatch::try_new(
        arrow_schema(program.input()),
        vec![
            Arc::new(Int64Array::from(vec![1])),
            Arc::new(arrow::array::Time64MicrosecondArray::from(vec![1_000_000])),
        ],
    );
    let outcome = program.apply(Rows { batch: batch.unwrap(), records: vec![1] }, &BLOCK).unwrap();
    assert_eq!(table(&outcome), "id: 1\nclock: 00:00:01\nt: 2024-01-02T03:04:05\nb: 1");
}

proptest::proptest! {
    /// Every row comes out, is filtered, or is a fault; and which rows share a batch makes no difference.
    #[test]
    fn every_row_is_accounted_for(
        values in proptest::collection::vec((proptest::option::of("[0-9a-c]{0,3}"), proptest::option::of(-300i64..300)), 0..40),
        steps in proptest::collection::vec(0usize..8, 0..5),
        policy in proptest::sample::select(vec!["fail", "reject", "null"]),
        cut in 0usize..40,
    ) {
        const STEPS: [&str; 8] = [
            "cast = { n = 'int16' }",
            "cast = { name = { type = 'int64', on_error = 'null' } }",
            "derive = { q = '100 / n' }",
            "derive = { n = 'n * 4611686018427387904' }",
            "filter = 'n % 3 <> 0'",
            "check = { expression = 'n > -100' }",
            "default = { n = 0 }",
            "derive = { name = 'CAST(name AS VARCHAR)' }",
        ];
        let mut steps = steps;
        steps.dedup();
        // Text once cast to a number stays one.
        let text: String = steps.iter().map(|&i| step(STEPS[i])).collect();
        let program = compile(&format!("errors = {{ bad_value = '{policy}' }}\n{text}")).unwrap();
        let columns = |values: &[(Option<String>, Option<i64>)]| -> [ArrayRef; 3] {
            [
                Arc::new((0..values.len() as i64).map(Some).collect::<Int64Array>()),
                Arc::new(values.iter().map(|(name, _)| name.clone()).collect::<StringArray>()),
                Arc::new(values.iter().map(|(_, n)| *n).collect::<Int64Array>()),
            ]
        };
        let whole = program.apply(rows(&program, columns(&values)), &BLOCK).unwrap();
        let out = whole.rows.records.len() + whole.filtered as usize + whole.faults.len();
        proptest::prop_assert_eq!(out, values.len());
        proptest::prop_assert!(whole.rows.records.is_sorted());
        proptest::prop_assert!(whole.faults.is_sorted_by(|a, b| a.record < b.record));

        let (front, back) = values.split_at(cut.min(values.len()));
        let front = program.apply(rows(&program, columns(front)), &BLOCK).unwrap();
        let mut back_rows = rows(&program, columns(back));
        back_rows.records.iter_mut().for_each(|record| *record += cut.min(values.len()) as u32);
        let back = program.apply(back_rows, &BLOCK).unwrap();
        let id = program.output().columns.iter().position(|c| c.name == "id").unwrap();
        let joined = [&front, &back].map(|part| {
            let columns = part.rows.batch.columns().iter().enumerate().filter(|(i, _)| *i != id);
            let columns: Vec<_> = columns.map(|(_, values)| values.clone()).collect();
            columns
        });
        for (i, (front, back)) in joined[0].iter().zip(&joined[1]).enumerate() {
            let at = i + usize::from(i >= id);
            let both = arrow::compute::concat(&[front.as_ref(), back.as_ref()]).unwrap();
            proptest::prop_assert_eq!(&both, whole.rows.batch.column(at));
        }
        let faults: Vec<_> = front.faults.into_iter().chain(back.faults).collect();
        proptest::prop_assert_eq!(faults, whole.faults);
    }
}
