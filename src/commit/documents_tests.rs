use super::*;
use std::collections::BTreeMap;

#[test]
fn a_key_tells_its_attempt_whatever_the_file_holds() {
    let attempt = "20261126t090051z-dac58b82";
    let keys = [
        format!("day=1/part-00000-00001-{attempt}.parquet"),
        format!("{attempt}/part-00000-00001-{attempt}.parquet"),
        crate::encode::rejects_key(7, attempt),
        // As versions before this one called them.
        format!("_sawmill/quarantine/_rejects-00007-{attempt}.parquet"),
    ];
    for key in keys {
        assert_eq!(attempt_of(&key), Some(attempt), "{key}");
    }
    let others = [
        format!("part-00000-00001-{attempt}.parquet.tmp"),
        format!("part-00000-00001{attempt}.parquet"),
        "_sawmill/log/00000000000000000001.json".to_owned(),
        "part-0.parquet".to_owned(),
        "é.rejects".to_owned(),
    ];
    for key in others {
        assert_eq!(attempt_of(&key), None, "{key}");
    }
}

fn staged(place: &str) -> StagedFile {
    let staging = Staging::TemporaryFile { name: place.into() };
    StagedFile { key: "part-0.parquet".into(), bytes: 3, crc64nvme: "crc".into(), staging }
}

fn changes(targets: &[&str]) -> Changes {
    let file = ManifestFile {
        key: "part-0.parquet".into(),
        partition: BTreeMap::new(),
        rows: 1,
        bytes: 3,
        sha256: String::new(),
    };
    Changes {
        format: COMMIT_FORMAT,
        job: "job".into(),
        job_key: "key".into(),
        attempt: "20261126t090051z-dac58b82".into(),
        mode: WriteMode::OverwritePartitions,
        layout: Layout::Direct,
        records: RecordCounts::default(),
        inputs: Vec::new(),
        files: vec![StagedData { file, staged: targets.iter().map(|target| staged(target)).collect() }],
        quarantine: Vec::new(),
        deletes: targets.iter().map(|target| vec![(*target).to_owned()]).collect(),
        retires: Vec::new(),
        replaces: Vec::new(),
    }
}

/// A job may list its targets in another order than the one that wrote a version.
#[test]
fn what_stands_for_a_target_follows_its_url() {
    let names = |places: &[&str]| places.iter().map(|place| (*place).to_owned()).collect::<Vec<_>>();
    for (from, to, handles, deletes) in [
        (&["a", "b"][..], &["a", "b"][..], &["a", "b"][..], &["a", "b"][..]),
        (&["a", "b"], &["b", "a"], &["b", "a"], &["b", "a"]),
        // Home is gone; what was removed there is not of the table either.
        (&["a", "b"], &["b"], &["b"], &["b", "a"]),
        (&["a", "b"], &["b", "c", "a"], &["b", "", "a"], &["b", "", "a"]),
        (&["a", "b", "c"], &["c", "b"], &["c", "b"], &["c", "b", "a"]),
        // By position: documents that name no targets, and a table that was moved.
        (&[], &["b", "a"], &["a", "b"], &["a", "b"]),
        (&["a", "b"], &["x", "y"], &["a", "b"], &["a", "b"]),
    ] {
        let written = if from.is_empty() { &["a", "b"][..] } else { from };
        let mut changes = changes(written);
        changes.rearrange(&names(from), to);
        let file = &changes.files[0];
        let found: Vec<&str> = file.staged.iter().map(|staged| staged.staging.handle()).collect();
        assert_eq!(found, handles, "{from:?} {to:?}");
        assert!(file.staged.iter().all(|staged| staged.crc64nvme == "crc"), "{file:?}");
        let found: Vec<&str> =
            changes.deletes.iter().map(|keys| keys.first().map_or("", String::as_str)).collect();
        assert_eq!(found, deletes, "{from:?} {to:?}");
    }
}
