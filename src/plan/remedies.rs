//! An input that a run failed at → the failure, with settings that read the input.

use super::PlanOptions;
use super::build::read_schema;
use crate::error::{Error, ErrorKind, InputProblem};
use crate::infer::{self, Failing, SAMPLE_BYTES, Sample, Tried, Words};
use crate::runtime::Runtime;
use crate::schema::ResolveContext;
use crate::source::{self, Access, Decoding};
use crate::spec::{
    DialectSpec, DuplicateColumns, EncodingName, JobSpec, LongRecord, MissingColumns, RecordPolicy,
    SchemaSpec, ShortRecord, TableSchema,
};

/// Text that remedies are tried on, at most: a failure that lies further down
/// keeps what was to be said of its kind.
const TRIED_BYTES: u64 = 8 << 20;

/// Encodings that are tried where the text is not of its own.
const ENCODINGS: [&str; 4] = ["windows-1252", "utf-16le", "utf-16be", "shift_jis"];

/// The same failure, with settings that were tried on its input and read it, if it is one of how the
/// text is written and there are any.
///
/// The inputs are read once more: what came through a pipe is gone.
#[must_use]
pub fn with_tried_remedies(error: Error, job: &JobSpec, options: &PlanOptions, runtime: &Runtime) -> Error {
    match tried(&error, job, options, runtime) {
        Some(Tried::Reads(remedies)) => {
            // What may be wrong with the input, and not with how it is read, is still to be said.
            let rest = error.what_to_do().filter(|_| is_of_the_input(&error));
            let remedies = rest.map_or(remedies.clone(), |rest| format!("{remedies}; otherwise {rest}"));
            error.remedy(remedies)
        }
        Some(Tried::Nothing) if is_of_a_record(&error) => error.remedy(
            "fix the input here: no quote, escape, delimiter, comment mark, title or footer that was tried reads it",
        ),
        _ => error,
    }
}

fn tried(error: &Error, job: &JobSpec, options: &PlanOptions, runtime: &Runtime) -> Option<Tried> {
    let ErrorKind::Input(problem) = error.kind() else { return None };
    let infers_types = job.schema.is_none() && !options.all_text;
    let is_value =
        infers_types && job.errors.quarantine_values && matches!(problem, InputProblem::Value { .. });
    // Whether names may repeat is for the schema to say, where there is one.
    let is_declared = job.schema.is_some() && matches!(problem, InputProblem::DuplicateColumn { .. });
    let location = error.location().filter(|_| is_value || is_of_the_text(problem) && !is_declared)?;
    let wanted = location.byte_offset.unwrap_or(0);
    if wanted > TRIED_BYTES {
        return None;
    }
    let file = match &job.schema {
        Some(SchemaSpec::Location(place)) => Some(read_schema(place, &job.source, runtime).ok()?),
        _ => None,
    };
    let (schema, of_file) = match (&job.schema, file) {
        (Some(SchemaSpec::Inline(schema)), _) => (Some(schema.clone()), None),
        (_, Some(file)) => (Some(file.schema), file.dialect),
        _ => (None, None),
    };
    let given = job.dialect.clone().or(of_file.unwrap_or_default());
    let access = Access::of(&job.source, &job.engine);
    let input = runtime
        .wait(source::list(std::slice::from_ref(&location.url), &access))
        .ok()?
        .into_iter()
        .find(|input| input.is_pinned() && input.url == location.url)?;
    let read = |encoding: Option<&EncodingName>| {
        let decoding = Decoding::of(encoding, given.invalid_bytes.unwrap_or_default());
        let cancel = runtime.cancel();
        let mut text = source::open(&input, &access, decoding, None, runtime, cancel).ok()?;
        let (text, whole) = text.peek(wanted as usize + SAMPLE_BYTES).ok()?;
        Some(Sample { url: input.url.clone(), text: text.to_vec(), whole, windows: Vec::new() })
    };
    let is_encoding = matches!(problem, InputProblem::InvalidEncoding { .. } | InputProblem::NulByte);
    let decoded = if is_encoding { &ENCODINGS[..] } else { &[] };
    let decoded = decoded.iter().filter_map(|name| {
        let encoding = name.parse().ok()?;
        read(Some(&encoding)).map(|sample| (encoding, sample))
    });
    let decoded = decoded.collect();
    let sample = if is_encoding { Sample::default() } else { read(given.encoding.as_ref())? };
    let names = schema.map_or(Vec::new(), |schema| header_names(&schema, job, &given));
    let words = Words {
        given: &given,
        names: &names,
        infers: options.infer_header,
        takes_duplicates: job.source.duplicate_columns != DuplicateColumns::Fail,
        rejects: job.errors.bad_record == RecordPolicy::Reject,
        pads: job.errors.for_short_records() == ShortRecord::Pad,
        truncates: job.errors.for_long_records() == LongRecord::Truncate,
        tells_values: job.errors.quarantine_values,
        null_tokens: &options.null_tokens,
    };
    let failing = Failing { sample, at: wanted as usize, problem, decoded };
    match &location.column {
        Some(column) if is_value => infer::value_remedies(&failing, &words, column).map(Tried::Reads),
        _ => Some(infer::remedies(&failing, &words, &|| runtime.cancel().check().is_ok())),
    }
}

/// Names that every header has to have; none where that cannot be told.
fn header_names(schema: &TableSchema, job: &JobSpec, given: &DialectSpec) -> Vec<String> {
    let policies = job.source.column_policies(given);
    let by_name = !policies.by_position
        && policies.missing == MissingColumns::Fail
        && given.header != Some(false)
        && !policies.any_case;
    let resolved = schema.resolve(&ResolveContext { file: "", null_sequence: None });
    let columns = resolved.ok().filter(|_| by_name).map_or(Vec::new(), |(schema, _)| schema.columns);
    let names = columns.into_iter().map(|column| column.source_name);
    names.filter(|name| !job.source.path_columns.contains(name)).collect()
}

/// Whether what is advised without a try is one of what was tried.
fn is_of_a_record(error: &Error) -> bool {
    let ErrorKind::Input(problem) = error.kind() else { return false };
    matches!(problem, InputProblem::StrayQuote { .. } | InputProblem::Ragged { .. })
}

fn is_of_the_input(error: &Error) -> bool {
    let ErrorKind::Input(problem) = error.kind() else { return false };
    matches!(problem, InputProblem::Value { .. } | InputProblem::UnterminatedQuote { .. })
}

/// Whether the failure may be one of how the text is read.
fn is_of_the_text(problem: &InputProblem) -> bool {
    matches!(
        problem,
        InputProblem::Ragged { .. }
            | InputProblem::StrayQuote { .. }
            | InputProblem::UnterminatedQuote { .. }
            | InputProblem::NoHeader
            | InputProblem::UnnamedColumn { .. }
            | InputProblem::DuplicateColumn { .. }
            | InputProblem::MissingColumns { .. }
            | InputProblem::FieldTooLarge { .. }
            | InputProblem::RecordTooLarge { .. }
            | InputProblem::TooManyFields { .. }
            | InputProblem::CommentLikeRecord { .. }
            | InputProblem::InvalidEncoding { .. }
            | InputProblem::NulByte
            | InputProblem::TwoReadings { .. }
    )
}
