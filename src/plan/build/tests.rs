use super::*;

fn splits(bytes: &[u64]) -> Vec<(Split, u64)> {
    bytes.iter().enumerate().map(|(input, &bytes)| (Split { input, range: None }, bytes)).collect()
}

#[test]
fn splits_are_spread_in_order_and_evenly() {
    for (bytes, tasks, expected) in [
        (&[10, 10, 10, 10][..], 2, &[&[0, 1][..], &[2, 3]][..]),
        (&[10, 10, 10, 10], 1, &[&[0, 1, 2, 3]]),
        (&[100, 1, 1], 2, &[&[0], &[1, 2]]),
        (&[1, 1, 100], 2, &[&[0, 1], &[2]]),
        (&[5], 3, &[&[0], &[], &[]]),
        (&[0, 0], 2, &[&[0, 1], &[]]),
        (&[5, 0], 1, &[&[0, 1]]),
        (&[0, 5, 0, 0], 1, &[&[0, 1, 2, 3]]),
        (&[5, 5, 0], 2, &[&[0], &[1, 2]]),
    ] {
        let result = spread(splits(bytes), tasks);
        let inputs: Vec<Vec<usize>> =
            result.iter().map(|task| task.splits.iter().map(|split| split.input).collect()).collect();
        assert_eq!(inputs, expected, "{bytes:?} over {tasks}");
        assert!(result.iter().enumerate().all(|(n, task)| task.number == n as u32));
    }
}

#[test]
fn attempts_sort_by_time_and_differ() {
    let (one, two) = (new_attempt(), new_attempt());
    assert_ne!(one, two);
    assert!(one[..16] <= two[..16]);
    assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
}

#[test]
fn the_jobs_own_dialect_wins_over_the_schema_files() {
    let job = DialectSpec { delimiter: Some(";".into()), ..DialectSpec::default() };
    let file = DialectSpec { delimiter: Some("|".into()), header: Some(false), ..DialectSpec::default() };
    let merged = job.or(file);
    assert_eq!((merged.delimiter.as_deref(), merged.header), (Some(";"), Some(false)));
    // A mark that somebody says was not guessed.
    let said = DialectSpec { comment_char: Some("#".into()), ..DialectSpec::default() };
    let guessed = DialectSpec { guessed_comment_fields: Some(2), ..said.clone() };
    assert_eq!(said.clone().or(guessed.clone()), said);
    assert_eq!(DialectSpec::default().or(guessed.clone()), guessed);
}
