//! What a person sees: a progress bar while it runs, a summary when it is over.

use super::{RunReport, SmallFiles, Status};
use crate::commit::Recovered;
use crate::documents::{Foreign, Removed};
use crate::error::count::count;
use crate::error::lists::numbered;
use crate::runtime::Progress;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A bar on standard error that follows `progress` until it is dropped; `None`
/// when standard error is not a terminal.
pub fn progress_bar(progress: Arc<Progress>) -> Option<ProgressGuard> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(0);
    let known = "{bar:30} {bytes}/{total_bytes} {msg} {binary_bytes_per_sec}, {eta} left";
    let unknown = "{spinner} {bytes} {msg} {binary_bytes_per_sec}";
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let drawn = bar.clone();
    let thread = std::thread::spawn(move || {
        let mut styled = None;
        loop {
            let total = progress.total_bytes.load(Ordering::Relaxed);
            let template = if total > 0 { known } else { unknown };
            if styled != Some(template) {
                if let Ok(style) = ProgressStyle::with_template(template) {
                    drawn.set_style(style);
                }
                styled = Some(template);
            }
            drawn.set_length(total);
            drawn.set_position(progress.read_bytes.load(Ordering::Relaxed));
            drawn.set_message(count(progress.records.load(Ordering::Relaxed), "record"));
            match stopped.recv_timeout(Duration::from_millis(100)) {
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    });
    Some(ProgressGuard { bar, stop: Some(stop), thread: Some(thread) })
}

/// Removes the bar when dropped.
#[derive(Debug)]
pub struct ProgressGuard {
    bar: ProgressBar,
    stop: Option<crossbeam_channel::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for ProgressGuard {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A display that panicked is no reason to fail a run.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

/// Lines for a person who has never seen the program before.
pub fn summary(report: &RunReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, report);
    text
}

fn write_summary(text: &mut String, report: &RunReport) -> std::fmt::Result {
    let totals = &report.totals;
    // The size of a pipe is known by its text only.
    let bytes = if totals.input_bytes > 0 { totals.input_bytes } else { totals.text_bytes };
    let inputs = format!("{}, {}", count(totals.inputs, "file"), HumanBytes(bytes));
    if !report.recovered.is_nothing() {
        writeln!(text, "{}: first, of earlier runs: {}", report.job, recovery(&report.recovered))?;
    }
    for version in &report.unfinished {
        writeln!(
            text,
            "{}: version {version} is decided, but not visible everywhere: a run finishes it first",
            report.job
        )?;
    }
    match report.status {
        Status::Committed => {}
        Status::NothingToDo if totals.inputs == 0 => {
            return writeln!(
                text,
                "{}: nothing to do. Every input was read by an earlier run.{}",
                report.job,
                unapplied(&report.unapplied)
            );
        }
        Status::NothingToDo => {
            return writeln!(
                text,
                "{}: nothing to do. An earlier run ({}) wrote these very inputs ({inputs}) to every target.{}",
                report.job,
                report.attempt,
                unapplied(&report.unapplied)
            );
        }
        Status::Planned => {
            writeln!(text, "{}: planned, nothing written.", report.job)?;
            writeln!(text, "  would read   {inputs}")?;
            for target in &report.targets {
                writeln!(text, "  would write  {}", place(target))?;
            }
            if let Some(removed) = &report.removed {
                write_removed(text, "would remove", removed)?;
            }
            return Ok(());
        }
    }
    let records = &totals.records;
    let seconds = report.elapsed_seconds.max(1e-3);
    write!(text, "{}: done in {:.2} s", report.job, report.elapsed_seconds)?;
    match report.version {
        Some(version) => writeln!(text, ", version {version} of the table")?,
        None => writeln!(text)?,
    }
    writeln!(
        text,
        "  read      {inputs}: {} ({}/s, {}/s)",
        count(records.read, "record"),
        HumanBytes((totals.text_bytes as f64 / seconds) as u64),
        count((records.read as f64 / seconds) as u64, "record"),
    )?;
    writeln!(
        text,
        "  records   {} read = {} written + {} filtered + {} rejected + {} deduplicated",
        HumanCount(records.read),
        HumanCount(records.written),
        HumanCount(records.filtered),
        HumanCount(records.rejected),
        HumanCount(records.deduplicated),
    )?;
    write_not_data(text, report)?;
    write_findings(text, report)?;
    let partitions: std::collections::BTreeSet<_> = report.files.iter().map(|file| &file.partition).collect();
    for target in &report.targets {
        write!(text, "  wrote     {}: {}", place(target), count(target.files, "Parquet file"))?;
        if partitions.iter().any(|partition| !partition.is_empty()) {
            write!(text, " in {}", count(partitions.len(), "partition"))?;
        }
        writeln!(text, ", {}", HumanBytes(target.bytes))?;
    }
    if let Some(removed) = &report.removed {
        write_removed(text, "removed  ", removed)?;
    }
    if report.targets.len() > 1 {
        writeln!(text, "  Every target holds the same files, byte for byte.")?;
    }
    report.small_files.as_ref().map_or(Ok(()), |small| write_small_files(text, small))
}

fn write_removed(text: &mut String, what: &str, removed: &Removed) -> std::fmt::Result {
    writeln!(text, "  {what} {}", removal(removed))?;
    if let Some(foreign) = &removed.foreign {
        writeln!(
            text,
            "  {:what$} of this, {}: {}",
            "",
            foreign_part(foreign),
            foreign.first,
            what = what.len()
        )?;
    }
    Ok(())
}

/// What a version takes out of the table, in a few words.
pub fn removal(removed: &Removed) -> String {
    let Removed { files, rows, bytes, partitions, unread, .. } = removed;
    let mut text = format!("{}, {}", count(*files, "file"), count(*rows, "row"));
    // Writing to a String cannot fail.
    let _ = match unread {
        0 => Ok(()),
        unread => write!(text, " (and those of {} that cannot be counted)", count(*unread, "file")),
    };
    let _ = write!(text, ", {} in {}", HumanBytes(*bytes), count(*partitions, "partition"));
    text
}

/// What of a removal another program wrote.
pub fn foreign_part(foreign: &Foreign) -> String {
    let Foreign { files, rows, .. } = foreign;
    format!("{} with {} of another program", count(*files, "file"), count(*rows, "row"))
}

fn write_small_files(text: &mut String, small: &SmallFiles) -> std::fmt::Result {
    write!(text, "  warning   {}", count(small.files, "file"))?;
    if small.partitions > 1 {
        write!(text, " in {}", count(small.partitions, "partition"))?;
    }
    writeln!(
        text,
        ", half of them of {} or less: readers wait longer for such files to open than for their rows",
        HumanBytes(small.median_bytes)
    )?;
    for remedy in &small.remedies {
        writeln!(text, "            for fewer, larger files {remedy}")?;
    }
    Ok(())
}

/// What a job says of files that are not written anew.
fn unapplied(keys: &[String]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let were = if keys.len() == 1 { "was" } else { "were" };
    let keys = keys.join(", ");
    format!(
        " {keys} {were} different then, which changes no rows: the files stay, --reprocess writes them anew."
    )
}

/// What a recovery did, in a sentence.
pub fn recovery(recovered: &Recovered) -> String {
    let list = |what: &str, of: Vec<String>| {
        let plural = if of.len() > 1 { "s" } else { "" };
        (!of.is_empty()).then(|| format!("{what}{plural} {}", of.join(", ")))
    };
    let finished = (!recovered.finished.is_empty())
        .then(|| format!("finished {}", numbered("version", recovered.finished.iter().copied())));
    let removed =
        (recovered.removed > 0).then(|| format!("removed {}", count(recovered.removed, "staged file")));
    let lost: Vec<String> = recovered
        .given_up
        .iter()
        .map(|lost| {
            let (files, version) = (count(lost.files.len(), "file"), lost.version);
            format!("{files} of version {version} with {}", count(lost.rows, "row"))
        })
        .collect();
    let given_up = (!lost.is_empty()).then(|| format!("gave up as lost {}", lost.join(", ")));
    let parts = [
        given_up,
        finished,
        list("gave up attempt", recovered.fenced.clone()),
        removed,
        list("left alone what may be alive: attempt", recovered.alive.clone()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing was left half done".to_owned() } else { parts.join("; ") }
}

/// What was read and is not data, but for headers, with the first of each kind.
fn write_not_data(text: &mut String, report: &RunReport) -> std::fmt::Result {
    for (position, (kind, all)) in report.totals.not_data.kinds().into_iter().enumerate() {
        let (noun, place) = match kind {
            "header" => continue,
            "skipped" => ("record", " before the data"),
            "footer" => ("record", " after the data"),
            "comments" => ("comment", ""),
            _ => ("blank line", ""),
        };
        let firsts = report.inputs.iter().filter_map(|input| {
            let (_, kind) = input.not_data.kinds()[position];
            Some((&input.url, kind.first.first()?))
        });
        if let Some((url, first)) = firsts.into_iter().next() {
            let the_first = if all.count > 1 { ", the first" } else { "," };
            write!(
                text,
                "  {kind:<9} {}{place}{the_first} on line {} of {url}",
                count(all.count, noun),
                first.line
            )?;
            match &first.text {
                Some(line) => writeln!(text, ": {line:?}")?,
                None => writeln!(text)?,
            }
        }
    }
    Ok(())
}

/// What was wrong with the data, and where the rejected records are.
fn write_findings(text: &mut String, report: &RunReport) -> std::fmt::Result {
    let findings = &report.findings;
    for reason in &findings.rejected {
        write!(text, "  rejected  {} × {}", HumanCount(reason.records), reason.rule)?;
        if let Some(column) = &reason.column {
            write!(text, " in {column:?}")?;
        }
        writeln!(text, ": {}", reason.example)?;
        writeln!(text, "            first at {}", reason.place)?;
    }
    for (column, values) in &findings.nulled {
        writeln!(text, "  nulled    {} of {column:?}", count(*values, "bad value"))?;
    }
    for (records, what) in [(findings.padded, "padded   "), (findings.truncated, "truncated")] {
        if records > 0 {
            writeln!(text, "  {what} {} with too few or too many fields", count(records, "record"))?;
        }
    }
    if let (Some(file), Some(target)) = (report.quarantine.first(), report.targets.first()) {
        writeln!(text, "  rejects   {}{} (in every target)", target.identity.url, file.key)?;
    }
    Ok(())
}

fn place(target: &super::TargetReport) -> String {
    match &target.identity.region {
        Some(region) => format!("{} ({region})", target.identity.url),
        None => target.identity.url.clone(),
    }
}
