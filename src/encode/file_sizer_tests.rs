use super::*;
use proptest::prelude::*;

const TARGET: u64 = 1_000_000;

/// The files that waves of encoded bytes become; `known`: whether the share of
/// the input is.
fn files(waves: &[u64], max_group: u64, known: bool) -> Vec<u64> {
    let total: u64 = waves.iter().sum();
    let mut sizer = FileSizer::new(TARGET);
    let (mut file, mut group, mut seen, mut files) = (0, 0, 0, Vec::new());
    for wave in waves {
        group += wave;
        seen += wave;
        let share = known.then_some(seen as f64 / total as f64);
        let cut = sizer.after_wave(Fill { file, waiting: group, share }, max_group);
        if cut != Cut::None {
            file += group;
            let fill = Fill { file, waiting: 0, share };
            if cut == Cut::File || sizer.after_group(fill, group) {
                sizer.end_file(file);
                files.push(std::mem::take(&mut file));
            }
            group = 0;
        }
    }
    files.extend(Some(file + group).filter(|rest| *rest > 0));
    files
}

#[test]
fn a_known_total_is_divided_evenly() {
    for (total, expected) in [(0.2, 1), (1.3, 1), (1.4, 2), (2.3, 2), (2.4, 3), (7.0, 7), (10.4, 11)] {
        let waves = vec![TARGET / 50; (total * 50.0) as usize];
        let files = files(&waves, TARGET / 4, true);
        assert_eq!(files.len(), expected, "{total}: {files:?}");
        let (least, most) = (files.iter().min().unwrap(), files.iter().max().unwrap());
        assert!(most - least <= TARGET / 25, "{total}: {files:?}");
    }
}

#[test]
fn without_a_total_files_end_at_the_target() {
    let files = files(&vec![TARGET / 50; 120], TARGET / 4, false);
    assert_eq!(files, [1_000_000, 1_000_000, 400_000]);
}

#[test]
fn one_file_is_never_cut() {
    let fill = Fill { file: u64::MAX / 2, waiting: 10, share: Some(0.5) };
    assert_eq!(FileSizer::new(u64::MAX).after_wave(fill, 100), Cut::None);
    assert_eq!(FileSizer::new(u64::MAX).after_wave(fill, 10), Cut::Group);
    assert!(!FileSizer::new(u64::MAX).after_group(fill, 10));
}

#[test]
fn row_groups_larger_than_the_target_do_not_make_files_larger() {
    let files = files(&vec![TARGET / 50; 200], 100 * TARGET, true);
    assert_eq!(files.len(), 4, "{files:?}");
}

proptest! {
    #[test]
    fn files_are_even_where_the_data_is(
        // In thousandths of a target; rows compress now better, now worse.
        waves in prop::collection::vec(5u64..40, 1..600),
        groups in 1u64..20,
    ) {
        let waves: Vec<u64> = waves.iter().map(|wave| wave * TARGET / 1_000).collect();
        let files = files(&waves, groups * TARGET / 10, true);
        let group = TARGET / 25;
        prop_assert!(files.iter().all(|file| *file <= TARGET * 3 / 2 + group), "{files:?}");
        if let [others @ .., last] = &files[..] && !others.is_empty() {
            let mean = others.iter().sum::<u64>() / others.len() as u64;
            prop_assert!(*last >= mean / 3, "{files:?}");
            prop_assert!(others.iter().all(|file| *file >= TARGET / 2), "{files:?}");
        }
    }

    #[test]
    fn no_file_is_too_large_whatever_the_estimate(
        waves in prop::collection::vec((1u64..40, 1u64..1_000), 1..300),
    ) {
        // The share runs apart from the bytes.
        let total: u64 = waves.iter().map(|wave| wave.1).sum();
        let mut sizer = FileSizer::new(TARGET);
        let (mut file, mut seen) = (0, 0);
        for (bytes, text) in waves {
            let bytes = bytes * TARGET / 1_000;
            seen += text;
            let share = Some(seen as f64 / total as f64);
            let cut = sizer.after_wave(Fill { file, waiting: bytes, share }, 1);
            prop_assert_ne!(cut, Cut::None, "groups end at once here");
            file += bytes;
            if cut == Cut::File || sizer.after_group(Fill { file, waiting: 0, share }, bytes) {
                prop_assert!(file <= TARGET * 3 / 2 + TARGET / 25);
                sizer.end_file(std::mem::take(&mut file));
            }
        }
    }
}
