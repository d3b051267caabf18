//! Formats of dates and times that stand in an expression → what is wrong with them.
//!
//! DataFusion looks at a format when it has a value: one that it cannot follow
//! makes every row bad, and one without a directive, such as `yyyy-MM`, is
//! itself the text of every row. So literals are checked when the expression is
//! compiled: its directives one by one, then the whole by the function itself on
//! a sample, which must come back as it was. What is accepted is what the
//! function understands, in whatever release of DataFusion.

use super::mistake::{Mistake, said};
use super::plan::constant;
use crate::value::convert::format::{Strftime, strftime_of};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Utc};
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::{Expr, ExprSchemable};
use datafusion_sql::sqlparser::tokenizer::Span;
use std::fmt::Write;

#[cfg(test)]
mod tests;

/// Functions whose arguments after the first are formats, by the name that
/// DataFusion has for them; `date_format` is an alias of `to_char`.
const WRITER: &str = "to_char";
const READERS: &[&str] = &[
    "to_date",
    "to_time",
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "to_unixtime",
];

/// 26 November 2024, 13:45:17 UTC: a time of which no part could be taken for
/// another, nor for what is missing.
const SAMPLE_SECONDS: i64 = 1_732_628_717;

const SECONDS_OF_DAY: i64 = 86_400;

/// A text in quotes in the expression, and its place.
#[derive(Debug)]
pub(super) struct Quoted {
    pub(super) text: String,
    pub(super) span: Span,
}

/// Whether arguments of this function, after the first, are formats.
pub(super) fn takes_formats(function: &str) -> bool {
    function == WRITER || READERS.contains(&function)
}

/// Checks every literal format in an expression of which all types are settled.
/// `quoted`: the texts that are arguments of such functions, as they stand.
pub(super) fn check(expr: &Expr, schema: &DFSchema, quoted: &[Quoted]) -> Result<(), Mistake> {
    let mut found = Ok(());
    let walked = expr.apply(|node| {
        if let Expr::ScalarFunction(call) = node
            && takes_formats(call.name())
        {
            let mut literals = call.args.iter().skip(1).filter_map(literal);
            found = literals.try_for_each(|format| check_literal(call, format, schema, quoted));
        }
        Ok(if found.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.map_err(|error| Mistake::of(&error))?;
    found
}

fn literal(argument: &Expr) -> Option<&str> {
    match argument {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        Expr::Cast(cast) => literal(&cast.expr),
        _ => None,
    }
}

fn check_literal(
    call: &ScalarFunction,
    format: &str,
    schema: &DFSchema,
    quoted: &[Quoted],
) -> Result<(), Mistake> {
    let place = quoted.iter().find(|quoted| quoted.text == format).map_or(Span::empty(), |found| found.span);
    let first = call.args.first().and_then(|value| value.get_type(schema).ok());
    let check = |format: &str| match (&first, call.name()) {
        (Some(DataType::Duration(_)), WRITER) => check_duration(format),
        (Some(of), WRITER) => directives_of(format).and_then(|all| check_written(call, of, format, &all)),
        _ => directives_of(format).and_then(|_| check_read(call, format)),
    };
    check(format).map_err(|mistake| {
        let known = strftime_of(format, Strftime::Chrono).filter(|known| check(known).is_ok());
        match known {
            Some(known) => mistake.at(place).remedy(format!("write {}", in_quotes(&known))),
            None => mistake.at(place),
        }
    })
}

fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The directives of a format, of which there must be one at least.
fn directives_of(format: &str) -> Result<Vec<&str>, Mistake> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        let directive = directive(&rest[start..]).map_err(|unknown| {
            let message = match unknown {
                "%" => format!("the format {} ends in the middle of a directive", in_quotes(format)),
                _ => format!("the format {} has an unknown directive, `{unknown}`", in_quotes(format)),
            };
            Mistake::new(message).remedy(
                "the directives are those of chrono (https://docs.rs/chrono/latest/chrono/format/strftime); \
                 write `%%` for a percent sign",
            )
        })?;
        if !matches!(directive, "%%" | "%n" | "%t") {
            found.push(directive);
        }
        rest = &rest[start + directive.len()..];
    }
    match found.is_empty() {
        true => Err(Mistake::new(format!("{} is not a strftime format", in_quotes(format)))
            .remedy("write one such as '%Y-%m-%d' or '%H:%M:%S'")),
        false => Ok(found),
    }
}

/// The directive that `text` begins with, or what stands in its place. Chrono
/// does not say how long one is: it is the shortest that chrono can read.
fn directive(text: &str) -> Result<&str, &str> {
    let ends = || text.char_indices().map(|(at, character)| at + character.len_utf8());
    let is_known = |end: &usize| !StrftimeItems::new(&text[..*end]).any(|item| item == Item::Error);
    // None is longer than `%:::z`.
    match ends().take(5).find(is_known) {
        Some(end) => Ok(&text[..end]),
        None => {
            let modifiers = text[1..].chars().take_while(|c| "-_.:#0369".contains(*c)).count();
            Err(&text[..ends().nth(modifiers + 1).unwrap_or(text.len())])
        }
    }
}

fn check_duration(format: &str) -> Result<(), Mistake> {
    match ["iso8601", "pretty"].iter().any(|known| known.eq_ignore_ascii_case(format)) {
        true => Ok(()),
        false => Err(Mistake::new(format!("{} is not a format of durations", in_quotes(format)))
            .remedy("write 'iso8601' or 'pretty'")),
    }
}

/// Has the function write a sample of the type.
fn check_written(
    call: &ScalarFunction,
    of: &DataType,
    format: &str,
    directives: &[&str],
) -> Result<(), Mistake> {
    let Ok(sample) = ScalarValue::TimestampSecond(Some(SAMPLE_SECONDS), None).cast_to(of) else {
        // Whatever the function says of the type is said at its rows.
        return Ok(());
    };
    let Err(error) = invoke(call, sample.clone(), format) else { return Ok(()) };
    let refused = directives.iter().find(|directive| invoke(call, sample.clone(), directive).is_err());
    let (what, remedy) = match of {
        DataType::Time32(_) | DataType::Time64(_) => {
            ("a time of day", "it has hours, minutes, seconds and their fractions")
        }
        DataType::Timestamp(_, Some(_)) => ("an instant", "leave it out"),
        _ => (
            "a time without zone",
            "leave it out, or make an instant of it: CAST(… AS TIMESTAMP WITH TIME ZONE) takes it as UTC",
        ),
    };
    let mistake = match refused {
        Some(directive) => Mistake::new(format!("{what} has nothing for `{directive}`")),
        None => {
            Mistake::new(format!("{} cannot follow {}: {}", call.name(), in_quotes(format), said(&error)))
        }
    };
    Err(mistake.remedy(remedy))
}

/// Has the function read a sample in the format.
fn check_read(call: &ScalarFunction, format: &str) -> Result<(), Mistake> {
    let Some(text) = sample_text(SAMPLE_SECONDS, format) else {
        return Err(Mistake::new(format!("{} is not a format to read", in_quotes(format))));
    };
    let name = call.name();
    let (wanted, remedy) = match name {
        "to_date" => ("a date", "it needs a year, a month and a day (or `%j`, or `%s`)"),
        "to_time" => ("a time of day", "it needs hour and minute: `%H:%M`, or `%I:%M %p`"),
        _ => (
            "a point in time",
            "it needs a year, a month and a day (or `%j`, or `%s`), and minutes beside an hour",
        ),
    };
    let value = invoke(call, ScalarValue::from(text.as_str()), format).map_err(|error| {
        if format.contains("%Z") && !format.trim_end().ends_with(" %Z") {
            return Mistake::new(format!("`%Z` may stand only at the end of {}", in_quotes(format)))
                .remedy("put ` %Z` at the end, after a space, or `%z` for an offset");
        }
        let said = said(&error);
        let cause = said.rsplit_once("': ").map_or(said.as_str(), |(_, cause)| cause);
        let cause = if name == "to_time" { "a part is missing" } else { cause };
        Mistake::new(format!("{name} cannot read {wanted} by {}: {cause}", in_quotes(format))).remedy(remedy)
    })?;
    // What the function does not need it leaves out without a word, such as
    // an hour without minutes.
    let comes_back = match name {
        "to_time" => true,
        "to_date" => seconds_of(&value).is_some_and(|seconds| {
            seconds.div_euclid(SECONDS_OF_DAY) == SAMPLE_SECONDS.div_euclid(SECONDS_OF_DAY)
        }),
        _ => seconds_of(&value).and_then(|seconds| sample_text(seconds, format)).as_ref() == Some(&text),
    };
    match comes_back {
        true => Ok(()),
        false => {
            Err(Mistake::new(format!("{name} would leave out a part of {}", in_quotes(format)))
                .remedy(remedy))
        }
    }
}

/// A time in a format; `None` if it cannot be written.
fn sample_text(seconds: i64, format: &str) -> Option<String> {
    let time: DateTime<Utc> = DateTime::from_timestamp(seconds, 0)?;
    // May be read and not written.
    let permissive = StrftimeItems::new("%#z").next();
    let colon = StrftimeItems::new("%:z").next();
    let items = StrftimeItems::new(format).map(|item| match Some(&item) == permissive.as_ref() {
        true => colon.clone().unwrap_or(Item::Error),
        false => item,
    });
    let items = items.collect::<Vec<_>>();
    let mut text = String::new();
    write!(text, "{}", time.format_with_items(items.iter())).ok()?;
    Some(text)
}

fn seconds_of(value: &ScalarValue) -> Option<i64> {
    let to = DataType::Timestamp(TimeUnit::Second, None);
    match value {
        ScalarValue::Int64(seconds) => *seconds,
        other => match other.cast_to(&to).ok()? {
            ScalarValue::TimestampSecond(seconds, _) => seconds,
            _ => None,
        },
    }
}

fn invoke(call: &ScalarFunction, value: ScalarValue, format: &str) -> datafusion_common::Result<ScalarValue> {
    let args = [value, ScalarValue::from(format)].map(|value| Expr::Literal(value, None));
    let call = ScalarFunction { func: call.func.clone(), args: args.into() };
    constant(&Expr::ScalarFunction(call), &DFSchema::empty())
}
