#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;

/// What is not a path and no URL of a known kind is not made a directory of that name.
#[test]
fn locations_that_cannot_be_meant_are_refused() {
    for (text, message, remedy) in [
        ("s3:/b/x", "an S3 URL has two slashes", "write `s3://b/x`, or `./s3:/b/x` for"),
        ("s3:b/x", "an S3 URL has two slashes", "write `s3://b/x`"),
        ("S3:b/x", "an S3 URL has two slashes", "write `s3://b/x`"),
        ("s3a://b/x", "`s3a://` is Hadoop's name for it", "write `s3://b/x`"),
        ("s4://b/x", "locations of kind `s4://` are not supported", "write `s3://b/x`"),
        ("hdfs:b", "locations of kind `hdfs://` are not supported", "or `./hdfs:b` for a file"),
        ("hdsf:/b", "locations of kind `hdsf://` are not supported", "or `./hdsf:/b` for a file"),
        ("arn:aws:s3:::b/x", "an ARN is not a location", "write `s3://b/x`"),
        ("s3://arn:aws:s3:::b/x", "an ARN is not a location", "write `s3://b/x`"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/a",
            "an ARN is not a location",
            "the alias of the access",
        ),
        ("file:x", "a file URL has three slashes", "write `file:///absolute/path`"),
        ("~", "`~` is not replaced", "write `${HOME}`, "),
        ("~/lake", "`~` is not replaced", "write `${HOME}/lake`, "),
        ("~x", "`~x` is not replaced", "or `./~x` for a file"),
        ("$HOME/lake", "`$HOME` is not replaced", "write `${HOME}`, "),
        ("${HOME}/lake", "`${HOME}` is not replaced", "or `./${HOME}/lake` for"),
        ("in/day=$DAY/*.csv", "`$DAY` is not replaced", "write `${DAY}`"),
        ("/data/$USER.csv", "`$USER` is not replaced", "or `file:///data/%24USER.csv` for"),
        ("s3://lake-$ENV/x", "`$ENV` is not replaced", "write `${ENV}`"),
    ] {
        let error = absolute(text, Path::new("/base")).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.remedy.contains(remedy), "{text}: {error:?}");
    }
    let secret = absolute("s3:/me:hunter2@b/x", Path::new("/base")).unwrap_err();
    assert!(!format!("{secret:?}").contains("hunter2"), "{secret:?}");
}

/// Each is what an advice above says, or a name that only looks like a URL.
#[test]
fn locations_that_look_odd_are_reached() {
    for (text, expected, path) in [
        ("file:/data/x.csv", "file:///data/x.csv", Some("/data/x.csv")),
        ("FILE:///data/x.csv", "file:///data/x.csv", Some("/data/x.csv")),
        ("file://localhost/data/x.csv", "file:///data/x.csv", Some("/data/x.csv")),
        ("S3://b/x", "s3://b/x", None),
        ("./~x", "/base/~x", Some("/base/~x")),
        ("./~/x", "/base/~/x", Some("/base/~/x")),
        ("./$HOME/x%", "file:///base/%24HOME/x%25", Some("/base/$HOME/x%")),
        ("file:///data/%24USER.csv", "file:///data/%24USER.csv", Some("/data/$USER.csv")),
        ("./s3:/b/x", "/base/s3:/b/x", Some("/base/s3:/b/x")),
        ("./hdsf:/b", "/base/hdsf:/b", Some("/base/hdsf:/b")),
        ("2024-01-01T00:00:00.csv", "/base/2024-01-01T00:00:00.csv", Some("/base/2024-01-01T00:00:00.csv")),
        ("a:b.csv", "/base/a:b.csv", Some("/base/a:b.csv")),
        ("in/x:/y", "/base/in/x:/y", Some("/base/in/x:/y")),
        ("V$SESSION.csv", "/base/V$SESSION.csv", Some("/base/V$SESSION.csv")),
        ("x_$folder$", "/base/x_$folder$", Some("/base/x_$folder$")),
        ("in/[$]DAY/*", "/base/in/[$]DAY/*", Some("/base/in/[$]DAY/*")),
        ("cost-$5.csv", "/base/cost-$5.csv", Some("/base/cost-$5.csv")),
        ("in/x~", "/base/in/x~", Some("/base/in/x~")),
    ] {
        let found = absolute(text, Path::new("/base"));
        assert_eq!(found.as_deref(), Ok(expected), "{text}");
        assert_eq!(local_path(expected).as_deref(), path.map(Path::new), "{text}");
        assert_eq!(absolute(expected, Path::new("/other")).as_deref(), Ok(expected), "{text}");
    }
}

/// What a directory above the job file is called is nobody's mistake.
#[test]
fn a_job_may_lie_anywhere() {
    let base = Path::new("/srv/$HOME");
    let once = absolute("in.csv", base).unwrap();
    assert_eq!(local_path(&once), Some(base.join("in.csv")));
    assert_eq!(absolute(&once, Path::new("/")), Ok(once));
}
