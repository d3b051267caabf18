use super::*;
use crate::infer::Sample;

const DUPLICATE: fn() -> InputProblem =
    || InputProblem::DuplicateColumn { name: "a".into(), positions: (1, 3) };
const RAGGED: fn() -> InputProblem = || InputProblem::Ragged { found: 1, expected: 3 };
const OPEN: fn() -> InputProblem = || InputProblem::UnterminatedQuote { extent: None };
const TWO: fn() -> InputProblem =
    || InputProblem::TwoReadings { why: String::new(), one: String::new(), other: String::new() };

fn words(given: &DialectSpec) -> Words<'_> {
    Words {
        given,
        names: &[],
        infers: true,
        takes_duplicates: false,
        rejects: false,
        pads: false,
        truncates: false,
        tells_values: true,
        null_tokens: &[],
    }
}

/// What is told, if something is.
fn told(failing: &Failing<'_>, words: &Words<'_>) -> Option<String> {
    match remedies(failing, words, &|| true) {
        Tried::Reads(told) => Some(told),
        Tried::Nothing | Tried::Unclear => None,
    }
}

fn sample(text: &str) -> Sample {
    Sample { text: text.into(), whole: true, ..Sample::default() }
}

/// What is said first.
fn first(text: &str, problem: &InputProblem) -> Option<String> {
    let failing = Failing { sample: sample(text), at: 0, problem, decoded: Vec::new() };
    let told = told(&failing, &words(&DialectSpec::default()))?;
    told.split(" reads ").next().map(str::to_owned)
}

#[test]
fn what_reads_most_and_loses_least_comes_first() {
    let stray = InputProblem::StrayQuote { what: "" };
    let (duplicate, ragged, open, two) = (DUPLICATE(), RAGGED(), OPEN(), TWO());
    let long = InputProblem::Ragged { found: 3, expected: 2 };
    for (text, problem, expected) in [
        ("id,name,size\n1,pipe,5\" wide\n2,hose,\"3,5\"\n3,nail,\"1\"\n", &stray, "(--keep-stray-quotes)"),
        ("id|text\n1|\"Yes\n2|no\n3|may\"be\n4|\"Yes\" x\n5|no\n", &stray, "(--no-quote)"),
        ("stop,line\n\"Lahr \"Vis\" Bus\",x\n\"Ulm\",y\n\"Bonn, Hbf\",z\n", &stray, "(--unescaped-quotes)"),
        ("id,name,v\n1,\"pipe\" ,2\n2,\"hose, long\" ,3\n", &stray, "(--trim right)"),
        ("id,name,v\n1, \"pipe, x\",5\n2, \"hose, long\",3\n", &ragged, "(--trim left)"),
        ("id,name\n1,\"a\n2,b\n3,c\n", &open, "(--no-quote)"),
        ("a,b,a\n1,2,3\n4,5,6\n", &duplicate, "(--number-duplicate-columns)"),
        ("id,v,w\n1,2,3\n; half\n3,4,5\n", &ragged, "(--comment ';')"),
        ("id,name,v\n1,a,1\n2,b,2\nTotal 2\n", &ragged, "(--footer-records 1)"),
        ("name,qty\nbob,2\nann,4\nTotal;6\n", &ragged, "(--on-short-record pad)"),
        ("a,b,c\n1,2,3\n3\n6,7,8\n", &ragged, "(--on-short-record pad)"),
        ("a,b\n1,x\n2,y,z\n3,z\n", &long, "(--on-bad-record reject)"),
        ("Sales\nid,name,v\n1,a,1\n2,b,2\n3,c,3\nEnd of it\n", &two, "(--skip-records 1 --footer-records 1)"),
        ("path\n/a;b\n/c;d\n/e;f\n", &two, r"(--delimiter '\u{1f}')"),
        ("path\n/a;b 0\n/c;d 1\n/e;f 2\n", &two, r"(--delimiter '\u{1f}')"),
    ] {
        let found = first(text, problem).unwrap_or_default();
        assert!(found.ends_with(expected), "{text:?}: {found}");
        // The key is one that a job file takes.
        let keys = found.split('`').skip(1).step_by(2);
        keys.for_each(|key| assert!(key.parse::<toml::Table>().is_ok(), "{key}"));
    }
}

#[test]
fn nothing_is_said_that_would_lose_records_or_reads_nothing_else() {
    let (ragged, two) = (RAGGED(), TWO());
    for (text, problem, expected) in [
        // What is wrong is not in this text: also where the end of each record, or the first line, is known.
        ("a,b\n1,2\n3,4\n", &ragged, Tried::Unclear),
        ("A|B|C\n1|2|3|\n4|5|6|\n", &ragged, Tried::Unclear),
        ("sep=;\na;b;c\n1;2;3\n", &ragged, Tried::Unclear),
        ("", &two, Tried::Nothing),
    ] {
        let failing = Failing { sample: sample(text), at: 0, problem, decoded: Vec::new() };
        assert_eq!(remedies(&failing, &words(&DialectSpec::default()), &|| true), expected, "{text:?}");
    }
}

#[test]
fn what_is_given_is_no_guess_and_what_an_unclosed_quote_takes_in_is_told() {
    let open = OPEN();
    let text = "a,b\n1,2\n3,4\n5,6\n7,8\n9,\"x\n1,\"y\"z,2\n";
    let failing = Failing { sample: sample(text), at: 0, problem: &open, decoded: Vec::new() };
    let quoted = DialectSpec { quote_char: Some("\"".into()), ..DialectSpec::default() };
    let found = told(&failing, &words(&quoted)).unwrap_or_default();
    assert!(!found.contains("reads all"), "{found}");
    // A footer of the width of the data, which nobody would guess.
    let footed = DialectSpec { footer_records: Some(1), ..DialectSpec::default() };
    let text = "a,b\n1,\"x\" \n3,\"y\"\nTOTAL,2\n";
    let stray = InputProblem::StrayQuote { what: "" };
    let failing = Failing { sample: sample(text), at: 0, problem: &stray, decoded: Vec::new() };
    let found = told(&failing, &words(&footed)).unwrap_or_default();
    assert!(found.contains("(--trim right) reads all 2 records"), "{found}");
}

#[test]
fn an_encoding_is_said_only_where_its_text_may_be_meant() {
    let problem = InputProblem::NulByte;
    let decoded = |texts: &[(&str, &str)]| {
        texts.iter().map(|(label, text)| (label.parse().unwrap(), sample(text))).collect::<Vec<_>>()
    };
    let told = |texts| {
        let failing =
            Failing { sample: Sample::default(), at: 0, problem: &problem, decoded: decoded(texts) };
        self::told(&failing, &words(&DialectSpec::default()))
    };
    assert_eq!(told(&[("windows-1252", "id,name\n1,a\0\n"), ("utf-16be", "楤Ɱ慭攊ㄬ愀\n")]), None);
    let found = told(&[("windows-1252", "id,name\n1,\u{8d}\n"), ("shift_jis", "id,name\n1,東京\n")]).unwrap();
    assert!(found.contains("(--encoding shift_jis) reads 1 record with 2 columns"), "{found}");
    assert!(!found.contains("windows"), "{found}");
}

#[test]
fn values_that_do_not_fit_are_given_a_type_or_taken_for_null() {
    for (value, expected) in [
        ("1.25", "(--type v=float64) reads"),
        ("n.a.", "(--type v=string) reads"),
        ("NA", "(--null NA) reads"),
        ("--", "(--null=--) reads"),
        ("-", "(--null -) reads"),
    ] {
        let text = format!("id,v\n1,1\n2,2\n3,{value}\n");
        let problem = InputProblem::Value { value: value.into(), expected: "int64".into(), detail: None };
        let failing = Failing { sample: sample(&text), at: 0, problem: &problem, decoded: Vec::new() };
        let told = value_remedies(&failing, &words(&DialectSpec::default()), "v").unwrap_or_default();
        assert!(told.split("; or ").next().unwrap().contains(expected), "{value}: {told} ({expected})");
    }
}

#[test]
fn values_are_kept_back_where_they_are_to_be() {
    let problem = OPEN();
    let failing = Failing {
        sample: sample("id,name\n1,\"a\n2,b\n3,c\n"),
        at: 0,
        problem: &problem,
        decoded: Vec::new(),
    };
    let spec = DialectSpec::default();
    let told = told(&failing, &Words { tells_values: false, ..words(&spec) }).unwrap();
    assert!(told.ends_with("(--no-quote) reads all 3 records with 2 columns"), "{told}");
}

#[test]
fn what_nothing_reads_is_said_to_be_and_in_time() {
    let mut text = String::from("id,name,v\n1,\"y\" z,1,2\n5,6\n");
    (0..10_000).for_each(|id| text.push_str(&format!("{id},it's \"{id}\"; #{id}|x,{id}\n")));
    let (problem, spec) = (InputProblem::StrayQuote { what: "" }, DialectSpec::default());
    let failing = Failing { sample: sample(&text), at: 14, problem: &problem, decoded: Vec::new() };
    assert_eq!(remedies(&failing, &words(&spec), &|| true), Tried::Nothing);
    let tries = std::cell::Cell::new(0);
    let may_go_on = || {
        tries.set(tries.get() + 1);
        tries.get() < 10
    };
    assert_eq!(remedies(&failing, &words(&spec), &may_go_on), Tried::Unclear);
}
