use super::*;
use crate::job::load_str;
use crate::spanned::DocumentFormat;
use crate::spec::JobSpec;

fn load(steps: &str) -> crate::error::Result<JobSpec> {
    let text = format!("source = {{ inputs = ['/in/a.csv'] }}\ntargets = [{{ url = '/out' }}]\n{steps}");
    load_str(&text, DocumentFormat::Toml, "job.toml", std::path::Path::new("/"), &|_| None, &[])
}

#[test]
fn every_step_is_read_and_written_the_same() {
    let steps = "
        [[transforms]]
        derive = { zone = 'upper(z)', area = { expression = 'a * b', on_error = 'null' } }
        [[transforms]]
        cast = { b = 'int32', a = { type = 'date', on_error = 'reject' } }
        [[transforms]]
        default = { t = 'x', b = true, i = -1, f = 1.5, d = 2024-01-02 }
        [[transforms]]
        check = { expression = 'a > 0' }
        [[transforms]]
        deduplicate = { key = ['a'] }
        [[transforms]]
        mask = { a = 'null', b = { keep_last = 4 }, c = { replace_with = 'x' } }
        [[transforms]]
        hash = { columns = ['a'], salt_env = 'SALT' }
        [[transforms]]
        lineage = { z = 'source_url', a = 'record_number' }
    ";
    let job = load(steps).unwrap();
    let names =
        |entries: &Entries<LineageSpec>| entries.0.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    match (&job.transforms[0], &job.transforms[7]) {
        (TransformSpec::Derive(derive), TransformSpec::Lineage(lineage)) => {
            let order: Vec<_> = derive.0.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(order, ["zone", "area"], "new columns stand in the order of the file");
            assert_eq!(names(lineage), ["z", "a"]);
            assert_eq!(derive.0[1].1.on_error(), Some(ValuePolicy::Null));
        }
        other => panic!("{other:?}"),
    }
    match &job.transforms[2] {
        TransformSpec::Default(values) => {
            let texts: Vec<_> = values.0.iter().map(|(_, value)| value.to_string()).collect();
            assert_eq!(texts, ["x", "true", "-1", "1.5", "2024-01-02"]);
        }
        other => panic!("{other:?}"),
    }
    let written = serde_json::to_string(&job.transforms).unwrap();
    assert_eq!(serde_json::from_str::<Vec<TransformSpec>>(&written).unwrap(), job.transforms);
}

#[test]
fn mistakes_name_the_key() {
    for (steps, message, remedy) in [
        ("[[transforms]]\nselekt = ['a']", "transforms[0].selekt: unknown key", "did you mean `select`?"),
        ("[[transforms]]\ncast = { a = 5 }", "transforms[0].cast.a: must be text or a table", ""),
        (
            "[[transforms]]\ncast = { a = { typ = 'date' } }",
            "transforms[0].cast.a.typ: unknown key",
            "`type`",
        ),
        (
            "[[transforms]]\nmask = { a = 'redakt' }",
            "transforms[0].mask.a: unknown word `redakt`",
            "`redact`",
        ),
        (
            "[[transforms]]\ncheck = { name = 'x' }",
            "transforms[0].check: the key `expression` is missing",
            "",
        ),
        (
            "[[transforms]]\ndeduplicate = { key = ['a'], keep = 'any' }",
            "transforms[0].deduplicate.keep",
            "`first` or `last`",
        ),
        (
            "[[transforms]]\nselect = ['a']\nfilter = 'a'",
            "transforms[0].filter: cannot be combined with `select`",
            "`[[transforms]]`",
        ),
        ("[[transforms]]", "transforms[0]: is empty", "`select`, `drop`"),
        ("[transforms]\nselect = ['a']", "transforms: must be a list", "`[[transforms]]`"),
        (
            "[[transforms]]\nmask = { a = { keep_first = 1, keep_last = 1 } }",
            "transforms[0].mask.a.keep_last: cannot be combined with `keep_first`",
            "leave one of them out",
        ),
        ("[[transforms]]\nlineage = { a = 'source' }", "transforms[0].lineage.a: unknown word", ""),
    ] {
        let error = load(steps).expect_err(steps);
        assert!(error.to_string().contains(message), "{steps}: {error}");
        assert!(error.what_to_do().unwrap_or_default().contains(remedy), "{steps}: {:?}", error.what_to_do());
    }
}
