//! What has to hold of the records of a job: every one is accounted for, not too many are
//! rejected, and as many rows are written as it expects.
//!
//! A task asks for itself, as early as it can tell; the commit asks of all tasks together.

use crate::documents::{FileReport, Findings, FirstReject, RecordCounts, SplitAccount};
use crate::error::count::{agree, count};
use crate::error::wording::settings;
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::spec::{EmptyOutput, ErrorsSpec};

/// Records read against rows in the footers of the files.
pub(crate) fn check_balance(splits: &[SplitAccount], files: &[FileReport]) -> Result<()> {
    let mut total = RecordCounts::default();
    for split in splits {
        if !split.records.balance() {
            let message = format!("input {}: {}", split.input, split.records);
            return Err(ErrorKind::Accounting { message }.into());
        }
        total += split.records;
    }
    let in_files: u64 = files.iter().map(|file| file.rows).sum();
    if in_files != total.written {
        let message = format!(
            "{} {} written, but the files hold {}",
            count(total.written, "record"),
            agree(total.written, "was", "were"),
            count(in_files, "row")
        );
        return Err(Error::new(ErrorKind::Accounting { message }));
    }
    Ok(())
}

/// Records rejected against rows in the quarantine.
pub(crate) fn check_quarantine(
    errors: &ErrorsSpec,
    splits: &[SplitAccount],
    quarantine: &[FileReport],
) -> Result<()> {
    let rejected: u64 = splits.iter().map(|split| split.records.rejected).sum();
    let kept: u64 = quarantine.iter().map(|file| file.rows).sum();
    let expected = if errors.quarantine { rejected } else { 0 };
    if kept != expected {
        let message = format!(
            "{} {} rejected, but the quarantine holds {kept}",
            count(rejected, "record"),
            agree(rejected, "was", "were")
        );
        return Err(Error::new(ErrorKind::Accounting { message }));
    }
    Ok(())
}

/// Whether so many rejected records are too many before the end is known: the
/// limits on counts. `in_input` are the records of one input so far, `in_run`
/// those of all.
pub(crate) fn check_counts(
    errors: &ErrorsSpec,
    url: &str,
    in_input: RecordCounts,
    in_run: RecordCounts,
    findings: &Findings,
) -> Result<()> {
    let within =
        |limit: Option<u64>, records: RecordCounts| limit.is_none_or(|limit| records.rejected <= limit);
    if !within(errors.max_rejected_per_input, in_input) {
        return Err(exceeded(
            "max_rejected_per_input",
            errors.max_rejected_per_input,
            url,
            in_input,
            findings,
        ));
    }
    if !within(errors.max_rejected, in_run) {
        return Err(exceeded("max_rejected", errors.max_rejected, "", in_run, findings));
    }
    Ok(())
}

/// Whether an input that was read to its end keeps within its share.
fn check_input_share(
    errors: &ErrorsSpec,
    url: &str,
    records: RecordCounts,
    findings: &Findings,
) -> Result<()> {
    let limit = errors.max_rejected_share_per_input;
    if is_above(limit, records) {
        return Err(exceeded("max_rejected_share_per_input", limit, url, records, findings));
    }
    Ok(())
}

/// Whether the whole run keeps within every limit. `inputs` are the URLs and
/// records of each.
pub(crate) fn check_run<'a>(
    errors: &ErrorsSpec,
    inputs: impl IntoIterator<Item = (&'a str, RecordCounts)>,
    findings: &Findings,
) -> Result<()> {
    let mut run = RecordCounts::default();
    for (url, records) in inputs {
        run += records;
        check_counts(errors, url, records, run, findings)?;
        check_input_share(errors, url, records, findings)?;
    }
    if is_above(errors.max_rejected_share, run) {
        return Err(exceeded("max_rejected_share", errors.max_rejected_share, "", run, findings));
    }
    Ok(())
}

/// Whether anything is left of an input that was read to its end, where no limit says how much has
/// to be. `first` is the first record that was rejected.
pub(crate) fn check_left(
    errors: &ErrorsSpec,
    url: &str,
    records: RecordCounts,
    first: Option<&FirstReject>,
) -> Result<()> {
    let is_left = records.read == 0 || records.rejected < records.read;
    if is_left || !errors.fails_if_all_rejected() {
        return Ok(());
    }
    let location = first.map_or_else(|| Location::object(url), |first| first.place.clone());
    let problem = InputProblem::AllRejected {
        records: records.read,
        first: first.map_or_else(String::new, |first| first.message.clone()),
    };
    Err(Error::input(problem, location).remedy(
        "fix the input, or its schema and dialect; if a whole input may be rejected, use `errors.all_rejected = \"allow\"` (--allow-all-rejected); nothing was made visible",
    ))
}

/// Whether the run wrote as many rows as the job expects.
pub(crate) fn check_rows(errors: &ErrorsSpec, empty: EmptyOutput, records: RecordCounts) -> Result<()> {
    let written = records.written;
    if written == 0 && empty == EmptyOutput::Fail {
        return Err(Error::new(InputProblem::NothingToWrite.into()).remedy(
            "use `output.empty = \"write_schema\"` or \"write_nothing\" in the job file if that is right",
        ));
    }
    let (key, limit) = match (errors.min_rows, errors.max_rows) {
        (Some(limit), _) if written < limit => ("min_rows", limit),
        (_, Some(limit)) if written > limit => ("max_rows", limit),
        _ => return Ok(()),
    };
    let problem = InputProblem::RowsOutOfBounds {
        account: records.to_string(),
        limit: format!("`errors.{key} = {limit}`"),
    };
    Err(Error::input(problem, Location::object("the run")).remedy(format!(
        "check what delivers the inputs, or change `errors.{key}` in the job file; nothing was made visible"
    )))
}

fn is_above(share: Option<f64>, records: RecordCounts) -> bool {
    share.is_some_and(|share| records.rejected as f64 > share * records.read as f64)
}

/// `url` is empty for the whole run.
fn exceeded(
    key: &str,
    limit: Option<impl std::fmt::Display>,
    url: &str,
    records: RecordCounts,
    findings: &Findings,
) -> Error {
    const REASONS: usize = 5;
    let concerns = |place: &Location| url.is_empty() || place.url == url;
    let mut reasons: Vec<_> = findings.rejected.iter().filter(|reason| concerns(&reason.place)).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.records));
    let shown = reasons.iter().take(REASONS).map(|reason| {
        format!("{} × {}, first at {}: {}", reason.records, reason.rule, reason.place, reason.example)
    });
    let limit = limit.map_or_else(String::new, |limit| limit.to_string());
    let problem = InputProblem::TooManyRejected {
        rejected: records.rejected,
        read: records.read,
        limit: budget(key, &format!(" = {limit}"), &format!(" {limit}")),
        reasons: shown.collect::<Vec<_>>().join("; "),
    };
    let location = Location::object(if url.is_empty() { "the run" } else { url });
    Error::input(problem, location)
        .remedy(format!("fix the input, or raise {}; nothing was made visible", budget(key, "", "")))
}

/// A limit on rejected records, with what follows its key and its flag.
fn budget(key: &str, of_key: &str, of_flag: &str) -> String {
    match key {
        "max_rejected" => {
            settings([(format!("errors.{key}{of_key}"), format!("--max-rejected{of_flag}"), "")])
        }
        _ => format!("`errors.{key}{of_key}` in the job file"),
    }
}
