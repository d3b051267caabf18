#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::ErrorKind;
use crate::spec::{EngineSpec, SourceSpec};

fn read(wanted: &[(&Input, &[(u64, u64)])]) -> Result<Vec<Vec<Vec<u8>>>> {
    let ranges = |ends: &[(u64, u64)]| ends.iter().map(|(start, end)| *start..*end).collect();
    let wanted: Vec<_> = wanted.iter().map(|(input, ends)| (*input, ranges(ends))).collect();
    let access = Access::of(&SourceSpec::of(Vec::new()), &EngineSpec::default());
    let runtime = Runtime::new(1).unwrap();
    read_ranges(&wanted, &access, &runtime, runtime.cancel())
}

#[test]
fn ranges_are_those_of_their_input() {
    let directory = tempfile::tempdir().unwrap();
    let inputs: Vec<Input> = ["0123456789", "abc"]
        .into_iter()
        .map(|content| {
            let path = directory.path().join(content);
            std::fs::write(&path, content).unwrap();
            let url = format!("file://{}", path.display());
            Input { url, bytes: Some(content.len() as u64), ..Input::default() }
        })
        .collect();
    let wanted = [(&inputs[0], &[(8, 10), (0, 3), (4, 4)][..]), (&inputs[1], &[(0, 3)])];
    assert_eq!(
        read(&wanted).unwrap(),
        [vec![b"89".to_vec(), b"012".to_vec(), Vec::new()], vec![b"abc".to_vec()]]
    );
    let error = read(&[(&inputs[1], &[(0, 4)])]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Changed { .. }), "{error:?}");
    let pipe = Input { url: super::super::STDIN.into(), ..Input::default() };
    assert!(matches!(read(&[(&pipe, &[(0, 1)])]).unwrap_err().kind(), ErrorKind::Usage { .. }));
}
